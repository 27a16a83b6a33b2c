"""The files of a recording, looked at one by one and all together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from attrs import evolve, field, frozen

from nectar_async._json.json import announced_pages
from nectar_async.contract import operations
from nectar_async.contract.operation_ids import DOWNLOAD
from nectar_async.errors import RecordingError
from nectar_async.recording.bodies import Json, digest
from nectar_async.recording.exchange import Exchange
from nectar_async.recording.finding import Finding, Severity
from nectar_async.recording.folder import BLOB, EXCHANGE, MANIFEST
from nectar_async.recording.format import read_exchange, written
from nectar_async.recording.leftovers import leftovers
from nectar_async.recording.redaction.redaction import Redaction

__all__ = ["Files"]


@frozen(kw_only=True)
class Files:
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
        for name in filter(BLOB.fullmatch, sorted(self.files)):
            if not self._is_whole(name):
                words = "was changed: its SHA-256 is another; record anew"
                yield Finding(file=name, words=words)
            elif name not in named:
                yield Finding(file=name, words="belongs to no exchange; delete it")

    def _is_whole(self, blob: str) -> bool:
        return digest(self.files[blob]) == blob.partition(".")[0]

    def _file(self, name: str) -> Iterator[Finding]:
        data = self.files[name]
        if name == MANIFEST or BLOB.fullmatch(name):
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
        found = EXCHANGE.fullmatch(name)
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
        if written(one) != data:
            yield Finding(
                severity=Severity.NOTE,
                file=name,
                words="is spelled in another way than it is recorded in, so recording"
                " it anew shows a difference",
            )

    def _numbers(self) -> Iterator[Finding]:
        shelves: dict[str, list[int]] = {}
        for one in self.exchanges.values():
            shelves.setdefault(one.shelf, []).append(one.order)
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
                walk = self.redaction.key(one.question.walk)
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
            for place in leftovers(one, new):
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
