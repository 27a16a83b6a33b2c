"""Tables of Arrow: one schema for each noun, exact numbers, and the way back."""

from __future__ import annotations

import json
import logging
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from attrs import evolve
from random_records import build_records

from nectar_async import (
    ConfigurationError,
    Connection,
    Document,
    InvalidArgumentError,
    Records,
    Secret,
    Site,
    UsageData,
    make_converter,
)
from nectar_async.models import ConnectionCompany, DocumentEmbedded, LineItem
from nectar_async.tables import columns, frames, from_arrow, schema
from nectar_async.tables.columns import NOUNS

each_noun = pytest.mark.parametrize("noun", NOUNS)
each_nested = pytest.mark.parametrize("nested", ["struct", "json", "flat"])

USAGE = UsageData(
    id="u",
    company_id="c",
    start_date=date(2025, 1, 1),
    created=datetime(2025, 2, 1, 12, tzinfo=UTC),
    usage=Decimal("1.50"),
    site=Site(id="s", path=("US", "IL")),
    document=DocumentEmbedded(id="d", total_charges=Decimal("10.99")),
    extra={"newKey": Decimal("2.10"), "note": "12"},
)
OTHER: Any = "other"
TOO_LONG = Decimal("12345678901234567890.12345678901")
TOO_FINE = Decimal("0.12345678901")


@each_noun
def test_a_thousand_records_come_back_from_a_table_as_they_were(noun: str) -> None:
    records = Records(tuple(build_records(NOUNS[noun], 1_000)), model=NOUNS[noun])
    table = records.to_arrow()
    assert table.schema == schema(noun)
    assert from_arrow(table, noun) == list(records)
    converter = make_converter("python")
    rows = [converter.structure(row, NOUNS[noun]) for row in table.to_pylist()]
    assert rows == list(records)
    again = Records(tuple(rows)).to_dicts()
    assert [converter.structure(each, NOUNS[noun]) for each in again] == rows


@each_nested
@pytest.mark.parametrize("decimals", ["decimal", "string"])
def test_records_come_back_from_every_layout(nested: Any, decimals: Any) -> None:
    company = ConnectionCompany(id="c")
    for record in (
        USAGE,
        evolve(USAGE, usage=TOO_LONG, document=None, site=None),
        Connection(id="x", company=company, company_id="c"),
        Document(id="d", line_items=(LineItem(rate=Decimal("0.1")), LineItem())),
    ):
        table = Records((record,)).to_arrow(nested=nested, decimals=decimals)
        (back,) = from_arrow(table, type(record), nested=nested)
        assert back == record
        assert getattr(back, "company_id", None) == record.company_id


@each_noun
@each_nested
def test_a_table_without_records_has_all_columns(noun: str, nested: Any) -> None:
    table = Records(model=NOUNS[noun]).to_arrow(nested=nested)
    assert table.num_rows == 0
    assert table.schema == schema(noun, nested=nested)
    assert len(set(table.column_names)) == len(table.column_names)


def test_a_schema_has_the_meaning_of_each_column() -> None:
    usage = schema("usage")
    assert usage.names[:2] == ["id", "company_id"]
    assert usage.names[-1] == "extra"
    assert usage.field("usage").type == pa.decimal128(28, 10)
    assert usage.field("created").type == pa.timestamp("us", tz="UTC")
    assert b"inclusive" in usage.field("end_date").metadata[b"description"]


def test_numbers_that_do_not_fit_are_text_in_extra_and_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    document = DocumentEmbedded(id="d", total_charges=TOO_FINE)
    records = Records(
        (USAGE, evolve(USAGE, usage=TOO_LONG, document=document), *[USAGE] * 5)
    )
    with caplog.at_level(logging.WARNING, "nectar_async"):
        table = records.to_arrow()
    assert "2 numbers of 1 records do not fit" in caplog.text
    row = table.to_pylist()[1]
    assert row["usage"] is row["document"]["total_charges"] is None
    extra = json.loads(row["extra"])
    assert extra["usage"] == str(TOO_LONG)
    assert extra["document.total_charges"] == str(TOO_FINE)
    assert table.schema.metadata == {b"misfits": b"2"}
    assert from_arrow(table, "usage") == list(records)


