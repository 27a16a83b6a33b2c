"""Recordings from what other tools wrote down, and for other tools to look at."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import typer
from rich.console import Console

from nectar_async.cli.output import Exit
from nectar_async.cli.recording_report import as_facts, print_recording
from nectar_async.cli.tapes.mend import redaction_of
from nectar_async.cli.words import counted
from nectar_async.errors import RecordingError
from nectar_async.recording.folder import Recording
from nectar_async.recording.formats.cassette import read_cassette
from nectar_async.recording.formats.har_reader import read_har
from nectar_async.recording.formats.har_writer import write_har
from nectar_async.recording.formats.importer import Imported

__all__ = ["export_har", "import_traffic"]

_READERS: Final[Mapping[str, Callable[..., Imported]]] = {
    "cassette": read_cassette,
    "har": read_har,
}
_SUFFIXES: Final = {".har": "har", ".yaml": "cassette", ".yml": "cassette"}


def import_traffic(
    file: Path,
    path: Path,
    *,
    kind: str | None,
    base_url: str | None,
    rules: Sequence[str],
    patterns: Sequence[str],
    as_json: bool,
) -> int:
    """Make a recording of a file, and show it; gives the exit code."""
    data = file.read_bytes()
    reader = _READERS[_format(file, data, kind)]
    redaction = redaction_of(rules, patterns)
    try:
        found = reader(data, base_url=base_url, redaction=redaction)
    except RecordingError as error:
        raise RecordingError(f"{file}: {error}") from None
    found.recording.save(path, found.recording.recorded_at or datetime.now(UTC))
    made = Recording.load(path)
    if as_json:
        facts: dict[str, Any] = {
            "imported": found.imported,
            "skipped": dict(found.skipped),
            "recording": as_facts(path, made),
        }
        typer.echo(json.dumps(facts))
        return Exit.OK
    print_recording(Console(), path, made)
    for reason, count in found.skipped.items():
        typer.echo(
            f"left out: {counted(count, 'entry', 'entries')}, {reason}", err=True
        )
    return Exit.OK


def export_har(path: Path, file: Path, *, base_url: str | None) -> int:
    """Write a recording as HAR, and say how much that is; gives the exit code."""
    found = Recording.load(path)
    data = write_har(found, base_url=base_url)
    file.write_bytes(data)
    exchanges = counted(len(found.exchanges), "exchange")
    typer.echo(f"{file}: {exchanges}, {len(data):,} bytes")
    return Exit.OK


def _format(file: Path, data: bytes, kind: str | None) -> str:
    """What a file is.

    Raises:
        BadParameter: nobody knows.
    """
    found = kind or _SUFFIXES.get(file.suffix.lower()) or _guessed(data)
    if found in _READERS:
        return found
    formats = ", ".join(_READERS)
    if kind is not None:
        raise typer.BadParameter(f"--format {kind!r} is none of {formats}")
    raise typer.BadParameter(
        f"neither the name of {file} nor what is in it tells what it is: give"
        f" --format, one of {formats}"
    )


def _guessed(data: bytes) -> str:
    """What a file is by what is in it: JSON with the keys of one of the formats."""
    try:
        found = json.loads(data)
    except ValueError:
        return ""
    keys = found if isinstance(found, dict) else ()
    return "har" if "log" in keys else "cassette" if "interactions" in keys else ""
