"""A recording as a folder of files, which is replaced atomically when it is saved.

All functions block; call them in a thread when an event loop is running.
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

_STALE_AFTER: Final = 3_600.0  # seconds

# `….9f8e7d6c.json`, or `….9f8e7d6c.2.json` for a second answer to the same question.
EXCHANGE_NAME: Final = re.compile(r".*\.[0-9a-f]{8}(?:\.(?P<order>[0-9]+))?\.json")
BLOB_NAME: Final = re.compile(r"[0-9a-f]{64}\.[a-z]+")


@frozen(kw_only=True)
class Recording:
    """The exchanges and the manifest of a recording, in memory.

    The exchanges are sorted by file name.
    """

    exchanges: tuple[Exchange, ...] = ()
    api_version: str = ""
    """The API version as in `Settings`: `v2.2`."""
    recorded_at: datetime | None = None
    """When an exchange last changed; None for a recording that was never saved."""
    library: str = __version__
    """The version of this package that wrote the recording."""
    contract: str = field(factory=digest)
    """The SHA-256 of that version's contract."""
    redaction: Mapping[str, Any] = field(factory=dict)
    """The user's own redaction rules, encoded as in the manifest."""

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Recording:
        """Read a recording from its folder.

        Raises:
            RecordingError: the folder is missing or damaged, or its format is newer
                than this version of the package reads.
        """
        folder = Path(path)
        try:
            _recover_interrupted_save(folder)
            manifest = read_manifest((folder / MANIFEST_NAME).read_bytes(), str(folder))
            files = sorted(folder.iterdir())
            blobs = {
                file.name: file.read_bytes()
                for file in files
                if BLOB_NAME.fullmatch(file.name)
            }
            redaction = Redaction.of(manifest.redaction)
            exchanges = [
                evolve(
                    read_exchange(file.read_bytes(), redaction.key, blobs, str(file)),
                    order=int(match["order"] or 1),
                )
                for file in files
                if (match := EXCHANGE_NAME.fullmatch(file.name)) is not None
            ]
        except (FileNotFoundError, NotADirectoryError):
            raise RecordingError(describe_missing(folder)) from None
        except OSError as error:
            raise RecordingError(f"cannot read {folder}: {error}") from None
        return cls(
            exchanges=_sort_exchanges(exchanges),
            api_version=manifest.api_version,
            recorded_at=manifest.recorded_at,
            library=manifest.library,
            contract=manifest.contract,
            redaction=manifest.redaction,
        )

    def save(
        self, path: str | os.PathLike[str], now: datetime, *, touch: bool = False
    ) -> bool:
        """Write the recording to a folder and return whether anything changed.

        If nothing changed, no file is touched, not even the manifest: its
        `recorded_at` is the time of the last change. Files that do not belong to the
        recording are kept.

        Args:
            path: the folder.
            now: the time of the recording.
            touch: whether to set `recorded_at` to `now` even if nothing changed.

        Raises:
            RecordingError: the folder exists and is not a recording, or it cannot be
                written.
        """
        folder = Path(path).resolve()
        files = self._encode_exchanges()
        try:
            _recover_interrupted_save(folder)
            old_files = _read_own_files(folder)
            old_manifest = old_files.pop(MANIFEST_NAME, None)
            if old_manifest is not None and files == old_files and not touch:
                content = (dict(self.redaction), self.api_version)
                if _parse_manifest_content(old_manifest) == content:
                    return False
            manifest = encode_pretty(self._build_manifest(now))
            _replace_folder(folder, {**files, MANIFEST_NAME: manifest})
        except OSError as error:
            raise RecordingError(f"cannot write {folder}: {error}") from None
        return True

    def with_exchanges(self, exchanges: Iterable[Exchange]) -> Recording:
        """Copy the recording with other exchanges; they are sorted and numbered."""
        return evolve(self, exchanges=number_exchanges(exchanges))

    def _encode_exchanges(self) -> dict[str, bytes]:
        """Encode the files of the recording, without the manifest, by file name."""
        files: dict[str, bytes] = {}
        for exchange in self.exchanges:
            files[f"{exchange.name}.json"] = encode_exchange(exchange)
            files |= {blob.name: blob.content for blob in exchange.blobs}
        return files

    def _build_manifest(self, now: datetime) -> Manifest:
        return Manifest(
            format=VERSION,
            recorded_at=now.astimezone(UTC).replace(microsecond=0),
            library=self.library,
            api_version=self.api_version,
            contract=self.contract,
            redaction=dict(self.redaction),
        )


