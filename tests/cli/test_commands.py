"""Commands in this process: what they accept, print and answer."""

from __future__ import annotations

import json
import runpy
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cli.runs import records

from nectar_async._version import __version__
from nectar_async.cli import main
from nectar_async.cli.app import run

Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--help"],
        ["pull"],
        ["demo", "--help"],
        ["sandbox", "--help"],
        ["download", "--help"],
        ["upload", "--help"],
    ],
)
def test_help_says_environment_and_exit_codes(
    arguments: list[str], capsys: Capture
) -> None:
    assert run(arguments) == 0
    said = " ".join(capsys.readouterr().out.split())  # however it is wrapped
    assert "NECTAR_API_KEY" in said
    assert "130 interrupted" in said


def test_the_version_is_said(capsys: Capture) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"nectar {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--start", "2025-02-30"], "'2025-02-30' is no day: day is out of range"),
        (["--end", "20250101"], "'20250101' is no day; write it as 2025-01-31"),
        (["--start", "2025-02-01", "--end", "2025-01-01"], "is after --end"),
        (["--datasource-type", "steam"], "'steam' is none of ELECTRICITY, GAS"),
        (["--date-type", "today"], "'today' is none of USAGE_PERIOD"),
        (["--concurrency", "0"], "--concurrency"),
        (["--company", ""], "not ''"),
        (["--wat"], "--wat"),
    ],
)
def test_a_wrong_option_is_one_line_and_touches_no_file(
    arguments: list[str], problem: str, connected: object, capsys: Capture
) -> None:
    assert run(["pull", "usage", "--out", "usage.jsonl", *arguments]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert problem in said.splitlines()[0]
    assert not Path("usage.jsonl").exists()


@pytest.mark.parametrize("arguments", [["ping"], ["pull", "usage", "--out", "x"]])
def test_a_missing_key_is_said_with_what_to_do(
    arguments: list[str], capsys: Capture
) -> None:
    assert run(arguments) == 2
    error, hint = capsys.readouterr().err.splitlines()
    assert error.startswith("error: no API key")
    assert "nectar demo" in hint
    assert not Path("x").exists()


def test_a_base_url_that_is_none_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("NECTAR_BASE_URL", "ftp://nowhere")
    assert run(["ping"]) == 2
    assert capsys.readouterr().err.startswith("error: NECTAR_BASE_URL: ")


def test_a_wrong_key_is_refused_and_the_old_file_kept(
    connected: object, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("NECTAR_API_KEY", "wrong")
    Path("usage.jsonl").write_bytes(b"old\n")
    assert run(["pull", "usage", "--out", "usage.jsonl"]) == 3
    assert Path("usage.jsonl").read_bytes() == b"old\n"
    error, hint = capsys.readouterr().err.splitlines()
    assert error.startswith("error: companies_list")
    assert "NECTAR_API_KEY" in hint


def test_debugging_shows_the_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("NECTAR_DEBUG", "1")
    assert run(["ping"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_a_missing_directory_is_named(connected: object, capsys: Capture) -> None:
    assert run(["pull", "usage", "--out", "no/such/usage.jsonl"]) == 1
    said = capsys.readouterr().err
    assert said == "error: no/such/usage.jsonl: No such file or directory\n"


def test_ping_says_who_answered(connected: dict[str, str], capsys: Capture) -> None:
    assert run(["ping"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"pong v2.2 from {connected['NECTAR_BASE_URL']} in ")


def test_a_pull_writes_records_with_their_company_and_no_secrets(
    connected: object, capsys: Capture
) -> None:
    assert run(["pull", "usage", "--out", "usage.jsonl", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    lines = records(Path("usage.jsonl"))
    assert (
        report["records"]
        == len(lines)
        == sum(total["records"] for total in report["by_type"])
    )
    assert next(iter(lines[0])) == "companyId"
    assert {line["companyId"] for line in lines} == {
        receipt["company_id"] for receipt in report["receipts"]
    }
    assert all(receipt["name"] for receipt in report["receipts"])
    assert report["verdict"] == "complete"
    assert report["bytes"] == Path("usage.jsonl").stat().st_size
    assert b"signature=" not in Path("usage.jsonl").read_bytes()


def test_secrets_are_written_when_they_are_asked_for(connected: object) -> None:
    assert run(["pull", "usage", "--out", "usage.jsonl", "--include-secrets"]) == 0
    assert b"signature=" in Path("usage.jsonl").read_bytes()


def test_a_pull_takes_filters(connected: object, capsys: Capture) -> None:
    pull = ["pull", "usage", "--out", "usage.jsonl", "--json"]
    assert run(pull) == 0
    company = json.loads(capsys.readouterr().out)["receipts"][0]["company_id"]
    filters = [
        *("--company", company, "--datasource-type", "electricity"),
        *("--datasource-type", "WATER", "--date-type", "usage-period"),
        *("--start", "2025-01-01", "--end", "2025-12-31"),
    ]
    assert run([*pull, *filters]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["requests"] == report["pages"]  # nobody asked for the companies
    lines = records(Path("usage.jsonl"))
    assert {line["companyId"] for line in lines} == {company}
    assert {line["datasourceType"] for line in lines} <= {"ELECTRICITY", "WATER"}


def test_a_company_that_fails_leaves_the_rest(
    connected: object, capsys: Capture
) -> None:
    pull = ["pull", "usage", "--out", "usage.jsonl", "--json"]
    assert run(pull) == 0
    company = json.loads(capsys.readouterr().out)["receipts"][0]["company_id"]
    assert run([*pull, "--company", company, "--company", "nobody"]) == 1
    said = capsys.readouterr()
    (failure,) = json.loads(said.out)["failures"]
    assert failure["company_id"] == "nobody"
    assert failure["page"] == 1
    assert "usage_list_by_company, company nobody, page 1" in said.err
    assert {line["companyId"] for line in records(Path("usage.jsonl"))} == {company}
    assert run([*pull[:-1], "--company", "nobody", "--company", "noone"]) == 1
    said = capsys.readouterr()
    assert "Failures: 2" in said.out
    assert said.err.startswith("error: 2 of 2 companies failed, the first: usage_list")
    assert records(Path("usage.jsonl"))  # what was there stays


def test_a_pull_reports_in_tables(connected: object, capsys: Capture) -> None:
    assert run(["pull", "usage", "--out", "usage.jsonl"]) == 0
    said = capsys.readouterr()
    assert "kWh" in said.out
    assert "Receipts" in said.out
    assert "usage.jsonl" in said.out
    assert said.err == ""


def test_the_demo_needs_nothing_and_knows_its_bound(capsys: Capture) -> None:
    assert run(["demo", "--companies", "2", "--latency", "0.01"]) == 0
    said = capsys.readouterr().out
    assert "bound" in said
    assert "nectar-demo.jsonl" in said
    assert records(Path("nectar-demo.jsonl"))


def test_the_demo_writes_to_the_temporary_folder_where_it_must(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Capture
) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "spare"))
    (tmp_path / "spare").mkdir()
    assert run(["demo", "--companies", "1", "--latency", "0", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["out"] == str(tmp_path / "spare" / "nectar-demo.jsonl")


def test_a_sandbox_that_does_not_start_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/true")
    assert run(["demo", "--companies", "1"]) == 1
    assert "the sandbox did not start" in capsys.readouterr().err


def test_a_port_that_is_taken_is_said(capsys: Capture) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = str(listener.getsockname()[1])
        assert run(["sandbox", "--port", port, "--companies", "1"]) == 1
    assert "address already in use" in capsys.readouterr().err


def _as_script() -> int:
    return main()


def _as_module() -> int:
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("nectar_async.cli", run_name="__main__")
    return int(str(ended.value.code))


@pytest.mark.parametrize("start", [_as_script, _as_module])
def test_it_starts_as_a_script_and_as_a_module(
    start: Callable[[], int], monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(sys, "argv", ["nectar", "--version"])
    assert start() == 0
    assert capsys.readouterr().out.startswith("nectar ")


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_without_the_extra_one_line_says_what_to_install(
    missing: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    for name in list(sys.modules):
        if name.startswith(("nectar_async.cli.", f"{missing}.")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    assert main() == 2
    assert capsys.readouterr().err == (
        "the `nectar` command needs the extra: pip install 'nectar-async[cli]'\n"
    )
