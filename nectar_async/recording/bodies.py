"""Bodies as a recording stores them: JSON, text, multipart forms and binary files."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from email import message_from_bytes
from email.message import Message
from typing import Any, Final

import msgspec
from attrs import field, frozen

from nectar_async._http.response import Response, convert_to_utf8
from nectar_async._json.cooperative import run_at_once
from nectar_async._json.damaged_json import repair_json
from nectar_async._json.json_text import parse_json
from nectar_async._json.scalars import MisfitError

__all__ = [
    "UNKNOWN_SUFFIX",
    "Blob",
    "Body",
    "FormData",
    "FormPart",
    "Json",
    "Text",
    "parse_body",
    "sha256_hex",
]

UNKNOWN_SUFFIX: Final = ".bin"
"""The suffix of bytes whose media type has none in the table."""

_SORTED: Final = msgspec.json.Encoder(decimal_format="number", order="sorted")

_SUFFIXES: Final[Mapping[str, str]] = {
    "application/pdf": ".pdf",
    "application/zip": ".zip",
    "application/octet-stream": UNKNOWN_SUFFIX,
    "image/jpeg": ".jpg",
    "image/png": ".png",
}

# A bracket or quote behind white space, a byte order mark, and the NULs of UTF-16.
_JSON_START: Final = re.compile(rb"[\s\0\xef\xbb\xbf\xfe\xff]*+[\[{\"]")
_TEXT_TYPE: Final = re.compile(r"text/|.*(json|xml|urlencoded|javascript)")


@frozen
class Json:
    """A JSON body, stored as encoded bytes."""

    raw: bytes = field(repr=False)

    @classmethod
    def of(cls, value: Any) -> Json:
        """Encode a JSON value with sorted keys; numbers keep all their digits."""
        return cls(_SORTED.encode(value))

    @property
    def value(self) -> Any:
        """The decoded value; numbers with a decimal point are `Decimal`."""
        return parse_json(self.raw)

    def data(self) -> bytes:
        """The bytes to send."""
        return self.raw


@frozen
class Text:
    """A text that is not valid JSON, such as an HTML page."""

    text: str = field(repr=False)

    def data(self) -> bytes:
        """The bytes to send."""
        return self.text.encode()


@frozen
class Blob:
    """A binary body, stored next to the exchange in a file named by its SHA-256."""

    content: bytes = field(repr=False)
    suffix: str = UNKNOWN_SUFFIX

    @property
    def name(self) -> str:
        """The name of the file: the SHA-256 of the content, and the suffix."""
        return f"{sha256_hex(self.content)}{self.suffix}"

    def data(self) -> bytes:
        """The bytes to send."""
        return self.content


@frozen(kw_only=True)
class FormPart:
    """One part of a form: a text field, or the size and digest of a file."""

    name: str
    text: str | None = field(default=None, repr=False)
    file: str | None = None
    """The file name that was sent."""
    type: str | None = None
    sha256: str | None = None
    size: int | None = None


@frozen
class FormData:
    """A `multipart/form-data` body without its boundary, which is random.

    Of files only size and digest are stored: a recorded request is compared with later
    ones and never sent again.
    """

    parts: tuple[FormPart, ...]


Body = Json | Text | Blob | FormData


def sha256_hex(data: bytes) -> str:
    """Compute the SHA-256 of bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


def parse_body(
    data: bytes, content_type: str = "", *, is_sent: bool = True, is_file: bool = False
) -> Body | None:
    """Classify a body as JSON, text, a form or bytes; None for an empty one.

    Damaged JSON is repaired as the client repairs it, because only what was parsed can
    be redacted.

    Args:
        data: the bytes, decompressed.
        content_type: the `Content-Type` header. JSON is recognized without it.
        is_sent: whether the body belongs to a request; only those can be forms.
        is_file: whether the body is a document file or a chunk of one, which is stored
            as bytes. Everything else is parsed, so that it can be redacted.
    """
    if not data:
        return None
    media_type = content_type.partition(";")[0].strip().lower()
    if is_sent and media_type == "multipart/form-data":
        form = _parse_form(data, content_type)
        if form is not None:
            return form
    blob = Blob(data, _SUFFIXES.get(media_type, UNKNOWN_SUFFIX))
    if is_file:
        return blob
    return (
        _parse_json(data)
        or _parse_damaged_json(data, content_type.lower())
        or _parse_text(data)
        or _parse_damaged_text(data, content_type.lower())
        or blob
    )


def _parse_json(data: bytes) -> Json | None:
    """Parse a JSON body as the client does; None if it is not valid JSON.

    If a key occurs twice, the last value counts.
    """
    try:
        return Json.of(parse_json(data))
    except (MisfitError, ValueError, RecursionError):
        return None


def _parse_damaged_json(data: bytes, content_type: str) -> Json | None:
    """Parse JSON in any charset, with values that only the repair can read."""
    if "json" not in content_type and not _JSON_START.match(data):
        return None
    converted = _convert(data, content_type)
    return _parse_json(converted) or _parse_json(_repair(converted))


def _parse_damaged_text(data: bytes, content_type: str) -> Text | None:
    """Decode a text with bytes that are no characters, if it is meant to be a text."""
    if not _TEXT_TYPE.match(content_type) and not _JSON_START.match(data):
        return None
    return Text(_repair(_convert(data, content_type)).decode())


def _convert(data: bytes, content_type: str) -> bytes:
    return convert_to_utf8(Response(200, {"content-type": content_type}, data)).body


def _repair(data: bytes) -> bytes:
    return run_at_once(repair_json(data)).text


def _parse_text(data: bytes) -> Text | None:
    """Decode UTF-8 text; None if the bytes are not UTF-8 or contain a NUL."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    return Text(text) if "\x00" not in text else None


def _parse_form(data: bytes, content_type: str) -> FormData | None:
    """Parse a multipart body; None if it is malformed."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode("utf-8", "surrogateescape")
    message = message_from_bytes(head + data)
    if not message.is_multipart() or message.defects:
        return None
    parts = [part for part in message.walk() if not part.is_multipart()]
    return FormData(tuple(map(_parse_part, parts)))


def _parse_part(part: Message) -> FormPart:
    """Convert a part of a parsed form to a text field or a described file."""
    name, file = (_parse_disposition(part, key) for key in ("name", "filename"))
    payload = part.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else b""
    text = _parse_text(content) if file is None else None
    if text is not None:
        return FormPart(name=name or "", text=text.text)
    return FormPart(
        name=name or "",
        file=file,
        type=part.get("Content-Type"),
        sha256=sha256_hex(content),
        size=len(content),
    )


def _parse_disposition(part: Message, key: str) -> str | None:
    """Read a parameter of the Content-Disposition header of a form part."""
    raw = next(
        (
            text
            for name, text in part.raw_items()
            if name.lower() == "content-disposition"
        ),
        "",
    )
    # Headers of form parts are UTF-8; the email parser keeps it as surrogates.
    head = Message()
    text = str(raw).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    head["Content-Disposition"] = text
    value = head.get_param(key, header="Content-Disposition")
    if isinstance(value, tuple):  # RFC 2231: charset, language, text
        return value[2]
    return value
