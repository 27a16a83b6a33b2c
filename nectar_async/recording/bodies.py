"""Bodies as a recording keeps them: JSON to read, text, bytes by digest, forms by part.

What is no JSON is kept as text, and what is no UTF-8 as bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from email import message_from_bytes
from email.message import Message
from typing import Any, Final

import msgspec
from attrs import field, frozen

from nectar_async._json.json import parse
from nectar_async._json.scalars import MisfitError

__all__ = [
    "Blob",
    "Body",
    "FormData",
    "FormPart",
    "Json",
    "Text",
    "parse_body",
    "sha256_hex",
]

_SORTED: Final = msgspec.json.Encoder(decimal_format="number", order="sorted")


@frozen
class Json:
    """JSON, as it stands in the file."""

    raw: bytes = field(repr=False)

    @classmethod
    def of(cls, value: Any) -> Json:
        """A value as JSON: keys in order, numbers with the digits that they have."""
        return cls(_SORTED.encode(value))

    @property
    def value(self) -> Any:
        """What it says; a number with a point is a Decimal."""
        return parse(self.raw)

    def data(self) -> bytes:
        """The bytes to send."""
        return self.raw


@frozen
class Text:
    """UTF-8 that is no JSON: an HTML page, or JSON that broke."""

    text: str = field(repr=False)

    def data(self) -> bytes:
        """The bytes to send."""
        return self.text.encode()


@frozen
class Blob:
    """Bytes, which lie beside the exchange in a file named by their SHA-256."""

    content: bytes = field(repr=False)
    suffix: str = ".bin"

    @property
    def name(self) -> str:
        """The name of the file."""
        return f"{sha256_hex(self.content)}{self.suffix}"

    def data(self) -> bytes:
        """The bytes to send."""
        return self.content


@frozen(kw_only=True)
class FormPart:
    """One part of a form: a field with its text, or a file by its digest."""

    name: str
    text: str | None = field(default=None, repr=False)
    file: str | None = None
    """The file's name, as it was sent."""
    type: str | None = None
    sha256: str | None = None
    size: int | None = None


@frozen
class FormData:
    """`multipart/form-data` without its boundary, which is another each time.

    Files that were sent are known by size and digest: a request is compared, never
    sent again.
    """

    parts: tuple[FormPart, ...]


Body = Json | Text | Blob | FormData


def sha256_hex(data: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def parse_body(
    data: bytes, content_type: str = "", *, is_sent: bool = True, is_file: bool = False
) -> Body | None:
    """How a body is kept; None for an empty one.

    Args:
        data: unpacked.
        content_type: what its headers call it. JSON is known without being called so.
        is_sent: whether it may be a form, which only requests are.
        is_file: whether it is the file of a document, or a chunk of it: bytes, then.
            Anything else is looked at first, so that it can be redacted.
    """
    if not data:
        return None
    kind = content_type.partition(";")[0].strip().lower()
    if is_sent and kind == "multipart/form-data":
        form = _form(data, content_type)
        if form is not None:
            return form
    blob = Blob(data, _SUFFIXES.get(kind, ".bin"))
    return blob if is_file else _json(data) or _text(data) or blob


_SUFFIXES: Final[Mapping[str, str]] = {
    "application/pdf": ".pdf",
    "application/zip": ".zip",
    "application/octet-stream": ".bin",
    "image/jpeg": ".jpg",
    "image/png": ".png",
}


def _json(data: bytes) -> Json | None:
    """JSON, with the last of what stands under one key, as the client reads it."""
    try:
        return Json.of(parse(data))
    except (MisfitError, ValueError, RecursionError):
        return None


def _text(data: bytes) -> Text | None:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    return Text(text) if "\x00" not in text else None


def _form(data: bytes, content_type: str) -> FormData | None:
    head = f"Content-Type: {content_type}\r\n\r\n".encode("utf-8", "surrogateescape")
    message = message_from_bytes(head + data)
    if not message.is_multipart() or message.defects:
        return None
    parts = [part for part in message.walk() if not part.is_multipart()]
    return FormData(tuple(map(_part, parts)))


def _part(part: Message) -> FormPart:
    name, file = (_named(part, key) for key in ("name", "filename"))
    payload = part.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else b""
    text = _text(content) if file is None else None
    if text is not None:
        return FormPart(name=name or "", text=text.text)
    return FormPart(
        name=name or "",
        file=file,
        type=part.get("Content-Type"),
        sha256=sha256_hex(content),
        size=len(content),
    )


def _named(part: Message, key: str) -> str | None:
    raw = next((text for name, text in part.raw_items() if _is_disposition(name)), "")
    # Headers of forms are UTF-8, which the parser keeps as surrogates.
    head = Message()
    text = str(raw).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    head["Content-Disposition"] = text
    found = head.get_param(key, header="Content-Disposition")
    if isinstance(found, tuple):  # RFC 2231: charset, language, text
        return found[2]
    return found


def _is_disposition(name: str) -> bool:
    return name.lower() == "content-disposition"
