"""What comes nearest to a request that no recording knows, and where it differs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from nectar_async.recording.bodies import Body, Form, Json, Part
from nectar_async.recording.exchange import Exchange, Question

__all__ = ["differences", "nearest"]

_SHOWN: Final = 3
_LONGEST: Final = 80
_NOTHING: Final = object()


def nearest(
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
        (tuple(differences(asked, question)), one.name)
        for question, one in same or alike
    ]
    differing.sort(key=lambda one: (len(one[0]), one[1]))
    return {name: lines for lines, name in differing[:_SHOWN]}


def differences(asked: Question, stored: Question) -> Iterator[str]:
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
        case Form():
            return {part.name: _part(part) for part in body.parts}
        case _:
            return body.data()


def _part(part: Part) -> str:
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
