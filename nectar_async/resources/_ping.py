"""What the answer to a ping says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nectar_async._json.json import parse
from nectar_async._json.scalars import MisfitError
from nectar_async.errors import DecodeError

__all__ = ["pong"]

_SHOWN = 200


def pong(body: bytes) -> str:
    """The API's words: the first text with `pong` in it, wherever it stands.

    Raises:
        DecodeError: there is none, so something else than this API answered.
    """
    try:
        answer = parse(body)
    except MisfitError:
        text = body.decode(errors="replace").strip()
        answer = None if text.startswith("<") else text
    for word in _texts(answer):
        if "pong" in word.lower():
            return word[:_SHOWN]
    raise DecodeError.of("ping", ("expected a text with 'pong' @ $",))


def _texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value, without going down the call stack with it."""
    left = [value]
    while left:
        value = left.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict | list):
            inner = value.values() if isinstance(value, dict) else value
            left += reversed(inner)
