"""The formats of a pull: JSON lines, compressed or not, CSV and Parquet."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

import typer
from attrs import frozen

from nectar_async._json.converter import get_converter
from nectar_async._text import escape_json
from nectar_async.cli.output_file import OutputFile
from nectar_async.contract.wire_names import to_python
from nectar_async.tables.columns import describe_columns, get_values
from nectar_async.tables.frames import encode_values, import_extra, schema, to_arrow

__all__ = ["FORMATS", "Format", "Group", "RecordWriter", "find_format"]

Group: TypeAlias = tuple[Mapping[str, str], Sequence[Any]]
"""Records, and the ids of their owners by key of the API, such as `companyId`."""

# A block of this size compresses as well as the whole file, and is soon on the disk.
_GZIP_BLOCK: Final = 1_000_000
# Smaller groups of rows make a Parquet file larger and slower to read.
_ROW_GROUP: Final = 10_000
# So many records at a time hold up the event loop for some ten milliseconds.
_ROWS_AT_ONCE: Final = 1_000


class RecordWriter(Protocol):
    """Writes records to a file, page by page."""

    def write(self, groups: Sequence[Group]) -> None:
        """Write the records of a page.

        Raises:
            OSError: the file cannot be written.
        """

    def finish(self) -> None:
        """Write what is left, so that the file can be read."""


BuildWriter: TypeAlias = Callable[[OutputFile, type[Any], bool], RecordWriter]
"""Builds a writer from the file, the model of the records, and whether secrets are
written."""


@frozen(kw_only=True)
class Format:
    """A format of files."""

    name: str
    title: str
    ending: str
    build_writer: BuildWriter
    has_secrets: bool = False
    """Whether it can hold secrets."""


class _JsonLinesWriter:
    """Writes each record on a line, as the API sends it, behind its owners' ids."""

    def __init__(self, file: OutputFile, *, with_secrets: bool) -> None:
        self._file = file
        self._with_secrets = with_secrets

    def write(self, groups: Sequence[Group]) -> None:
        """Write the lines of a page at once."""
        if lines := self._encode(groups):
            self._file.write(lines)

    def finish(self) -> None:
        """Do nothing: every line is written."""

    def _encode(self, groups: Sequence[Group]) -> bytes:
        encode = get_converter(is_strict=False).encode_lines
        lines = [
            encode(records, keys, with_secrets=self._with_secrets)
            for keys, records in groups
        ]
        return escape_json(b"".join(lines))


class _GzipLinesWriter(_JsonLinesWriter):
    """Writes compressed lines in members of a megabyte, each of which can be read."""

    def __init__(self, file: OutputFile, *, with_secrets: bool) -> None:
        super().__init__(file, with_secrets=with_secrets)
        self._lines = bytearray()

    def write(self, groups: Sequence[Group]) -> None:
        """Add the lines of a page."""
        self._lines += self._encode(groups)
        if len(self._lines) >= _GZIP_BLOCK:
            self.finish()

    def finish(self) -> None:
        """Write the lines that are left."""
        # The time would make two files of the same records differ.
        if self._lines or not self._file.size:
            self._file.write(gzip.compress(self._lines, 6, mtime=0))
            self._lines.clear()


class _CsvWriter:
    """Writes CSV in UTF-8, with a header; inner lists are JSON, decimals are exact."""

    def __init__(self, file: OutputFile, model: Any) -> None:
        self._file = file
        self._columns = describe_columns(model, "flat")
        self._has_header = False

    def write(self, groups: Sequence[Group]) -> None:
        """Write the rows of a page at once."""
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        for keys, records in groups:
            owners = _find_owners(keys, [column.name for column in self._columns])
            if not self._has_header:
                self._has_header = True
                rows.writerow([*owners, *(column.name for column in self._columns)])
            values = [
                map(_format_cell, encode_values(column, get_values(column, records)))
                for column in self._columns
            ]
            ids = tuple(owners.values())
            rows.writerows((*ids, *row) for row in zip(*values, strict=True))
        self._file.write(text.getvalue().encode())

    def finish(self) -> None:
        """Write the header of a file without records."""
        if not self._has_header:
            self._has_header = True
            names = ",".join(column.name for column in self._columns)
            self._file.write(f"{names}\n".encode())


