"""Check the answers of file hosts: their status, length, range and compression."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any, Final, Self

from attrs import evolve, frozen

from nectar_async._http.clock import Clock
from nectar_async._http.compression import decompress_body, replace_body
from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async._http.statistics import Counters
from nectar_async._http.status import raise_for_status
from nectar_async._http.transport import Send
from nectar_async.errors import ConnectionFailedError, StatusError, TransportError

__all__ = ["REDIRECTS", "CheckFile", "ContentRange", "is_compressed"]

REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_FILE_STATUSES: Final = REDIRECTS | {
    HTTPStatus.OK,
    HTTPStatus.PARTIAL_CONTENT,
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
}

_CONTENT_RANGE: Final = re.compile(
    r"bytes (?:(\d{1,18})-(\d{1,18})|\*)/(?:(\d{1,18})|\*)", re.ASCII | re.IGNORECASE
)

# The encodings that compress. Object stores also return values that a file was uploaded
# with (`aws-chunked`, `utf-8`, `binary`); those do not change the bytes.
_COMPRESSIONS: Final = frozenset(
    {"br", "compress", "deflate", "gzip", "x-compress", "x-gzip", "zstd"}
)


@frozen
class CheckFile:
    """Check the status and length of a file host's answer, in place of `CheckStatus`.

    Let 200, 206, 416 and redirects pass. Raise the error of any other status, without
    any text of the file host.
    """

    clock: Clock
    counters: Counters

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        """Send the request; check the status and the length of its answer."""
        response = await send(request)
        self.counters.bytes_received += len(response.body)
        if response.status not in _FILE_STATUSES:
            raise self._build_error(response)
        if _is_truncated(response):
            raise ConnectionFailedError("the answer of the file host is truncated")
        if response.status == HTTPStatus.OK:
            return _decompress_file(response, request.max_body_bytes)
        return response

    def _build_error(self, response: Response) -> StatusError:
        names = ("retry-after", "date")
        headers = {name: response.headers.get(name, "") for name in names}
        error = StatusError(f"{response.status}", status=response.status)
        try:
            raise_for_status(Response(response.status, headers), self.clock.now())
        except StatusError as specific:
            error = specific.with_traceback(None)
        # The advice after the colon is about the API and its key, not about files.
        status = error.message.partition(":")[0]
        error.message = f"the file host answered {status}"
        error.args = (error.message,)
        return error


@frozen
class ContentRange:
    """A parsed `Content-Range`: bytes from `start` to before `stop` of `total`."""

    start: int
    stop: int
    total: int | None

    @classmethod
    def parse(cls, response: Response) -> Self | None:
        """Parse the header of an answer; None if it is missing or not valid.

        The range of an answer without content (`bytes */120`) is empty and at the end.
        """
        text = response.headers.get("content-range", "").strip()
        match = _CONTENT_RANGE.fullmatch(text)
        if match is None:
            return None
        first, last, size = match.groups()
        total = None if size is None else int(size)
        if first is None:
            return None if total is None else cls(total, total, total)
        start, stop = int(first), int(last) + 1
        if start >= stop or (total is not None and stop > total):
            return None
        return cls(start, stop, total)


def is_compressed(response: Response) -> bool:
    """Whether the body of a file is compressed, although that was not asked for."""
    return bool(_find_compressions(response))


def _find_compressions(response: Response) -> str:
    """The value of `Content-Encoding` with nothing but compressions."""
    encodings = response.headers.get("content-encoding", "").lower().split(",")
    stripped = (encoding.strip() for encoding in encodings)
    return ", ".join(encoding for encoding in stripped if encoding in _COMPRESSIONS)


def _is_truncated(response: Response) -> bool:
    """Whether the body has fewer or more bytes than the headers say."""
    if response.status not in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}:
        return False
    size = len(response.body)
    length = response.headers.get("content-length", "").strip()
    if length.isascii() and length.isdigit() and int(length[:20]) != size:
        return True
    if response.status != HTTPStatus.PARTIAL_CONTENT:
        return False
    content_range = ContentRange.parse(response)
    return (
        content_range is not None and content_range.stop - content_range.start != size
    )


def _decompress_file(response: Response, limit: int | None) -> Response:
    headers = {**response.headers, "content-encoding": _find_compressions(response)}
    try:
        body = decompress_body(evolve(response, headers=headers), limit)
    except TransportError as error:
        raise error.with_traceback(None) from None  # its frames hold the body
    return replace_body(response, body)
