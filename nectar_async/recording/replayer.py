"""The answers of a recording, found by their questions and given once each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from nectar_async.errors import UnmatchedRequestError
from nectar_async.recording.exchange import Answer, Exchange, Question
from nectar_async.recording.folder import Recording
from nectar_async.recording.near import nearest
from nectar_async.recording.redaction.redaction import Redaction

__all__ = ["Player", "Repeat"]

Repeat = Literal["never", "last"]
"""What happens when all answers to a question are given: an error, or the last one
again, as for polling."""

_ADVICE = (
    "record what is missing (pytest --nectar-record=new, nectar record --mode new, or"
    " Recorder(..., mode='new')), or all of it anew (=record)"
)


class Player:
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

    def find(self, question: Question) -> Exchange | None:
        """The next answer to a question, which counts as given; None for none left."""
        shelf = self._shelf(question)
        for one in shelf:
            if one.name not in self._given:
                self._given.add(one.name)
                return one
        return shelf[-1] if shelf and self._repeat == "last" else None

    def give(self, question: Question) -> Answer:
        """The next answer to a question.

        Raises:
            UnmatchedRequestError: there is none, or none left; says what comes near.
        """
        found = self.find(question)
        if found is None:
            raise self._unmatched(question)
        return found.answer

    def meet(self, question: Question) -> None:
        """Note that a question was asked, whoever answers it."""
        shelf = self._shelf(question)
        left = [one.name for one in shelf if one.name not in self._met]
        self._met.update(left[:1])

    def peek(self, question: Question) -> Answer | None:
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
        return self._redaction.key(exchange.question.walk)

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
        near = nearest(masked, self._masked())
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
