"""`nectar recording`: show, check, compare, redact and convert recordings."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from exchanges import answer, make_page, make_recording, question

from nectar_async.cli.app import run
from nectar_async.recording.exchange import Question, RecordedAnswer
from nectar_async.recording.folder import MANIFEST_NAME, Recording
from nectar_async.recording.redaction.redaction import Redaction

Capture = pytest.CaptureFixture[str]

NOW = datetime.now(UTC) - timedelta(days=3, hours=1)
PING = question("/ping", "ping_get"), answer("pong v2.2")
SITE = question("/site/s", "sites_get", owner="s")
JO = {"id": "s", "name": "North", "note": "ask jo@acme.example", "externalId": "A-77"}


def save(path: str, *pairs: tuple[Question, RecordedAnswer]) -> Path:
    make_recording(pairs).save(path, NOW)
    return Path(path)


def unwrap(text: str) -> str:
    return " ".join(text.split())


def read_json(capsys: Capture) -> Any:
    return json.loads(capsys.readouterr().out)


def snapshot(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.fixture
def usage() -> Path:
    """Save a recording of five exchanges."""
    pages = [make_page("a", 1, 2), make_page("a", 2, 2), make_page("b", 1)]
    pairs = [PING, *pages, (SITE, evolve(answer({"detail": "no"}), status=404))]
    return save("usage", *pairs)


def test_a_recording_is_shown(usage: Path, capsys: Capture) -> None:
    assert run(["recording", "show", "usage"]) == 0
    printed = unwrap(capsys.readouterr().out)
    assert "usage: 5 exchanges of 3 operations" in printed
    assert f"API v2.2, recorded {NOW:%Y-%m-%d} (3 days ago) by nectar_async" in printed
    assert "usage_list_by_company 3 2" in printed
    assert "sites_get 1 1" in printed
    assert "404" in printed
    assert "no placeholders: there was nothing to replace" in printed


def test_placeholders_are_counted_by_kind(capsys: Capture) -> None:
    twice = {**JO, "more": "jo@acme.example and al@acme.example"}
    redacted = Redaction().apply([(SITE, answer(twice))])
    make_recording(()).with_exchanges(redacted).save("r", NOW)
    assert run(["recording", "show", "r", "--json"]) == 0
    shown = read_json(capsys)
    assert shown["placeholders"] == [{"kind": "person", "values": 2, "places": 3}]
    assert run(["recording", "show", "r"]) == 0
    assert "person 2 3" in unwrap(capsys.readouterr().out)


def test_a_recording_is_shown_as_json(usage: Path, capsys: Capture) -> None:
    assert run(["recording", "show", "usage", "--json"]) == 0
    shown = read_json(capsys)
    assert shown["exchanges"] == 5
    assert (shown["age_days"], shown["is_own_contract"]) == (3, True)
    by_operation = {row["operation"]: row for row in shown["operations"]}
    assert by_operation["usage_list_by_company"]["exchanges"] == 3
    assert by_operation["usage_list_by_company"]["owners"] == 2
    assert by_operation["sites_get"]["statuses"] == {"404": 1}
    size = sum(
        file.stat().st_size for file in usage.iterdir() if file.name != MANIFEST_NAME
    )
    assert sum(row["bytes"] for row in shown["operations"]) == size


@pytest.mark.parametrize("command", ["show", "redact", "check"])
def test_a_missing_recording_is_one_error_line(command: str, capsys: Capture) -> None:
    assert run(["recording", command, "nowhere"]) == 1
    printed = capsys.readouterr().err
    assert printed.startswith("error: ")
    assert "nowhere" in printed
    assert printed.count("\n") == 1


def test_a_sound_recording_passes_the_check(usage: Path, capsys: Capture) -> None:
    assert run(["recording", "check", "usage"]) == 0
    printed = unwrap(capsys.readouterr().out)
    assert printed.startswith("usage: sound (5 exchanges, recorded ")


def test_one_unsound_recording_fails_the_check_of_several(
    usage: Path, capsys: Capture
) -> None:
    save("other", (SITE, answer(JO)))
    assert run(["recording", "check", "usage", "other"]) == 1
    printed = unwrap(capsys.readouterr().out)
    assert "usage: sound" in printed
    assert "other: not sound" in printed
    assert "error sites_get.s." in printed
    assert "response note: is secret or personal" in printed
    assert "acme" not in printed


def test_recordings_below_a_folder_are_checked_with_all_others(
    usage: Path, capsys: Capture
) -> None:
    save("all/deep/one", PING)
    save("all/two", PING)
    Path("empty").mkdir()
    arguments = ["recording", "check", "empty", "nope", "all", "usage"]
    assert run(arguments) == 1
    printed = capsys.readouterr()
    named = [line.partition(":")[0] for line in printed.out.splitlines()]
    assert named == ["all/deep/one", "all/two", "usage"]
    empty, nope = printed.err.splitlines()
    assert empty.startswith("error: empty is not a recording")
    assert run(["recording", "show", "nope"]) == 1
    assert capsys.readouterr().err.splitlines() == [nope]
    assert run([*arguments, "--json"]) == 1
    facts = read_json(capsys)
    assert facts["is_sound"] is False
    assert len(facts["recordings"]) == 3
    assert nope == f"error: {facts['missing'][1]}"


def test_a_finding_of_several_files_is_printed_once(capsys: Capture) -> None:
    new = {"id": "s", "name": "North", "floors": 3}
    questions = [evolve(SITE, path=f"/site/{site}", owner=site) for site in "abc"]
    save("r", *((each, answer(new)) for each in questions))
    assert run(["recording", "check", "r"]) == 0
    printed = unwrap(capsys.readouterr().out)
    assert printed.count("note") == 1
    assert "and 2 more files, response floors: unknown key" in printed
    assert run(["recording", "check", "r", "--json"]) == 0
    (checked,) = read_json(capsys)["recordings"]
    assert checked["is_sound"] is True
    assert [finding["severity"] for finding in checked["findings"]] == ["note"] * 3


def test_a_recording_above_the_maximum_age_is_not_sound(
    usage: Path, capsys: Capture
) -> None:
    assert run(["recording", "check", "usage", "--max-age", "90"]) == 0
    assert run(["recording", "check", "usage", "--max-age", "2", "--json"]) == 1
    *_, last = capsys.readouterr().out.splitlines()
    facts = json.loads(last)
    assert facts["is_sound"] is False
    assert "is 3 days old" in facts["recordings"][0]["findings"][0]["words"]


def test_a_recording_has_no_difference_to_itself(usage: Path, capsys: Capture) -> None:
    assert run(["recording", "diff", "usage", "usage"]) == 0
    assert capsys.readouterr().out == "the API did not change\n"
    assert run(["recording", "diff", "usage", "usage", "--json"]) == 0
    assert read_json(capsys) == {"is_same": True, "changes": []}


def test_changes_are_listed_by_operation(capsys: Capture) -> None:
    save("old", PING, (SITE, answer({"id": "s", "area": "12"})))
    save("new", (SITE, answer({"id": "s", "area": 12, "floors": 3})))
    assert run(["recording", "diff", "old", "new"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[:-1] == [
        "sites_get",
        "  ~ area: was text, is number",
        "  + floors: new key: number, in the only one",
        "exchanges",
    ]
    assert lines[-1].startswith("  - ping_get.")
    assert run(["recording", "diff", "old", "new", "--json"]) == 1
    facts = read_json(capsys)
    assert facts["is_same"] is False
    assert facts["changes"][1] == {
        "kind": "type",
        "operation": "sites_get",
        "place": "area",
        "status": None,
        "before": "text",
        "after": "number",
        "words": "was text, is number",
    }


def test_many_exchanges_of_an_operation_are_counted(capsys: Capture) -> None:
    questions = [evolve(SITE, path=f"/site/{site}", owner=site) for site in "abcd"]
    save("old", *((each, answer({"id": "s"})) for each in questions))
    save("new", PING)
    assert run(["recording", "diff", "old", "new"]) == 1
    heading, added, removed = capsys.readouterr().out.splitlines()
    assert heading == "exchanges"
    assert added.startswith("  + ping_get.")
    assert removed == "  - sites_get: 4 exchanges removed"


def test_a_change_in_an_error_answer_names_its_status(capsys: Capture) -> None:
    for path, key in (("old", "detail"), ("new", "message")):
        save(path, (SITE, answer({key: "no"}, 404)))
    assert run(["recording", "diff", "old", "new"]) == 1
    assert "  - (in 404) detail: key vanished" in capsys.readouterr().out


def test_an_unreadable_recording_is_exit_code_2_of_diff(
    usage: Path, capsys: Capture
) -> None:
    assert run(["recording", "diff", "usage", "nowhere"]) == 2
    assert "there is no recording at nowhere" in capsys.readouterr().err
    assert run(["recording", "diff", "nowhere", "usage", "--json"]) == 2
    assert read_json(capsys)["error"]["type"] == "RecordingError"


def test_a_person_is_replaced_in_place_and_not_printed(
    capsys: Capture,
) -> None:
    folder = save("r", PING, (SITE, answer(JO)))
    before = snapshot(folder)
    assert run(["recording", "redact", "r", "--dry-run"]) == 0
    printed = capsys.readouterr().out
    assert "Would be replaced" in printed
    assert "person 1 1" in unwrap(printed)
    assert snapshot(folder) == before
    assert run(["recording", "redact", "r"]) == 0
    printed = capsys.readouterr().out
    assert "person 1 1" in unwrap(printed)
    assert "acme" not in printed
    after = snapshot(folder)
    changed = {name for name in before if before[name] != after[name]}
    assert {name.partition(".")[0] for name in changed} == {"sites_get"}
    assert b"acme" not in b"".join(after.values())
    assert Recording.load("r").recorded_at == NOW.replace(microsecond=0)
    assert run(["recording", "check", "r"]) == 0


def test_redacting_a_recording_without_secrets_changes_nothing(
    usage: Path, capsys: Capture
) -> None:
    before = snapshot(usage)
    assert run(["recording", "redact", "usage"]) == 0
    assert capsys.readouterr().out == "nothing to replace in usage\n"
    assert snapshot(usage) == before


def test_rules_are_kept_and_can_be_given_again(capsys: Capture) -> None:
    folder = save("r", (SITE, answer(JO)))
    rules = ["--rule", "tenant=externalId,tenant", "--pattern", "point=North"]
    assert run(["recording", "redact", "r", *rules, "--json"]) == 0
    facts = read_json(capsys)
    assert facts["is_changed"] is True
    assert {row["kind"]: row["places"] for row in facts["replaced"]} == {
        "person": 1,
        "point": 1,
        "tenant": 1,
    }
    before = snapshot(folder)
    assert run(["recording", "redact", "r", *rules, "--json"]) == 0
    assert read_json(capsys) == {"is_changed": False, "replaced": []}
    assert snapshot(folder) == before
    assert run(["recording", "show", "r"]) == 0
    printed = capsys.readouterr().out
    assert "also redacted: tenant (externalId, tenant)" in printed
    assert "also redacted: point (North)" in printed


@pytest.mark.parametrize(
    ("option", "text", "problem"),
    [
        ("--rule", "tenant", "'tenant' is not written as KIND=..."),
        ("--rule", "tenant=", "is not written as KIND=..."),
        ("--rule", "My Kind=x", "kind is 'My Kind'"),
        ("--pattern", "tenant=(", "the pattern of the rule for 'tenant'"),
    ],
)
def test_a_wrong_rule_changes_nothing(
    option: str, text: str, problem: str, usage: Path, capsys: Capture
) -> None:
    before = snapshot(usage)
    assert run(["recording", "redact", "usage", option, text]) == 2
    assert problem in capsys.readouterr().err
    assert snapshot(usage) == before


def test_an_exported_recording_can_be_imported_again(
    usage: Path, capsys: Capture
) -> None:
    assert run(["recording", "export", "usage", "usage.har"]) == 0
    assert "usage.har: 5 exchanges" in capsys.readouterr().out
    assert run(["recording", "import", "usage.har", "back"]) == 0
    assert "back: 5 exchanges of 3 operations" in capsys.readouterr().out
    assert run(["recording", "diff", "usage", "back"]) == 0
    back = Recording.load("back")
    assert back.exchanges == Recording.load("usage").exchanges
    assert back.recorded_at == NOW.replace(microsecond=0), "the date is kept"


def test_a_cassette_is_imported_without_other_hosts(
    capsys: Capture,
) -> None:
    host = "https://api.nectar.example/v2.2"
    urls = (f"{host}/site/s", "https://elsewhere.example/pixel.gif")
    interactions = [
        {
            "request": {"method": "GET", "uri": url, "headers": {}, "body": None},
            "response": {
                "status": {"code": 200, "message": "OK"},
                "headers": {"Content-Type": ["application/json"]},
                "body": {"string": json.dumps(JO)},
            },
        }
        for url in urls
    ]
    cassette = {"version": 1, "interactions": interactions}
    Path("old.json").write_text(json.dumps(cassette))
    arguments = ["recording", "import", "old.json", "r"]
    arguments += ["--rule", "tenant=externalId"]
    assert run([*arguments, "--json"]) == 0
    facts = read_json(capsys)
    assert facts["imported"] == 1
    assert sum(facts["skipped"].values()) == 1
    kinds = [row["kind"] for row in facts["recording"]["placeholders"]]
    assert kinds == ["person", "tenant"]
    assert run(arguments) == 0
    assert "left out: 1 entry, not Nectar's" in capsys.readouterr().err


def test_a_file_of_an_unknown_format_is_an_error(capsys: Capture) -> None:
    Path("x.har").write_text("{}")
    assert run(["recording", "import", "x.har", "r"]) == 1
    assert capsys.readouterr().err.startswith("error: x.har: the file is not HAR")
    assert run(["recording", "import", "x.har", "r", "--format", "pcap"]) == 2
    assert "--format 'pcap' is not one of cassette, har" in capsys.readouterr().err
    Path("x.json").write_text("[]")
    assert run(["recording", "import", "x.json", "r"]) == 2
    assert "nor the content of x.json shows its format" in capsys.readouterr().err
    assert not Path("r").exists()
