"""Refuse to save an exchange that contains a registered secret or a token."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from nectar_async._http.redact import UnescapedText
from nectar_async.errors import RecordingError
from nectar_async.recording.bodies import Blob, Body, FormData, Json, Text
from nectar_async.recording.exchange import Exchange
from nectar_async.recording.redaction.patterns import find_token

__all__ = ["SecretGuard"]

_MIN_LENGTH: Final = 4
_MIN_SUBSTRING_LENGTH: Final = 8
"""Shorter secrets are parts of ordinary words, and are only found as whole words."""

_MIN_BASE64_LENGTH: Final = 12
_ENCODINGS: Final = ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
_ALPHANUMERIC: Final = re.compile(r"[a-z0-9]+")

# The keys of a Rule are those of JSON, queries and forms.
_KEYED_PLACE: Final = re.compile(
    r"(?:\.json \$.*|\.query|\.form)\.([^.\[\]]+)(?:\[\d+\])*$"
)

PlacedText = tuple[str, str]
"""A place in an exchange, and the text there."""


class SecretGuard:
    """Checks exchanges for secrets before they are saved.

    Args:
        secrets: the registered secrets; those shorter than four characters are ignored.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = [
            _RegisteredSecret(text) for text in secrets if len(text) >= _MIN_LENGTH
        ]

    def check(self, exchange: Exchange) -> None:
        """Check one exchange.

        Raises:
            RecordingError: it contains a secret; the message has the place and not the
                secret.
        """
        for part, body in (
            ("request", exchange.question.body),
            ("response", exchange.answer.body),
        ):
            for place, text in _list_body_texts(part, body, self._may_contain_secret):
                self._check_text(exchange, place, text)
            if isinstance(body, Blob):
                self._check_blob(exchange, body)
        for place, text in _list_other_texts(exchange):
            self._check_text(exchange, place, text)

    def _check_blob(self, exchange: Exchange, body: Blob) -> None:
        """Refuse bytes with a secret, and bytes from the API with a token."""
        place = f"file {body.name}"
        if any(secret.is_in_bytes(body.content) for secret in self._secrets):
            raise _build_error(exchange, place, "a registered secret")
        if exchange.question.url:
            return  # the bytes of a document may look like a token by chance
        for encoding in ("latin-1", "utf-16"):
            text = body.content.decode(encoding, "replace")
            if (name := find_token(text)) is not None:
                raise _build_error(exchange, place, f"what looks like {name}")

    def _check_text(self, exchange: Exchange, place: str, text: str) -> None:
        if any(secret.is_in(text) for secret in self._secrets):
            raise _build_error(exchange, place, "a registered secret")
        if (name := find_token(text)) is not None:
            raise _build_error(exchange, place, f"what looks like {name}")

    def _may_contain_secret(self, text: str) -> bool:
        """Whether the slower check of each part of a text is necessary."""
        if find_token(text) is not None:
            return True
        lowered = text.lower() if self._secrets else ""
        return any(secret.may_be_in(text, lowered) for secret in self._secrets)


class _RegisteredSecret:
    """A secret, searched in every escaping and in base64."""

    def __init__(self, text: str) -> None:
        self._plain = UnescapedText.from_text(text).text
        self._longest_run = max(
            _ALPHANUMERIC.findall(text.lower()), key=len, default=""
        )
        self._base64 = [
            encoded
            for encoded in _encode_base64(text.encode())
            if len(encoded) >= _MIN_BASE64_LENGTH
        ]
        self._bytes = [
            spelled.encode(encoding)
            for spelled in (text, quote(text, safe=""))
            for encoding in _ENCODINGS
        ]
        word = rf"(?<![^\W_]){re.escape(self._plain)}(?![^\W_])"
        is_short = len(self._plain) < _MIN_SUBSTRING_LENGTH
        self._word = re.compile(word) if is_short else None

    def may_be_in(self, text: str, lowered: str) -> bool:
        """Whether a text may contain the secret; a fast check without unescaping."""
        return self._longest_run in lowered or self._is_in_base64(text)

    def is_in(self, text: str) -> bool:
        """Whether a text contains the secret."""
        if not self.may_be_in(text, text.lower()):
            return False
        plain = UnescapedText.from_text(text).text
        if self._word is not None:
            is_found = self._word.search(plain) is not None
        else:
            is_found = bool(self._plain) and self._plain in plain
        return is_found or self._is_in_base64(text)

    def is_in_bytes(self, content: bytes) -> bool:
        """Whether bytes contain the secret."""
        encoded = (
            text.encode(encoding) for text in self._base64 for encoding in _ENCODINGS
        )
        return any(part in content for part in (*self._bytes, *encoded))

    def _is_in_base64(self, text: str) -> bool:
        return any(encoded in text for encoded in self._base64)


def _encode_base64(data: bytes) -> Iterator[str]:
    """Encode bytes at each of the three offsets that they may have in base64."""
    for shift in range(3):
        whole = base64.b64encode(bytes(shift) + data).decode()
        start = (shift * 8 + 5) // 6
        end = (shift + len(data)) * 8 // 6
        yield whole[start:end]
        yield whole[start:end].replace("+", "-").replace("/", "_")


def _build_error(exchange: Exchange, place: str, problem: str) -> RecordingError:
    advice = "add a Rule with a pattern for it, or an alias for its text"
    if place.startswith("file "):
        advice = "no Rule changes the bytes of a file, so do not record this request"
    elif match := _KEYED_PLACE.search(place):
        advice = (
            f"add a Rule(kind=…, keys=({match[1]!r},)) or a Rule with a pattern for it,"
            " or an alias for its text"
        )
    return RecordingError(
        f"not saved: {exchange.name}.json would contain {problem} in {place}; {advice}"
    )


def _list_other_texts(exchange: Exchange) -> Iterator[PlacedText]:
    """List all texts of an exchange outside of its bodies."""
    question = exchange.question
    yield "operation", question.operation
    yield "request.path", question.path
    yield "request.url", question.url
    yield "request.owner", question.owner
    for key, text in question.query:
        yield f"request.query.{key}", f"{key}={text}"
    for name, text in exchange.answer.headers.items():
        yield f"response.headers.{name}", text


def _list_body_texts(
    part: str, body: Body | None, may_contain_secret: Callable[[str], bool]
) -> Iterator[PlacedText]:
    match body:
        case Json():
            if may_contain_secret(body.raw.decode()):
                yield from _list_json_texts(f"{part}.json $", body.value)
        case Text():
            yield f"{part}.text", body.text
        case FormData():
            for form_part in body.parts:
                text = f"{form_part.text or ''}\n{form_part.file or ''}"
                yield f"{part}.form.{form_part.name}", text
        case Blob() | None:
            pass


def _list_json_texts(root: str, value: Any) -> Iterator[PlacedText]:
    tasks: list[tuple[str, Any]] = [(root, value)]
    while tasks:
        place, current = tasks.pop()
        if isinstance(current, Mapping):
            for key, inner in current.items():
                yield f"{place}.{key}", str(key)
                tasks.append((f"{place}.{key}", inner))
        elif isinstance(current, list):
            tasks += (
                (f"{place}[{index}]", inner) for index, inner in enumerate(current)
            )
        elif current is not None and not isinstance(current, bool):
            yield place, str(current)
