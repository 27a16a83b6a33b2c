"""The first records as rows and columns of short texts, for notebooks and terminals."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from importlib import import_module
from typing import Any, Final

import attrs
from attrs import frozen

from nectar_async._repr import VALUE_SIZE, cut, format_value, iterate_fields
from nectar_async._text import make_one_line
from nectar_async._types import Secret

__all__ = ["build_html", "build_rich_table", "build_table"]

_ROWS: Final = 10
_HTML_COLUMNS: Final = 20
_TERMINAL_COLUMNS: Final = 8

# So many bytes that 200 cells stay below 50 kB, however much of a text is escaped.
_MAX_CELL_BYTES: Final = 200
_SHORT_CELL: Final = 24


@frozen
class RecordTable:
    """The texts of the first records, by row, and what was left out."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str
    """The text below the table: how much of it is shown, and a summary."""


def build_table(items: Sequence[Any], columns: int, summary: str) -> RecordTable:
    """Build the table of the first ten records, without their secrets.

    Args:
        items: the records.
        columns: how many columns to show, of those that have a value in these rows.
        summary: the text below the table.
    """
    rows = [_list_cells(item) for item in items[:_ROWS]]
    names = list(dict.fromkeys(name for row in rows for name in row))
    shown = tuple(names[:columns])
    counts = ((len(rows), len(items), "records"), (len(shown), len(names), "columns"))
    notes = [
        f"{part:,} of {whole:,} {noun}" for part, whole, noun in counts if part < whole
    ]
    return RecordTable(
        shown,
        tuple(tuple(row.get(name, "") for name in shown) for row in rows),
        make_one_line("; ".join([*notes, summary])),
    )


def _list_cells(item: Any) -> dict[str, str]:
    """Map the names of a record's fields to their texts."""
    if not attrs.has(type(item)):
        return {"value": _format_cell(item)}
    return {
        name: _format_cell(value)
        for name, _, value in iterate_fields(item)
        if not isinstance(value, Secret)
    }


def _format_cell(value: Any) -> str:
    text = str(value) if isinstance(value, str) else format_value(value)
    return cut(make_one_line(cut(text, VALUE_SIZE)), VALUE_SIZE)


def build_html(items: Sequence[Any], summary: str) -> str:
    """Build the HTML of a table and of the text below it, in less than 50 kB."""
    table = build_table(items, _HTML_COLUMNS, summary)
    head = _build_row("th", table.columns)
    body = "".join(_build_row("td", row) for row in table.rows)
    return (
        f"<table><thead>{head}</thead><tbody>{body}</tbody></table>"
        f"<p>{escape(table.caption)}</p>"
    )


def _build_row(tag: str, cells: Sequence[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{_escape(cell)}</{tag}>' for cell in cells)}</tr>"


def _escape(cell: str) -> str:
    text = escape(cell)
    is_long = len(text.encode()) > _MAX_CELL_BYTES
    return escape(cut(cell, _SHORT_CELL)) if is_long else text


def build_rich_table(items: Sequence[Any], summary: str) -> Any:
    """Build a `rich.table.Table`; without records, only the text below it."""
    text_class = import_module("rich.text").Text  # its texts have no markup
    table = build_table(items, _TERMINAL_COLUMNS, summary)
    if not table.columns:
        return text_class(table.caption)
    view = import_module("rich.table").Table(caption=text_class(table.caption))
    for column in table.columns:
        view.add_column(text_class(column), overflow="ellipsis", no_wrap=True)
    for row in table.rows:
        view.add_row(*map(text_class, row))
    return view