def test_a_misfit_in_a_shared_record_or_a_list_names_every_row() -> None:
    shared = DocumentEmbedded(id="d", total_charges=TOO_FINE)
    items = (LineItem(), LineItem(rate=TOO_FINE, multipliers=(Decimal(1), TOO_LONG)))
    usage = Records(tuple(evolve(USAGE, document=shared) for _ in range(4)))
    documents = Records((Document(id="d"), Document(id="e", line_items=items)))
    for records, noun in ((usage, "usage"), (documents, "documents")):
        assert from_arrow(records.to_arrow(), noun) == list(records)
    extra = json.loads(documents.to_arrow()["extra"][1].as_py())
    assert set(extra) == {"line_items[1].rate", "line_items[1].multipliers[1]"}
    assert usage.to_arrow().schema.metadata == {b"misfits": b"4"}


def test_decimals_are_exact_unless_floats_are_asked_for() -> None:
    records = Records((evolve(USAGE, usage=Decimal("0.1")),))
    assert records.to_arrow()["usage"][0].as_py() == Decimal("0.1")
    assert records.to_arrow(decimals="string")["usage"][0].as_py() == "0.1"
    assert records.to_arrow(decimals="float")["usage"][0].as_py() == 0.1
    huge = Records((evolve(USAGE, usage=Decimal("1E+400")),))
    row = huge.to_arrow(decimals="float").to_pylist()[0]
    assert row["usage"] is None
    assert json.loads(row["extra"])["usage"] == "1E+400"


def test_a_secret_is_in_no_table() -> None:
    record = Connection(
        id="x",
        connection_magic_link_secret=Secret("canary"),
        extra={"password": "canary"},
    )
    for nested in ("struct", "json", "flat"):
        table = Records((record,)).to_arrow(nested=nested)
        assert "canary" not in str(table.to_pylist())


def test_polars_pandas_and_duckdb_read_records() -> None:
    records = Records((USAGE, evolve(USAGE, id="v", usage=None)))
    frame = pl.DataFrame(records)
    assert frame.equals(records.to_polars())
    assert frame["usage"].to_list() == [Decimal("1.5"), None]
    assert frame["document"].struct.field("id").to_list() == ["d", "d"]
    pandas = records.to_pandas(nested="flat")
    assert pandas["usage"].sum() == Decimal("1.5")
    assert pandas["document_id"].tolist() == ["d", "d"]
    assert pd.DataFrame.from_arrow(records).shape == (2, len(schema("usage").names))
    rows: Any = duckdb.sql("select id, usage, document.id from records order by id")
    assert rows.fetchall() == [("u", Decimal("1.5"), "d"), ("v", None, "d")]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: schema("usages"), "there is no table of 'usages'; tables: accounts"),
        (lambda: schema("usage", nested=OTHER), "nested must be one of 'struct'"),
        (lambda: schema("usage", decimals=OTHER), "decimals must be one of 'decimal'"),
        (lambda: Records(("a",)).to_arrow(), "records of one kind"),
        (lambda: Records().to_arrow(), "records of one kind"),
        (lambda: Records((USAGE, Site(id="s"))).to_arrow(), "records of one kind"),
    ],
)
def test_a_wrong_argument_is_a_clear_error(call: Any, message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        call()


@pytest.mark.parametrize(
    ("module", "install"),
    [
        ("pyarrow", "nectar-async\\[frames\\]"),
        ("polars", "polars"),
        ("pandas", "pandas"),
    ],
)
def test_a_missing_library_is_named_with_the_command(
    monkeypatch: pytest.MonkeyPatch, module: str, install: str
) -> None:
    def refuse(name: str) -> Any:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(frames, "import_module", refuse)
    with pytest.raises(
        ConfigurationError, match=f"needs {module}: pip install '?{install}"
    ):
        frames.import_extra(module)


def test_descriptions_are_missing_without_the_source(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_: object) -> str:
        raise OSError

    monkeypatch.setattr("inspect.getsource", refuse)
    assert columns.read_field_docs.__wrapped__(UsageData) == {}
