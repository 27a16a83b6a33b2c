"""A file has its name only when it is complete, and whole blocks at every moment."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from nectar_async.cli.output_file import OutputFile


def test_an_old_file_is_replaced_when_the_new_one_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "usage.jsonl"
    path.write_bytes(b"old and long\n")
    with OutputFile(path) as file:
        file.write(b"new\n")
        assert path.read_bytes() == b"old and long\n"
        assert file.partial == tmp_path / "usage.jsonl.partial"
        file.commit()
    assert path.read_bytes() == b"new\n"
    facts: tuple[object, ...] = (file.size, file.partial, file.is_written)
    assert facts == (4, None, True)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", [None, b"old\n"])
@pytest.mark.parametrize("written", [b"", b"new\n"])
def test_an_error_leaves_the_old_file_and_the_written_part(
    tmp_path: Path, content: bytes | None, written: bytes
) -> None:
    path, part = tmp_path / "usage.jsonl", tmp_path / "usage.jsonl.partial"
    if content is not None:
        path.write_bytes(content)

    def fail() -> None:
        with OutputFile(path) as file:
            file.write(written)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert (path.read_bytes() if path.exists() else None) == content
    assert (part.read_bytes() if part.exists() else b"") == written
    assert part.exists() is bool(written)


def test_a_block_that_does_not_fit_is_removed(
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
        with OutputFile(path) as file:
            file.write(b"first\n")
            file.write(b"second\n")

    with pytest.raises(OSError, match="No space left") as caught:
        fill()
    assert (tmp_path / "usage.jsonl.partial").read_bytes() == b"first\n"
    assert caught.value.filename == str(path)


def test_permissions_and_links_of_the_old_file_stay(tmp_path: Path) -> None:
    target, link = tmp_path / "target.jsonl", tmp_path / "link.jsonl"
    target.write_bytes(b"old\n")
    target.chmod(0o640)
    link.symlink_to(target)
    with OutputFile(link) as file:
        file.write(b"new\n")
        file.commit()
    assert link.is_symlink()
    assert target.read_bytes() == b"new\n"
    assert target.stat().st_mode & 0o777 == 0o640


def test_a_private_file_can_be_read_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "usage.jsonl"
    for old in (path, tmp_path / "usage.jsonl.partial"):
        old.write_bytes(b"old\n")
        old.chmod(0o644)
    with OutputFile(path, is_private=True) as file:
        file.write(b"secret\n")
        file.commit()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError), OutputFile(tmp_path):
        pass


def test_a_device_is_written_and_never_truncated(tmp_path: Path) -> None:
    with OutputFile(Path(os.devnull)) as file:
        file.write(b"gone\n")
        file.commit()
    assert (file.size, file.is_written) == (5, True)
