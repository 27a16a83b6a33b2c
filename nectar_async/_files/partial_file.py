"""A file that is not whole yet, `<path>.part`, and the note that says whose it is.

The note, `<path>.part.json`, holds the document's id, what the host said of the file,
and who writes to it now: never the link. Without one that fits, the file is begun anew.
"""

from __future__ import annotations

import json
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from attrs import asdict, field, frozen

from nectar_async._files.validators import Validators
from nectar_async.errors import DownloadError, InvalidArgumentError

__all__ = ["OVERLAP", "Part", "Rest", "check_part", "part_of"]

OVERLAP: Final = 64 * 1024
"""So much of what is there is asked for again, to compare it and go on from it."""

_FIELDS: Final = {"size": int, "etag": str, "modified": str}


@frozen
class Rest:
    """What is there from an earlier time."""

    size: int = 0
    tail: bytes = field(default=b"", repr=False)
    """The last of its bytes, at most `OVERLAP`."""
    validators: Validators = field(factory=Validators)
    """What the host said of the file then."""


class Part:
    """The bytes of a document on their way to a path. All of it blocks.

    Every write opens the file and closes it, so nothing stays open. Who comes later
    takes over: the one before finds that in the note, and writes no more.
    """

    def __init__(self, path: Path, document_id: str) -> None:
        self._path = path
        self._document = document_id
        self._owner = secrets.token_hex(8)
        self.file: Path = part_of(path)
        self._note = _note_of(self.file)

    def begin(self) -> Rest:
        """What can be gone on with.

        Raises:
            InvalidArgumentError: nothing can be written there.
        """
        check_part(self._path)
        note = self._read()
        validators = _validators(note)
        if note.get("document") != self._document or not validators.is_known:
            return Rest()
        try:
            with self.file.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                file.seek(max(0, size - OVERLAP))
                tail = file.read(OVERLAP)
        except FileNotFoundError:
            return Rest()
        self._sign(validators)
        return Rest(size, tail, validators)

    def write(self, offset: int, data: bytes, validators: Validators) -> None:
        """Write at an offset; the first byte of all replaces what is there.

        Raises:
            DownloadError: somebody else writes there too.
            OSError: the disk is full, or gone.
        """
        if offset:
            self._check(offset)
        else:
            # In this order: a note never stands beside the bytes of another file.
            _write(self.file, 0, b"")
            self._sign(validators)
        if data:
            _write(self.file, offset, data)

    def finish(self, size: int) -> None:
        """Have the bytes on the disk, and the file under its name.

        Raises:
            DownloadError: somebody else wrote there too; nothing has the name.
        """
        self._check(size)
        with self.file.open("r+b") as file:
            os.fsync(file.fileno())
        self._check(size)  # that took a while
        self.file.replace(self._path)
        with suppress(OSError):  # the file is there; a note without a part says nothing
            self._note.unlink()

    def _check(self, size: int) -> None:
        """Find what was left there."""
        try:
            found = self.file.stat().st_size
        except FileNotFoundError:
            found = 0
        if found != size or self._read().get("owner") != self._owner:
            raise DownloadError(
                f"{size:,} bytes were written and the .part file has {found:,}, or is"
                " another one: something else writes there too; download to another"
                " path"
            )

    def _sign(self, validators: Validators) -> None:
        note = {
            "document": self._document,
            **asdict(validators),
            "owner": self._owner,
        }
        self._note.write_text(json.dumps(note), encoding="utf-8")

    def _read(self) -> dict[str, Any]:
        """The note; an empty one where there is none that can be read."""
        try:
            note = json.loads(self._note.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return note if isinstance(note, dict) else {}


def part_of(path: Path) -> Path:
    """Where the bytes of a file are until all of them are there."""
    return path.with_name(f"{path.name}.part")


def check_part(path: Path) -> None:
    """Refuse a path whose part cannot be written.

    Raises:
        InvalidArgumentError: a folder, a link or a device is in its place.
    """
    part = part_of(path)
    for one in (part, _note_of(part)):
        try:
            mode = one.lstat().st_mode
        except FileNotFoundError:
            continue
        except OSError as error:
            raise InvalidArgumentError(
                f"target cannot be written: {error.strerror}: {str(one)!r}; pass"
                " another path"
            ) from error
        if not stat.S_ISREG(mode):
            raise InvalidArgumentError(
                f"target cannot be written: {str(one)!r} is no regular file; remove"
                " it, or pass another path"
            )


def _note_of(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _validators(note: dict[str, Any]) -> Validators:
    """What a note says of the file; it may be damaged."""
    kept = {
        name: note[name]
        for name, kind in _FIELDS.items()
        if isinstance(note.get(name), kind)
    }
    return Validators(**kept)


def _write(part: Path, offset: int, data: bytes) -> None:
    with part.open("r+b" if offset else "wb") as file:
        file.seek(offset)
        file.write(data)
