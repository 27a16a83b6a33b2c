"""What there is to say of recordings: for people as lines, for machines as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from nectar_async import contract
from nectar_async.cli.words import counted
from nectar_async.recording.check import CheckReport, Finding, Severity
from nectar_async.recording.contents import (
    OperationContents,
    PlaceholderContents,
    summarize_operations,
    summarize_placeholders,
)
from nectar_async.recording.diff import Change, ChangeKind, Comparison
from nectar_async.recording.folder import Recording

__all__ = [
    "as_facts",
    "checked_facts",
    "compared_facts",
    "print_checked",
    "print_compared",
    "print_recording",
    "print_replaced",
    "replaced",
]

_FILES: Final = 1
"""How many files are named of those that have the same to be said about them."""

_SIGNS: Final[Mapping[ChangeKind, str]] = {
    ChangeKind.EXCHANGE_APPEARED: "[green]+[/green]",
    ChangeKind.KEY_APPEARED: "[green]+[/green]",
    ChangeKind.EXCHANGE_VANISHED: "[red]-[/red]",
    ChangeKind.KEY_VANISHED: "[red]-[/red]",
}
_OF_EXCHANGES: Final[Mapping[ChangeKind, str]] = {
    ChangeKind.EXCHANGE_VANISHED: "exchanges are gone",
    ChangeKind.EXCHANGE_APPEARED: "exchanges are new",
}
_EXCHANGES: Final = 3
"""How many of an operation are named one by one."""
_OTHERWISE: Final = "[yellow]~[/yellow]"
_COLOURS: Final = {Severity.ERROR: "red", Severity.NOTE: "yellow"}


def as_facts(path: Path, recording: Recording) -> dict[str, Any]:
    """What is in a recording."""
    at = recording.recorded_at
    return {
        "path": str(path),
        "recorded_at": at and at.isoformat(),
        "age_days": None if at is None else _age(at).days,
        "api_version": recording.api_version,
        "library": recording.library,
        "contract": recording.contract,
        "is_own_contract": recording.contract == contract.digest(),
        "redaction": dict(recording.redaction),
        "exchanges": len(recording.exchanges),
        "operations": [
            _operation_facts(one) for one in summarize_operations(recording)
        ],
        "standins": [_standin_facts(one) for one in summarize_placeholders(recording)],
    }


def print_recording(console: Console, path: Path, recording: Recording) -> None:
    """The same for people."""
    operations, standins = (
        summarize_operations(recording),
        summarize_placeholders(recording),
    )
    size = sum(one.size for one in operations)
    _say(
        console,
        f"[bold]{escape(str(path))}[/bold]:"
        f" {counted(len(recording.exchanges), 'exchange')} of"
        f" {counted(len(operations), 'operation')}, {_kilobytes(size)}",
    )
    is_own = recording.contract == contract.digest()
    _say(
        console,
        f"API {escape(recording.api_version) or 'version unknown'}, recorded"
        f" {_when(recording.recorded_at)} by nectar_async {escape(recording.library)},"
        f" with {'the' if is_own else 'another'} contract"
        f"{' that it has now' if is_own else ''}",
    )
    for rule in recording.redaction.get("rules", ()):
        what = ", ".join(rule.get("keys", ())) or rule.get("pattern", "")
        _say(console, f"redacted besides: {escape(rule['kind'])} ({escape(what)})")
    console.print(_operations_table(operations))
    if standins:
        console.print(_standins_table("Stand-ins", standins))
    else:
        _say(console, "no stand-ins: there was nothing to replace")


def checked_facts(path: Path, checked: CheckReport) -> dict[str, Any]:
    """What was found when a recording was looked at."""
    at = checked.recorded_at
    return {
        "path": str(path),
        "is_sound": checked.is_sound,
        "exchanges": checked.exchanges,
        "recorded_at": at and at.isoformat(),
        "age_days": checked.age and checked.age.days,
        "findings": [
            {
                "severity": one.severity.value,
                "file": one.file,
                "place": one.place,
                "words": one.words,
            }
            for one in checked.findings
        ],
    }


def print_checked(console: Console, path: Path, checked: CheckReport) -> None:
    """The same for people; what is said of several files is said once."""
    verdict = "[green]sound[/green]" if checked.is_sound else "[red]not sound[/red]"
    _say(
        console,
        f"[bold]{escape(str(path))}[/bold]: {verdict}"
        f" ({counted(checked.exchanges, 'exchange')}, recorded"
        f" {_when(checked.recorded_at)})",
    )
    grouped: dict[tuple[Severity, str, str], list[Finding]] = {}
    for one in checked.findings:
        grouped.setdefault((one.severity, one.place, one.words), []).append(one)
    for (severity, place, words), found in grouped.items():
        colour = _COLOURS[severity]
        where = f"{_named([one.file for one in found])}{place and f', {place}'}"
        _say(
            console,
            f"  [{colour}]{severity}[/{colour}] {escape(where)}: {escape(words)}",
        )


def compared_facts(comparison: Comparison) -> dict[str, Any]:
    """What changed from one recording to another."""
    return {
        "is_same": comparison.is_same,
        "changes": [
            {
                "kind": one.kind.value,
                "operation": one.operation,
                "place": one.place,
                "status": one.status,
                "before": one.before,
                "after": one.after,
                "words": str(one),
            }
            for one in comparison
        ],
    }


def print_compared(console: Console, comparison: Comparison) -> None:
    """The same for people, by operation; what the API does comes first."""
    for operation, changes in comparison.by_operation.items():
        own = [one for one in changes if one.kind not in _OF_EXCHANGES]
        if own:
            _say(console, f"[bold]{escape(operation) or 'all operations'}[/bold]")
        for one in own:
            _say(console, _change_line(one))
    lines = [*_exchange_lines(comparison)]
    for line in ["[bold]exchanges[/bold]", *lines] if lines else ():
        _say(console, line)
    if comparison.is_same:
        _say(console, "nothing changed in the API")


def replaced(old: Recording, new: Recording) -> Sequence[PlaceholderContents]:
    """What stands in the new recording in place of something in the old one."""
    before = {one.kind: one for one in summarize_placeholders(old)}
    found = []
    for one in summarize_placeholders(new):
        had = before.get(
            one.kind, PlaceholderContents(kind=one.kind, values=0, places=0)
        )
        more = PlaceholderContents(
            kind=one.kind,
            values=one.values - had.values,
            places=one.places - had.places,
        )
        if more.places:
            found.append(more)
    return found


def print_replaced(
    console: Console, path: Path, found: Sequence[PlaceholderContents], *, is_dry: bool
) -> None:
    """What was replaced, by kind; never a value."""
    if not found:
        _say(console, f"nothing to replace in {escape(str(path))}")
        return
    title = "Would be replaced" if is_dry else "Replaced"
    console.print(_standins_table(title, found))


def _say(console: Console, line: str) -> None:
    console.print(line, highlight=False, soft_wrap=True)


def _operations_table(operations: Sequence[OperationContents]) -> Table:
    table = Table(box=SIMPLE_HEAD, title="Operations")
    table.add_column("operation", overflow="fold")
    for title in ("exchanges", "owners", "size"):
        table.add_column(title, justify="right", overflow="fold")
    table.add_column("statuses", overflow="fold")
    for one in operations:
        table.add_row(
            escape(one.operation),
            f"{one.exchanges:,}",
            f"{one.owners:,}",
            _kilobytes(one.size),
            ", ".join(
                f"{status}" if count == one.exchanges else f"{status} ({count:,})"
                for status, count in one.statuses.items()
            ),
        )
    return table


def _standins_table(title: str, standins: Sequence[PlaceholderContents]) -> Table:
    table = Table(box=SIMPLE_HEAD, title=title)
    table.add_column("kind", overflow="fold")
    for name in ("values", "places"):
        table.add_column(name, justify="right", overflow="fold")
    for one in standins:
        table.add_row(escape(one.kind), f"{one.values:,}", f"{one.places:,}")
    return table


def _operation_facts(one: OperationContents) -> dict[str, Any]:
    return {
        "operation": one.operation,
        "exchanges": one.exchanges,
        "owners": one.owners,
        "statuses": {str(status): count for status, count in one.statuses.items()},
        "bytes": one.size,
    }


def _standin_facts(one: PlaceholderContents) -> dict[str, Any]:
    return {"kind": one.kind, "values": one.values, "places": one.places}


def _exchange_lines(comparison: Comparison) -> Iterator[str]:
    """Exchanges that are gone or new; many of one operation as their number."""
    for operation, changes in comparison.by_operation.items():
        for kind, words in _OF_EXCHANGES.items():
            found = [one for one in changes if one.kind is kind]
            if len(found) > _EXCHANGES:
                text = f"{operation}: {len(found):,} {words}"
                yield f"  {_SIGNS[kind]} {escape(text)}"
            else:
                yield from map(_change_line, found)


def _change_line(one: Change) -> str:
    sign = _SIGNS.get(one.kind, _OTHERWISE)
    return f"  {sign} {escape(_where(one))}{escape(str(one))}"


def _where(one: Change) -> str:
    """What stands in front of a change: its place, and the error it is in."""
    status = "" if one.status is None else f"(in {one.status}) "
    return f"{status}{one.place}: " if one.place or status else ""


def _named(files: Sequence[str]) -> str:
    distinct = list(dict.fromkeys(name or "all of it" for name in files))
    more = len(distinct) - _FILES
    shown = ", ".join(distinct[:_FILES])
    return f"{shown} and {counted(more, 'more file')}" if more > 0 else shown


def _when(at: datetime | None) -> str:
    if at is None:
        return "nobody knows when"
    days = _age(at).days
    ago = "today" if days < 1 else f"{counted(days, 'day')} ago"
    return f"{at:%Y-%m-%d} ({ago})"


def _age(at: datetime) -> timedelta:
    return datetime.now(UTC) - at


def _kilobytes(size: int) -> str:
    return f"{size / 1e3:,.1f} kB"
