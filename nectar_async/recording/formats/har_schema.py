"""The schema of HAR 1.2 files, as far as recordings need it.

The format is defined at http://www.softwareishard.com/blog/har-12-spec/. Tools omit
required fields, and write null or numbers for text. So fields that are not needed may
be missing, and unknown fields are ignored.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from nectar_async.errors import RecordingError
from nectar_async.recording.formats.traffic_json import decode_text, load_traffic

__all__ = [
    "HarContent",
    "HarEntry",
    "HarNote",
    "HarPair",
    "HarParam",
    "HarPostData",
    "HarResponse",
    "convert_entry",
    "parse_har",
]

_LooseText = str | int | float | bool | None
"""A value that the format defines as text."""


class HarNote(msgspec.Struct, kw_only=True, omit_defaults=True, rename="camel"):
    """The field `_nectar` of an exported entry, with facts that HAR cannot express."""

    operation: str
    owner: str = ""
    is_file: bool = False
    asked: str = ""
    """The kind of the request body: `json`, `text`, `form`, or a file suffix such as
    `.pdf`."""
    answered: str = ""
    """The kind of the response body."""


class HarPair(msgspec.Struct):
    """A header, a cookie or a query parameter."""

    name: _LooseText = ""
    value: _LooseText = ""


class HarParam(
    msgspec.Struct,
    rename={
        "file": "fileName",
        "type": "contentType",
        "sha256": "_sha256",
        "size": "_size",
    },
):
    """A field of a form; this package adds the last two fields."""

    name: str = ""
    value: _LooseText = None
    file: str | None = None
    type: str | None = None
    sha256: str | None = None
    size: int | None = None


class HarPostData(msgspec.Struct, rename={"type": "mimeType"}):
    """The body of a request: as text, or as form fields."""

    type: str | None = None
    text: str | None = None
    params: list[HarParam] | None = None
    comment: _LooseText = None


class HarContent(msgspec.Struct, rename={"type": "mimeType", "file": "_file"}):
    """The body of a response."""

    size: float | None = None
    type: str | None = None
    text: str | None = None
    encoding: str | None = None
    comment: _LooseText = None
    file: Any = None
    """The file that Playwright saves the body to with `content: 'attach'`."""


class HarRequest(
    msgspec.Struct,
    rename={"body": "postData", "query": "queryString", "body_size": "bodySize"},
):
    """A request."""

    method: str
    url: str
    headers: list[HarPair] | None = None
    cookies: list[HarPair] | None = None
    query: list[HarPair] | None = None
    body: HarPostData | None = None
    body_size: float | None = None


class HarResponse(
    msgspec.Struct,
    rename={"error": "_error", "fetched": "_fetchType", "body_size": "bodySize"},
):
    """A response.

    Chrome writes under `_error` why there is none, and Safari under `_fetchType` where
    it comes from.
    """

    status: int
    headers: list[HarPair] | None = None
    cookies: list[HarPair] | None = None
    content: HarContent | None = None
    body_size: float | None = None
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
    """A request with its response.

    Chrome writes `_fromCache` if no request was sent, and the type of resource under
    `_resourceType`.
    """

    request: HarRequest
    response: HarResponse | None = None
    started: str | None = None
    cached: Any = None
    kind: str | None = None
    note: HarNote | None = None


class _Log(msgspec.Struct):
    entries: list[Any]


class _Har(msgspec.Struct):
    log: _Log


_DEPTH: Final = 5
"""How many lists and objects are around the parts of a request."""


def parse_har(data: bytes) -> list[Any]:
    """Decode the entries of a HAR file as plain values.

    Entries of other hosts may have any form, so they are not validated here.

    Raises:
        RecordingError: it is not HAR; the message has the place.
    """
    value = load_traffic(decode_text(data), "HAR", depth=_DEPTH)
    try:
        return msgspec.convert(value, _Har, strict=False).log.entries
    except msgspec.ValidationError as error:
        raise RecordingError(f"the file is not HAR: {error}") from None


def convert_entry(value: Any) -> HarEntry:
    """Convert a plain value to an entry.

    Raises:
        ValidationError: it is not an entry; the message has the place within it.
    """
    return msgspec.convert(value, HarEntry, strict=False)