def number_exchanges(exchanges: Iterable[Exchange]) -> tuple[Exchange, ...]:
    """Sort exchanges by file name, and number the answers to equal questions.

    Answers to the same question keep their order.
    """
    counts: dict[str, int] = {}
    numbered: list[Exchange] = []
    for exchange in exchanges:
        counts[exchange.key] = counts.get(exchange.key, 0) + 1
        numbered.append(evolve(exchange, order=counts[exchange.key]))
    return _sort_exchanges(numbered)


def _sort_exchanges(exchanges: Iterable[Exchange]) -> tuple[Exchange, ...]:
    return tuple(
        sorted(exchanges, key=lambda exchange: (exchange.base_name, exchange.order))
    )


def _is_own_file(name: str) -> bool:
    """Whether a file name is one of an exchange or of a binary body."""
    return any(pattern.fullmatch(name) for pattern in (EXCHANGE_NAME, BLOB_NAME))


def _parse_manifest_content(manifest: bytes) -> tuple[dict[str, Any], str] | None:
    """Read the redaction rules and the API version; None if the file is damaged."""
    try:
        parsed = read_manifest(manifest, "")
    except RecordingError:
        return None
    return parsed.redaction, parsed.api_version


def _recover_interrupted_save(folder: Path) -> None:
    """Restore the old folder if a save was killed between its two renames."""
    for old in sorted(folder.parent.glob(f".{folder.name}.*.old")):
        if not folder.exists() and (old / MANIFEST_NAME).exists():
            old.rename(folder)


def _delete_stale_folders(folder: Path) -> None:
    """Delete the temporary folders of killed saves.

    Folders younger than `_STALE_AFTER` may belong to a running save.
    """
    for path in folder.parent.glob(f".{folder.name}.*"):
        is_temporary = re.fullmatch(
            r"\.[0-9a-f]{8}\.(?:new|old)", path.name[len(folder.name) + 1 :]
        )
        if is_temporary and time.time() - path.stat().st_mtime > _STALE_AFTER:
            shutil.rmtree(path, ignore_errors=True)


def describe_missing(folder: Path) -> str:
    """Build the error message for a folder that is missing or is not a recording."""
    if not folder.exists():
        return (
            f"there is no recording at {folder}; make it with pytest"
            f" --nectar-record=record, nectar record {folder} COMMAND, or"
            " Recorder(..., mode='record')"
        )
    return f"{folder} is not a recording: it has no {MANIFEST_NAME}"


def _read_own_files(folder: Path) -> dict[str, bytes]:
    """Read the files that belong to the recording in a folder, by file name.

    Raises:
        RecordingError: the folder exists and is not a recording.
    """
    if not folder.exists():
        return {}
    if not folder.is_dir():
        raise RecordingError(f"{folder} is a file; a recording is a folder")
    entries = list(folder.iterdir())
    others = [entry for entry in entries if not _is_own_file(entry.name)]
    if others and not (folder / MANIFEST_NAME).exists():
        raise RecordingError(
            f"{folder} has files and no {MANIFEST_NAME}, so it is not a recording;"
            " choose another folder, or empty it"
        )
    if folders := [entry.name for entry in entries if entry.is_dir()]:
        raise RecordingError(
            f"{folder} contains a folder {folders[0]!r}; a recording has only files"
        )
    return {
        entry.name: entry.read_bytes()
        for entry in entries
        if entry.name == MANIFEST_NAME or _is_own_file(entry.name)
    }


def _replace_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Replace the files of the recording in a folder atomically.

    Other files in the folder are copied with their modes; symbolic links stay links.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    _delete_stale_folders(folder)
    suffix = secrets.token_hex(4)
    new = folder.parent / f".{folder.name}.{suffix}.new"
    old = folder.parent / f".{folder.name}.{suffix}.old"
    try:
        new.mkdir()
        for entry in folder.iterdir() if folder.exists() else ():
            if entry.name != MANIFEST_NAME and not _is_own_file(entry.name):
                shutil.copy2(entry, new / entry.name, follow_symlinks=False)

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
