"""The reports on recordings: text for people, plain values for JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from nectar_async import contract
from nectar_async.cli.output import count_noun
from nectar_async.cli.terminal import escape
from nectar_async.recording.check import CheckReport, Finding, Severity
from nectar_async.recording.contents import (
    OperationContents,
    PlaceholderContents,
    summarize_operations,
    summarize_placeholders,
)
from nectar_async.recording.diff import ChangeKind, Comparison, RecordingChange
from nectar_async.recording.folder import Recording

__all__ = [
    "check_as_json",
    "count_replaced",
    "diff_as_json",
    "print_check",
    "print_diff",
    "print_recording",
    "print_replaced",
    "recording_as_json",
]

_MAX_FILES: Final = 1
"""How many files are named for one finding; more are only counted."""
_MAX_EXCHANGES: Final = 3
"""How many exchanges of an operation are named; more are only counted."""

_SIGNS: Final[Mapping[ChangeKind, str]] = {
    ChangeKind.EXCHANGE_APPEARED: "[green]+[/green]",
    ChangeKind.KEY_APPEARED: "[green]+[/green]",
    ChangeKind.EXCHANGE_VANISHED: "[red]-[/red]",
    ChangeKind.KEY_VANISHED: "[red]-[/red]",
}
_OTHER_SIGN: Final = "[yellow]~[/yellow]"
_EXCHANGE_CHANGES: Final[Mapping[ChangeKind, str]] = {
    ChangeKind.EXCHANGE_VANISHED: "exchanges removed",
    ChangeKind.EXCHANGE_APPEARED: "exchanges added",
}
_COLORS: Final = {Severity.ERROR: "red", Severity.NOTE: "yellow"}


def recording_as_json(path: Path, recording: Recording) -> dict[str, Any]:
    """Describe a recording as plain values."""
    recorded_at = recording.recorded_at
    return {
        "path": str(path),
        "recorded_at": recorded_at and recorded_at.isoformat(),
        "age_days": None if recorded_at is None else _compute_age(recorded_at).days,
        "api_version": recording.api_version,
        "library": recording.library,
        "contract": recording.contract,
        "is_own_contract": recording.contract == contract.digest(),
        "redaction": dict(recording.redaction),
        "exchanges": len(recording.exchanges),
        "operations": [
            {
                "operation": contents.operation,
                "exchanges": contents.exchanges,
                "owners": contents.owners,
                "statuses": {
                    str(key): count for key, count in contents.statuses.items()
                },
                "bytes": contents.size,
            }
            for contents in summarize_operations(recording)
        ],
        "placeholders": [
            {
                "kind": contents.kind,
                "values": contents.values,
                "places": contents.places,
            }
            for contents in summarize_placeholders(recording)
        ],
    }


def print_recording(console: Console, path: Path, recording: Recording) -> None:
    """Print a recording's origin, its operations and its placeholders."""
    operations = summarize_operations(recording)
    placeholders = summarize_placeholders(recording)
    size = sum(contents.size for contents in operations)
    _print_line(
        console,
        f"[bold]{escape(str(path))}[/bold]:"
        f" {count_noun(len(recording.exchanges), 'exchange')} of"
        f" {count_noun(len(operations), 'operation')}, {_format_kilobytes(size)}",
    )
    is_own = recording.contract == contract.digest()
    _print_line(
        console,
        f"API {escape(recording.api_version) or 'version unknown'}, recorded"
        f" {_format_date(recording.recorded_at)} by nectar_async"
        f" {escape(recording.library)} with {'this' if is_own else 'another'} version"
        " of the contract",
    )
    for rule in recording.redaction.get("rules", ()):
        rule_text = ", ".join(rule.get("keys", ())) or rule.get("pattern", "")
        _print_line(
            console, f"also redacted: {escape(rule['kind'])} ({escape(rule_text)})"
        )
    console.print(_build_operations_table(operations))
    if placeholders:
        console.print(_build_placeholders_table("Placeholders", placeholders))
    else:
        _print_line(console, "no placeholders: there was nothing to replace")


def check_as_json(path: Path, report: CheckReport) -> dict[str, Any]:
    """Describe the check of a recording as plain values."""
    recorded_at = report.recorded_at
    return {
        "path": str(path),
        "is_sound": report.is_sound,
        "exchanges": report.exchanges,
        "recorded_at": recorded_at and recorded_at.isoformat(),
        "age_days": report.age and report.age.days,
        "findings": [
            {
                "severity": finding.severity.value,
                "file": finding.file,
                "place": finding.place,
                "words": finding.message,
            }
            for finding in report.findings
        ],
    }


def print_check(console: Console, path: Path, report: CheckReport) -> None:
    """Print the check of a recording; a finding of several files is printed once."""
    verdict = "[green]sound[/green]" if report.is_sound else "[red]not sound[/red]"
    _print_line(
        console,
        f"[bold]{escape(str(path))}[/bold]: {verdict}"
        f" ({count_noun(report.exchanges, 'exchange')}, recorded"
        f" {_format_date(report.recorded_at)})",
    )
    groups: dict[tuple[Severity, str, str], list[Finding]] = {}
    for finding in report.findings:
        key = finding.severity, finding.place, finding.message
        groups.setdefault(key, []).append(finding)
    for (severity, place, words), findings in groups.items():
        color = _COLORS[severity]
        files = _format_files([finding.file for finding in findings])
        location = f"{files}, {place}" if place else files
        _print_line(
            console,
            f"  [{color}]{severity}[/{color}] {escape(location)}: {escape(words)}",
        )


