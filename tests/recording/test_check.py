"""Checking a recording reports every problem with its place."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from exchanges import NOW, answer, make_page, make_recording, question

from nectar_async import RecordingError
from nectar_async.cli.decode_check import find_decode_problems, read_return_types
from nectar_async.contract import operations
from nectar_async.recording.bodies import Blob, FormData, FormPart, Json, Text
from nectar_async.recording.check import CheckReport, Finding, Severity, check
from nectar_async.recording.exchange import Exchange, RecordedAnswer
from nectar_async.recording.folder import MANIFEST_NAME, Recording
from nectar_async.recording.redaction.redaction import Redaction

PDF = Blob(b"%PDF-1.7", ".pdf")
FILE = (
    question("", "documents_download", url="https://link.invalid/d/url", owner="d"),
    RecordedAnswer(status=200, headers={"content-type": "application/pdf"}, body=PDF),
)
PING = question("/ping", "ping_get"), answer("pong v2.2")
USAGE = [make_page("a", page, 3) for page in (1, 2, 3)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_recording([PING, *USAGE, FILE]).save(tmp_path / "r", NOW)
    return tmp_path / "r"


def run_check(folder: Path, **how: Any) -> CheckReport:
    return check(folder, now=NOW + timedelta(days=3), **how)


def format_findings(checked: CheckReport) -> Sequence[str]:
    return [
        f"{finding.severity}: {finding.file} {finding.place}: {finding.message}"
        for finding in checked.findings
    ]


def only(checked: CheckReport) -> Finding:
    (finding,) = checked.findings
    return finding


def list_files(folder: Path, operation: str) -> Sequence[Path]:
    return sorted(folder.glob(f"{operation}.*.json"))


def edit(path: Path, change: Callable[[Any], object]) -> None:
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value, indent=2) + "\n")


def test_an_unchanged_recording_is_sound(folder: Path) -> None:
    report = run_check(folder)
    assert report.is_sound
    assert format_findings(report) == []
    assert (report.exchanges, report.age) == (5, timedelta(days=3))
    assert report.recorded_at == NOW


def test_a_folder_that_is_no_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"has no recording\.json"):
        check(tmp_path)


def test_all_damaged_files_are_reported_together(folder: Path) -> None:
    first, second, _ = list_files(folder, "usage_list_by_company")
    first.write_text("<<<<<<< HEAD\n")
    second.rename(folder / "usage_list_by_company.b.00000000.json")
    (folder / PDF.name).write_bytes(b"other")
    report = run_check(folder)
    assert not report.is_sound
    assert {finding.file for finding in report.findings} >= {
        first.name,
        "usage_list_by_company.b.00000000.json",
        PDF.name,
    }


def test_an_unreadable_manifest_is_the_only_finding(folder: Path) -> None:
    (folder / MANIFEST_NAME).write_text("{")
    finding = only(run_check(folder))
    assert finding.file == MANIFEST_NAME
    assert "no other file was checked" in finding.message


def test_a_file_that_is_not_an_exchange_is_reported(folder: Path) -> None:
    (file,) = list_files(folder, "ping_get")
    file.write_text("{")
    finding = only(run_check(folder))
    assert finding.file == file.name
    assert finding.message.startswith("is not an exchange: ")


def test_a_request_that_was_changed_by_hand_has_another_name(folder: Path) -> None:
    (file,) = list_files(folder, "ping_get")
    edit(file, lambda value: value["request"].update(path="/pong"))
    finding = only(run_check(folder))
    assert finding.file == file.name
    assert finding.message.startswith("should be called ping_get.")


def test_a_file_without_a_key_in_its_name_is_not_counted(
    folder: Path,
) -> None:
    (file,) = list_files(folder, "ping_get")
    file.rename(folder / "ping.json")
    report = run_check(folder)
    assert only(report).message.startswith(f"should be called {file.name}")
    assert report.exchanges == 4


def test_a_gap_in_the_numbers_of_answers_is_reported(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    make_recording([PING, PING, PING]).save(folder, NOW)
    assert run_check(folder).is_sound
    (second,) = folder.glob("ping_get.*.2.json")
    second.unlink()
    finding = only(run_check(folder))
    assert (
        finding.message == "the answers to one question are numbered 1, 3, with a gap"
    )


def test_missing_and_changed_blobs_are_reported(folder: Path) -> None:
    file = folder / PDF.name
    file.write_bytes(b"%PDF-1.8")
    assert (only(run_check(folder)).file, only(run_check(folder)).message) == (
        PDF.name,
        "was changed: its SHA-256 differs from its name; record again",
    )
    file.unlink()
    assert "which is missing" in only(run_check(folder)).message


def test_unused_blobs_are_reported(folder: Path) -> None:
    (file,) = list_files(folder, "documents_download")
    file.unlink()
    finding = only(run_check(folder))
    assert (finding.file, finding.severity) == (PDF.name, Severity.ERROR)
    assert "belongs to no exchange" in finding.message


def test_other_files_are_a_note_and_folders_an_error(folder: Path) -> None:
    (folder / "README.md").write_text("how this was made")
    report = run_check(folder)
    assert report.is_sound
    assert only(report).file == "README.md"
    (folder / "old").mkdir()
    report = run_check(folder)
    assert not report.is_sound
    assert report.findings[0].file == "old", "errors come first"


def test_a_list_without_its_last_page_is_reported(folder: Path) -> None:
    first, *_, last = list_files(folder, "usage_list_by_company")
    last.unlink()
    finding = only(run_check(folder))
    assert finding.file == first.name
    assert "the list has 3 pages, and page 3 is not recorded" in finding.message


def test_all_missing_pages_are_in_one_finding(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    make_recording([make_page("a", 2, 4), make_page("b", 1, 1)]).save(folder, NOW)
    finding = only(run_check(folder))
    assert "pages 1, 3, 4 are not recorded" in finding.message


def test_an_operation_that_the_contract_does_not_have_is_a_note(
    tmp_path: Path,
) -> None:
    asked = question("/label/1", "labels_get")
    make_recording([(asked, answer({}))]).save(tmp_path / "r", NOW)
    report = run_check(tmp_path / "r")
    assert report.is_sound
    assert only(report).message == "the contract has no 'labels_get'"


def test_a_differently_formatted_file_is_a_note(folder: Path) -> None:
    (file,) = list_files(folder, "ping_get")
    file.write_text(json.dumps(json.loads(file.read_text())))
    report = run_check(folder)
    assert report.is_sound
    assert "formatted differently" in only(report).message


def test_another_contract_is_a_note_and_too_high_an_age_an_error(
    folder: Path,
) -> None:
    edit(folder / MANIFEST_NAME, lambda value: value.update(contract="0" * 64))
    report = run_check(folder)
    assert report.is_sound
    assert only(report).place == "contract"
    assert run_check(folder, max_age=timedelta(days=4)).is_sound
    stale = run_check(folder, max_age=timedelta(days=2))
    assert not stale.is_sound
    assert "is 3 days old, and 2 are allowed" in stale.findings[0].message
    young = check(folder, now=NOW + timedelta(hours=5), max_age=timedelta())
    assert "is 5 hours old, and 0 are allowed" in young.findings[0].message


SITE = question("/site/s", "sites_get", owner="s")
PERSONAL: dict[str, tuple[Any, str]] = {
    "an address": (
        {"id": "s", "address": "897 Beacon Hill Drive"},
        "response address",
    ),
    "an address in a list": (
        {"id": "s", "more": [{"address": "1 A Street"}, {"address": "2 B Street"}]},
        "response more[].address",
    ),
    "an e-mail": ({"id": "s", "note": "ask jo@acme.example"}, "response note"),
    "an e-mail as a key": ({"id": "s", "jo@acme.example": 1}, "response keys"),
}


@pytest.mark.parametrize("value", PERSONAL.values(), ids=PERSONAL)
def test_unredacted_values_are_reported_by_place_without_the_value(
    value: tuple[Any, str], tmp_path: Path
) -> None:
    personal, place = value
    folder = tmp_path / "r"
    make_recording([(SITE, answer(personal))]).save(folder, NOW)
    finding = only(run_check(folder))
    assert (finding.place, finding.severity) == (place, Severity.ERROR)
    assert "nectar recording redact" in finding.message
    for mark in ("Beacon", "acme", "Street"):
        assert mark not in repr(finding)


def test_a_redacted_recording_is_sound(tmp_path: Path) -> None:
    plain = [(SITE, answer(personal)) for personal, _ in PERSONAL.values()]
    recording = Recording(api_version="v2.2")
    recording = recording.with_exchanges(Redaction().apply(plain))
    recording.save(tmp_path / "r", NOW)
    assert run_check(tmp_path / "r").is_sound


def test_a_token_is_reported_and_not_shown(tmp_path: Path) -> None:
    token = "whsec_" + "abcd1234" * 4
    make_recording([(SITE, answer({"id": "s", "name": token}))]).save(
        tmp_path / "r", NOW
    )
    finding = only(run_check(tmp_path / "r"))
    assert finding.message.startswith("contains a secret: ")
    assert token not in finding.message


def test_forms_and_queries_are_checked(tmp_path: Path) -> None:
    form = FormData((FormPart(name="email", text="jo@acme.example"),))
    asked = evolve(SITE, query=(("email", "jo@acme.example"),), body=form)
    make_recording([(asked, answer({"id": "s"}))]).save(tmp_path / "r", NOW)
    places = {finding.place for finding in run_check(tmp_path / "r").findings}
    assert places == {"request query email[]", "request form email[]"}


def note_operation(exchange: Exchange) -> Iterator[Finding]:
    yield Finding(severity=Severity.NOTE, message=exchange.question.operation)


def test_findings_of_a_further_check_have_the_file(
    folder: Path,
) -> None:
    report = run_check(folder, check_exchange=note_operation)
    assert len(report.findings) == 5
    for finding in report.findings:
        assert finding.file.startswith(f"{finding.message}.")


def make_exchange(operation: str, value: Any, **facts: Any) -> Exchange:
    asked = question("/x", operation, **facts)
    body = value if isinstance(value, Text | Blob) else Json.of(value)
    answered = RecordedAnswer(status=200, body=None if value is None else body)
    return Exchange(question=asked, answer=answered, key="0" * 64)


def list_decode_problems(exchange: Exchange) -> Sequence[str]:
    return [
        f"{finding.severity} {finding.place}: {finding.message}"
        for finding in find_decode_problems(exchange)
    ]


def test_every_operation_has_a_model_but_ping_which_has_none() -> None:
    assert operations().keys() - read_return_types().keys() == {"ping_get"}


def test_answers_that_the_models_know_have_no_findings() -> None:
    assert (
        list_decode_problems(make_exchange("sites_get", {"id": "s", "name": "North"}))
        == []
    )
    asked, answered = make_page("a", 1)
    assert (
        list_decode_problems(Exchange(question=asked, answer=answered, key="0")) == []
    )
    assert (
        list_decode_problems(
            make_exchange("companies_list", [{"id": "c", "name": "Acme"}])
        )
        == []
    )


@pytest.mark.parametrize(
    ("operation", "value", "message"),
    [
        (
            "sites_get",
            {"id": "s", "name": "N", "floors": 3},
            "note response floors: unknown key",
        ),
        (
            "companies_list",
            [{"id": "c", "name": "A", "x": 1}, {"id": "d", "name": "A", "x": 2}],
            "note response [].x: unknown key",
        ),
        (
            "usage_list_by_company",
            {"usageData": [{"id": "u", "datasourceType": "STEAM"}]},
            "note response usageData[].datasourceType: unknown DatasourceType",
        ),
        (
            "accounts_bulk_update",
            [{"id": "a", "x": 1}],
            "note response [].x: unknown key",
        ),
    ],
    ids=["object", "bare-array", "page", "list"],
)
def test_unknown_keys_are_one_note_each(
    operation: str, value: Any, message: str
) -> None:
    assert message in list_decode_problems(make_exchange(operation, value))
    assert all(
        line.startswith("note")
        for line in list_decode_problems(make_exchange(operation, value))
    )


@pytest.mark.parametrize(
    ("operation", "value", "message"),
    [
        ("sites_get", {"name": "N"}, "error response id: missing"),
        ("usage_list_by_company", Text("<html>"), "error response: expected JSON"),
        ("companies_get", None, "error response: expected JSON, got an empty body"),
    ],
    ids=["no-id", "no-json", "nothing"],
)
def test_answers_that_the_models_cannot_read_are_errors(
    operation: str, value: Any, message: str
) -> None:
    (line,) = list_decode_problems(make_exchange(operation, value))
    assert line.startswith(message)


def test_errors_files_and_empty_answers_are_not_decoded() -> None:
    refused = make_exchange("sites_get", {"detail": "no"})
    refused = evolve(refused, answer=evolve(refused.answer, status=404))
    assert list_decode_problems(refused) == []
    assert list_decode_problems(make_exchange("documents_download", PDF)) == []
    assert list_decode_problems(make_exchange("labels_get", {"x": 1})) == []
    assert (
        list_decode_problems(make_exchange("invitations_revoke", None, method="POST"))
        == []
    )
    assert (
        list_decode_problems(make_exchange("companies_delete", None, method="DELETE"))
        == []
    )
