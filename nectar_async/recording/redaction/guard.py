"""Nothing is saved that holds a registered secret, or what looks like a token."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from nectar_async._http.redact import UnescapedText
from nectar_async.errors import RecordingError
from nectar_async.recording.bodies import Blob, Body, FormData, Json, Text
from nectar_async.recording.exchange import Exchange
from nectar_async.recording.redaction.patterns import find_token

__all__ = ["SecretGuard"]

_SHORTEST: Final = 4
_SURE: Final = 8
"""Shorter secrets are part of ordinary words, and count only as words of their own."""

_ENCODED: Final = 12
_RUN: Final = re.compile(r"[a-z0-9]+")

Shown = tuple[str, str]
"""A place, and the text that stands there."""


class SecretGuard:
    """Looks for what must not be saved.

    Args:
        secrets: texts of four characters and more; shorter ones are passed over.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = [_Secret(one) for one in secrets if len(one) >= _SHORTEST]

    def check(self, exchange: Exchange) -> None:
        """Let an exchange pass.

        Raises:
            RecordingError: it holds a secret; says where, and shows none of it.
        """
        for part, body in (
            ("request", exchange.question.body),
            ("response", exchange.answer.body),
        ):
            for place, text in _in_body(part, body, self._may_be_in):
                self._look(exchange, place, text)
            if isinstance(body, Blob):
                self._look_into(exchange, body)
        for place, text in _around(exchange):
            self._look(exchange, place, text)

    def _look_into(self, exchange: Exchange, body: Blob) -> None:
        """Refuse bytes that hold a secret, and bytes of the API that hold a token."""
        place = f"file {body.name}"
        if any(one.in_bytes(body) for one in self._secrets):
            raise _refusal(exchange, place, "a registered secret")
        if exchange.question.url:
            return  # a bill: its bytes look like anything
        for encoding in ("latin-1", "utf-16"):
            text = body.content.decode(encoding, "replace")
            if (what := find_token(text)) is not None:
                raise _refusal(exchange, place, f"what looks like {what}")

    def _look(self, exchange: Exchange, place: str, text: str) -> None:
        if any(one.is_in(text) for one in self._secrets):
            raise _refusal(exchange, place, "a registered secret")
        if (what := find_token(text)) is not None:
            raise _refusal(exchange, place, f"what looks like {what}")

    def _may_be_in(self, text: str) -> bool:
        """Whether it is worth to look at the parts of a text, each by itself."""
        if find_token(text) is not None:
            return True
        lowered = text.lower() if self._secrets else ""
        return any(one.may_be_in(text, lowered) for one in self._secrets)


class _Secret:
    """A secret in all its spellings."""

    def __init__(self, text: str) -> None:
        self._plain = UnescapedText.of(text).text
        self._run = max(_RUN.findall(text.lower()), key=len, default="")
        self._encoded = [one for one in _base64(text.encode()) if len(one) >= _ENCODED]
        self._bytes = (text.encode(), quote(text, safe="").encode())
        words = rf"(?<![^\W_]){re.escape(self._plain)}(?![^\W_])"
        self._word = re.compile(words) if len(self._plain) < _SURE else None

    def may_be_in(self, text: str, lowered: str) -> bool:
        """Whether a text may hold it; True where that is not sure."""
        if self._run not in lowered:
            return any(one in text for one in self._encoded)
        return True

    def is_in(self, text: str) -> bool:
        """Whether a text holds it."""
        if not self.may_be_in(text, text.lower()):
            return False
        plain = UnescapedText.of(text).text
        if self._word is not None:
            is_there = self._word.search(plain) is not None
        else:
            is_there = bool(self._plain) and self._plain in plain
        return is_there or any(one in text for one in self._encoded)

    def in_bytes(self, body: Blob) -> bool:
        """Whether bytes hold it."""
        encoded = (one.encode() for one in self._encoded)
        return any(one in body.content for one in (*self._bytes, *encoded))


def _base64(data: bytes) -> Iterator[str]:
    """What a base64 text has where these bytes are part of what it stands for."""
    for shift in range(3):
        whole = base64.b64encode(bytes(shift) + data).decode()
        start = (shift * 8 + 5) // 6
        end = (shift + len(data)) * 8 // 6
        yield whole[start:end]
        yield whole[start:end].replace("+", "-").replace("/", "_")


def _refusal(exchange: Exchange, place: str, what: str) -> RecordingError:
    key = re.split(r"[.\s]", place)[-1].partition("[")[0]
    return RecordingError(
        f"not saved: {exchange.name}.json would have {what} in {place}; give a"
        f" Rule(kind=…, keys=({key!r},)) or a Rule with a pattern for it, or an alias"
        " for its text"
    )


def _around(exchange: Exchange) -> Iterator[Shown]:
    """All that a file says besides bodies."""
    asked = exchange.question
    yield "operation", asked.operation
    yield "request.path", asked.path
    yield "request.url", asked.url
    yield "request.owner", asked.owner
    for key, text in asked.query:
        yield f"request.query.{key}", f"{key}={text}"
    for name, text in exchange.answer.headers.items():
        yield f"response.headers.{name}", text


def _in_body(part: str, body: Body | None, may: Any) -> Iterator[Shown]:
    match body:
        case Json():
            if may(body.raw.decode()):
                yield from _leaves(f"{part}.json $", body.value)
        case Text():
            yield f"{part}.text", body.text
        case FormData():
            for one in body.parts:
                yield f"{part}.form.{one.name}", f"{one.text or ''}\n{one.file or ''}"
        case Blob() | None:
            pass


def _leaves(place: str, value: Any) -> Iterator[Shown]:
    todo: list[tuple[str, Any]] = [(place, value)]
    while todo:
        where, inner = todo.pop()
        if isinstance(inner, Mapping):
            for key, one in inner.items():
                yield f"{where}.{key}", str(key)
                todo.append((f"{where}.{key}", one))
        elif isinstance(inner, list):
            todo += ((f"{where}[{at}]", one) for at, one in enumerate(inner))
        elif inner is not None and not isinstance(inner, bool):
            yield where, str(inner)
