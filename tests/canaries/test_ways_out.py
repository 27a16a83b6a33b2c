"""No way from a record to a dict, a text, a table or a file shows a secret."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from attrs import evolve
from filled import CANARY, FILLED
from pyarrow import csv, parquet
from pydantic import TypeAdapter
from rich.console import Console

from nectar_async import Records, make_converter, to_dict, to_json
from nectar_async._json.fields import describe_model
from nectar_async.cli.output_file import OutputFile
from nectar_async.cli.record_writers import FORMATS
from nectar_async.contract.sensitive import SENSITIVE

pytestmark = pytest.mark.without_coverage

Show = Callable[[Records[Any]], object]


def write_table(write: Callable[[Any, Any], object]) -> Show:
    """Write a flat table to a file in memory, and return its bytes."""

    def show(records: Records[Any]) -> bytes:
        file = io.BytesIO()
        write(records.to_arrow(nested="flat"), file)
        return file.getvalue()

    return show


def show_on_terminal(records: Records[Any]) -> str:
    """Print the records as a table, wide enough for every column."""
    console = Console(file=io.StringIO(), width=2000, record=True)
    console.print(records)
    return console.export_text()


WAYS: Mapping[str, Show] = {
    "repr": repr,
    "repr of a record": lambda records: repr(records[0]),
    "notebook": lambda records: records._repr_html_(),
    "terminal": show_on_terminal,
    "to_dict": lambda records: [to_dict(record) for record in records],
    "to_json": lambda records: [to_json(record, names="wire") for record in records],
    "to_dicts": lambda records: records.to_dicts(names="wire"),
    "converter": lambda records: make_converter().unstructure(list(records)),
    "pydantic": lambda records: [
        TypeAdapter(type(record)).dump_json(record) for record in records
    ],
    "structs": lambda records: records.to_arrow().to_pylist(),
    "JSON columns": lambda records: records.to_arrow(nested="json").to_pylist(),
    "flat columns": lambda records: records.to_arrow(nested="flat").to_pylist(),
    "pandas": lambda records: records.to_pandas().to_dict(),
    "polars": lambda records: records.to_polars().to_dicts(),
    "Arrow stream": lambda records: pd.DataFrame.from_arrow(records).to_dict(),
    "CSV": write_table(csv.write_csv),
    "Parquet": write_table(parquet.write_table),
}


def build_extra(record: Any) -> dict[str, Any]:
    """Build unknown keys that are secret, at two levels."""
    model: Any = type(record)
    fields = describe_model(model).wires  # they decide about their own keys
    secrets = dict.fromkeys(SENSITIVE - fields, CANARY)
    return {**secrets, "nested": [secrets]}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("record", FILLED, ids=lambda record: type(record).__name__)
def test_a_record_shows_no_secret(way: str, record: Any) -> None:
    record = evolve(record, extra=build_extra(record))
    assert CANARY in str(to_dict(record, with_secrets=True))
    assert CANARY not in str(WAYS[way](Records((record, record))))


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("record", FILLED, ids=lambda record: type(record).__name__)
def test_a_file_of_a_pull_shows_no_secret(
    name: str, record: Any, tmp_path: Path
) -> None:
    record = evolve(record, extra=build_extra(record))
    path = tmp_path / f"out.{name}"
    with OutputFile(path) as file:
        writer = FORMATS[name].build_writer(file, type(record), False)
        writer.write([({"companyId": "c"}, [record])])
        writer.finish()
        file.commit()
    content = path.read_bytes()
    if name == "jsonl.gz":
        content = gzip.decompress(content)
    if name == "parquet":
        content = str(parquet.read_table(path).to_pylist()).encode()
    assert CANARY.encode() not in content
    assert len(content) > 2
