"""Whether a recording is sound: whole, named as it should be, and free of secrets.

It is read file by file, so that one which is damaged does not hide the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from attrs import evolve, frozen

from nectar_async.contract import digest
from nectar_async.errors import RecordingError
from nectar_async.recording.exchange import Exchange
from nectar_async.recording.files import Files
from nectar_async.recording.finding import Finding, Severity
from nectar_async.recording.folder import MANIFEST, missing
from nectar_async.recording.format import Manifest, read_manifest
from nectar_async.recording.redaction.redaction import Redaction

__all__ = ["Checked", "Look", "check"]


_UNITS: Final = {
    "day": timedelta(days=1),
    "hour": timedelta(hours=1),
    "minute": timedelta(minutes=1),
    "second": timedelta(seconds=1),
}


@frozen(kw_only=True)
class Checked:
    """A recording that was looked at."""

    exchanges: int = 0
    """How many can be read."""
    recorded_at: datetime | None = None
    """None where the manifest cannot be read."""
    age: timedelta | None = None
    findings: Sequence[Finding] = ()
    """Errors first."""

    @property
    def is_sound(self) -> bool:
        """Whether there is no error among the findings."""
        return all(one.severity is not Severity.ERROR for one in self.findings)


Look = Callable[[Exchange], Iterable[Finding]]
"""What else there is to say of an exchange; the finding's `file` is filled in."""


def check(
    path: Path,
    *,
    now: datetime | None = None,
    max_age: timedelta | None = None,
    look: Look | None = None,
) -> Checked:
    """Look at all files of a recording. Blocks.

    Args:
        path: its folder.
        now: the instant from which its age counts; by default this one.
        max_age: how old it may be.
        look: what else is asked about each exchange.

    Raises:
        RecordingError: there is no recording at the path.
        OSError: a file cannot be read.
    """
    if not (path / MANIFEST).is_file():
        raise RecordingError(missing(path))
    files = {one.name: one.read_bytes() for one in path.iterdir() if one.is_file()}
    folders = sorted(one.name for one in path.iterdir() if not one.is_file())
    findings = [
        Finding(file=name, words="is a folder; a recording has only files")
        for name in folders
    ]
    try:
        manifest = read_manifest(files[MANIFEST], MANIFEST)
        redaction = Redaction.of(manifest.redaction)
    except RecordingError as error:
        words = f"cannot be read, so nothing else was looked at: {error}"
        return Checked(findings=[*findings, Finding(file=MANIFEST, words=words)])
    age = (now or datetime.now(UTC)) - manifest.recorded_at
    folder = Files(files=files, redaction=redaction)
    findings += [
        *_about_the_whole(manifest, age, max_age),
        *folder.findings(),
        *(_looked(folder.exchanges, look) if look is not None else ()),
    ]
    findings.sort(key=lambda one: one.severity is not Severity.ERROR)
    return Checked(
        exchanges=len(folder.exchanges),
        recorded_at=manifest.recorded_at,
        age=age,
        findings=findings,
    )


def _about_the_whole(
    manifest: Manifest, age: timedelta, max_age: timedelta | None
) -> Iterator[Finding]:
    if max_age is not None and age > max_age:
        yield Finding(
            file=MANIFEST,
            place="recordedAt",
            words=f"{_too_old(age, max_age)}: record it anew, with --touch if nothing"
            " changed",
        )
    if manifest.contract != digest():
        yield Finding(
            severity=Severity.NOTE,
            file=MANIFEST,
            place="contract",
            words="was recorded by a package with another contract; recording it anew"
            " shows whether that makes a difference",
        )


def _too_old(age: timedelta, max_age: timedelta) -> str:
    """Both in the largest unit in which they differ, and the bound is whole."""
    for word, unit in _UNITS.items():
        is_whole = not max_age % unit
        if is_whole and (there := age // unit) > (bound := max_age // unit):
            return (
                f"is {there:,} {word}{'s' * (there > 1)} old, and {bound:,} are allowed"
            )
    return f"is older than {max_age}, which is allowed"


def _looked(exchanges: Mapping[str, Exchange], look: Look) -> Iterator[Finding]:
    for name, one in exchanges.items():
        yield from (evolve(finding, file=name) for finding in look(one))
