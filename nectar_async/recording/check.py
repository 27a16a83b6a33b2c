"""Whether a recording is sound: whole, named as it should be, and free of secrets.

It is read file by file, so that one which is damaged does not hide the others.
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

from nectar_async._json.json import announced_pages
from nectar_async.contract import digest, operations
from nectar_async.contract.operation_ids import DOWNLOAD
from nectar_async.errors import RecordingError
from nectar_async.recording.bodies import Body, FormData, Json, sha256_hex
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

__all__ = [
    "CheckReport",
    "ExchangeCheck",
    "Finding",
    "Severity",
    "_FileChecks",
    "check",
    "find_unredacted",
]


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"
    """The recording is not sound."""
    NOTE = "note"
    """It is good to know."""


@frozen(kw_only=True)
class Finding:
    """Something about a recording."""

    severity: Severity = Severity.ERROR
    file: str = ""
    """The name of a file in it; empty for the whole."""
    place: str = ""
    """Where in that file; empty for all of it."""
    words: str
    """What it is, and what to do about it. Never a value of the recording."""


_UNITS: Final = {
    "day": timedelta(days=1),
    "hour": timedelta(hours=1),
    "minute": timedelta(minutes=1),
    "second": timedelta(seconds=1),
}


@frozen(kw_only=True)
class CheckReport:
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


ExchangeCheck = Callable[[Exchange], Iterable[Finding]]
"""What else there is to say of an exchange; the finding's `file` is filled in."""


