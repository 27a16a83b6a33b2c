"""`nectar pull` writes JSON lines, CSV and Parquet: the same records, exactly."""

from __future__ import annotations

import csv
import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import duckdb
import pytest
from doubles import ListServer
from pyarrow import parquet

from nectar_async import NectarClient
from nectar_async.cli.app import run
from nectar_async.cli.output_file import OutputFile
from nectar_async.cli.pull_run import PullQuery, PullRun
from nectar_async.cli.record_writers import FORMATS
from nectar_async.cli.views import VIEWS
from nectar_async.tables import from_arrow, schema

Capture = pytest.CaptureFixture[str]


def pull(view: str, out: str, *options: str) -> int:
    return run(["pull", view, "--out", out, "--quiet", *options])


def read_lines(text: bytes) -> list[dict[str, Any]]:
    return [json.loads(line, parse_float=Decimal) for line in text.splitlines()]


@pytest.mark.parametrize("view", VIEWS)
def test_every_format_has_the_same_records(view: str, connected: object) -> None:
    for ending in ("jsonl", "jsonl.gz", "csv", "parquet"):
        assert pull(view, f"out.{ending}") == 0
    lines = read_lines(Path("out.jsonl").read_bytes())
    assert len(lines) > 1
    packed = read_lines(gzip.decompress(Path("out.jsonl.gz").read_bytes()))
    assert sorted(packed, key=str) == sorted(lines, key=str)
    ids = sorted(line["id"] for line in lines)
    with Path("out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["id"] for row in rows) == ids
    table = parquet.read_table("out.parquet")
    assert sorted(table["id"].to_pylist()) == ids
    own = set(schema(view).names)
    assert own | {"company_id"} <= set(table.column_names)
    owner = {line["id"]: line["companyId"] for line in lines}
    for found in (rows, table.to_pylist()):
        assert {row["id"]: row["company_id"] for row in found} == owner
    assert len(from_arrow(table.select(schema(view).names), view)) == len(lines)


def test_numbers_are_exact_in_every_format(connected: object) -> None:
    for ending in ("jsonl", "csv", "parquet"):
        assert pull("usage", f"out.{ending}") == 0
    lines = read_lines(Path("out.jsonl").read_bytes())
    expected = sum(Decimal(line["usage"]) for line in lines if line["usage"])
    for source in ("out.parquet", "read_csv('out.csv', all_varchar=true)"):
        name = f"'{source}'" if source.endswith("parquet") else source
        query = f"select sum(usage::decimal(28, 10)) from {name}"  # noqa: S608 - names of the two files above
        rows: Any = duckdb.sql(query)
        assert rows.fetchall() == [(expected,)]


@pytest.mark.parametrize("name", FORMATS)
def test_a_pull_without_records_gives_a_file_without_rows(
    name: str, connected: object
) -> None:
    none = ("--start", "1990-01-01", "--end", "1990-01-02")
    out = Path(f"out.{name}")
    assert pull("usage", str(out), *none) == 0
    if name == "parquet":
        table = parquet.read_table(out)
        assert (table.num_rows, table.column_names) == (0, schema("usage").names)
    else:
        text = out.read_bytes()
        text = gzip.decompress(text) if name == "jsonl.gz" else text
        assert text.count(b"\n") == (name == "csv")


def test_the_option_decides_before_the_ending(connected: object) -> None:
    assert pull("sites", "sites.data", "--format", "csv") == 0
    assert Path("sites.data").read_text().startswith("company_id,id,name,")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["out.xlsx"], "out.xlsx tells no format; use .jsonl, .jsonl.gz, .csv, .parq"),
        (["out.jsonl", "--format", "xml"], "--format 'xml' is not one of jsonl, jsonl"),
        (["out.csv", "--include-secrets"], "--include-secrets needs a file of JSON"),
    ],
)
def test_another_format_is_refused_with_the_list(
    connected: object, arguments: list[str], message: str, capsys: Capture
) -> None:
    assert pull("usage", *arguments) == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_a_quiet_pull_prints_errors_only(connected: object, capsys: Capture) -> None:
    assert pull("sites", "sites.jsonl") == 0
    assert capsys.readouterr() == ("", "")
    assert pull("usage", "usage.jsonl", "--company", "nobody") == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("error: 1 of 1 company failed")


@pytest.mark.parametrize("name", FORMATS)
def test_the_part_of_an_interrupted_pull_can_be_read(name: str, tmp_path: Path) -> None:
    """The pull is interrupted when its first page is written."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    out, part = tmp_path / f"usage.{name}", tmp_path / f"usage.{name}.partial"
    out.write_bytes(b"last night's")
    server = ListServer.of_pages(a=4)

    async def work(file: OutputFile) -> None:
        part_of_a_pull = PullRun(PullQuery(), file, FORMATS[name])
        async with NectarClient("k", transport=server.transport) as nectar:
            await part_of_a_pull.run(nectar, interrupt)

    with pytest.raises(KeyboardInterrupt), OutputFile(out) as file:
        anyio.run(work, file)
    assert out.read_bytes() == b"last night's"
    content = part.read_bytes()
    if name == "parquet":
        ids = parquet.read_table(part)["id"].to_pylist()
    elif name == "csv":
        ids = [row["id"] for row in csv.DictReader(content.decode().splitlines())]
    else:
        text = gzip.decompress(content) if name == "jsonl.gz" else content
        ids = [line["id"] for line in read_lines(text)]
    assert ids == server.companies["a"][:2]


@pytest.mark.parametrize("name", FORMATS)
def test_a_pull_that_brought_nothing_leaves_no_part(
    name: str, connected: object
) -> None:
    assert pull("usage", f"usage.{name}", "--company", "nobody") == 1
    assert not list(Path().iterdir())


def test_all_views_are_pulled_into_a_folder(connected: object, capsys: Capture) -> None:
    days = ("--start", "2025-01-01", "--end", "2025-03-31")
    command = ["pull", "all", "--out", "a/b", "--format", "csv", "--json", *days]
    assert run(command) == 0
    reports = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    names = [Path(report["out"]).name for report in reports]
    assert names == [f"{view}.csv" for view in VIEWS]
    assert sorted(path.name for path in Path("a/b").iterdir()) == sorted(names)
    assert pull("usage", "usage.csv", *days) == 0
    lines = Path("usage.csv").read_text().splitlines()
    assert sorted(Path("a/b/usage.csv").read_text().splitlines()) == sorted(lines)


def test_a_view_that_fails_does_not_stop_the_others(
    connected: object, capsys: Capture
) -> None:
    Path("file").touch()
    assert run(["pull", "all", "--out", "file"]) == 2
    assert "--out file is a file; name a folder" in capsys.readouterr().err
    command = ["pull", "all", "--out", "all", "--quiet", "--company", "nobody"]
    assert run(command) == 1
    assert capsys.readouterr().err.count("1 of 1 company failed") == len(VIEWS)
