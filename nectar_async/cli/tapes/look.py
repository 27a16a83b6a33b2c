"""Looking at recordings: what is in one, whether it is sound, what changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import typer
from rich.console import Console

from nectar_async.cli.outcome import Exit
from nectar_async.cli.tapes.answers import misreadings
from nectar_async.cli.tapes.screens import (
    as_facts,
    checked_facts,
    compared_facts,
    print_checked,
    print_compared,
    print_recording,
)
from nectar_async.recording.check import check
from nectar_async.recording.compare import compare
from nectar_async.recording.folder import Recording

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
    """Say whether recordings are sound; gives the exit code."""
    found = {one: check(one, max_age=max_age, look=misreadings) for one in paths}
    is_sound = all(one.is_sound for one in found.values())
    if as_json:
        facts = [checked_facts(path, checked) for path, checked in found.items()]
        typer.echo(json.dumps({"is_sound": is_sound, "recordings": facts}))
    else:
        for path, checked in found.items():
            print_checked(Console(), path, checked)
    return Exit.OK if is_sound else Exit.FAILED


def diff(old: Path, new: Path, *, as_json: bool) -> bool:
    """Say what changed between two recordings; gives whether nothing did."""
    found = compare(Recording.load(old), Recording.load(new))
    if as_json:
        typer.echo(json.dumps(compared_facts(found)))
    else:
        print_compared(Console(), found)
    return found.is_same
