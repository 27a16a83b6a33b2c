"""The status check: which answers pass, and the error of every other one."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any, Final, Self

from attrs import evolve, frozen

from nectar_async._http.clock import Clock
from nectar_async._http.redact import concealer
from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async._http.statistics import Counters
from nectar_async._http.transport import Send
from nectar_async.errors import (
    ConnectionFailedError,
    RateLimitedError,
    StatusError,
    TransportError,
)

__all__ = ["REDIRECTS", "CheckFile", "CheckStatus", "Span", "is_packed"]

REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_TAKEN: Final = REDIRECTS | {
    HTTPStatus.OK,
    HTTPStatus.PARTIAL_CONTENT,
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
}
_RANGE: Final = re.compile(
    r"bytes (?:(\d+)-(\d+)|\*)/(?:(\d+)|\*)", re.ASCII | re.IGNORECASE
)

# What a body is unpacked from. Stores keep other words as they were given them on the
# way in (`aws-chunked`, `utf-8`, `binary`): those say nothing of these bytes.
_PACKINGS: Final = frozenset(
    {"br", "compress", "deflate", "gzip", "x-compress", "x-gzip", "zstd"}
)


@frozen
class CheckStatus:
    """Lets 2xx through and raises the error of every other status."""

    clock: Clock
    counters: Counters

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        """Send it and judge the status."""
        response = await send(request)
        self.counters.bytes_received += len(response.body)
        if not response.is_success:
            # Before an error keeps some of it: who cuts a secret leaves a part of it.
            hide = concealer(request.operation, request.json)
            response = response.rewritten(hide)
        try:
            response.check(self.clock.now())
        except RateLimitedError:
            self.counters.rate_limited += 1
            raise
        return response


@frozen
class Span:
    """What a `Content-Range` says: bytes from `start` to before `stop` of `total`."""

    start: int
    stop: int
    total: int | None

    @classmethod
    def of(cls, response: Response) -> Self | None:
        """The span of an answer; None when it has none or one that cannot be.

        Where nothing could be given (`bytes */120`), it is empty and at the end.
        """
        text = response.headers.get("content-range", "").strip()
        found = _RANGE.fullmatch(text)
        if found is None:
            return None
        first, last, size = found.groups()
        total = None if size is None else int(size)
        if first is None:
            return None if total is None else cls(total, total, total)
        start, stop = int(first), int(last) + 1
        if start >= stop or (total is not None and stop > total):
            return None
        return cls(start, stop, total)


def is_packed(response: Response) -> bool:
    """Whether its bytes are those of a packed form, although nobody asked for one."""
    return bool(_packings(response))


def _packings(response: Response) -> str:
    said = response.headers.get("content-encoding", "").lower().split(",")
    return ", ".join(word for one in said if (word := one.strip()) in _PACKINGS)


@frozen
class CheckFile:
    """Judges what a file host answers; it stands where `CheckStatus` does for the API.

    Lets 200, 206, 416 and redirects through, and raises the error of any other status
    without a word of what was said.
    """

    clock: Clock
    counters: Counters

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        """Send it and judge status and length."""
        response = await send(request)
        self.counters.bytes_received += len(response.body)
        if response.status not in _TAKEN:
            raise self._refused(response)
        if _is_cut(response):
            raise ConnectionFailedError("the answer of the file host broke off")
        if response.status == HTTPStatus.OK:
            return _unpacked(response, request.max_body_bytes)
        return response

    def _refused(self, response: Response) -> StatusError:
        said = ("retry-after", "date")
        headers = {name: response.headers.get(name, "") for name in said}
        error = StatusError(f"{response.status}", status=response.status)
        try:
            Response(response.status, headers).check(self.clock.now())
        except StatusError as known:
            error = known.with_traceback(None)
        # The rest of the words is advice about the API and its key.
        words = error.message.partition(":")[0]
        error.message = f"the file host answered {words}"
        error.args = (error.message,)
        return error


def _is_cut(response: Response) -> bool:
    """Whether fewer or more bytes came than the headers say."""
    if response.status not in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}:
        return False
    size = len(response.body)
    said = response.headers.get("content-length", "").strip()
    if said.isascii() and said.isdigit() and int(said) != size:
        return True
    if response.status != HTTPStatus.PARTIAL_CONTENT:
        return False
    span = Span.of(response)
    return span is not None and span.stop - span.start != size


def _unpacked(response: Response, limit: int | None) -> Response:
    lost = ("content-encoding", "content-length")
    kept = {name: text for name, text in response.headers.items() if name not in lost}
    packed = evolve(response, headers={**kept, "content-encoding": _packings(response)})
    try:
        return evolve(response, headers=kept, body=packed.inflated(limit))
    except TransportError as error:
        failure = error.with_traceback(None)  # in its frames is the body
    failure.__cause__ = failure.__context__ = None
    raise failure
