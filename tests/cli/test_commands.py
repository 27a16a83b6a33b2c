"""Commands in this process: what they accept, print and answer."""

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
from cli_processes import records

from nectar_async._version import __version__
from nectar_async.cli import main
from nectar_async.cli.app import run
from nectar_async.cli.views import VIEWS

Capture = pytest.CaptureFixture[str]


def words(text: str) -> str:
    """The text however it is wrapped, without the frames of tables."""
    return " ".join(text.replace("│", " ").split())


def test_the_first_help_says_environment_and_exit_codes(capsys: Capture) -> None:
    assert run(["--help"]) == 0
    said = words(capsys.readouterr().out)
    assert "NECTAR_API_KEY" in said
    assert "130 interrupted by Ctrl-C; 143 by SIGTERM" in said


COMMANDS = (
    *("ping", "demo", "sandbox", "download", "upload", "job", "pull", "record"),
    *("recording", "recording show", "recording check", "recording diff"),
    *("recording redact", "recording import", "recording export"),
)
PULLS = tuple(f"pull {view}" for view in VIEWS)


@pytest.mark.parametrize("command", ["", *COMMANDS, *PULLS])
def test_a_help_fits_a_narrow_terminal_and_has_no_marks_that_say_nothing(
    command: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", 80)
    assert run([*command.split(), "-h"]) == 0
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= 80
    for noise in ("[[", "]]", "<bool>", "{", "}", "…"):
        assert noise not in said
    lines = said.splitlines()
    for line, after in pairwise(lines):
        # Old versions of typer make one paragraph of it and what stands before.
        if line.startswith(" Example:"):
            assert not after.strip(), "an example is one line, to be copied"


@pytest.mark.parametrize("command", ["demo", "sandbox", "pull"])
def test_a_help_says_no_more_than_concerns_it(command: str, capsys: Capture) -> None:
    assert run([command, "--help"]) == 0
    assert "NECTAR_API_KEY" not in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["pull"]], ids=["nectar", "pull"])
def test_a_missing_command_is_help_and_an_error(
    arguments: list[str], capsys: Capture
) -> None:
    assert run(arguments) == 2
    assert "Usage: nectar" in capsys.readouterr().out


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
        (["--company", ""], "--company"),
        (["--identifier", ""], "--identifier"),
        (["--datasource-type", ""], "'' is none of ELECTRICITY"),
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


def test_an_empty_path_is_no_path(connected: object, capsys: Capture) -> None:
    assert run(["pull", "usage", "--out", ""]) == 2
    said = capsys.readouterr().err
    assert "--out" in said
    assert "it is empty" in said


def test_a_wrong_option_is_json_where_that_was_asked_for(capsys: Capture) -> None:
    assert run(["ping", "--json", "--wat"]) == 2
    said = json.loads(capsys.readouterr().out)
    assert said["error"]["type"] == "Usage"
    assert "--wat" in said["error"]["message"]


@pytest.mark.parametrize(
    ("kind", "is_told"),
    [("created_date", True), ("UPDATED_DATE", True), ("BILL_DATE", False)],
)
def test_the_end_of_a_window_that_is_none_is_told(
    kind: str, is_told: bool, connected: object, capsys: Capture
) -> None:
    pull = ["pull", "usage", "--out", "x", "--date-type", kind, "--end", "2025-01-31"]
    assert run(pull) == 0
    said = capsys.readouterr().err
    assert ("reads --end 2025-01-31 as 00:00 UTC of that day" in said) is is_told
    assert said.count("\n") == is_told
    assert run([*pull, "--json"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("arguments", [["ping"], ["pull", "usage", "--out", "x"]])
def test_a_missing_key_is_said_with_what_to_do(
    arguments: list[str], capsys: Capture
) -> None:
    assert run(arguments) == 2
    error, hint = capsys.readouterr().err.splitlines()
    assert error == "error: no API key: NECTAR_API_KEY is not set"
    assert "nectar demo" in hint
    assert not Path("x").exists()


@pytest.mark.parametrize("key", [None, "any"])
def test_what_is_wrong_in_an_option_is_no_matter_of_the_key(
    key: str | None, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    if key is not None:
        monkeypatch.setenv("NECTAR_API_KEY", key)
    assert run(["sandbox", "--port", "0", "--clock-speed", "inf"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: --clock-speed is")
    assert "NECTAR_API_KEY" not in said


def test_a_server_that_is_another_is_told_by_its_404(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, foreign_server: str
) -> None:
    monkeypatch.setenv("NECTAR_BASE_URL", foreign_server)
    monkeypatch.setenv("NECTAR_API_KEY", "any")
    assert run(["ping"]) == 1
    assert "hint: that does not look like" in capsys.readouterr().err


@pytest.fixture
def foreign_server() -> Iterator[str]:
    """Some web server that knows nothing of Nectar."""

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


def test_a_pull_that_fails_as_a_whole_is_json_too(
    connected: object, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("NECTAR_API_KEY", "wrong")
    assert run(["pull", "usage", "--out", "usage.jsonl", "--json"]) == 3
    said = capsys.readouterr()
    report = json.loads(said.out)
    assert report["error"]["type"] == "AuthenticationError"
    assert report["error"]["status"] == 401
    assert report["error"]["operation"] == "companies_list"
    assert (report["verdict"], report["records"]) == ("unfinished", 0)
    assert said.err.startswith("error: companies_list")
    assert run(["ping", "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["error"]["status"] == 401


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


@pytest.mark.parametrize("is_there", [True, False], ids=["old", "new"])
def test_a_file_with_secrets_is_for_its_owner_alone(
    is_there: bool, connected: object
) -> None:
    out = Path("usage.jsonl")
    if is_there:
        out.touch(0o644)
    assert run(["pull", "usage", "--out", "usage.jsonl", "--include-secrets"]) == 0
    assert out.stat().st_mode & 0o777 == 0o600


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
    report = json.loads(said.out)
    assert report["companies_complete"] == [company]
    assert report["companies_failed"] == ["nobody"]
    (failure,) = report["failures"]
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
    said = capsys.readouterr().err
    assert "address already in use" in said
    assert said.endswith("hint: --port 0 takes a free one\n")


@pytest.mark.parametrize("module", ["nectar_async.cli.app", "typer"])
def test_ctrl_c_while_it_starts_is_one_line(
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


def test_it_starts_as_a_script(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(sys, "argv", ["nectar", "--version"])
    assert main() == 0
    assert capsys.readouterr().out.startswith("nectar ")


def test_it_starts_as_a_module() -> None:
    # In a process: what rewrites asserts here gives `runpy` no code.
    command = [sys.executable, "-m", "nectar_async.cli", "--version"]
    shown = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    assert shown.stdout.startswith("nectar ")


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
        "the `nectar` command needs the extra `cli`: pip install 'nectar-async[cli]',"
        " or pip install '.[cli]' in a clone of the repository\n"
    )
