"""A file of JSON lines has complete lines only, whatever happens."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from nectar_async.cli.json_lines import JsonLinesFile


def test_an_old_file_is_replaced_by_the_first_write(tmp_path: Path) -> None:
    path = tmp_path / "usage.jsonl"
    path.write_bytes(b"old and long\n")
    with JsonLinesFile(path) as file:
        assert path.read_bytes() == b"old and long\n"
        file.write(b"new\n")
        assert path.read_bytes() == b"new\n"
    assert file.size == 4


def test_begin_without_a_write_leaves_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "usage.jsonl"
    path.write_bytes(b"old\n")
    with JsonLinesFile(path) as file:
        file.begin()
    assert path.read_bytes() == b""


@pytest.mark.parametrize("content", [None, b"old\n"])
def test_an_error_before_the_first_write_changes_nothing(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "usage.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(KeyError), JsonLinesFile(path):
        raise KeyError
    assert (path.read_bytes() if path.exists() else None) == content


def test_an_incomplete_line_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "usage.jsonl"
    write = os.write
    free_bytes = 8

    def write_until_full(descriptor: int, block: bytes) -> int:
        nonlocal free_bytes
        if free_bytes == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        done = write(descriptor, block[:free_bytes])
        free_bytes -= done
        return done

    monkeypatch.setattr(os, "write", write_until_full)

    def fill() -> None:
        with JsonLinesFile(path) as file:
            file.write(b"first\n")
            file.write(b"second\n")

    with pytest.raises(OSError, match="No space left") as caught:
        fill()
    assert path.read_bytes() == b"first\n"
    assert caught.value.filename == str(path)


def test_a_device_is_written_and_never_truncated(tmp_path: Path) -> None:
    with JsonLinesFile(Path(os.devnull)) as file:
        file.write(b"gone\n")
    assert file.size == 5
