"""What the shell says of recordings, and how it mends them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from taken import answer, page_of, question, recording_of

from nectar_async.cli.app import run
from nectar_async.recording.exchange import Question, RecordedAnswer
from nectar_async.recording.folder import MANIFEST_NAME, Recording
from nectar_async.recording.redaction.redaction import Redaction

Capture = pytest.CaptureFixture[str]

NOW = datetime.now(UTC) - timedelta(days=3, hours=1)
PING = question("/ping", "ping_get"), answer("pong v2.2")
SITE = question("/site/s", "sites_get", owner="s")
JO = {"id": "s", "name": "North", "note": "ask jo@acme.example", "externalId": "A-77"}


def saved(path: str, *pairs: tuple[Question, RecordedAnswer]) -> Path:
    recording_of(pairs).save(path, NOW)
    return Path(path)


def words(text: str) -> str:
    return " ".join(text.split())


def facts(capsys: Capture) -> Any:
    return json.loads(capsys.readouterr().out)


def snapshot(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in folder.iterdir()}


@pytest.fixture
def usage() -> Path:
    """A recording of five exchanges, with a person in it."""
    pages = [page_of("a", 1, 2), page_of("a", 2, 2), page_of("b", 1)]
    pairs = [PING, *pages, (SITE, evolve(answer({"detail": "no"}), status=404))]
    return saved("usage", *pairs)


def test_a_recording_is_shown(usage: Path, capsys: Capture) -> None:
    assert run(["recording", "show", "usage"]) == 0
    said = words(capsys.readouterr().out)
    assert "usage: 5 exchanges of 3 operations" in said
    assert f"API v2.2, recorded {NOW:%Y-%m-%d} (3 days ago) by nectar_async" in said
    assert "usage_list_by_company 3 2" in said
    assert "sites_get 1 1" in said
    assert "404" in said
    assert "no stand-ins: there was nothing to replace" in said


def test_stand_ins_are_counted_by_kind(capsys: Capture) -> None:
    twice = {**JO, "more": "jo@acme.example and al@acme.example"}
    redacted = Redaction().apply([(SITE, answer(twice))])
    recording_of(()).with_exchanges(redacted).save("r", NOW)
    assert run(["recording", "show", "r", "--json"]) == 0
    shown = facts(capsys)
    assert shown["standins"] == [{"kind": "person", "values": 2, "places": 3}]
    assert run(["recording", "show", "r"]) == 0
    assert "person 2 3" in words(capsys.readouterr().out)


def test_a_recording_is_shown_to_machines(usage: Path, capsys: Capture) -> None:
    assert run(["recording", "show", "usage", "--json"]) == 0
    shown = facts(capsys)
    assert shown["exchanges"] == 5
    assert (shown["age_days"], shown["is_own_contract"]) == (3, True)
    by_operation = {one["operation"]: one for one in shown["operations"]}
    assert by_operation["usage_list_by_company"]["exchanges"] == 3
    assert by_operation["usage_list_by_company"]["owners"] == 2
    assert by_operation["sites_get"]["statuses"] == {"404": 1}
    size = sum(
        one.stat().st_size for one in usage.iterdir() if one.name != MANIFEST_NAME
    )
    assert sum(one["bytes"] for one in shown["operations"]) == size


@pytest.mark.parametrize("command", ["show", "redact", "check"])
def test_what_is_no_recording_is_one_line(command: str, capsys: Capture) -> None:
    assert run(["recording", command, "nowhere"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert "nowhere" in said
    assert said.count("\n") == 1


def test_a_sound_recording_is_said_to_be_sound(usage: Path, capsys: Capture) -> None:
    assert run(["recording", "check", "usage"]) == 0
    said = words(capsys.readouterr().out)
    assert said.startswith("usage: sound (5 exchanges, recorded ")


def test_of_several_recordings_one_that_is_not_sound_is_enough(
    usage: Path, capsys: Capture
) -> None:
    saved("other", (SITE, answer(JO)))
    assert run(["recording", "check", "usage", "other"]) == 1
    said = words(capsys.readouterr().out)
    assert "usage: sound" in said
    assert "other: not sound" in said
    assert "error sites_get.s." in said
    assert "response note: is secret or personal" in said
    assert "acme" not in said


def test_recordings_below_a_folder_are_checked_whatever_else_is_named(
    usage: Path, capsys: Capture
) -> None:
    saved("all/deep/one", PING)
    saved("all/two", PING)
    Path("empty").mkdir()
    arguments = ["recording", "check", "empty", "nope", "all", "usage"]
    assert run(arguments) == 1
    said = capsys.readouterr()
    named = [line.partition(":")[0] for line in said.out.splitlines()]
    assert named == ["all/deep/one", "all/two", "usage"]
    empty, nope = said.err.splitlines()
    assert empty.startswith("error: empty is no recording")
    assert run(["recording", "show", "nope"]) == 1
    assert capsys.readouterr().err.splitlines() == [nope]
    assert run([*arguments, "--json"]) == 1
    found = facts(capsys)
    assert found["is_sound"] is False
    assert len(found["recordings"]) == 3
    assert nope == f"error: {found['missing'][1]}"


def test_what_is_the_same_in_several_files_is_said_once(capsys: Capture) -> None:
    new = {"id": "s", "name": "North", "floors": 3}
    asked = [evolve(SITE, path=f"/site/{one}", owner=one) for one in "abc"]
    saved("r", *((one, answer(new)) for one in asked))
    assert run(["recording", "check", "r"]) == 0
    said = words(capsys.readouterr().out)
    assert said.count("note") == 1
    assert "and 2 more files, response floors: unknown key" in said
    assert run(["recording", "check", "r", "--json"]) == 0
    (one,) = facts(capsys)["recordings"]
    assert one["is_sound"] is True
    assert [finding["severity"] for finding in one["findings"]] == ["note"] * 3


def test_an_old_recording_is_not_sound_where_that_is_said(
    usage: Path, capsys: Capture
) -> None:
    assert run(["recording", "check", "usage", "--max-age", "90"]) == 0
    assert run(["recording", "check", "usage", "--max-age", "2", "--json"]) == 1
    *_, last = capsys.readouterr().out.splitlines()
    found = json.loads(last)
    assert found["is_sound"] is False
    assert "is 3 days old" in found["recordings"][0]["findings"][0]["words"]


def test_two_recordings_of_the_same_are_the_same(usage: Path, capsys: Capture) -> None:
    assert run(["recording", "diff", "usage", "usage"]) == 0
    assert capsys.readouterr().out == "nothing changed in the API\n"
    assert run(["recording", "diff", "usage", "usage", "--json"]) == 0
    assert facts(capsys) == {"is_same": True, "changes": []}


def test_what_changed_is_told_by_operation(capsys: Capture) -> None:
    saved("old", PING, (SITE, answer({"id": "s", "area": "12"})))
    saved("new", (SITE, answer({"id": "s", "area": 12, "floors": 3})))
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
    found = facts(capsys)
    assert found["is_same"] is False
    assert found["changes"][1] == {
        "kind": "type",
        "operation": "sites_get",
        "place": "area",
        "status": None,
        "before": "text",
        "after": "number",
        "words": "was text, is number",
    }


def test_many_exchanges_of_an_operation_are_counted(capsys: Capture) -> None:
    asked = [evolve(SITE, path=f"/site/{one}", owner=one) for one in "abcd"]
    saved("old", *((one, answer({"id": "s"})) for one in asked))
    saved("new", PING)
    assert run(["recording", "diff", "old", "new"]) == 1
    heading, new, gone = capsys.readouterr().out.splitlines()
    assert heading == "exchanges"
    assert new.startswith("  + ping_get.")
    assert gone == "  - sites_get: 4 exchanges are gone"


def test_a_change_of_an_error_names_it(capsys: Capture) -> None:
    for path, key in (("old", "detail"), ("new", "message")):
        saved(path, (SITE, answer({key: "no"}, 404)))
    assert run(["recording", "diff", "old", "new"]) == 1
    assert "  - (in 404) detail: no such key now" in capsys.readouterr().out


def test_a_recording_that_cannot_be_read_is_no_change(
    usage: Path, capsys: Capture
) -> None:
    assert run(["recording", "diff", "usage", "nowhere"]) == 2
    assert "there is no recording at nowhere" in capsys.readouterr().err
    assert run(["recording", "diff", "nowhere", "usage", "--json"]) == 2
    assert facts(capsys)["error"]["type"] == "RecordingError"


def test_a_person_is_replaced_in_place_and_what_was_is_not_said(
    capsys: Capture,
) -> None:
    folder = saved("r", PING, (SITE, answer(JO)))
    before = snapshot(folder)
    assert run(["recording", "redact", "r", "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "Would be replaced" in said
    assert "person 1 1" in words(said)
    assert snapshot(folder) == before
    assert run(["recording", "redact", "r"]) == 0
    said = capsys.readouterr().out
    assert "person 1 1" in words(said)
    assert "acme" not in said
    after = snapshot(folder)
    changed = {name for name in before if before[name] != after[name]}
    assert {name.partition(".")[0] for name in changed} == {"sites_get"}
    assert b"acme" not in b"".join(after.values())
    assert Recording.load("r").recorded_at == NOW.replace(microsecond=0)
    assert run(["recording", "check", "r"]) == 0


def test_a_recording_without_anything_to_replace_stays_as_it_is(
    usage: Path, capsys: Capture
) -> None:
    before = snapshot(usage)
    assert run(["recording", "redact", "usage"]) == 0
    assert capsys.readouterr().out == "nothing to replace in usage\n"
    assert snapshot(usage) == before


def test_rules_are_kept_and_may_be_given_again(capsys: Capture) -> None:
    folder = saved("r", (SITE, answer(JO)))
    rules = ["--rule", "tenant=externalId,tenant", "--pattern", "point=North"]
    assert run(["recording", "redact", "r", *rules, "--json"]) == 0
    found = facts(capsys)
    assert found["is_changed"] is True
    assert {one["kind"]: one["places"] for one in found["replaced"]} == {
        "person": 1,
        "point": 1,
        "tenant": 1,
    }
    before = snapshot(folder)
    assert run(["recording", "redact", "r", *rules, "--json"]) == 0
    assert facts(capsys) == {"is_changed": False, "replaced": []}
    assert snapshot(folder) == before
    assert run(["recording", "show", "r"]) == 0
    said = capsys.readouterr().out
    assert "redacted besides: tenant (externalId, tenant)" in said
    assert "redacted besides: point (North)" in said


@pytest.mark.parametrize(
    ("option", "text", "problem"),
    [
        ("--rule", "tenant", "'tenant' is not spelled KIND=..."),
        ("--rule", "tenant=", "is not spelled KIND=..."),
        ("--rule", "My Kind=x", "kind is 'My Kind'"),
        ("--pattern", "tenant=(", "the pattern of the rule for 'tenant'"),
    ],
)
def test_a_rule_that_is_none_touches_nothing(
    option: str, text: str, problem: str, usage: Path, capsys: Capture
) -> None:
    before = snapshot(usage)
    assert run(["recording", "redact", "usage", option, text]) == 2
    assert problem in capsys.readouterr().err
    assert snapshot(usage) == before


def test_a_recording_goes_to_har_and_comes_back(usage: Path, capsys: Capture) -> None:
    assert run(["recording", "export", "usage", "usage.har"]) == 0
    assert "usage.har: 5 exchanges" in capsys.readouterr().out
    assert run(["recording", "import", "usage.har", "back"]) == 0
    assert "back: 5 exchanges of 3 operations" in capsys.readouterr().out
    assert run(["recording", "diff", "usage", "back"]) == 0
    back = Recording.load("back")
    assert back.exchanges == Recording.load("usage").exchanges
    assert back.recorded_at == NOW.replace(microsecond=0), "it is as old as it was"


def test_a_cassette_is_imported_and_what_is_not_nectars_is_left_out(
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
    found = facts(capsys)
    assert found["imported"] == 1
    assert sum(found["skipped"].values()) == 1
    kinds = [one["kind"] for one in found["recording"]["standins"]]
    assert kinds == ["person", "tenant"]
    assert run(arguments) == 0
    assert "left out: 1 entry, not Nectar's" in capsys.readouterr().err


def test_a_file_of_no_known_kind_is_named(capsys: Capture) -> None:
    Path("x.har").write_text("{}")
    assert run(["recording", "import", "x.har", "r"]) == 1
    assert capsys.readouterr().err.startswith("error: x.har: it is no HAR")
    assert run(["recording", "import", "x.har", "r", "--format", "pcap"]) == 2
    assert "--format 'pcap' is none of cassette, har" in capsys.readouterr().err
    Path("x.json").write_text("[]")
    assert run(["recording", "import", "x.json", "r"]) == 2
    assert "nor what is in it tells what it is" in capsys.readouterr().err
    assert not Path("r").exists()
