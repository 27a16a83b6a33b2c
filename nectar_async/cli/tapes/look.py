"""Looking at recordings: what is in one, whether it is sound, what changed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import typer
from rich.console import Console

from nectar_async.cli.decode_check import misreadings
from nectar_async.cli.output import Exit, complain
from nectar_async.cli.recording_report import (
    as_facts,
    checked_facts,
    compared_facts,
    print_checked,
    print_compared,
    print_recording,
)
from nectar_async.recording.check import check
from nectar_async.recording.diff import compare
from nectar_async.recording.folder import MANIFEST_NAME, Recording, describe_missing

__all__ = ["check_all", "diff", "show"]


def show(path: Path, *, as_json: bool) -> int:
    """Say what is in a recording; gives the exit code."""
    found = Recording.load(path)
    if as_json:
        typer.echo(json.dumps(as_facts(path, found)))
    else:
        print_recording(Console(), path, found)
    return Exit.OK


def check_all(
    paths: Sequence[Path], max_age: timedelta | None, *, as_json: bool
) -> int:
    """Say whether recordings are sound, and those below them; gives the exit code."""
    below = {one: tuple(_recordings(one)) for one in paths}
    found = {
        one: check(one, max_age=max_age, look=misreadings)
        for one in dict.fromkeys(one for some in below.values() for one in some)
    }
    absent = [describe_missing(path) for path, some in below.items() if not some]
    is_sound = not absent and all(one.is_sound for one in found.values())
    if as_json:
        facts = [checked_facts(path, checked) for path, checked in found.items()]
        typer.echo(
            json.dumps({"is_sound": is_sound, "recordings": facts, "missing": absent})
        )
    else:
        for path, checked in found.items():
            print_checked(Console(), path, checked)
        for problem in absent:
            complain(problem)
    return Exit.OK if is_sound else Exit.FAILED


def _recordings(path: Path) -> Iterator[Path]:
    """A recording, or those that are below a folder which is none."""
    if (path / MANIFEST_NAME).is_file():
        yield path
    else:
        yield from (one.parent for one in sorted(path.rglob(MANIFEST_NAME)))


def diff(old: Path, new: Path, *, as_json: bool) -> bool:
    """Say what changed between two recordings; gives whether nothing did."""
    found = compare(Recording.load(old), Recording.load(new))
    if as_json:
        typer.echo(json.dumps(compared_facts(found)))
    else:
        print_compared(Console(), found)
    return found.is_same
