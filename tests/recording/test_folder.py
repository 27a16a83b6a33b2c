"""A recording is read and written as a whole, and unchanged files are not touched."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from attrs import evolve
from exchanges import NOW, answer, make_page, make_recording, question

from nectar_async import RecordingError
from nectar_async.recording.bodies import Blob, FormData, FormPart, Text
from nectar_async.recording.exchange import RecordedAnswer
from nectar_async.recording.folder import MANIFEST_NAME, Recording
from nectar_async.recording.format import VERSION


def snapshot(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


PAIRS = [
    (question(), answer([{"id": "a", "name": "ü"}])),
    make_page("a", 1, 2),
    make_page("a", 2, 2),
    (
        question(
            "/jobs",
            "jobs_submit_document",
            method="POST",
            body=FormData(
                (FormPart(name="document", file="b.pdf", sha256="0" * 64, size=3),)
            ),
        ),
        answer({"id": "j"}, 202),
    ),
    (
        question(
            "",
            "documents_download",
            url="https://link.invalid/d/url",
            range="bytes=0-2",
        ),
        RecordedAnswer(
            status=206,
            headers={"content-range": "bytes 0-2/3"},
            body=Blob(b"\xff\x00a", ".pdf"),
        ),
    ),
    (question("/ping", "ping_get"), RecordedAnswer(status=200, body=Text("pong v2.2"))),
    (question("/ping", "ping_get"), RecordedAnswer(status=204)),
]


def test_a_saved_recording_is_loaded_unchanged(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "usage"
    written = make_recording(PAIRS)
    assert written.save(folder, NOW)
    read = Recording.load(folder)
    assert read == evolve(written, recorded_at=NOW)
    assert [
        exchange.order
        for exchange in read.exchanges
        if exchange.question.path == "/ping"
    ] == [
        1,
        2,
    ]


def test_a_file_reads_from_the_question_to_the_answer(tmp_path: Path) -> None:
    make_recording([make_page("a", 1)]).save(tmp_path / "r", NOW)
    (file,) = (tmp_path / "r").glob("usage*.json")
    shown = json.loads(file.read_bytes())
    assert list(shown) == ["operation", "request", "response"]
    assert list(shown["request"]) == ["method", "path", "owner", "query"]
    assert list(shown["response"]) == ["status", "headers", "json"]
    assert file.read_bytes().endswith(b"}\n")
    assert file.read_text().splitlines()[1] == '  "operation": "usage_list_by_company",'


def test_saving_an_unchanged_recording_touches_no_file(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    make_recording(PAIRS).save(folder, NOW)
    before, number = snapshot(folder), folder.stat().st_ino
    assert not make_recording(PAIRS).save(folder, NOW + timedelta(days=9))
    assert (snapshot(folder), folder.stat().st_ino) == (before, number)
    assert make_recording(PAIRS).save(folder, NOW + timedelta(days=9), touch=True)
    assert Recording.load(folder).recorded_at == NOW + timedelta(days=9)


def test_a_change_touches_its_own_files_and_the_date(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    make_recording(PAIRS).save(folder, NOW)
    before = snapshot(folder)
    others = [*PAIRS[:2], (PAIRS[2][0], answer({"other": 1})), *PAIRS[3:]]
    assert make_recording(others).save(folder, NOW + timedelta(days=1))
    after = snapshot(folder)
    changed = {name for name in after if after[name] != before.get(name)}
    assert len(changed) == 2
    assert MANIFEST_NAME in changed
    assert after.keys() == before.keys()


def test_an_insertion_renames_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    make_recording(PAIRS[1:]).save(folder, NOW)
    before = snapshot(folder)
    make_recording(PAIRS[::-1]).save(folder, NOW)
    assert before.keys() < snapshot(folder).keys()


def test_removed_exchanges_are_deleted_and_other_files_stay(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "r"
    make_recording(PAIRS).save(folder, NOW)
    folder.chmod(0o750)
    (folder / "README.md").write_text("ours")
    (folder / "again.sh").touch(mode=0o755)
    (folder / "notes").symlink_to("../notes.md")
    assert make_recording(PAIRS[:1]).save(folder, NOW)
    assert (folder / "README.md").read_text() == "ours"
    assert stat.S_IMODE((folder / "again.sh").stat().st_mode) == 0o755
    assert (folder / "notes").readlink() == Path("../notes.md")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o750
    for other in ("again.sh", "notes", "README.md"):
        (folder / other).unlink()
    assert len(snapshot(folder)) == 2
    assert not make_recording(PAIRS[:1]).save(folder, NOW)


def test_a_folder_that_is_no_recording_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(RecordingError, match="so it is not a recording"):
        make_recording(PAIRS).save(tmp_path, NOW)
    with pytest.raises(RecordingError, match="is a file"):
        make_recording(PAIRS).save(tmp_path / "thesis.txt", NOW)
    assert snapshot(tmp_path) == {"thesis.txt": b"years of work"}


def test_a_recording_with_a_folder_in_it_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    make_recording(PAIRS).save(folder, NOW)
    (folder / "inner").mkdir()
    with pytest.raises(RecordingError, match="folder 'inner'"):
        make_recording(PAIRS[:1]).save(folder, NOW)


def test_a_failed_write_keeps_the_old_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "r"
    make_recording(PAIRS).save(folder, NOW)
    before = snapshot(folder)
    write = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if path.name.startswith("ping"):
            raise OSError(28, "No space left on device")
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(RecordingError, match="No space left"):
        make_recording(PAIRS[::-1] * 2).save(folder, NOW)
    assert snapshot(folder) == before
    assert [file.name for file in tmp_path.iterdir()] == ["r"]


def test_a_failed_rename_keeps_the_old_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "r"
    make_recording(PAIRS[:1]).save(folder, NOW)
    before = snapshot(folder)
    rename = Path.rename

    def broken(path: Path, target: Path) -> Path:
        if path.name.endswith(".new"):
            raise OSError(13, "Permission denied")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", broken)
    with pytest.raises(RecordingError, match="Permission denied"):
        make_recording(PAIRS).save(folder, NOW)
    assert snapshot(folder) == before


def test_a_save_that_was_killed_between_its_renames_is_undone(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    make_recording(PAIRS).save(folder, NOW)
    folder.rename(tmp_path / ".r.0123abcd.old")
    assert len(Recording.load(folder).exchanges) == len(PAIRS)
    folder.rename(tmp_path / ".r.0123abcd.old")
    assert make_recording(PAIRS[:1]).save(folder, NOW)
    assert [file.name for file in tmp_path.iterdir()] == ["r"]


def test_only_stale_temporary_folders_are_deleted(
    tmp_path: Path,
) -> None:
    stale = [tmp_path / f".r.{mark}" for mark in ("0123abcd.new", "89abcdef.old")]
    others = [tmp_path / name for name in (".r.0123abcd.txt", ".rr.0123abcd.new")]
    young = tmp_path / ".r.00000000.new"
    for folder in (*stale, *others, young):
        folder.mkdir()
        if folder != young:
            os.utime(folder, (0, 0))
    make_recording(PAIRS[:1]).save(tmp_path / "r", NOW)
    assert {*tmp_path.iterdir()} == {tmp_path / "r", *others, young}


@pytest.mark.parametrize("text", ["<<<<<<< HEAD", "{}", '{"format": 9}'])
def test_a_damaged_recording_can_be_overwritten(tmp_path: Path, text: str) -> None:
    folder = tmp_path / "r"
    make_recording(PAIRS[:1]).save(folder, NOW)
    (folder / MANIFEST_NAME).write_text(text)
    assert make_recording(PAIRS[:1]).save(folder, NOW)
    assert Recording.load(folder).recorded_at == NOW


Harm = Callable[[Path], object]

HARMS: dict[str, tuple[Harm, str]] = {
    "gone": (lambda path: path.rename(path.with_name("x")), "there is no recording at"),
    "no manifest": (
        lambda path: (path / MANIFEST_NAME).unlink(),
        f"it has no {MANIFEST_NAME}",
    ),
    "newer": (
        lambda path: (path / MANIFEST_NAME).write_text(
            json.dumps({"format": VERSION + 1})
        ),
        f"format {VERSION + 1}.*upgrade",
    ),
    "no format": (
        lambda path: (path / MANIFEST_NAME).write_text("{}"),
        "is not a manifest",
    ),
    "no instant": (
        lambda path: (path / MANIFEST_NAME).write_text(
            (path / MANIFEST_NAME).read_text().replace("2026-03-01", "soon")
        ),
        "is not a manifest",
    ),
    "no JSON": (
        lambda path: next(path.glob("usage*")).write_text("<<<<<<< HEAD"),
        "usage.*is not an exchange",
    ),
    "no status": (
        lambda path: next(path.glob("usage*")).write_text(
            '{"operation": "o", "request": {"method": "GET"}, "response": {}}'
        ),
        "is not an exchange: .*status",
    ),
    "bytes gone": (lambda path: next(path.glob("*.pdf")).unlink(), "which is missing"),
    "bytes changed": (
        lambda path: next(path.glob("*.pdf")).write_bytes(b"other"),
        "was changed: its SHA-256",
    ),
}


@pytest.mark.parametrize("harm", HARMS)
def test_a_damaged_recording_says_what_is_wrong(tmp_path: Path, harm: str) -> None:
    folder = tmp_path / "r"
    make_recording(PAIRS).save(folder, NOW)
    damage, words = HARMS[harm]
    damage(folder)
    with pytest.raises(RecordingError, match=words):
        Recording.load(folder)


def test_unknown_keys_in_files_are_ignored(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    make_recording(PAIRS[:1]).save(folder, NOW)
    manifest = json.loads((folder / MANIFEST_NAME).read_text())
    (folder / MANIFEST_NAME).write_text(json.dumps({**manifest, "mood": "good"}))
    assert len(Recording.load(folder).exchanges) == 1
