"""A whole recording: a folder that is read at once, and written at once or not at all.

All of it blocks; whoever is on an event loop calls it in a thread.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from attrs import evolve, field, frozen

from nectar_async._version import __version__
from nectar_async.contract import digest
from nectar_async.errors import RecordingError
from nectar_async.recording.exchange import Exchange
from nectar_async.recording.format import (
    VERSION,
    Manifest,
    encode_exchange,
    encode_pretty,
    read_exchange,
    read_manifest,
)
from nectar_async.recording.redaction.redaction import Redaction

__all__ = [
    "BLOB_NAME",
    "EXCHANGE_NAME",
    "MANIFEST_NAME",
    "Recording",
    "describe_missing",
]

MANIFEST_NAME: Final = "recording.json"

_ABANDONED: Final = 3_600.0  # seconds

# `….9f8e7d6c.json`, or `….9f8e7d6c.2.json` for a second answer to the same question.
EXCHANGE_NAME: Final = re.compile(r".*\.[0-9a-f]{8}(?:\.(?P<order>[0-9]+))?\.json")
BLOB_NAME: Final = re.compile(r"[0-9a-f]{64}\.[a-z]+")


@frozen(kw_only=True)
class Recording:
    """What stands in a recording, in the order of its files."""

    exchanges: tuple[Exchange, ...] = ()
    api_version: str = ""
    """As in `Settings`: `v2.2`."""
    recorded_at: datetime | None = None
    """The instant of the last change to an exchange; None when nothing was saved."""
    library: str = __version__
    """The version of this package that wrote it."""
    contract: str = field(factory=digest)
    """The SHA-256 of the contract that the package had."""
    redaction: Mapping[str, Any] = field(factory=dict)
    """The user's own rules, as they stand in the manifest."""

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Recording:
        """Read a folder.

        Raises:
            RecordingError: there is none, it is damaged, or its format is newer.
        """
        folder = Path(path)
        try:
            _recover(folder)
            manifest = read_manifest((folder / MANIFEST_NAME).read_bytes(), str(folder))
            files = sorted(folder.iterdir())
            blobs = {
                one.name: one.read_bytes()
                for one in files
                if BLOB_NAME.fullmatch(one.name)
            }
            redaction = Redaction.of(manifest.redaction)
            exchanges = [
                evolve(
                    read_exchange(one.read_bytes(), redaction.key, blobs, str(one)),
                    order=int(found["order"] or 1),
                )
                for one in files
                if (found := EXCHANGE_NAME.fullmatch(one.name)) is not None
            ]
        except (FileNotFoundError, NotADirectoryError):
            raise RecordingError(describe_missing(folder)) from None
        except OSError as error:
            raise RecordingError(f"cannot read {folder}: {error}") from None
        return cls(
            exchanges=_in_order(exchanges),
            api_version=manifest.api_version,
            recorded_at=manifest.recorded_at,
            library=manifest.library,
            contract=manifest.contract,
            redaction=manifest.redaction,
        )

    def save(
        self, path: str | os.PathLike[str], now: datetime, *, touch: bool = False
    ) -> bool:
        """Write a folder in place of what is there; whether anything changed.

        What is unchanged leaves every byte as it is, the manifest's as well: its
        `recorded_at` is the instant of the last change. Files of others stay.

        Args:
            path: of the folder.
            now: the instant of recording.
            touch: have it say `now` although nothing changed.

        Raises:
            RecordingError: there is a folder that is no recording, or it cannot be
                written.
        """
        folder = Path(path).resolve()
        files = self._files()
        try:
            _recover(folder)
            before = _present(folder)
            old = before.pop(MANIFEST_NAME, None)
            if old is not None and files == before and not touch:
                now_is = (dict(self.redaction), self.api_version)
                if _said(old) == now_is:
                    return False
            _replace(
                folder, {**files, MANIFEST_NAME: encode_pretty(self._manifest(now))}
            )
        except OSError as error:
            raise RecordingError(f"cannot write {folder}: {error}") from None
        return True

    def with_exchanges(self, exchanges: Iterable[Exchange]) -> Recording:
        """The same recording with other exchanges; equal questions are numbered."""
        return evolve(self, exchanges=number_exchanges(exchanges))

    def _files(self) -> dict[str, bytes]:
        files = {f"{one.name}.json": encode_exchange(one) for one in self.exchanges}
        files |= {
            blob.name: blob.content for one in self.exchanges for blob in one.blobs
        }
        return files

    def _manifest(self, now: datetime) -> Manifest:
        return Manifest(
            format=VERSION,
            recorded_at=now.astimezone(UTC).replace(microsecond=0),
            library=self.library,
            api_version=self.api_version,
            contract=self.contract,
            redaction=dict(self.redaction),
        )


