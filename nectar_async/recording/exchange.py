"""One exchange: what was asked for, and what was answered. And how it is found again.

Two exchanges with the same key are the same question, asked twice; their answers are
given in the order in which they were recorded. Headers are not in the key, but for
`Range`: the chunks of a file differ in nothing else.
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
from nectar_async.recording.bodies import Blob, Body, FormData, Json, Text, parse_body

__all__ = ["Exchange", "Question", "RecordedAnswer", "build_question"]

Pairs = tuple[tuple[str, str], ...]

# All else a host says with its answers differs each time, or is nobody's business.
_KEPT_HEADERS: Final = (
    "accept-ranges",
    "content-range",
    "content-type",
    "etag",
    "location",
    "retry-after",
)

_SAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_OWNER: Final = 48
_SHORT: Final = 8


@frozen(kw_only=True)
class Question:
    """What was asked for, free of host, version and key."""

    operation: str
    """The contract's operation id, or a name made of verb and path."""
    method: str
    path: str = ""
    """Below the version, as `/company/3b1e`; empty where `url` says all."""
    url: str = field(default="", repr=False)
    """Of a file: its whole address."""
    query: Pairs = ()
    """Wire keys and text, sorted."""
    range: str | None = None
    """Of a chunk of a file: `bytes=0-4194303`."""
    body: Body | None = field(default=None, repr=False)
    owner: str = ""
    """Whose it is, for people: the ids in the path."""

    @property
    def page(self) -> int | None:
        """The page that is asked for; None where none is named."""
        text = dict(self.query).get("page", "")
        return int(text) if text.isascii() and text.isdigit() else None

    @property
    def without_page(self) -> Question:
        """The list that a page belongs to: the same question about no page."""
        return evolve(self, query=tuple(one for one in self.query if one[0] != "page"))

    @property
    def key(self) -> str:
        """The same for equal questions, and only for those; SHA-256 in hex."""
        parts = (self.method, self.path or self.url, self.query, self.range)
        text = msgspec.json.encode((*parts, _canonical(self.body)))
        return hashlib.sha256(text).hexdigest()

    def __str__(self) -> str:
        query = "&".join(f"{key}={quote(text)}" for key, text in self.query)
        whereto = self.path or _plain(self.url)
        return f"{self.method} {whereto}{'?' if query else ''}{query}"


@frozen(kw_only=True)
class RecordedAnswer:
    """What was answered: status, the headers that matter, the body unpacked."""

    status: int
    headers: Mapping[str, str] = field(factory=dict)
    """Names in small letters, in order."""
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
        """What is kept of a response; a date to wait for becomes seconds from now.

        What a host of files answers with success is bytes.

        Raises:
            BodyTooLargeError: it is larger than `limit` bytes when it is unpacked.
            BodyCorruptError: it cannot be unpacked.
        """
        headers = {
            name: response.headers[name]
            for name in _KEPT_HEADERS
            if name in response.headers
        }
        if (wait := parse_retry_after(response, now)) is not None:
            headers["retry-after"] = f"{math.ceil(wait)}"
        kind = headers.get("content-type", "")
        return cls(
            status=response.status,
            headers=headers,
            body=parse_body(
                decompress_body(response, limit),
                kind,
                is_sent=False,
                is_file=is_file and response.is_success,
            ),
        )

    def as_file(self) -> RecordedAnswer:
        """The same, with a body of success as the bytes of a file."""
        body = self.body
        if not isinstance(body, Text | Json) or not Response(self.status).is_success:
            return self
        kind = self.headers.get("content-type", "")
        return evolve(self, body=parse_body(body.data(), kind, is_file=True))

    def response(self) -> Response:
        """The answer, as a transport gives it."""
        data = (
            b"" if self.body is None or isinstance(self.body, FormData) else self.body
        )
        content = data if isinstance(data, bytes) else data.data()
        return Response(self.status, self.headers, content)


@frozen(kw_only=True)
class Exchange:
    """A question and one of its answers."""

    question: Question
    answer: RecordedAnswer
    key: str
    """Of the question, without what is redacted in it; see `Redaction.key`."""
    order: int = 1
    """Which answer to its question it is, from 1."""

    @property
    def name(self) -> str:
        """What its file is called, without `.json`: for people, and unlike others."""
        number = f".{self.order}" if self.order > 1 else ""
        return f"{self.base_name}{number}"

    @property
    def base_name(self) -> str:
        """The name that all answers to its question share."""
        asked = self.question
        owner = _SAFE.sub("-", asked.owner)[:_LONGEST_OWNER].strip("-.")
        words = (
            _SAFE.sub("-", asked.operation),
            *([owner] if owner else ()),
            *([f"page-{asked.page:04}"] if asked.page is not None else ()),
            *([_SAFE.sub("-", asked.range)] if asked.range else ()),
            self.key[:_SHORT],
        )
        return ".".join(words)

    @property
    def blobs(self) -> Iterable[Blob]:
        """The bytes that lie beside it."""
        bodies = (self.question.body, self.answer.body)
        return [body for body in bodies if isinstance(body, Blob)]


def build_question(request: Request[Any], body: bytes | None = None) -> Question:
    """What a request asks.

    Args:
        request: with its `url`, as a stage or a transport has it.
        body: the bytes of its body, where that is not bytes already.
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
    """The pairs of a query, sorted."""
    return tuple(sorted(parse_qsl(text, keep_blank_values=True)))


def _canonical(body: Body | None) -> object:
    """A body as text that is equal for equal bodies."""
    match body:
        case None:
            return None
        case Json():
            return Json.of(body.value).raw.decode()
        case FormData():
            return [asdict(part) for part in body.parts]
        case _:
            return hashlib.sha256(body.data()).hexdigest()


def _plain(url: str) -> str:
    """An address without what opens it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
