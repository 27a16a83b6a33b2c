"""Records are shown as a small table in notebooks and on terminals."""

from __future__ import annotations

import io
from html.parser import HTMLParser
from typing import Any

import pytest
from attrs import frozen
from filled import CANARY, FILLED
from random_records import build_records
from rich.console import Console

from nectar_async import Document, Receipt, Records, Secret, Site, UsageData, Verdict
from nectar_async._paging.record_table import build_table

HOSTILE = "\x1b]0;owned\x07\u202e[red]<script>alert('&\"')</script>" + "x" * 1000
RECEIPT = Receipt(
    records=10_000, total_last=10_000, pages=100, verdict=Verdict.COMPLETE
)


class Table(HTMLParser):
    """Reads the cells of a table, and the tags of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: set[str] = set()
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self.lasttag in {"td", "th"}:
            self.rows[-1][-1] += data


def show_on_terminal(records: Records[Any], width: int = 200) -> str:
    console = Console(file=io.StringIO(), width=width, record=True)
    console.print(records)
    return console.export_text()


def test_a_notebook_shows_ten_records_and_the_receipt() -> None:
    sites = tuple(Site(id=f"s-{number}", name="Quay") for number in range(12))
    html = Records(sites, RECEIPT)._repr_html_()
    table = Table(html)
    assert table.rows[:2] == [["id", "name"], ["s-0", "Quay"]]
    assert len(table.rows) == 11
    assert table.texts[-1] == (
        "10 of 12 records; receipt: 100 pages, 10,000 of 10,000 records, complete"
    )


def test_a_terminal_shows_the_same() -> None:
    text = show_on_terminal(Records((Site(id="s-1", name="Quay"),), RECEIPT))
    assert "s-1" in text
    assert "Quay" in text
    assert "complete" in text
    assert "path" not in text


def test_columns_without_a_value_are_left_out_and_further_ones_are_counted() -> None:
    @frozen
    class Wide:
        a: int | None = None
        b: str = ""
        c: int = 0
        d: tuple[str, ...] = ()
        e: int = 1

    table = build_table([Wide(), Wide(a=3)], 2, "below")
    assert table.columns == ("c", "e")
    assert table.rows == (("0", "1"), ("0", "1"))
    assert table.caption == "2 of 3 columns; below"


def test_no_records_are_no_rows() -> None:
    html = Records[Site]()._repr_html_()
    assert Table(html).texts == ["receipt: 0 pages, 0 records, unfinished"]
    assert "unfinished" in show_on_terminal(Records[Site]())


def test_records_of_any_kind_are_shown() -> None:
    assert Table(Records(("a", 7))._repr_html_()).rows == [["value"], ["a"], ["7"]]
    html = Records((Site(id="s"), UsageData(id="u", tariff="T")))._repr_html_()
    assert Table(html).rows == [["id", "tariff"], ["s", ""], ["u", "T"]]


@pytest.mark.parametrize("value", FILLED, ids=lambda value: type(value).__name__)
def test_no_table_shows_a_secret(value: Any) -> None:
    records = Records((value,))
    assert CANARY not in records._repr_html_()
    assert CANARY not in show_on_terminal(records, 1000)


def test_a_secret_has_no_column() -> None:
    document = Document(id="d", url=Secret(CANARY))
    assert build_table([document], 20, "").columns == ("id",)


def test_texts_of_a_server_are_cut_cleaned_and_escaped() -> None:
    records = Records((Site(id="s", name=HOSTILE, path=(HOSTILE,)),))
    html = records._repr_html_()
    table = Table(html)
    assert table.tags == {"table", "thead", "tbody", "tr", "td", "th", "p"}
    assert table.rows[1][1].startswith("\\x1b]0;owned\\x07\\u202e[red]")
    assert all(len(cell) <= 80 for row in table.rows for cell in row)
    text = show_on_terminal(records)
    assert "[red]<script>" in text
    for shown in (html, text.replace("\n", "")):
        assert shown.isprintable()


@pytest.mark.parametrize(
    "text", ["'" * 1000, "\U0001f600" * 1000, HOSTILE, "\x00" * 99]
)
def test_a_cell_of_a_notebook_with_many_records_is_small(text: str) -> None:
    fields: dict[str, Any] = {
        name: text for name, kind in UsageData.__annotations__.items() if "str" in kind
    }
    record = UsageData(**{"id": text, **fields, "additional_fields": {text: 1}})
    html = Records((record,) * 10_000, RECEIPT)._repr_html_()
    assert len(html.encode()) < 50_000


def test_a_cell_with_random_records_is_small() -> None:
    html = Records(tuple(build_records(UsageData, 100)) * 100, RECEIPT)._repr_html_()
    assert "20 of " in html
    assert len(html.encode()) < 50_000
