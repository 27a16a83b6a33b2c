"""Recordings of format 1 that are checked in are read, replayed and kept unchanged."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from nectar_async.recording.folder import MANIFEST_NAME, Recording
from nectar_async.recording.format import encode_exchange, read_manifest
from nectar_async.recording.redaction.redaction import Redaction
from nectar_async.recording.replayer import Replayer

EXAMPLES = Path(__file__).parents[2] / "examples" / "recordings"
FOLDERS = sorted(path.parent for path in EXAMPLES.rglob(MANIFEST_NAME))


def read_files(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_the_examples_are_recordings_of_format_1() -> None:
    assert FOLDERS
    for folder in FOLDERS:
        data = (folder / MANIFEST_NAME).read_bytes()
        assert read_manifest(data, MANIFEST_NAME).format == 1


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_recorded_answer_is_replayed_byte_for_byte(folder: Path) -> None:
    recording = Recording.load(folder)
    replayer = Replayer(recording, Redaction.of(recording.redaction))

    for exchange in recording.exchanges:
        file = folder / f"{exchange.name}.json"
        fields = msgspec.json.decode(file.read_bytes())["response"]
        response = replayer.answer(exchange.question).response()

        assert encode_exchange(exchange) == file.read_bytes()
        assert response.status == fields["status"]
        if "text" in fields:
            assert response.body == fields["text"].encode()
        elif "file" in fields:
            assert response.body == (folder / fields["file"]).read_bytes()
        elif "json" in fields:
            assert msgspec.json.decode(response.body) == fields["json"]
    assert replayer.unused == ()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_recording_the_same_answers_again_changes_no_file(
    folder: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "recording"
    shutil.copytree(folder, copy)
    recording = Recording.load(copy)
    pairs = [(exchange.question, exchange.answer) for exchange in recording.exchanges]
    redaction = Redaction.of(recording.redaction)

    again = recording.with_exchanges(redaction.apply(pairs, recording.exchanges))

    assert not again.save(copy, datetime.now(UTC))
    assert read_files(copy) == read_files(folder)
