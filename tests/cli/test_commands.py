"""Commands run in this process: their help, options, errors and output."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from pathlib import Path
from threading import Thread

import pytest
from cli_processes import read_records

from nectar_async._version import __version__
from nectar_async.cli import main
from nectar_async.cli.app import run
from nectar_async.cli.output import EXIT_CODES, ExitCode
from nectar_async.cli.views import VIEWS

Capture = pytest.CaptureFixture[str]


def unwrap(text: str) -> str:
    """Remove line breaks and the frames of tables from a text."""
    return " ".join(text.replace("│", " ").split())


def test_the_help_lists_the_environment_and_all_exit_codes(capsys: Capture) -> None:
    assert run(["--help"]) == 0
    printed = unwrap(capsys.readouterr().out)
    assert "NECTAR_API_KEY" in printed
    for code, meaning in EXIT_CODES.items():
        assert f"{code.value} {meaning}" in printed
    assert EXIT_CODES.keys() == set(ExitCode)


COMMANDS = (
    *("ping", "demo", "sandbox", "download", "upload", "job", "pull", "record"),
    *("recording", "recording show", "recording check", "recording diff"),
    *("recording redact", "recording import", "recording export"),
)
PULLS = tuple(f"pull {view}" for view in VIEWS)


@pytest.mark.parametrize("command", ["", *COMMANDS, *PULLS])
def test_a_help_fits_80_columns_and_has_no_type_markers(
    command: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", 80)
    assert run([*command.split(), "-h"]) == 0
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 80
    for marker in ("[[", "]]", "<bool>", "{", "}", "…"):
        assert marker not in printed
    lines = printed.splitlines()
    for line, after in pairwise(lines):
        # Old versions of typer join it with the paragraph before it.
        if line.startswith(" Example:"):
            assert not after.strip(), "an example is one line, ready to be copied"


@pytest.mark.parametrize("command", ["demo", "sandbox", "pull"])
def test_the_help_of_a_command_without_api_calls_does_not_mention_the_key(
    command: str, capsys: Capture
) -> None:
    assert run([command, "--help"]) == 0
    assert "NECTAR_API_KEY" not in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["pull"]], ids=["nectar", "pull"])
def test_a_missing_command_shows_the_help_and_is_an_error(
    arguments: list[str], capsys: Capture
) -> None:
    assert run(arguments) == 2
    assert "Usage: nectar" in capsys.readouterr().out


def test_the_version_is_printed(capsys: Capture) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"nectar {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--start", "2025-02-30"], "'2025-02-30' is not a day: day is out of range"),
        (["--end", "20250101"], "'20250101' is not a day; write it as 2025-01-31"),
        (["--start", "2025-02-01", "--end", "2025-01-01"], "is after --end"),
        (["--datasource-type", "steam"], "'steam' is not one of ELECTRICITY, GAS"),
        (["--date-type", "today"], "'today' is not one of USAGE_PERIOD"),
        (["--concurrency", "0"], "--concurrency"),
        (["--company", ""], "--company"),
        (["--identifier", ""], "--identifier"),
        (["--datasource-type", ""], "'' is not one of ELECTRICITY"),
        (["--wat"], "--wat"),
    ],
)
def test_a_wrong_option_is_one_error_line_and_writes_no_file(
    arguments: list[str], problem: str, connected: object, capsys: Capture
) -> None:
    assert run(["pull", "usage", "--out", "usage.jsonl", *arguments]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("error: ")
    assert problem in printed.splitlines()[0]
    assert not Path("usage.jsonl").exists()


def test_an_empty_path_is_refused(connected: object, capsys: Capture) -> None:
    assert run(["pull", "usage", "--out", ""]) == 2
    printed = capsys.readouterr().err
    assert "--out" in printed
    assert "it is empty" in printed


def test_a_wrong_option_is_reported_as_json_on_request(capsys: Capture) -> None:
    assert run(["ping", "--json", "--wat"]) == 2
    printed = json.loads(capsys.readouterr().out)
    assert printed["error"]["type"] == "Usage"
    assert "--wat" in printed["error"]["message"]


@pytest.mark.parametrize(
    ("date_type", "has_hint"),
    [("created_date", True), ("UPDATED_DATE", True), ("BILL_DATE", False)],
)
def test_an_end_that_excludes_its_own_day_prints_a_hint(
    date_type: str, has_hint: bool, connected: object, capsys: Capture
) -> None:
    pull = [
        "pull",
        "usage",
        "--out",
        "x.jsonl",
        "--date-type",
        date_type,
        "--end",
        "2025-01-31",
    ]
    assert run(pull) == 0
    printed = capsys.readouterr().err
    assert ("reads --end 2025-01-31 as 00:00 UTC of that day" in printed) is has_hint
    assert printed.count("\n") == has_hint
    assert run([*pull, "--json"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("arguments", [["ping"], ["pull", "usage", "--out", "x.jsonl"]])
def test_a_missing_key_is_an_error_with_a_hint(
    arguments: list[str], capsys: Capture
) -> None:
    assert run(arguments) == 2
    error, hint = capsys.readouterr().err.splitlines()
    assert error == "error: no API key: NECTAR_API_KEY is not set"
    assert "nectar demo" in hint
    assert not list(Path().iterdir())


@pytest.mark.parametrize("key", [None, "any"])
def test_a_wrong_option_is_reported_with_and_without_a_key(
    key: str | None, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    if key is not None:
        monkeypatch.setenv("NECTAR_API_KEY", key)
    assert run(["sandbox", "--port", "0", "--clock-speed", "inf"]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("error: --clock-speed must be 0 or more")
    assert "NECTAR_API_KEY" not in printed


def test_a_404_of_another_web_server_has_a_hint(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, foreign_server: str
) -> None:
    monkeypatch.setenv("NECTAR_BASE_URL", foreign_server)
    monkeypatch.setenv("NECTAR_API_KEY", "any")
    assert run(["ping"]) == 1
    assert "hint: the answer does not look like" in capsys.readouterr().err


@pytest.fixture
def foreign_server() -> Iterator[str]:
    """Run a web server that answers everything with an HTML page and 404."""

    class NotFound(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(404)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<html>nothing here</html>")

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), NotFound) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_wrong_base_url_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("NECTAR_BASE_URL", "ftp://nowhere")
    assert run(["ping"]) == 2
    assert capsys.readouterr().err.startswith("error: NECTAR_BASE_URL: ")


def test_a_wrong_key_is_exit_code_3_and_keeps_the_old_file(
    connected: object, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("NECTAR_API_KEY", "wrong")
    Path("usage.jsonl").write_bytes(b"old\n")
    assert run(["pull", "usage", "--out", "usage.jsonl"]) == 3
    assert Path("usage.jsonl").read_bytes() == b"old\n"
    error, hint = capsys.readouterr().err.splitlines()
    assert error.startswith("error: companies_list")
    assert "NECTAR_API_KEY" in hint


def test_a_failed_pull_is_reported_as_json(
    connected: object, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("NECTAR_API_KEY", "wrong")
    assert run(["pull", "usage", "--out", "usage.jsonl", "--json"]) == 3
    printed = capsys.readouterr()
    report = json.loads(printed.out)
    assert report["error"]["type"] == "AuthenticationError"
    assert report["error"]["status"] == 401
    assert report["error"]["operation"] == "companies_list"
    assert (report["verdict"], report["records"]) == ("unfinished", 0)
    assert printed.err.startswith("error: companies_list")
    assert run(["ping", "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["error"]["status"] == 401


def test_nectar_debug_shows_the_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("NECTAR_DEBUG", "1")
    assert run(["ping"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_a_missing_directory_is_named(connected: object, capsys: Capture) -> None:
    assert run(["pull", "usage", "--out", "no/such/usage.jsonl"]) == 1
    printed = capsys.readouterr().err
    assert printed == "error: no/such/usage.jsonl: No such file or directory\n"


def test_ping_prints_the_answer_and_the_server(
    connected: dict[str, str], capsys: Capture
) -> None:
    assert run(["ping"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"pong v2.2 from {connected['NECTAR_BASE_URL']} in ")
    assert run(["ping", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["answer"] == "pong v2.2"
    assert facts["url"] == connected["NECTAR_BASE_URL"]
    assert facts["seconds"] > 0


def test_a_pull_writes_records_with_their_company_and_no_secrets(
    connected: object, capsys: Capture
) -> None:
    assert run(["pull", "usage", "--out", "usage.jsonl", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    lines = read_records(Path("usage.jsonl"))
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


def test_secrets_are_written_on_request(connected: object) -> None:
    assert run(["pull", "usage", "--out", "usage.jsonl", "--include-secrets"]) == 0
    assert b"signature=" in Path("usage.jsonl").read_bytes()


@pytest.mark.parametrize("is_there", [True, False], ids=["old", "new"])
def test_a_file_with_secrets_is_readable_by_its_owner_only(
    is_there: bool, connected: object
) -> None:
    out = Path("usage.jsonl")
    if is_there:
        out.touch(0o644)
    assert run(["pull", "usage", "--out", "usage.jsonl", "--include-secrets"]) == 0
    assert out.stat().st_mode & 0o777 == 0o600


def test_a_pull_sends_its_filters(connected: object, capsys: Capture) -> None:
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
    assert report["requests"] == report["pages"], "companies were not listed"
    lines = read_records(Path("usage.jsonl"))
    assert {line["companyId"] for line in lines} == {company}
    assert {line["datasourceType"] for line in lines} <= {"ELECTRICITY", "WATER"}


def test_a_failed_company_does_not_stop_the_others(
    connected: object, capsys: Capture
) -> None:
    pull = ["pull", "usage", "--out", "usage.jsonl", "--json"]
    assert run(pull) == 0
    company = json.loads(capsys.readouterr().out)["receipts"][0]["company_id"]
    assert run([*pull, "--company", company, "--company", "nobody"]) == 1
    printed = capsys.readouterr()
    report = json.loads(printed.out)
    assert report["companies_complete"] == [company]
    assert report["companies_failed"] == ["nobody"]
    (failure,) = report["failures"]
    assert failure["company_id"] == "nobody"
    assert failure["page"] == 1
    assert "usage_list_by_company, company nobody, page 1" in printed.err
    assert (report["out"], report["partial"]) == (None, "usage.jsonl.partial")
    part = read_records(Path("usage.jsonl.partial"))
    assert {line["companyId"] for line in part} == {company}
    assert len(read_records(Path("usage.jsonl"))) > len(part)  # the old one stays
    assert run([*pull[:-1], "--company", "nobody", "--company", "noone"]) == 1
    printed = capsys.readouterr()
    assert "Failures: 2" in printed.out
    assert printed.err.startswith(
        "error: 2 of 2 companies failed; the first error: usage_list"
    )
    assert read_records(Path("usage.jsonl"))  # the old content stays


def test_a_pull_prints_tables(connected: object, capsys: Capture) -> None:
    assert run(["pull", "usage", "--out", "usage.jsonl"]) == 0
    printed = capsys.readouterr()
    assert "kWh" in printed.out
    assert "Receipts" in printed.out
    assert "usage.jsonl" in printed.out
    assert printed.err == ""


def test_the_demo_needs_no_key_and_prints_its_lower_bound(capsys: Capture) -> None:
    assert run(["demo", "--companies", "2", "--latency", "0.01"]) == 0
    printed = capsys.readouterr().out
    assert "bound" in printed
    assert "nectar-demo.jsonl" in printed
    assert read_records(Path("nectar-demo.jsonl"))


def test_the_demo_writes_to_the_temporary_folder_if_the_working_one_is_read_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Capture
) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "spare"))
    (tmp_path / "spare").mkdir()
    assert run(["demo", "--companies", "1", "--latency", "0", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["out"] == str(tmp_path / "spare" / "nectar-demo.jsonl")


def test_a_sandbox_that_does_not_start_is_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/true")
    assert run(["demo", "--companies", "1"]) == 1
    assert "the sandbox did not start" in capsys.readouterr().err


def test_a_port_in_use_is_reported_with_a_hint(capsys: Capture) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = str(listener.getsockname()[1])
        assert run(["sandbox", "--port", port, "--companies", "1"]) == 1
    printed = capsys.readouterr().err
    assert "address already in use" in printed
    assert printed.endswith("hint: --port 0 takes a free port\n")


@pytest.mark.parametrize("module", ["nectar_async.cli.app", "typer"])
def test_ctrl_c_during_imports_is_one_line(
    module: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    class Interrupted:
        def find_spec(self, name: str, *_: object) -> None:
            if name == module:
                raise KeyboardInterrupt

    for name in list(sys.modules):
        if name == module or name.startswith(("nectar_async.cli.", f"{module}.")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Interrupted(), *sys.meta_path])
    assert main() == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_the_command_runs_as_a_script(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(sys, "argv", ["nectar", "--version"])
    assert main() == 0
    assert capsys.readouterr().out.startswith("nectar ")


def test_the_help_imports_neither_the_sandbox_nor_aiohttp() -> None:
    script = (
        "import sys; from nectar_async.cli.app import run; run(['--help']);"
        " print(*sys.modules, sep='\\n', file=sys.stderr)"
    )
    command = [sys.executable, "-c", script]
    shown = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    modules = shown.stderr.splitlines()
    assert "nectar_async.cli.app" in modules
    assert "aiohttp" not in modules
    assert "nectar_async.sandbox" not in modules


def test_the_command_runs_as_a_module() -> None:
    # In a process, because the assertion rewriter of pytest gives `runpy` no code.
    command = [sys.executable, "-m", "nectar_async.cli", "--version"]
    shown = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    assert shown.stdout.startswith("nectar ")


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_without_the_extra_an_error_names_what_to_install(
    missing: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    for name in list(sys.modules):
        if name.startswith(("nectar_async.cli.", f"{missing}.")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    assert main() == 2
    assert capsys.readouterr().err == (
        "the `nectar` command needs the extra `cli`: pip install 'nectar-async[cli]',"
        " or pip install '.[cli]' in a clone of the repository\n"
    )