class _ParquetWriter:
    """Writes Parquet with the schema of `nectar_async.tables`."""

    def __init__(self, file: OutputFile, model: Any) -> None:
        self._arrow = import_extra("pyarrow")
        self._parquet = import_extra("pyarrow.parquet")
        self._stream = _Stream(file)
        self._model = model
        self._writer: Any = None
        self._pending: list[Group] = []
        self._pending_rows = 0
        self._tables: list[Any] = []

    def write(self, groups: Sequence[Group]) -> None:
        """Add the records of a page; a group of rows is written when it is full."""
        self._pending += groups
        self._pending_rows += sum(len(records) for _, records in groups)
        if self._pending_rows >= _ROWS_AT_ONCE:
            self._convert()
            if sum(table.num_rows for table in self._tables) >= _ROW_GROUP:
                self._write_tables()

    def finish(self) -> None:
        """Write the rows that are left, and the end of the file."""
        self._convert()
        if not self._tables and self._writer is None:
            self._tables = [schema(self._model).empty_table()]
        self._write_tables()
        self._writer.close()

    def _convert(self) -> None:
        """Convert the pending records to one table."""
        records = [record for _, each in self._pending for record in each]
        if records:
            table = to_arrow(records, self._model)
            owners = [
                (_find_owners(keys, table.column_names), len(each))
                for keys, each in self._pending
            ]
            for name in reversed(owners[0][0]):
                ids = [ids[name] for ids, count in owners for _ in range(count)]
                texts = self._arrow.array(ids, self._arrow.string())
                table = table.add_column(0, name, texts)
            self._tables.append(table.replace_schema_metadata(None))
        self._pending, self._pending_rows = [], 0

    def _write_tables(self) -> None:
        if self._tables:
            table = self._arrow.concat_tables(self._tables)
            if self._writer is None:
                self._writer = self._parquet.ParquetWriter(self._stream, table.schema)
            self._writer.write_table(table)
            self._tables = []


class _Stream(io.RawIOBase):
    """The file as a stream, for a library that writes to one."""

    def __init__(self, file: OutputFile) -> None:
        self._file = file

    def writable(self) -> bool:
        """Return true."""
        return True

    def tell(self) -> int:
        """Return the number of bytes written."""
        return self._file.size

    def write(self, block: Any, /) -> int:
        """Write a block."""
        self._file.write(bytes(block))
        return len(block)


FORMATS: Final[Mapping[str, Format]] = {
    each.name: each
    for each in (
        Format(
            name="jsonl",
            title="JSON lines",
            ending=".jsonl",
            build_writer=lambda file, _, with_secrets: _JsonLinesWriter(
                file, with_secrets=with_secrets
            ),
            has_secrets=True,
        ),
        Format(
            name="jsonl.gz",
            title="compressed JSON lines",
            ending=".jsonl.gz",
            build_writer=lambda file, _, with_secrets: _GzipLinesWriter(
                file, with_secrets=with_secrets
            ),
            has_secrets=True,
        ),
        Format(
            name="csv",
            title="CSV",
            ending=".csv",
            build_writer=lambda file, model, _: _CsvWriter(file, model),
        ),
        Format(
            name="parquet",
            title="Parquet",
            ending=".parquet",
            build_writer=lambda file, model, _: _ParquetWriter(file, model),
        ),
    )
}
"""The formats by name."""


def find_format(path: Path, name: str | None) -> Format:
    """Find the format of a file by its name, or else by the ending of the path.

    Standard output, devices and pipes get JSON lines.

    Raises:
        BadParameter: there is no such format.
    """
    endings = ", ".join(each.ending for each in FORMATS.values())
    if name is not None:
        if name not in FORMATS:
            raise typer.BadParameter(
                f"--format {name!r} is not one of {', '.join(FORMATS)}"
            )
        return FORMATS[name]
    for each in FORMATS.values():
        if path.name.lower().endswith(each.ending):
            return each
    if path.exists() and not path.is_file():
        return FORMATS["jsonl"]
    if str(path) == "-":
        return FORMATS["jsonl"]
    raise typer.BadParameter(
        f"the ending of {path.name} tells no format; use {endings}, or --format"
        f" {' | '.join(FORMATS)}"
    )


def _find_owners(keys: Mapping[str, str], columns: Sequence[str]) -> dict[str, str]:
    """Return the ids of the owners that are no column of the records already."""
    owners = {to_python(key): value for key, value in keys.items()}
    return {name: value for name, value in owners.items() if name not in columns}


def _format_cell(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return "" if value is None else str(value)
