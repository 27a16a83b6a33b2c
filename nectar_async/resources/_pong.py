"""Read the answer to a ping."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nectar_async._json.json_text import parse_json
from nectar_async._json.scalars import MisfitError
from nectar_async.errors import DecodeError

__all__ = ["read_pong"]

_MAX_SHOWN = 200


def read_pong(body: bytes) -> str:
    """Return the first text in the answer that contains `pong`, at any depth.

    The answer may be JSON or plain text, but no HTML or XML.

    Raises:
        DecodeError: there is no such text, so it was not this API that answered.
    """
    try:
        answer = parse_json(body)
    except MisfitError:
        text = body.decode(errors="replace").strip()
        answer = None if text.startswith("<") else text
    for text in _iterate_texts(answer):
        if "pong" in text.lower():
            return text[:_MAX_SHOWN]
    raise DecodeError.of("ping", ("expected a text with 'pong' @ $",))


def _iterate_texts(value: Any) -> Iterator[str]:
    """Yield every text in a JSON value, without recursion: it may be nested deeply."""
    pending = [value]
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict | list):
            children = value.values() if isinstance(value, dict) else value
            pending += reversed(children)
