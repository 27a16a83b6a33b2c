"""The file holds whole lines, whatever happens."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from nectar_async.cli.json_lines import LineFile


def test_an_old_file_is_replaced_when_the_first_block_comes(tmp_path: Path) -> None:
    path = tmp_path / "usage.jsonl"
    path.write_bytes(b"old and long\n")
    with LineFile(path) as sink:
        assert path.read_bytes() == b"old and long\n"
        sink.write(b"new\n")
        assert path.read_bytes() == b"new\n"
    assert sink.size == 4


def test_a_pull_that_gives_nothing_leaves_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "usage.jsonl"
    path.write_bytes(b"old\n")
    with LineFile(path) as sink:
        sink.begin()
    assert path.read_bytes() == b""


@pytest.mark.parametrize("content", [None, b"old\n"])
def test_a_pull_that_never_began_changes_nothing(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "usage.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(KeyError), LineFile(path):
        raise KeyError
    assert (path.read_bytes() if path.exists() else None) == content


def test_a_torn_line_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "usage.jsonl"
    write = os.write
    room = 8

    def write_until_full(descriptor: int, block: bytes) -> int:
        nonlocal room
        if room == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        done = write(descriptor, block[:room])
        room -= done
        return done

    monkeypatch.setattr(os, "write", write_until_full)

    def fill() -> None:
        with LineFile(path) as sink:
            sink.write(b"first\n")
            sink.write(b"second\n")

    with pytest.raises(OSError, match="No space left") as caught:
        fill()
    assert path.read_bytes() == b"first\n"
    assert caught.value.filename == str(path)


def test_what_is_no_file_is_written_and_never_cut(tmp_path: Path) -> None:
    with LineFile(Path(os.devnull)) as sink:
        sink.write(b"gone\n")
    assert sink.size == 5