def number_exchanges(exchanges: Iterable[Exchange]) -> tuple[Exchange, ...]:
    """The exchanges in the order of their files, answers to one question counted.

    Whoever comes first among equal questions stays first.
    """
    counts: dict[str, int] = {}
    found: list[Exchange] = []
    for one in exchanges:
        counts[one.key] = counts.get(one.key, 0) + 1
        found.append(evolve(one, order=counts[one.key]))
    return _in_order(found)


def _in_order(exchanges: Iterable[Exchange]) -> tuple[Exchange, ...]:
    return tuple(sorted(exchanges, key=lambda one: (one.base_name, one.order)))


def _is_ours(name: str) -> bool:
    return (
        EXCHANGE_NAME.fullmatch(name) is not None
        or BLOB_NAME.fullmatch(name) is not None
    )


def _said(manifest: bytes) -> tuple[dict[str, Any], str] | None:
    """What a manifest says besides its date; None for one that is damaged."""
    try:
        was = read_manifest(manifest, "")
    except RecordingError:
        return None
    return was.redaction, was.api_version


def _recover(folder: Path) -> None:
    """Bring back what a kill between the two steps of a save left beside its place."""
    for old in sorted(folder.parent.glob(f".{folder.name}.*.old")):
        if not folder.exists() and (old / MANIFEST_NAME).exists():
            old.rename(folder)


def _sweep(folder: Path) -> None:
    """Clear away what saves that were killed left; one that goes on is younger."""
    for left in folder.parent.glob(f".{folder.name}.*"):
        is_ours = re.fullmatch(
            r"\.[0-9a-f]{8}\.(?:new|old)", left.name[len(folder.name) + 1 :]
        )
        if is_ours and time.time() - left.stat().st_mtime > _ABANDONED:
            shutil.rmtree(left, ignore_errors=True)


def describe_missing(folder: Path) -> str:
    """What to say of a folder that is no recording, or is not there."""
    if not folder.exists():
        return (
            f"there is no recording at {folder}; make it with pytest"
            f" --nectar-record=record, nectar record {folder} COMMAND, or"
            " Recorder(..., mode='record')"
        )
    return f"{folder} is no recording: it has no {MANIFEST_NAME}"


def _present(folder: Path) -> dict[str, bytes]:
    """Our files that are there; a folder that is somebody else's is refused."""
    if not folder.exists():
        return {}
    if not folder.is_dir():
        raise RecordingError(f"{folder} is a file; a recording is a folder")
    entries = list(folder.iterdir())
    others = [one for one in entries if not _is_ours(one.name)]
    if others and not (folder / MANIFEST_NAME).exists():
        raise RecordingError(
            f"{folder} has files and no {MANIFEST_NAME}, so it is no recording; choose"
            " another folder, or empty it"
        )
    if folders := [one.name for one in entries if one.is_dir()]:
        raise RecordingError(
            f"{folder} has a folder {folders[0]!r}; a recording has only files"
        )
    return {
        one.name: one.read_bytes()
        for one in entries
        if one.name == MANIFEST_NAME or _is_ours(one.name)
    }


def _replace(folder: Path, files: Mapping[str, bytes]) -> None:
    """Have a folder with just these files of ours, all at once.

    Files of others are copied as they are, with their modes and as the links that they
    may be.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    _sweep(folder)
    mark = secrets.token_hex(4)
    new = folder.parent / f".{folder.name}.{mark}.new"
    old = folder.parent / f".{folder.name}.{mark}.old"
    try:
        new.mkdir()
        for one in folder.iterdir() if folder.exists() else ():
            if one.name != MANIFEST_NAME and not _is_ours(one.name):
                shutil.copy2(one, new / one.name, follow_symlinks=False)
        for name, data in files.items():
            (new / name).write_bytes(data)
        if folder.exists():
            shutil.copymode(folder, new)
            folder.rename(old)
        try:
            new.rename(folder)
        except OSError:
            if old.exists():
                old.rename(folder)
            raise
    finally:
        shutil.rmtree(new, ignore_errors=True)
        if folder.exists():
            shutil.rmtree(old, ignore_errors=True)