def check(
    path: Path,
    *,
    now: datetime | None = None,
    max_age: timedelta | None = None,
    look: ExchangeCheck | None = None,
) -> CheckReport:
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
    if not (path / MANIFEST_NAME).is_file():
        raise RecordingError(describe_missing(path))
    files = {one.name: one.read_bytes() for one in path.iterdir() if one.is_file()}
    folders = sorted(one.name for one in path.iterdir() if not one.is_file())
    findings = [
        Finding(file=name, words="is a folder; a recording has only files")
        for name in folders
    ]
    try:
        manifest = read_manifest(files[MANIFEST_NAME], MANIFEST_NAME)
        redaction = Redaction.of(manifest.redaction)
    except RecordingError as error:
        words = f"cannot be read, so nothing else was looked at: {error}"
        return CheckReport(
            findings=[*findings, Finding(file=MANIFEST_NAME, words=words)]
        )
    age = (now or datetime.now(UTC)) - manifest.recorded_at
    folder = _FileChecks(files=files, redaction=redaction)
    findings += [
        *_about_the_whole(manifest, age, max_age),
        *folder.findings(),
        *(_looked(folder.exchanges, look) if look is not None else ()),
    ]
    findings.sort(key=lambda one: one.severity is not Severity.ERROR)
    return CheckReport(
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
            file=MANIFEST_NAME,
            place="recordedAt",
            words=f"{_too_old(age, max_age)}: record it anew, with --touch if nothing"
            " changed",
        )
    if manifest.contract != digest():
        yield Finding(
            severity=Severity.NOTE,
            file=MANIFEST_NAME,
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


def _looked(
    exchanges: Mapping[str, Exchange], look: ExchangeCheck
) -> Iterator[Finding]:
    for name, one in exchanges.items():
        yield from (evolve(finding, file=name) for finding in look(one))


@frozen(kw_only=True)
class _FileChecks:
    """The files of a recording, and the exchanges that can be read.

    Attributes:
        files: what stands in them, by name; the manifest is among them.
        redaction: that of the recording.
    """

    files: Mapping[str, bytes]
    redaction: Redaction
    exchanges: dict[str, Exchange] = field(factory=dict, init=False)
    """By the name of the file; filled by `findings`."""

    def findings(self) -> Iterator[Finding]:
        """All that is to be said of them."""
        yield from self._bytes()
        for name in sorted(self.files):
            yield from self._file(name)
        yield from self._numbers()
        yield from self._lists()
        yield from self._operations()
        yield from self._secrets()

    def _bytes(self) -> Iterator[Finding]:
        named = {text for data in self.files.values() for text in _named(data)}
        for name in filter(BLOB_NAME.fullmatch, sorted(self.files)):
            if not self._is_whole(name):
                words = "was changed: its SHA-256 is another; record anew"
                yield Finding(file=name, words=words)
            elif name not in named:
                yield Finding(file=name, words="belongs to no exchange; delete it")

    def _is_whole(self, blob: str) -> bool:
        return sha256_hex(self.files[blob]) == blob.partition(".")[0]

    def _file(self, name: str) -> Iterator[Finding]:
        data = self.files[name]
        if name == MANIFEST_NAME or BLOB_NAME.fullmatch(name):
            return
        if not name.endswith(".json"):
            yield Finding(
                severity=Severity.NOTE,
                file=name,
                words="is not part of a recording, and stays when it is recorded anew",
            )
            return
        if any(one in self.files and not self._is_whole(one) for one in _named(data)):
            return  # said of the bytes already
        try:
            one = read_exchange(data, self.redaction.key, self.files, name)
        except RecordingError as error:
            yield Finding(file=name, words=str(error).removeprefix(f"{name} "))
            return
        found = EXCHANGE_NAME.fullmatch(name)
        one = evolve(one, order=int((found and found["order"]) or 1))
        if name != f"{one.name}.json":
            yield Finding(
                file=name,
                words=f"should be called {one.name}.json by what is asked in it: a"
                " request that was changed by hand is another one; record anew",
            )
        if found is None:
            return  # nobody would read it
        self.exchanges[name] = one
        if encode_exchange(one) != data:
            yield Finding(
                severity=Severity.NOTE,
                file=name,
                words="is spelled in another way than it is recorded in, so recording"
                " it anew shows a difference",
            )

    def _numbers(self) -> Iterator[Finding]:
        shelves: dict[str, list[int]] = {}
        for one in self.exchanges.values():
            shelves.setdefault(one.base_name, []).append(one.order)
        for shelf, orders in sorted(shelves.items()):
            if sorted(orders) != [*range(1, len(orders) + 1)]:
                said = ", ".join(map(str, sorted(orders)))
                words = f"the answers to one question are numbered {said}, with a gap"
                yield Finding(file=f"{shelf}.json", words=words)

    def _lists(self) -> Iterator[Finding]:
        """Lists that end before their last page."""
        lists: dict[str, dict[int, Exchange]] = {}
        for one in self.exchanges.values():
            if _is_page(one):
                walk = self.redaction.key(one.question.without_page)
                lists.setdefault(walk, {}).setdefault(one.question.page or 1, one)
        for pages in lists.values():
            last = max(map(_announced, pages.values()))
            missing = sorted({*range(1, last + 1)} - pages.keys())
            if missing:
                said = ", ".join(map(str, missing))
                what = f"pages {said} are" if len(missing) > 1 else f"page {said} is"
                yield Finding(
                    file=f"{pages[min(pages)].name}.json",
                    words=f"the list has {last} pages, and {what} not recorded; record"
                    " it anew with what reads all of it",
                )

    def _operations(self) -> Iterator[Finding]:
        known = {*operations(), DOWNLOAD}
        for name, one in self.exchanges.items():
            if one.question.operation not in known:
                yield Finding(
                    severity=Severity.NOTE,
                    file=name,
                    place="operation",
                    words=f"the contract has no {one.question.operation!r}",
                )

    def _secrets(self) -> Iterator[Finding]:
        """What redaction refuses, or would replace."""
        pairs = [(one.question, one.answer) for one in self.exchanges.values()]
        try:
            applied = self.redaction.apply(pairs, [*self.exchanges.values()])
        except RecordingError as error:
            yield Finding(words=f"holds a secret: {error}")
            return
        for (name, one), new in zip(self.exchanges.items(), applied, strict=True):
            for place in find_unredacted(one, new):
                yield Finding(
                    file=name,
                    place=place,
                    words="is secret or personal, and no stand-in; `nectar recording"
                    " redact` replaces it",
                )


class _Beside(msgspec.Struct, frozen=True):
    file: str | None = None


class _Names(msgspec.Struct, frozen=True):
    request: _Beside = _Beside()
    response: _Beside = _Beside()


def _named(data: bytes) -> Iterator[str]:
    """The names of bytes that a file has beside it."""
    try:
        names = msgspec.json.decode(data, type=_Names)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return
    yield from filter(None, (names.request.file, names.response.file))


def _is_page(one: Exchange) -> bool:
    return (
        one.question.method == "GET"
        and one.answer.status == HTTPStatus.OK
        and isinstance(one.answer.body, Json)
    )


def _announced(one: Exchange) -> int:
    body: Any = one.answer.body
    return announced_pages(body.raw)


_INDEX = re.compile(r"\[[0-9]+\]")


def find_unredacted(old: Exchange, new: Exchange) -> tuple[str, ...]:
    """The places in an exchange that are others after redaction, each once.

    A place in a list stands for all of its items: `response usageData[].site.address`.
    """
    before, after = dict(_texts(old)), dict(_texts(new))
    places = [
        # A key that is gone was personal itself.
        _INDEX.sub("[]", place) if place in after else f"{place.split()[0]} keys"
        for place in before
        if before[place] != after.get(place)
    ]
    return tuple(dict.fromkeys(places))


def _texts(one: Exchange) -> Iterator[tuple[str, Any]]:
    asked, answered = one.question, one.answer
    yield "request path", (asked.path, asked.owner)
    yield "request url", asked.url
    for at, (key, text) in enumerate(asked.query):
        yield f"request query {key}[{at}]", text
    yield from _leaves("request", asked.body)
    for name, text in answered.headers.items():
        yield f"response header {name}", text
    yield from _leaves("response", answered.body)


def _leaves(part: str, body: Body | None) -> Iterator[tuple[str, Any]]:
    match body:
        case Json():
            yield from _inside(f"{part} ", body.value)
        case FormData():
            for at, one in enumerate(body.parts):
                yield f"{part} form {one.name}[{at}]", (one.text, one.file)
        case None:
            pass
        case _:
            yield f"{part} body", body.data()


def _inside(place: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            dot = "" if place.endswith(" ") else "."
            yield from _inside(f"{place}{dot}{key}", inner)
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from _inside(f"{place}[{at}]", inner)
    else:
        yield place, value
