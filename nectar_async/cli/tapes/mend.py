"""Redacting a recording that is there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import typer
from attrs import asdict, evolve
from rich.console import Console

from nectar_async.cli.output import Exit
from nectar_async.cli.recording_report import print_replaced, replaced
from nectar_async.recording.folder import Recording
from nectar_async.recording.redaction.redaction import Redaction
from nectar_async.recording.redaction.rules import Rule

__all__ = ["redact", "redaction_of"]


def redact(
    path: Path,
    rules: Sequence[str],
    patterns: Sequence[str],
    *,
    is_dry: bool,
    as_json: bool,
) -> int:
    """Redact a recording in place, and say what was replaced; gives the exit code."""
    old = Recording.load(path)
    redaction = redaction_of(rules, patterns, Redaction.of(old.redaction).rules)
    pairs = [(one.question, one.answer) for one in old.exchanges]
    new = evolve(old, redaction=redaction.manifest()).with_exchanges(
        redaction.apply(pairs, old.exchanges)
    )
    # It is as old as before: nothing was asked for.
    at = old.recorded_at or datetime.now(UTC)
    is_changed = not is_dry and new.save(path, at)
    found = replaced(old, new)
    if as_json:
        kinds = [asdict(one) for one in found]
        typer.echo(json.dumps({"is_changed": is_changed, "replaced": kinds}))
    else:
        print_replaced(Console(), path, found, is_dry=is_dry)
    return Exit.OK


def redaction_of(
    rules: Sequence[str], patterns: Sequence[str], known: Sequence[Rule] = ()
) -> Redaction:
    """What is redacted by `--rule` and `--pattern`, besides what is by known rules.

    Raises:
        BadParameter: an option is not spelled as it should be.
        InvalidArgumentError: what it says makes no rule.
    """
    given = [
        Rule(kind=kind, keys=tuple(key.strip() for key in text.split(",")))
        for kind, text in map(_split, rules)
    ]
    given += [Rule(kind=kind, pattern=text) for kind, text in map(_split, patterns)]
    return Redaction(rules=tuple(dict.fromkeys((*known, *given))))


def _split(text: str) -> tuple[str, str]:
    kind, _, rest = text.partition("=")
    if not kind.strip() or not rest.strip():
        raise typer.BadParameter(f"{text!r} is not spelled KIND=...")
    return kind.strip(), rest.strip()
