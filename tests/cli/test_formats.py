"""`nectar pull` writes JSON lines, CSV and Parquet: the same records, exactly."""

from __future__ import annotations

import csv
import gzip
import json
import signal
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from cli_processes import CommandRunner, run_sandbox, wait_for_end, wait_until
from pyarrow import parquet

from nectar_async.cli.app import run
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
        query = f"select sum(usage::decimal(28, 10)) from {name}"  # noqa: S608
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


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl.gz"])
def test_the_part_of_an_interrupted_pull_can_be_read(
    tmp_path: Path, ending: str
) -> None:
    out, part = tmp_path / f"usage.{ending}", tmp_path / f"usage.{ending}.partial"
    out.write_bytes(b"last night's")
    with run_sandbox("--companies", "12", "--latency", "0.2") as (_, environment):
        commands = CommandRunner(tmp_path, **environment)
        process = commands.start("pull", "usage", "--out", out.name)
        wait_until(part.exists)
        process.send_signal(signal.SIGINT)
        done = wait_for_end(process)
    assert done.returncode == 130
    assert out.read_bytes() == b"last night's"
    if part.exists() and ending == "parquet":
        parquet.read_table(part)
    if part.exists() and ending == "jsonl.gz":
        read_lines(gzip.decompress(part.read_bytes()))


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
