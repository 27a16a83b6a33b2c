"""`nectar record`, and replays without a network or a key."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_processes import (
    CommandRunner,
    read_records,
    run_sandbox,
    wait_for_end,
    wait_until,
)

from nectar_async import ConfigurationError
from nectar_async.cli.app import run
from nectar_async.recording.folder import MANIFEST_NAME, Recording
from nectar_async.transports import Mode, Recorder

Capture = pytest.CaptureFixture[str]

NOWHERE = {"NECTAR_BASE_URL": "http://127.0.0.1:9"}
LONG_AGO = "2020-01-01T00:00:00Z"
SCRIPT = """
import anyio
from nectar_async import NectarClient
from nectar_async.transports import Recorder

async def main():
    async with NectarClient(recorder=Recorder.from_env()) as nectar:
        print(len(await nectar.companies.all()), "companies")

anyio.run(main)
"""

SetEnvironment = Callable[..., None]


@pytest.fixture
def set_environment(monkeypatch: pytest.MonkeyPatch) -> SetEnvironment:
    """Set NECTAR_RECORD and other variables for commands of this process."""

    def set_variables(record: str, **others: str) -> None:
        monkeypatch.setenv("NECTAR_RECORD", record)
        for name, text in others.items():
            monkeypatch.setenv(name, text)

    return set_variables


def snapshot(folder: str) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in Path(folder).iterdir()}


def python(script: str) -> tuple[str, ...]:
    return ("--", sys.executable, "-c", script)


@pytest.mark.slow
def test_a_pull_is_recorded_and_replayed_without_a_network(
    tmp_path: Path, small_sandbox: dict[str, str], set_environment: SetEnvironment
) -> None:
    live = CommandRunner(tmp_path, **small_sandbox)
    done = live.run("record", "rec", "pull", "usage", "--out", "live.jsonl")
    assert done.returncode == 0
    first, last = done.stderr.splitlines()
    assert first == f"record: the answers of the API are written to {tmp_path / 'rec'}"
    assert last.startswith("rec: ")
    assert "of 2 operations; files: " in last

    offline = CommandRunner(tmp_path, NECTAR_RECORD="replay:rec", **NOWHERE)
    done = offline.run("pull", "usage", "--out", "one.jsonl")
    assert done.returncode == 0
    assert done.stderr == "replay: all answers come from rec, none from the API\n"
    set_environment("replay:rec", **NOWHERE)
    assert run(["pull", "usage", "--out", "two.jsonl"]) == 0
    child, own = (Path(name).read_bytes() for name in ("one.jsonl", "two.jsonl"))
    assert sorted(child.splitlines()) == sorted(own.splitlines())
    keys = ("id", "companyId", "usage", "usageUnits", "startDate", "endDate")
    recorded, replayed = (
        [[record.get(key) for key in keys] for record in read_records(Path(name))]
        for name in ("live.jsonl", "one.jsonl")
    )
    assert sorted(replayed) == sorted(recorded)  # companies arrive in any order
    assert run(["recording", "check", "rec"]) == 0


@pytest.mark.slow
def test_a_second_recording_of_the_same_changes_no_byte(
    connected: object, set_environment: SetEnvironment, capsys: Capture
) -> None:
    set_environment("record:rec")
    pull = ["pull", "meters", "--out", "meters.jsonl"]
    assert run(pull) == 0
    before = snapshot("rec")
    assert run(pull) == 0
    assert snapshot("rec") == before
    assert run(["record", "rec", *python("")]) == 0
    assert capsys.readouterr().err.splitlines()[-1].endswith("; nothing changed")


@pytest.mark.parametrize("mode", ["record", "new"])
@pytest.mark.parametrize(
    "command",
    [
        ("pull", "meters", "--company", "nobody", "--out", "m.jsonl"),
        ("job", "nobody"),
    ],
    ids=["failed-company", "error"],
)
def test_a_command_that_fails_leaves_the_recording_as_it_was(
    mode: str,
    command: tuple[str, ...],
    connected: object,
    set_environment: SetEnvironment,
    capsys: Capture,
) -> None:
    set_environment("record:rec")
    assert run(["ping"]) == 0
    before = snapshot("rec")
    capsys.readouterr()
    set_environment(f"{mode}:rec")
    assert run(command) == 1
    *_, last = capsys.readouterr().err.splitlines()
    assert last == "not recorded: the command failed, so rec was not changed"
    assert snapshot("rec") == before


def test_the_recording_to_be_replaced_is_announced(
    connected: object, set_environment: SetEnvironment, capsys: Capture
) -> None:
    set_environment("record:rec")
    assert run(["ping"]) == 0
    capsys.readouterr()
    assert run(["record", "rec", *python("")]) == 0
    first, *_ = capsys.readouterr().err.splitlines()
    assert first == "rec has 1 exchange, which will be replaced"


def test_a_failed_replay_names_neither_a_file_nor_a_server(
    connected: object, set_environment: SetEnvironment, capsys: Capture
) -> None:
    set_environment("record:rec")
    assert run(["ping"]) == 0
    set_environment("replay:rec")
    capsys.readouterr()
    assert run(["ping"]) == 0
    assert capsys.readouterr().out == "pong v2.2 from the recording at rec\n"
    pull = ["pull", "meters", "--company", "a", "--company", "b", "--out", "m.jsonl"]
    assert run(pull) == 1
    out, err = capsys.readouterr()
    *_, heading, failure, other_failure, _, _, file = out.splitlines()
    first, second = sorted([failure, other_failure])  # companies fail in any order
    assert heading == "Failures: 2"
    assert first.startswith("  a: page 1: no answer to GET /meter/company/a?page=1")
    assert second.startswith("  b: page 1: no answer to GET /meter/company/b?page=1")
    assert file == "nothing was written to m.jsonl"
    assert err.count("recorded operations: ping_get") == 1, "all of the first, once"
    assert run([*pull, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["out"] is None


@pytest.mark.slow
def test_mode_new_sends_only_requests_that_the_recording_lacks(
    connected: object, set_environment: SetEnvironment, capsys: Capture
) -> None:
    set_environment("record:rec")
    assert run(["pull", "meters", "--out", "m.jsonl"]) == 0
    before = snapshot("rec")
    capsys.readouterr()
    assert run(["record", "rec", "--mode", "new", "ping"]) == 0
    assert "files: 1 new" in capsys.readouterr().err
    after = snapshot("rec")
    new = after.keys() - before.keys()
    assert [name.partition(".")[0] for name in new] == ["ping_get"]
    assert all(after[name] == before[name] for name in before if name != MANIFEST_NAME)


def test_touch_updates_the_date_though_nothing_changed(
    connected: object, set_environment: SetEnvironment
) -> None:
    set_environment("record:rec")
    assert run(["ping"]) == 0
    manifest = Path("rec", MANIFEST_NAME)
    facts = json.loads(manifest.read_bytes())
    manifest.write_text(json.dumps({**facts, "recordedAt": LONG_AGO}))
    assert run(["ping"]) == 0
    assert LONG_AGO in manifest.read_text()
    set_environment("record,touch:rec")
    assert run(["ping"]) == 0
    assert LONG_AGO not in manifest.read_text()


@pytest.mark.slow
def test_keep_failures_records_failures_before_a_success(
    set_environment: SetEnvironment,
) -> None:
    faults = [
        f"--fault=answer status=503 operation={operation} times=1"
        for operation in ("ping_get", "companies_list")
    ]
    with run_sandbox("--companies", "1", "--latency", "0", *faults) as (_, where):
        set_environment("record:a", **where)
        assert run(["ping"]) == 0
        set_environment("record,keep-failures:b")
        assert run(["pull", "companies", "--out", "c.jsonl"]) == 0
    statuses = [
        [exchange.answer.status for exchange in Recording.load(path).exchanges]
        for path in ("a", "b")
    ]
    assert statuses == [[200], [503, 200]]


@pytest.mark.parametrize(
    ("options", "printed"),
    [
        ([], "record:{}"),
        (["--touch", "--keep-failures"], "record,touch,keep-failures:{}"),
        (["--mode", "new"], "new:{}"),
        (["--mode=passthrough"], "passthrough:{}"),
    ],
    ids=["none", "flags", "new", "passthrough"],
)
@pytest.mark.parametrize("is_first", [True, False], ids=["before", "after"])
def test_options_are_accepted_before_and_after_the_path(
    options: list[str],
    printed: str,
    *,
    is_first: bool,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    where = [*options, "rec"] if is_first else ["rec", *options]
    run(["record", *where, *python("import os; print(os.environ['NECTAR_RECORD'])")])
    assert capfd.readouterr().out == printed.format(tmp_path / "rec") + "\n"


def test_options_after_the_command_belong_to_it(
    capfd: pytest.CaptureFixture[str],
) -> None:
    script = "import sys; print(sys.argv[1:])"
    run(["record", "rec", *python(script), "--mode", "x", "--", "--touch"])
    assert capfd.readouterr().out == "['--mode', 'x', '--', '--touch']\n"


@pytest.mark.slow
def test_any_program_can_be_recorded_and_replayed(
    tmp_path: Path, connected: object, capfd: pytest.CaptureFixture[str]
) -> None:
    Path("script.py").write_text(SCRIPT)
    program = (sys.executable, "script.py")
    assert run(["record", "rec", "--", *program]) == 0
    out, err = capfd.readouterr()
    assert out == "2 companies\n"
    assert "rec: 1 exchange of 1 operation; files: 1 new" in err
    again = subprocess.run(  # noqa: S603 - our own script
        program,
        env=CommandRunner(tmp_path, NECTAR_RECORD="replay:rec", **NOWHERE).environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert again.stdout == out


def test_the_exit_code_is_that_of_the_command(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert run(["record", "rec", *python("import sys; sys.exit(7)")]) == 7
    assert capfd.readouterr() == ("", "")


def test_a_program_that_records_nothing_is_an_error_with_a_hint(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert run(["record", "rec", *python("print('hi')")]) == 1
    out, err = capfd.readouterr()
    assert out == "hi\n"
    error, hint = err.splitlines()
    assert error == "error: nothing was recorded at rec"
    assert "Recorder.from_env()" in hint


WAITING = """
import pathlib, sys, time
pathlib.Path("here").touch()
try:
    time.sleep(60)
