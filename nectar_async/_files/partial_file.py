"""The partial file of a download, `<path>.part`, and its metadata file.

The metadata file, `<path>.part.json`, holds the id of the document, the validators of
the file, and a token of the download that writes at present, but never the link.
Without a metadata file of the same document, the download starts at the first byte.
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

__all__ = ["OVERLAP", "PartialFile", "PartialState", "check_part_path", "to_part_path"]

OVERLAP: Final = 64 * 1024
"""How many of the last bytes are requested again, to compare them with the file."""

_FIELDS: Final = {"size": int, "etag": str, "modified": str}


@frozen
class PartialState:
    """The state that an earlier, interrupted download left."""

    size: int = 0
    tail: bytes = field(default=b"", repr=False)
    """The last bytes, at most `OVERLAP`."""
    validators: Validators = field(factory=Validators)
    """The validators of the file at that time."""


class PartialFile:
    """The bytes of a document that is not complete yet. Every method blocks.

    Every write opens and closes the file, so that nothing stays open. If another
    download starts on the same path, it takes over: the first one sees that the token
    in the metadata file has changed, and stops with an error.
    """

    def __init__(self, path: Path, document_id: str) -> None:
        self._path = path
        self._document = document_id
        self._owner = secrets.token_hex(8)
        self.file: Path = to_part_path(path)
        self._metadata = _to_metadata_path(self.file)

    def begin(self) -> PartialState:
        """Return the state of an earlier download of the same document.

        The state is empty if there is none, or if the file belongs to another document.

        Raises:
            InvalidArgumentError: the path cannot be written.
        """
        check_part_path(self._path)
        metadata = self._read_metadata()
        validators = _read_validators(metadata)
        is_same_document = metadata.get("document") == self._document
        if not is_same_document or not validators.is_known:
            return PartialState()
        try:
            with self.file.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                file.seek(max(0, size - OVERLAP))
                tail = file.read(OVERLAP)
        except FileNotFoundError:
            return PartialState()
        self._write_metadata(validators)
        return PartialState(size, tail, validators)

    def write(self, offset: int, data: bytes, validators: Validators) -> None:
        """Write at an offset; at offset 0, the old content is removed.

        Raises:
            DownloadError: another program writes to the file.
            OSError: the disk is full or not available.
        """
        if offset:
            self._check_unchanged(offset)
        else:
            # In this order, so that the metadata never describes another file's bytes.
            _write(self.file, 0, b"")
            self._copy_mode(stat.S_IWUSR)
            self._write_metadata(validators)
        if data:
            _write(self.file, offset, data)

    def finish(self, size: int) -> None:
        """Flush the bytes to the disk, and rename the file to its path.

        Raises:
            DownloadError: another program wrote to the file; it is not renamed.
        """
        self._check_unchanged(size)
        with self.file.open("r+b") as file:
            os.fsync(file.fileno())
        self._check_unchanged(size)  # the flush may have taken long
        self._copy_mode()
        self.file.replace(self._path)
        with suppress(OSError):  # metadata without a partial file is ignored
            self._metadata.unlink()

    def _copy_mode(self, additional: int = 0) -> None:
        """Give the partial file the permissions of the file that it replaces."""
        with suppress(FileNotFoundError):
            mode = stat.S_IMODE(self._path.stat().st_mode)
            self.file.chmod(mode | additional)

    def _check_unchanged(self, size: int) -> None:
        """Check that the partial file has the size and the token of this download."""
        try:
            actual_size = self.file.stat().st_size
        except FileNotFoundError:
            actual_size = 0
        problem = ""
        if actual_size != size:
            problem = f"has {actual_size:,} bytes instead of {size:,}"
        elif self._read_metadata().get("owner") != self._owner:
            problem = "was replaced by another download"
        if problem:
            raise DownloadError(
                f"the .part file {problem}: something else writes there too; download"
                " to another path"
            )

    def _write_metadata(self, validators: Validators) -> None:
        metadata = {
            "document": self._document,
            **asdict(validators),
            "owner": self._owner,
        }
        self._metadata.write_text(json.dumps(metadata), encoding="utf-8")

    def _read_metadata(self) -> dict[str, Any]:
        """Read the metadata file; an empty dict if it is missing or damaged."""
        try:
            metadata = json.loads(self._metadata.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return metadata if isinstance(metadata, dict) else {}


def to_part_path(path: Path) -> Path:
    """Return the path of the partial file for a target path: `x.pdf.part`."""
    return path.with_name(f"{path.name}.part")


def check_part_path(path: Path) -> None:
    """Refuse a path whose partial file or metadata cannot be written.

    Raises:
        InvalidArgumentError: a folder, a link or a device is in its place.
    """
    part = to_part_path(path)
    for file in (part, _to_metadata_path(part)):
        try:
            mode = file.lstat().st_mode
        except FileNotFoundError:
            continue
        except OSError as error:
            raise InvalidArgumentError(
                f"target cannot be written: {error.strerror}: {str(file)!r}; pass"
                " another path"
            ) from error
        if not stat.S_ISREG(mode):
            raise InvalidArgumentError(
                f"target cannot be written: {str(file)!r} is no regular file; remove"
                " it, or pass another path"
            )


def _to_metadata_path(part: Path) -> Path:
    """Return the path of the metadata file for a partial file: `x.pdf.part.json`."""
    return part.with_name(f"{part.name}.json")


def _read_validators(metadata: dict[str, Any]) -> Validators:
    """Read the validators from metadata; values of a wrong type are left out."""
    values = {
        name: metadata[name]
        for name, kind in _FIELDS.items()
        if isinstance(metadata.get(name), kind)
    }
    return Validators(**values)


def _write(part: Path, offset: int, data: bytes) -> None:
    """Write bytes at an offset; at offset 0, a new file replaces the old one."""
    with part.open("r+b" if offset else "wb") as file:
        file.seek(offset)
        file.write(data)
