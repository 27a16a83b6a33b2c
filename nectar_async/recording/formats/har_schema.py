"""The shape of a HAR 1.2 file, as far as a recording has use for it.

The format is at http://www.softwareishard.com/blog/har-12-spec/. Tools leave out what
it demands, and write null or a number for text, so what is not needed may be missing,
and what they add is passed over.
"""

from __future__ import annotations

import codecs
import json
from typing import Any, Final

import msgspec

from nectar_async.errors import RecordingError

__all__ = [
    "HarContent",
    "HarEntry",
    "HarNote",
    "HarPair",
    "HarParam",
    "HarPostData",
    "HarResponse",
    "parse_har",
]

_Loose = str | int | float | bool | None
"""What should be text."""


class HarNote(msgspec.Struct, kw_only=True, omit_defaults=True, rename="camel"):
    """What HAR cannot say of an exchange: `_nectar` of an entry that we exported."""

    operation: str
    owner: str = ""
    is_file: bool = False
    asked: str = ""
    """What the body of the request is: `json`, `text`, `form`, or the suffix of a file
    as `.pdf`."""
    answered: str = ""
    """The same of the answer's."""


class HarPair(msgspec.Struct):
    """A header, a cookie, a parameter of a query."""

    name: _Loose = ""
    value: _Loose = ""


class HarParam(
    msgspec.Struct,
    rename={
        "file": "fileName",
        "type": "contentType",
        "sha256": "_sha256",
        "size": "_size",
    },
):
    """A field of a form; the last two are ours."""

    name: str = ""
    value: _Loose = None
    file: str | None = None
    type: str | None = None
    sha256: str | None = None
    size: int | None = None


class HarPostData(msgspec.Struct, rename={"type": "mimeType"}):
    """What was sent: as text, or by field."""

    type: str | None = None
    text: str | None = None
    params: list[HarParam] | None = None


class HarContent(msgspec.Struct, rename={"type": "mimeType"}):
    """What was answered."""

    size: float | None = None
    type: str | None = None
    text: str | None = None
    encoding: str | None = None


class HarRequest(msgspec.Struct, rename={"body": "postData", "query": "queryString"}):
    """A request."""

    method: str
    url: str
    headers: list[HarPair] | None = None
    cookies: list[HarPair] | None = None
    query: list[HarPair] | None = None
    body: HarPostData | None = None


class HarResponse(msgspec.Struct, rename={"error": "_error", "fetched": "_fetchType"}):
    """An answer.

    Chrome says under `_error` why there is none, Safari under `_fetchType` where it
    comes from.
    """

    status: int
    headers: list[HarPair] | None = None
    cookies: list[HarPair] | None = None
    content: HarContent | None = None
    error: Any = None
    fetched: str | None = None


class HarEntry(
    msgspec.Struct,
    rename={
        "started": "startedDateTime",
        "cached": "_fromCache",
        "kind": "_resourceType",
        "note": "_nectar",
    },
):
    """A request and its answer.

    Chrome says under `_fromCache` that it sent none, and under `_resourceType` what the
    page wanted.
    """

    request: HarRequest
    response: HarResponse
    started: str | None = None
    cached: Any = None
    kind: str | None = None
    note: HarNote | None = None


class _Log(msgspec.Struct):
    entries: list[HarEntry]


class _Har(msgspec.Struct):
    log: _Log


_HARS: Final = msgspec.json.Decoder(_Har, strict=False)
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def parse_har(data: bytes) -> list[HarEntry]:
    """The entries of a file.

    Raises:
        RecordingError: it is no HAR; says where it is none.
    """
    text = _utf8(data)
    try:
        return _decoded(text).log.entries
    except msgspec.ValidationError as error:
        raise RecordingError(f"it is no HAR: {error}") from None
    except json.JSONDecodeError as error:
        raise RecordingError(
            f"it is no JSON: {error.msg} in line {error.lineno}, column {error.colno}"
        ) from None
    except RecursionError:
        raise RecordingError("it is no HAR: it is nested too deeply") from None


def _decoded(text: bytes) -> _Har:
    try:
        return _HARS.decode(text)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        # Half characters and NaN, in what was recorded beside the API. What is no
        # JSON to this parser either, it says by line and column.
        value = json.loads(text, parse_constant=lambda _: None)
        whole = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
        return _HARS.decode(whole)


def _utf8(data: bytes) -> bytes:
    """The text, without a byte order mark."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.removeprefix(mark).decode(encoding, "replace").encode()
    return data.decode("utf-8", "replace").encode()
