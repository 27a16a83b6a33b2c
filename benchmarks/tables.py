"""Tables: what does it cost to write records of usage as Parquet?

Ten thousand decoded records become a table of Arrow and a Parquet file in memory. They
also become a file on the disk, page by page, as `nectar pull usage --out usage.parquet`
writes it: that is what such a pull costs over one that only counts. The same records go
through pandas and polars the way that users write first: a frame from dicts, with the
types that the library finds. Those frames differ with the data, and so do the files.
Each round has all of them in turn.

    python -m benchmarks.tables [rounds]
"""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd
import polars as pl
from pyarrow import parquet

from benchmarks.support.command_line import Effort, run
from benchmarks.support.figures import Figure, ratios
from benchmarks.support.usage_pages import PER_PAGE, template
from nectar_async import Records, UsageData
from nectar_async._json.converter import Converter
from nectar_async.cli.output_file import OutputFile
from nectar_async.cli.record_writers import FORMATS
from nectar_async.models.page import Listing

PAGES = 100
LISTING = Listing(items="usage_data")

Write: TypeAlias = Callable[[], object]


def read_records(pages: int) -> Records[Any]:
    """Decode pages of usage."""
    converter = Converter(is_strict=False)
    bodies = [template(number).body(number, 1, 1) for number in range(pages)]
    decoded = [converter.decode_page(body, UsageData, LISTING, 1) for body in bodies]
    return Records(tuple(item for page in decoded for item in page.items))


def write_pages(records: Records[Any]) -> None:
    """Write a file as `nectar pull` does."""
    with (
        tempfile.TemporaryDirectory() as folder,
        OutputFile(Path(folder, "usage.parquet")) as file,
    ):
        writer = FORMATS["parquet"].build_writer(file, UsageData, False)
        for start in range(0, len(records), PER_PAGE):
            page = tuple(records[start : start + PER_PAGE])
            writer.write([({"companyId": "c"}, page)])
        writer.finish()
        file.commit()


def build_ways(records: Records[Any]) -> Mapping[str, Write]:
    """List the ways from the records to a file."""
    return {
        "to_arrow alone": records.to_arrow,
        "nectar pull": lambda: write_pages(records),
        "nectar_async": lambda: parquet.write_table(records.to_arrow(), BytesIO()),
        # Names of the API, because Parquet has no empty structs, such as `extra`.
        "pandas from dicts": lambda: pd.DataFrame(
            records.to_dicts(names="wire")
        ).to_parquet(BytesIO()),
        "polars from dicts": lambda: pl.DataFrame(
            records.to_dicts(names="wire"), infer_schema_length=None
        ).write_parquet(BytesIO()),
    }


def measure(effort: Effort) -> Iterator[Figure]:
    """Measure the microseconds a record of each way, and their ratios."""
    records = read_records(2 if effort.is_quick else PAGES)
    ways = build_ways(records)
    times: dict[str, list[float]] = {name: [] for name in ways}
    for write in ways.values():
        write()  # imports and caches
    for _ in range(effort.rounds):
        for name, write in ways.items():
            gc.collect()
            start = time.perf_counter()
            write()
            seconds = time.perf_counter() - start
            times[name].append(seconds / len(records) * 1e6)
    mine = times["nectar_async"]
    yield Figure(
        question="a pull of usage to Parquet, over one that counts",
        values=times.pop("nectar pull"),
        unit="us a record",
        at_most=16,
    )
    yield Figure(
        question="records of usage to Parquet",
        values=mine,
        unit="us a record",
        peers={name: values for name, values in times.items() if values is not mine},
    )
    for name in ("pandas from dicts", "polars from dicts"):
        yield Figure(
            question=f"records of usage to Parquet, against {name}",
            values=ratios(mine, times[name]),
        )


if __name__ == "__main__":
    run(measure, rounds=7)
