"""The answers of a recording, found by their questions and given once each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal

from nectar_async.errors import UnmatchedRequestError
from nectar_async.recording.bodies import Body, FormData, FormPart, Json
from nectar_async.recording.exchange import Exchange, Question, RecordedAnswer
from nectar_async.recording.folder import Recording
from nectar_async.recording.redaction.redaction import Redaction

__all__ = ["Repeat", "Replayer", "find_nearest", "list_differences"]

Repeat = Literal["never", "last"]
"""What happens when all answers to a question are given: an error, or the last one
again, as for polling."""

_ADVICE = (
    "record what is missing (pytest --nectar-record=new, nectar record --mode new, or"
    " Recorder(..., mode='new')), or all of it anew (=record)"
)


class Replayer:
    """Gives the answers of a recording.

    Nothing here waits: two requests at once are told apart by their keys, and equal
    ones are answered in the order in which they come.
    """

    def __init__(
        self, recording: Recording, redaction: Redaction, *, repeat: Repeat = "never"
    ) -> None:
        self._recording = recording
        self._redaction = redaction
        self._repeat = repeat
        self._shelves: dict[str, list[Exchange]] = {}
        self._given: set[str] = set()
        self._met: set[str] = set()
        for one in recording.exchanges:
            self._shelves.setdefault(one.key, []).append(one)

    def take_next(
        self, question: Question, *, can_repeat: bool = False
    ) -> Exchange | None:
        """Take the next answer to a question, which counts as given.

        Args:
            question: the request.
            can_repeat: whether the last answer is taken again when none is left.

        Returns:
            None if the question is not recorded, or no answer is left.
        """
        shelf = self._shelf(question)
        for one in shelf:
            if one.name not in self._given:
                self._given.add(one.name)
                return one
        can_repeat = can_repeat or self._repeat == "last"
        return shelf[-1] if shelf and can_repeat else None

    def take(self, question: Question, *, can_repeat: bool = False) -> Exchange:
        """Take the next answer to a question, as `take_next` does.

        Raises:
            UnmatchedRequestError: there is none, or none left; names the nearest ones.
        """
        found = self.take_next(question, can_repeat=can_repeat)
        if found is None:
            raise self._unmatched(question)
        return found

    def put_back(self, exchange: Exchange) -> None:
        """Let an answer that was taken and not delivered be given again."""
        self._given.discard(exchange.name)

    def answer(self, question: Question) -> RecordedAnswer:
        """Take the next answer to a question.

        Raises:
            UnmatchedRequestError: there is none, or none left; names the nearest ones.
        """
        return self.take(question).answer

    def mark_asked(self, question: Question) -> None:
        """Note that a question was asked, whoever answers it."""
        shelf = self._shelf(question)
        left = [one.name for one in shelf if one.name not in self._met]
        self._met.update(left[:1])

    def peek(self, question: Question) -> RecordedAnswer | None:
        """The last answer to a question, which does not count as given."""
        shelf = self._shelf(question)
        return shelf[-1].answer if shelf else None

    @property
    def unused(self) -> tuple[Exchange, ...]:
        """What nobody asked for, but for pages of lists that somebody began.

        How far a client looks ahead is its own affair: a recording has whole lists.
        """
        known, asked = self._recording.exchanges, self._given | self._met
        begun = {self._walk(one) for one in known if one.name in asked}
        return tuple(
            one
            for one in known
            if one.name not in asked and self._walk(one) not in begun
        )

    def _walk(self, exchange: Exchange) -> str:
        """Of a page the list that it belongs to; of anything else its own name."""
        if exchange.question.page is None:
            return exchange.name
        return self._redaction.key(exchange.question.without_page)

    def _shelf(self, question: Question) -> list[Exchange]:
        redaction = self._redaction
        shelf = self._shelves.get(redaction.key(question), [])
        found = [one for one in shelf if redaction.agrees(question, one.question)]
        if found or shelf:
            return found
        # A text of the request may quote what was personal in another exchange.
        known = self._recording.exchanges
        return [one for one in known if redaction.resembles(question, one.question)]

    def _unmatched(self, question: Question) -> UnmatchedRequestError:
        masked = self._redaction.masked(question)
        if shelf := self._shelf(question):
            times = "once" if len(shelf) == 1 else f"{len(shelf)} times"
            return UnmatchedRequestError(
                f"{masked} was asked for {len(shelf) + 1} times, and recorded {times};"
                f" pass repeat='last' where something is polled, or {_ADVICE}",
                nearest=tuple(one.name for one in shelf),
            )
        near = find_nearest(masked, self._masked())
        lines = []
        for name, fields in near.items():
            lines.append(f"  nearest: {name}")
            lines += [f"    {one}" for one in fields or self._other(question, name)]
        if not lines:
            lines = [f"  recorded are: {self._operations()}"]
        return UnmatchedRequestError(
            "\n".join((f"no answer to {masked} is recorded", *lines, f"  {_ADVICE}")),
            nearest=tuple(near),
        )

    def _other(self, question: Question, name: str) -> Iterator[str]:
        """A line for each stand-in that differs from that of an exchange."""
        (one,) = (one for one in self._recording.exchanges if one.name == name)
        found = self._redaction.disagreements(question, one.question)
        for place, (asked, recorded) in found.items():
            yield f"{place}: asked for {asked!r}, recorded {recorded!r}"

    def _operations(self) -> str:
        names = {one.question.operation for one in self._recording.exchanges}
        return ", ".join(sorted(names)) or "no exchanges at all"

    def _masked(self) -> Iterator[tuple[Question, Exchange]]:
        for one in self._recording.exchanges:
            yield self._redaction.masked(one.question), one


_SHOWN: Final = 3
_LONGEST: Final = 80
_NOTHING: Final = object()


def find_nearest(
    asked: Question, known: Iterable[tuple[Question, Exchange]]
) -> Mapping[str, tuple[str, ...]]:
    """The names of those that differ least, each with the fields in which it does.

    Args:
        asked: masked, so that no secret is shown.
        known: masked questions, each with its exchange.
    """
    alike = [
        (question, one)
        for question, one in known
        if question.operation == asked.operation or question.path == asked.path
    ]
    same = [one for one in alike if one[0].operation == asked.operation]
    differing = [
        (tuple(list_differences(asked, question)), one.name)
        for question, one in same or alike
    ]
    differing.sort(key=lambda one: (len(one[0]), one[1]))
    return {name: lines for lines, name in differing[:_SHOWN]}


def list_differences(asked: Question, stored: Question) -> Iterator[str]:
    """A line for each field that differs."""
    mine, theirs = _fields(asked), _fields(stored)
    for name in (*mine, *(name for name in theirs if name not in mine)):
        here, there = mine.get(name, _NOTHING), theirs.get(name, _NOTHING)
        if here != there:
            yield f"{name}: asked for {_shown(here)}, recorded {_shown(there)}"


def _fields(question: Question) -> Mapping[str, object]:
    fields: dict[str, object] = {"method": question.method}
    if question.path:
        fields["path"] = question.path
    if question.url:
        fields["address"] = question.url
    for key, text in question.query:
        fields[f"query {key}"] = _joined(fields.get(f"query {key}"), text)
    if question.range is not None:
        fields["range"] = question.range
    return {**fields, **dict(_leaves("body", _plain(question.body)))}


def _joined(before: object, text: str) -> str:
    return text if before is None else f"{before}, {text}"


def _plain(body: Body | None) -> object:
    match body:
        case None:
            return _NOTHING
        case Json():
            return body.value
        case FormData():
            return {part.name: _part(part) for part in body.parts}
        case _:
            return body.data()


def _part(part: FormPart) -> str:
    if part.text is not None:
        return part.text
    return f"{part.file}, {part.size:,} bytes, SHA-256 {part.sha256}"[:_LONGEST]


def _leaves(where: str, value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(f"{where}.{key}", inner)
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from _leaves(f"{where}[{at}]", inner)
    elif value is not _NOTHING:
        yield where, value


def _shown(value: object) -> str:
    if value is _NOTHING:
        return "nothing"
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
