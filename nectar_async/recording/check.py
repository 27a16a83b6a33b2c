"""Check that a recording is complete, correctly named and free of secrets.

Every file is read by itself, so that a damaged file does not hide the findings of
others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import msgspec
from attrs import evolve, field, frozen

from nectar_async.contract import digest, operations
from nectar_async.contract.operation_ids import DOWNLOAD
from nectar_async.errors import RecordingError
from nectar_async.recording.bodies import Body, FormData, Json, sha256_hex
from nectar_async.recording.collected_exchanges import count_announced_pages
from nectar_async.recording.exchange import Exchange
from nectar_async.recording.folder import (
    BLOB_NAME,
    EXCHANGE_NAME,
    MANIFEST_NAME,
    describe_missing,
)
from nectar_async.recording.format import (
    Manifest,
    encode_exchange,
    read_exchange,
    read_manifest,
)
from nectar_async.recording.redaction.redaction import Redaction

__all__ = ["CheckReport", "ExchangeCheck", "Finding", "Severity", "check"]

_UNITS: Final = {
    "day": timedelta(days=1),
    "hour": timedelta(hours=1),
    "minute": timedelta(minutes=1),
    "second": timedelta(seconds=1),
}

_INDEX: Final = re.compile(r"\[[0-9]+\]")


class Severity(StrEnum):
    """The severity of a finding."""

    ERROR = "error"
    """The recording is unsound."""
    NOTE = "note"
    """Information; the recording may still be sound."""


@frozen(kw_only=True)
class Finding:
    """One result of checking a recording."""

    severity: Severity = Severity.ERROR
    file: str = ""
    """The name of a file; empty if the finding concerns the whole recording."""
    place: str = ""
    """The place in that file; empty if the finding concerns all of it."""
    message: str
    """The problem and its remedy as text, without any value of the recording."""


@frozen(kw_only=True)
class CheckReport:
    """The result of checking a recording."""

    exchanges: int = 0
    """How many exchanges are readable."""
    recorded_at: datetime | None = None
    """The date in the manifest; None if the manifest cannot be read."""
    age: timedelta | None = None
    findings: Sequence[Finding] = ()
    """All findings, errors first."""

    @property
    def is_sound(self) -> bool:
        """Whether no finding is an error."""
        return all(finding.severity is not Severity.ERROR for finding in self.findings)


ExchangeCheck = Callable[[Exchange], Iterable[Finding]]
"""A function that checks one exchange; `check` sets the `file` of its findings."""


def check(
    path: Path,
    *,
    now: datetime | None = None,
    max_age: timedelta | None = None,
    check_exchange: ExchangeCheck | None = None,
) -> CheckReport:
    """Check all files of a recording. Blocks.

    Args:
        path: the folder of the recording.
        now: the time from which its age counts. Defaults to the current time.
        max_age: the maximum age. Defaults to no limit.
        check_exchange: an additional check, called with each readable exchange.

    Raises:
        RecordingError: the folder is missing or is not a recording.
        OSError: a file cannot be read.
    """
    if not (path / MANIFEST_NAME).is_file():
        raise RecordingError(describe_missing(path))
    entries = list(path.iterdir())
    files = {entry.name: entry.read_bytes() for entry in entries if entry.is_file()}
    folders = sorted(entry.name for entry in entries if not entry.is_file())
    findings = [
        Finding(file=name, message="is a folder; a recording has only files")
        for name in folders
    ]
    try:
        manifest = read_manifest(files[MANIFEST_NAME], MANIFEST_NAME)
        redaction = Redaction.of(manifest.redaction)
    except RecordingError as error:
        message = f"cannot be read, so no other file was checked: {error}"
        findings.append(Finding(file=MANIFEST_NAME, message=message))
        return CheckReport(findings=findings)
    age = (now or datetime.now(UTC)) - manifest.recorded_at
    checked = _FileChecks(files=files, redaction=redaction)
    findings += [
        *_check_manifest(manifest, age, max_age),
        *checked.list_findings(),
        *(
            _check_each(checked.exchanges, check_exchange)
            if check_exchange is not None
            else ()
        ),
    ]
    findings.sort(key=lambda finding: finding.severity is not Severity.ERROR)
    return CheckReport(
        exchanges=len(checked.exchanges),
        recorded_at=manifest.recorded_at,
        age=age,
        findings=findings,
    )


def _check_manifest(
    manifest: Manifest, age: timedelta, max_age: timedelta | None
) -> Iterator[Finding]:
    if max_age is not None and age > max_age:
        yield Finding(
            file=MANIFEST_NAME,
            place="recordedAt",
            message=f"{_format_age(age, max_age)}: record it again, with --touch if"
            " nothing changed",
        )
    if manifest.contract != digest():
        yield Finding(
            severity=Severity.NOTE,
            file=MANIFEST_NAME,
            place="contract",
            message="was recorded by a package with another contract; recording it"
            " again shows whether that makes a difference",
        )


def _format_age(age: timedelta, max_age: timedelta) -> str:
    """Describe age and limit in the largest unit that divides the limit exactly."""
    for name, unit in _UNITS.items():
        is_exact = not max_age % unit
        if is_exact and (actual := age // unit) > (limit := max_age // unit):
            plural = "s" if actual > 1 else ""
            return f"is {actual:,} {name}{plural} old, and {limit:,} are allowed"
    return f"is older than {max_age}, the age that is allowed"


def _check_each(
    exchanges: Mapping[str, Exchange], check_exchange: ExchangeCheck
) -> Iterator[Finding]:
    for name, exchange in exchanges.items():
        yield from (evolve(finding, file=name) for finding in check_exchange(exchange))


@frozen(kw_only=True)
class _FileChecks:
    """The checks of all files but the manifest.

    Attributes:
        files: the bytes of all files by name, including the manifest.
        redaction: the rules of the recording.
    """

    files: Mapping[str, bytes]
    redaction: Redaction
    exchanges: dict[str, Exchange] = field(factory=dict, init=False)
    """The readable exchanges by file name; filled by `list_findings`."""

    def list_findings(self) -> Iterator[Finding]:
        """Run all checks, and return their findings."""
        yield from self._check_blobs()
        for name in sorted(self.files):
            yield from self._check_file(name)
        yield from self._check_numbers()
        yield from self._check_lists()
        yield from self._check_operations()
        yield from self._check_secrets()

    def _check_blobs(self) -> Iterator[Finding]:
        used = {name for data in self.files.values() for name in _list_blobs(data)}
        for name in filter(BLOB_NAME.fullmatch, sorted(self.files)):
            if not self._is_intact(name):
                message = "was changed: its SHA-256 differs from its name; record again"
                yield Finding(file=name, message=message)
            elif name not in used:
                yield Finding(file=name, message="belongs to no exchange; delete it")

    def _is_intact(self, blob: str) -> bool:
        return sha256_hex(self.files[blob]) == blob.partition(".")[0]

    def _check_file(self, name: str) -> Iterator[Finding]:
        data = self.files[name]
        if name == MANIFEST_NAME or BLOB_NAME.fullmatch(name):
            return
        if not name.endswith(".json"):
            yield Finding(
                severity=Severity.NOTE,
                file=name,
                message="is not part of the recording; recording again keeps it",
            )
            return
        if any(
            blob in self.files and not self._is_intact(blob)
            for blob in _list_blobs(data)
        ):
            return  # already reported as a damaged blob
        try:
            exchange = read_exchange(data, self.redaction.key, self.files, name)
        except RecordingError as error:
            yield Finding(file=name, message=str(error).removeprefix(f"{name} "))
            return
        match = EXCHANGE_NAME.fullmatch(name)
        order = int((match and match["order"]) or 1)
        exchange = evolve(exchange, order=order)
        if name != f"{exchange.name}.json":
            yield Finding(
                file=name,
                message=f"should be called {exchange.name}.json, as its request says;"
                " if the request was edited, record again",
            )
        if match is None:
            return  # a replay does not read files of such names
        self.exchanges[name] = exchange
        if encode_exchange(exchange) != data:
            yield Finding(
                severity=Severity.NOTE,
                file=name,
                message="is formatted differently than a recorder writes it, so a new"
                " recording shows a difference",
            )

    def _check_numbers(self) -> Iterator[Finding]:
        """Check that the answers to each question are numbered without a gap."""
        orders: dict[str, list[int]] = {}
        for exchange in self.exchanges.values():
            orders.setdefault(exchange.base_name, []).append(exchange.order)
        for name, numbers in sorted(orders.items()):
            if sorted(numbers) != [*range(1, len(numbers) + 1)]:
                listed = ", ".join(map(str, sorted(numbers)))
                message = (
                    f"the answers to one question are numbered {listed}, with a gap"
                )
                yield Finding(file=f"{name}.json", message=message)

    def _check_lists(self) -> Iterator[Finding]:
        """Check that every list has all of its pages."""
        lists: dict[str, dict[int, Exchange]] = {}
        for exchange in self.exchanges.values():
            if _is_page(exchange):
                question = exchange.question
                key = self.redaction.key(question.without_page)
                lists.setdefault(key, {}).setdefault(question.page or 1, exchange)
        for pages in lists.values():
            last = max(count_announced_pages(page.answer) for page in pages.values())
            missing = sorted({*range(1, last + 1)} - pages.keys())
            if missing:
                listed = ", ".join(map(str, missing))
                subject = (
                    f"pages {listed} are" if len(missing) > 1 else f"page {listed} is"
                )
                yield Finding(
                    file=f"{pages[min(pages)].name}.json",
                    message=f"the list has {last} pages, and {subject} not recorded;"
                    " record again with a program that reads all of it",
                )

    def _check_operations(self) -> Iterator[Finding]:
        known = {*operations(), DOWNLOAD}
        for name, exchange in self.exchanges.items():
            operation = exchange.question.operation
            if operation not in known:
                yield Finding(
                    severity=Severity.NOTE,
                    file=name,
                    place="operation",
                    message=f"the contract has no {operation!r}",
                )

    def _check_secrets(self) -> Iterator[Finding]:
        """Check that redacting the recording again changes nothing."""
        exchanges = [*self.exchanges.values()]
        pairs = [(exchange.question, exchange.answer) for exchange in exchanges]
        try:
            redacted = self.redaction.apply(pairs, exchanges)
        except RecordingError as error:
            yield Finding(message=f"contains a secret: {error}")
            return
        for (name, old), new in zip(self.exchanges.items(), redacted, strict=True):
            for place in _find_unredacted(old, new):
                yield Finding(
                    file=name,
                    place=place,
                    message="is secret or personal, and not a placeholder; `nectar"
                    " recording redact` replaces it",
                )


class _BlobField(msgspec.Struct, frozen=True):
    file: str | None = None


class _BlobFields(msgspec.Struct, frozen=True):
    request: _BlobField = _BlobField()
    response: _BlobField = _BlobField()


def _list_blobs(data: bytes) -> Iterator[str]:
    """List the names of the binary bodies that an exchange file refers to."""
    try:
        fields = msgspec.json.decode(data, type=_BlobFields)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return
    yield from filter(None, (fields.request.file, fields.response.file))


def _is_page(exchange: Exchange) -> bool:
    return (
        exchange.question.method == "GET"
        and exchange.answer.status == HTTPStatus.OK
        and isinstance(exchange.answer.body, Json)
    )


def _find_unredacted(old: Exchange, new: Exchange) -> tuple[str, ...]:
    """List the places that redaction changed, each once and without its value.

    A place in a list stands for all items: `response usageData[].site.address`.
    """
    before, after = dict(_list_values(old)), dict(_list_values(new))
    places = [
        # A path that is gone means that one of its keys was replaced.
        _INDEX.sub("[]", place) if place in after else f"{place.split()[0]} keys"
        for place in before
        if before[place] != after.get(place)
    ]
    return tuple(dict.fromkeys(places))


def _list_values(exchange: Exchange) -> Iterator[tuple[str, Any]]:
    """List all places of an exchange with their values."""
    question, answer = exchange.question, exchange.answer
    yield "request path", (question.path, question.owner)
    yield "request url", question.url
    for index, (key, text) in enumerate(question.query):
        yield f"request query {key}[{index}]", text
    yield from _list_body_values("request", question.body)
    for name, text in answer.headers.items():
        yield f"response header {name}", text
    yield from _list_body_values("response", answer.body)


def _list_body_values(part: str, body: Body | None) -> Iterator[tuple[str, Any]]:
    match body:
        case Json():
            yield from _list_json_values(f"{part} ", body.value)
        case FormData():
            for index, form_part in enumerate(body.parts):
                place = f"{part} form {form_part.name}[{index}]"
                yield place, (form_part.text, form_part.file)
        case None:
            pass
        case _:
            yield f"{part} body", body.data()


def _list_json_values(place: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            dot = "" if place.endswith(" ") else "."
            yield from _list_json_values(f"{place}{dot}{key}", inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _list_json_values(f"{place}[{index}]", inner)
    else:
        yield place, value
