"""One recorded exchange: a request, as a `Question`, and the answer to it.

A question is a request without host, API version and API key. Exchanges whose questions
have an equal `key` ask the same thing several times; their answers are replayed in
recorded order. Of the headers only `Range` is part of `key`, because the chunks of a
file differ in nothing else.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlsplit

import msgspec
from attrs import asdict, evolve, field, frozen

from nectar_async._http.compression import decompress_body
from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async._http.status import parse_retry_after
from nectar_async.recording.bodies import (
    Blob,
    Body,
    FormData,
    Json,
    parse_body,
    sha256_hex,
)

__all__ = ["Exchange", "Pairs", "Question", "RecordedAnswer", "build_question"]

Pairs = tuple[tuple[str, str], ...]
"""Names with their values: of headers, or of a query."""

# All other headers differ each time, or must not be in a recording.
_RECORDED_HEADERS: Final = (
    "accept-ranges",
    "content-range",
    "content-type",
    "etag",
    "location",
    "retry-after",
)

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")
_MAX_OWNER_LENGTH: Final = 48
_KEY_DIGITS: Final = 8


@frozen(kw_only=True)
class Question:
    """A request without host, API version and API key."""

    operation: str
    """The contract's operation id, or a name made of method and path."""
    method: str
    path: str = ""
    """The path below the version, such as `/company/3b1e`; empty for files."""
    url: str = field(default="", repr=False)
    """The whole URL of a file; empty for API requests."""
    query: Pairs = ()
    """Wire keys and values, sorted."""
    range: str | None = None
    """The `Range` header of a file chunk, such as `bytes=0-4194303`."""
    body: Body | None = field(default=None, repr=False)
    owner: str = ""
    """The ids in the path, joined by dots; part of the file name."""

    @property
    def page(self) -> int | None:
        """The requested page; None if the query has none."""
        text = dict(self.query).get("page", "")
        return int(text) if text.isascii() and text.isdigit() else None

    @property
    def without_page(self) -> Question:
        """The same question without its page, which identifies the whole list."""
        return evolve(
            self, query=tuple(pair for pair in self.query if pair[0] != "page")
        )

    @property
    def key(self) -> str:
        """The SHA-256 of method, path or URL, query, range and body, in hex."""
        parts = (self.method, self.path or self.url, self.query, self.range)
        text = msgspec.json.encode((*parts, _normalize_body(self.body)))
        return hashlib.sha256(text).hexdigest()

    def __str__(self) -> str:
        query = "&".join(f"{key}={quote(text)}" for key, text in self.query)
        target = self.path or _strip_query(self.url)
        return f"{self.method} {target}{'?' if query else ''}{query}"


@frozen(kw_only=True)
class RecordedAnswer:
    """A recorded response: status, relevant headers and decompressed body."""

    status: int
    headers: Mapping[str, str] = field(factory=dict)
    """Lower-case names, in a fixed order."""
    body: Body | None = field(default=None, repr=False)

    @classmethod
    def of(
        cls,
        response: Response,
        now: datetime,
        limit: int | None = None,
        *,
        is_file: bool = False,
    ) -> RecordedAnswer:
        """Convert a response to the answer that a recording stores.

        Headers that differ each time are dropped, and the body is decompressed.

        A `Retry-After` date becomes seconds from `now`. The body of a successful file
        response is stored as bytes.

        Raises:
            BodyTooLargeError: the decompressed body exceeds `limit` bytes.
            BodyCorruptError: the body cannot be decompressed.
        """
        headers = {
            name: response.headers[name]
            for name in _RECORDED_HEADERS
            if name in response.headers
        }
        if (wait := parse_retry_after(response, now)) is not None:
            headers["retry-after"] = f"{math.ceil(wait)}"
        return cls(
            status=response.status,
            headers=headers,
            body=parse_body(
                decompress_body(response, limit),
                headers.get("content-type", ""),
                is_sent=False,
                is_file=is_file and response.is_success,
            ),
        )

    def response(self) -> Response:
        """Convert the recorded answer to the `Response` that a transport returns."""
        body = self.body
        content = b"" if body is None or isinstance(body, FormData) else body.data()
        return Response(self.status, self.headers, content)


@frozen(kw_only=True)
class Exchange:
    """A question and one of its answers."""

    question: Question
    answer: RecordedAnswer
    key: str
    """The key of the question with its redacted values masked; see `Redaction.key`."""
    order: int = 1
    """The position of the answer among those to the same question, from 1."""

    @property
    def name(self) -> str:
        """The file name without `.json`; readable, and unique in a recording."""
        number = f".{self.order}" if self.order > 1 else ""
        return f"{self.base_name}{number}"

    @property
    def base_name(self) -> str:
        """The part of the name that all answers to the same question share."""
        question = self.question
        owner = _UNSAFE.sub("-", question.owner)[:_MAX_OWNER_LENGTH].strip("-.")
        parts = (
            _UNSAFE.sub("-", question.operation),
            *([owner] if owner else ()),
            *([f"page-{question.page:04}"] if question.page is not None else ()),
            *([_UNSAFE.sub("-", question.range)] if question.range else ()),
            self.key[:_KEY_DIGITS],
        )
        return ".".join(parts)

    @property
    def blobs(self) -> Iterable[Blob]:
        """The binary bodies of question and answer; each is stored in its own file."""
        bodies = (self.question.body, self.answer.body)
        return [body for body in bodies if isinstance(body, Blob)]


def build_question(request: Request[Any], body: bytes | None = None) -> Question:
    """Build the question that a request asks.

    Args:
        request: with its `url` set, as stages and transports receive it.
        body: the bytes of its body, if `request.body` is a stream.
    """
    if body is None and isinstance(request.body, bytes):
        body = request.body
    headers = {name.lower(): text for name, text in request.headers.items()}
    path = request.relative
    return Question(
        operation=request.operation,
        method=request.method,
        path=path,
        url="" if path else request.url,
        query=parse_query(urlsplit(request.url).query) if path else (),
        range=headers.get("range"),
        body=parse_body(body or b"", headers.get("content-type", "")),
        owner=".".join(request.parts.values()),
    )


def parse_query(text: str) -> Pairs:
    """Parse the query of a URL into sorted pairs."""
    return tuple(sorted(parse_qsl(text, keep_blank_values=True)))


def _normalize_body(body: Body | None) -> object:
    """Convert a body to a JSON-encodable value that is the same for equal bodies."""
    match body:
        case None:
            return None
        case Json():
            return Json.of(body.value).raw.decode()
        case FormData():
            return [asdict(part) for part in body.parts]
        case _:
            return sha256_hex(body.data())


def _strip_query(url: str) -> str:
    """Remove credentials, query and fragment of a URL: they may grant access."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
