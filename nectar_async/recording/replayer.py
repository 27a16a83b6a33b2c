"""Replay a recording: find the answers to a request, and give each answer once.

Requests are compared as questions: without host, API version and API key. If no answer
matches, the error lists the recorded questions that differ least.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Literal

from nectar_async.errors import UnmatchedRequestError
from nectar_async.recording.bodies import Body, FormData, FormPart, Json
from nectar_async.recording.exchange import Exchange, Question, RecordedAnswer
from nectar_async.recording.folder import Recording
from nectar_async.recording.redaction.redaction import Redaction

__all__ = ["Repeat", "Replayer", "find_nearest", "list_differences"]

Repeat = Literal["never", "last"]
"""After the last answer, `never` is an error; `last` repeats it, for polling."""

_ADVICE: Final = (
    "record the missing exchanges (pytest --nectar-record=new, nectar record --mode"
    " new, or Recorder(..., mode='new')), or all of them again (=record)"
)
_MAX_NEAREST: Final = 3
_MAX_LENGTH: Final = 80
_MISSING: Final = object()


class Replayer:
    """Finds the recorded answers to requests, given as questions.

    No method waits. Equal questions get their answers in the order of the calls.
    """

    def __init__(
        self, recording: Recording, redaction: Redaction, *, repeat: Repeat = "never"
    ) -> None:
        self._recording = recording
        self._redaction = redaction
        self._repeat = repeat
        self._by_key: dict[str, list[Exchange]] = {}
        self._delivered: set[str] = set()
        self._asked: set[str] = set()
        for exchange in recording.exchanges:
            self._by_key.setdefault(exchange.key, []).append(exchange)

    def take_next(
        self, question: Question, *, can_repeat: bool = False
    ) -> Exchange | None:
        """Take the next exchange for a question.

        Args:
            question: the request, as a question.
            can_repeat: whether the last exchange is taken again when none is left.

        Returns:
            None if the question is not recorded, or no exchange is left.
        """
        exchanges = self._find_exchanges(question)
        for exchange in exchanges:
            if exchange.name not in self._delivered:
                self._delivered.add(exchange.name)
                return exchange
        can_repeat = can_repeat or self._repeat == "last"
        return exchanges[-1] if exchanges and can_repeat else None

    def take(self, question: Question, *, can_repeat: bool = False) -> Exchange:
        """Take the next exchange for a question, as `take_next` does.

        Raises:
            UnmatchedRequestError: no answer is recorded, or none is left; the message
                lists the nearest questions.
        """
        exchange = self.take_next(question, can_repeat=can_repeat)
        if exchange is None:
            raise self._build_error(question)
        return exchange

    def put_back(self, exchange: Exchange) -> None:
        """Let an exchange that was taken and not delivered be taken again."""
        self._delivered.discard(exchange.name)

    def answer(self, question: Question) -> RecordedAnswer:
        """Take the next answer to a question, as `take` does.

        Raises:
            UnmatchedRequestError: no answer is recorded, or none is left.
        """
        return self.take(question).answer

    def mark_asked(self, question: Question) -> None:
        """Mark the next exchange for a question as used, without taking it.

        For requests that an overlay answers; see `unused`.
        """
        exchanges = self._find_exchanges(question)
        names = (exchange.name for exchange in exchanges)
        self._asked.update([name for name in names if name not in self._asked][:1])

    def peek(self, question: Question) -> RecordedAnswer | None:
        """Return the last answer to a question without taking it."""
        exchanges = self._find_exchanges(question)
        return exchanges[-1].answer if exchanges else None

    @property
    def unused(self) -> tuple[Exchange, ...]:
        """The exchanges that were never asked for.

        Further pages of a list that was begun do not count: recordings contain complete
        lists, and a client may stop early.
        """
        exchanges, asked = self._recording.exchanges, self._delivered | self._asked
        begun_lists = {
            self._list_key(exchange) for exchange in exchanges if exchange.name in asked
        }
        return tuple(
            exchange
            for exchange in exchanges
            if exchange.name not in asked
            and self._list_key(exchange) not in begun_lists
        )

    def _list_key(self, exchange: Exchange) -> str:
        """The key of the list that a page belongs to; the name of other exchanges."""
        if exchange.question.page is None:
            return exchange.name
        return self._redaction.key(exchange.question.without_page)

    def _find_exchanges(self, question: Question) -> list[Exchange]:
        """Find all exchanges that answer a question, in recorded order."""
        redaction = self._redaction
        candidates = self._by_key.get(redaction.key(question), [])
        if candidates:
            return [
                exchange
                for exchange in candidates
                if redaction.agrees(question, exchange.question)
            ]
        # A text of the question may quote a value that is redacted in the recording.
        return [
            exchange
            for exchange in self._recording.exchanges
            if redaction.resembles(question, exchange.question)
        ]

    def _build_error(self, question: Question) -> UnmatchedRequestError:
        masked = self._redaction.masked(question)
        if exchanges := self._find_exchanges(question):
            times = "once" if len(exchanges) == 1 else f"{len(exchanges)} times"
            return UnmatchedRequestError(
                f"{masked} was asked for {len(exchanges) + 1} times, and recorded"
                f" {times}; pass repeat='last' for polling, or {_ADVICE}",
                nearest=tuple(exchange.name for exchange in exchanges),
            )
        known = {
            exchange.name: self._redaction.masked(exchange.question)
            for exchange in self._recording.exchanges
        }
        nearest = find_nearest(masked, known)
        lines: list[str] = []
        for name, differences in nearest.items():
            lines.append(f"  nearest: {name}")
            lines += [
                f"    {line}"
                for line in differences or self._list_disagreements(question, name)
            ]
        if not lines:
            lines = [f"  recorded operations: {self._list_operations()}"]
        return UnmatchedRequestError(
            "\n".join((f"no answer to {masked} is recorded", *lines, f"  {_ADVICE}")),
            nearest=tuple(nearest),
        )

    def _list_disagreements(self, question: Question, name: str) -> Iterator[str]:
        """Describe each placeholder that differs from the one in an exchange."""
        exchange = next(
            exchange for exchange in self._recording.exchanges if exchange.name == name
        )
        differing = self._redaction.disagreements(question, exchange.question)
        for place, (asked, recorded) in differing.items():
            yield f"{place}: asked for {asked!r}, recorded {recorded!r}"

    def _list_operations(self) -> str:
        names = {exchange.question.operation for exchange in self._recording.exchanges}
        return ", ".join(sorted(names)) or "none"


def find_nearest(
    asked: Question, known: Mapping[str, Question]
) -> Mapping[str, tuple[str, ...]]:
    """Find the questions that differ least, each with a line per differing field.

    Args:
        asked: the question, masked so that no secret is shown.
        known: masked questions, by the names of their exchanges.
    """
    same_operation = {
        name: question
        for name, question in known.items()
        if question.operation == asked.operation
    }
    same_path = {
        name: question
        for name, question in known.items()
        if question.path == asked.path
    }
    ranked = [
        (tuple(list_differences(asked, question)), name)
        for name, question in (same_operation or same_path).items()
    ]
    ranked.sort(key=lambda pair: (len(pair[0]), pair[1]))
    return {name: lines for lines, name in ranked[:_MAX_NEAREST]}


def list_differences(asked: Question, stored: Question) -> Iterator[str]:
    """Describe each field in which two questions differ, one line per field."""
    asked_fields = _flatten_question(asked)
    stored_fields = _flatten_question(stored)
    for name in dict.fromkeys((*asked_fields, *stored_fields)):
        requested = asked_fields.get(name, _MISSING)
        recorded = stored_fields.get(name, _MISSING)
        if requested != recorded:
            yield (
                f"{name}: asked for {_format_value(requested)},"
                f" recorded {_format_value(recorded)}"
            )


def _flatten_question(question: Question) -> Mapping[str, object]:
    fields: dict[str, object] = {"method": question.method}
    if question.path:
        fields["path"] = question.path
    if question.url:
        fields["address"] = question.url
    for key, text in question.query:
        name = f"query {key}"
        fields[name] = f"{fields[name]}, {text}" if name in fields else text
    if question.range is not None:
        fields["range"] = question.range
    return {**fields, **dict(_flatten("body", _to_plain_value(question.body)))}


def _to_plain_value(body: Body | None) -> object:
    match body:
        case None:
            return _MISSING
        case Json():
            return body.value
        case FormData():
            return {part.name: _format_part(part) for part in body.parts}
        case _:
            return body.data()


def _format_part(part: FormPart) -> str:
    if part.text is not None:
        return part.text
    return f"{part.file}, {part.size:,} bytes, SHA-256 {part.sha256}"[:_MAX_LENGTH]


def _flatten(path: str, value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flatten(f"{path}.{key}", inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _flatten(f"{path}[{index}]", inner)
    elif value is not _MISSING:
        yield path, value


def _format_value(value: object) -> str:
    if value is _MISSING:
        return "nothing"
    text = repr(value)
    return text if len(text) <= _MAX_LENGTH else f"{text[:_MAX_LENGTH]}…"