def diff_as_json(comparison: Comparison) -> dict[str, Any]:
    """Describe the changes between two recordings as plain values."""
    return {
        "is_same": comparison.is_same,
        "changes": [
            {
                "kind": change.kind.value,
                "operation": change.operation,
                "place": change.place,
                "status": change.status,
                "before": change.before,
                "after": change.after,
                "words": str(change),
            }
            for change in comparison
        ],
    }


def print_diff(console: Console, comparison: Comparison) -> None:
    """Print the changes by operation; added and removed exchanges come last."""
    for operation, changes in comparison.by_operation.items():
        answers = [change for change in changes if change.kind not in _EXCHANGE_CHANGES]
        if answers:
            _print_line(
                console, f"[bold]{escape(operation) or 'all operations'}[/bold]"
            )
        for change in answers:
            _print_line(console, _format_change(change))
    lines = [*_format_exchange_changes(comparison)]
    if lines:
        _print_line(console, "[bold]exchanges[/bold]")
    for line in lines:
        _print_line(console, line)
    if comparison.is_same:
        _print_line(console, "the API did not change")


def count_replaced(old: Recording, new: Recording) -> Sequence[PlaceholderContents]:
    """Count the placeholders that the new recording has and the old one lacks."""
    before = {contents.kind: contents for contents in summarize_placeholders(old)}
    added = []
    for contents in summarize_placeholders(new):
        kind = contents.kind
        former = before.get(kind, PlaceholderContents(kind=kind, values=0, places=0))
        difference = PlaceholderContents(
            kind=kind,
            values=contents.values - former.values,
            places=contents.places - former.places,
        )
        if difference.places:
            added.append(difference)
    return added


def print_replaced(
    console: Console,
    path: Path,
    replaced: Sequence[PlaceholderContents],
    *,
    is_dry_run: bool,
) -> None:
    """Print how many values were replaced, by kind, and never a value."""
    if not replaced:
        _print_line(console, f"nothing to replace in {escape(str(path))}")
        return
    title = "Would be replaced" if is_dry_run else "Replaced"
    console.print(_build_placeholders_table(title, replaced))


def _print_line(console: Console, line: str) -> None:
    console.print(line, highlight=False, soft_wrap=True)


def _build_operations_table(operations: Sequence[OperationContents]) -> Table:
    table = Table(box=SIMPLE_HEAD, title="Operations")
    table.add_column("operation", overflow="fold")
    for title in ("exchanges", "owners", "size"):
        table.add_column(title, justify="right", overflow="fold")
    table.add_column("statuses", overflow="fold")
    for contents in operations:
        statuses = [
            f"{status}" if count == contents.exchanges else f"{status} ({count:,})"
            for status, count in contents.statuses.items()
        ]
        table.add_row(
            escape(contents.operation),
            f"{contents.exchanges:,}",
            f"{contents.owners:,}",
            _format_kilobytes(contents.size),
            ", ".join(statuses),
        )
    return table


def _build_placeholders_table(
    title: str, placeholders: Sequence[PlaceholderContents]
) -> Table:
    table = Table(box=SIMPLE_HEAD, title=title)
    table.add_column("kind", overflow="fold")
    for name in ("values", "places"):
        table.add_column(name, justify="right", overflow="fold")
    for contents in placeholders:
        table.add_row(
            escape(contents.kind), f"{contents.values:,}", f"{contents.places:,}"
        )
    return table


def _format_exchange_changes(comparison: Comparison) -> Iterator[str]:
    """Format added and removed exchanges; many of one operation as their number."""
    for operation, changes in comparison.by_operation.items():
        for kind, words in _EXCHANGE_CHANGES.items():
            selected = [change for change in changes if change.kind is kind]
            if len(selected) > _MAX_EXCHANGES:
                text = f"{operation}: {len(selected):,} {words}"
                yield f"  {_SIGNS[kind]} {escape(text)}"
            else:
                yield from map(_format_change, selected)


def _format_change(change: RecordingChange) -> str:
    sign = _SIGNS.get(change.kind, _OTHER_SIGN)
    status = "" if change.status is None else f"(in {change.status}) "
    place = f"{status}{change.place}: " if change.place or status else ""
    return f"  {sign} {escape(place)}{escape(str(change))}"


def _format_files(files: Sequence[str]) -> str:
    distinct = list(dict.fromkeys(name or "the recording" for name in files))
    more = len(distinct) - _MAX_FILES
    named = ", ".join(distinct[:_MAX_FILES])
    return f"{named} and {count_noun(more, 'more file')}" if more > 0 else named


def _format_date(recorded_at: datetime | None) -> str:
    if recorded_at is None:
        return "at an unknown date"
    days = _compute_age(recorded_at).days
    age = "today" if days < 1 else f"{count_noun(days, 'day')} ago"
    return f"{recorded_at:%Y-%m-%d} ({age})"


def _compute_age(recorded_at: datetime) -> timedelta:
    return datetime.now(UTC) - recorded_at


def _format_kilobytes(size: int) -> str:
    return f"{size / 1e3:,.1f} kB"
