"""Where redaction would still replace something, and never what stands there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from nectar_async.recording.bodies import Body, Form, Json
from nectar_async.recording.exchange import Exchange

__all__ = ["leftovers"]

_INDEX = re.compile(r"\[[0-9]+\]")


def leftovers(old: Exchange, new: Exchange) -> tuple[str, ...]:
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
        case Form():
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