except KeyboardInterrupt:
    sys.exit(5)
"""


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 5), (signal.SIGTERM, 143)], ids=["int", "term"]
)
def test_signals_reach_the_command(
    number: signal.Signals, code: int, commands: CommandRunner
) -> None:
    program = (sys.executable, "-c", WAITING)
    process = commands.start("record", "rec", "--", *program)
    wait_until((commands.folder / "here").exists)
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does
    else:
        process.send_signal(number)
    done = wait_for_end(process)
    assert done.returncode == code
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["rec"], "Missing argument 'COMMAND'"),
        (["--", "rec", "ping"], "PATH belongs before --"),
        (["rec", "python", "x.py"], "`nectar record rec -- python x.py`"),
        (["rec", "demo"], "'demo' is not one of download, job, ping, pull, upload"),
        (["rec", "--mode", "replay", "ping"], "'replay' is not one of record, new"),
        (["rec", "--wat", "ping"], "--wat"),
        (["pull", "usage", "--out", "x"], "write `nectar record PATH pull usage"),
        (["pul", "usage", "--out", "x"], "write `nectar record PATH pull usage"),
        (["ping", "--json"], "PATH is missing"),
        (["rec", "pul", "usage"], "Did you mean 'pull'?"),
        (["rec", "usage", "--out", "x"], "Did you mean 'pull usage'?"),
        (["rec", "ping", "--mode=new"], "--mode=new is an option of `nectar record`"),
    ],
    ids=[
        *("nothing", "end-first", "no-end", "demo", "mode", "option", "no-path"),
        *("no-path-typo", "no-path-flag", "typo", "view", "mode-behind"),
    ],
)
def test_a_wrong_option_is_one_error_line_and_runs_nothing(
    arguments: list[str], problem: str, capsys: Capture
) -> None:
    assert run(["record", *arguments]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("error: ")
    assert problem in printed.splitlines()[0]
    assert not Path("rec").exists()


def test_a_missing_program_is_reported_by_name(capsys: Capture) -> None:
    assert run(["record", "rec", "--", "no-such-program"]) == 1
    assert capsys.readouterr().err == (
        "error: no-such-program: No such file or directory\n"
    )


def test_json_reports_name_the_recording(
    connected: object, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("NECTAR_RECORD", "record:rec")
    assert run(["ping", "--json"]) == 0
    out, err = capsys.readouterr()
    recorded = json.loads(out)
    assert recorded["recording"] == {"mode": "record", "path": "rec"}
    assert err == ""
    monkeypatch.setenv("NECTAR_RECORD", "replay:rec")
    monkeypatch.delenv("NECTAR_API_KEY")
    monkeypatch.setenv("NECTAR_BASE_URL", NOWHERE["NECTAR_BASE_URL"])
    assert run(["ping", "--json"]) == 0
    replayed = json.loads(capsys.readouterr().out)
    assert replayed["answer"] == recorded["answer"]
    assert replayed["recording"] == {"mode": "replay", "path": "rec"}


def test_a_request_that_was_not_recorded_is_an_error(
    connected: object, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("NECTAR_RECORD", "record:rec")
    assert run(["ping"]) == 0
    monkeypatch.setenv("NECTAR_RECORD", "replay:rec")
    capsys.readouterr()
    assert run(["pull", "usage", "--out", "x.jsonl"]) == 1
    announcement, error, *_ = capsys.readouterr().err.splitlines()
    assert announcement.startswith("replay: ")
    assert "no answer to GET /company" in error
    assert not Path("x.jsonl").exists()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("relpay:rec", "unknown mode 'relpay'"),
        ("record", "no path of a recording"),
        ("record,tuoch:rec", "unknown flag 'tuoch'; choose from touch, keep-failures"),
    ],
    ids=["mode", "path", "flag"],
)
def test_a_wrong_variable_is_an_error(
    text: str,
    problem: str,
    connected: object,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:
    monkeypatch.setenv("NECTAR_RECORD", text)
    assert run(["ping"]) == 2
    printed = capsys.readouterr().err
    assert problem in printed
    with pytest.raises(ConfigurationError, match=problem):
        Recorder.from_env()


def test_without_the_variable_nothing_is_recorded(
    connected: object, capsys: Capture
) -> None:
    assert run(["ping"]) == 0
    assert capsys.readouterr().err == ""
    assert [*Path().iterdir()] == []
    assert Recorder.from_env("rec").mode is Mode.REPLAY
