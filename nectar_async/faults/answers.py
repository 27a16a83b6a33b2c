"""Effects that answer instead of the server."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache
from typing import Any, Final

import anyio.to_thread
from attrs import Attribute, field, frozen

from nectar_async._http.clock import Clock
from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async._json.json_text import encode_json
from nectar_async.errors import ConfigurationError
from nectar_async.faults.fault import Proceed, check_whole

__all__ = ["Answer", "Empty", "ExpireLink", "GzipBomb", "Html", "SendAway"]

_JSON: Final = {"content-type": "application/json"}
_STATUSES: Final = range(200, 600)
_FORBIDDEN: Final = 403
_RELATIVE_WAIT: Final = re.compile(r"in ([0-9]+) seconds?")
_ORIGIN: Final = re.compile(r"^\w+://[^/?#]*")
# RFC 1952: magic number, deflate, no flags, no time, unknown operating system.
_GZIP_HEADER: Final = bytes.fromhex("1f8b08000000000000ff")
_RAW_DEFLATE: Final = -15
_MEBIBYTE: Final = 1024 * 1024


@frozen
class Answer:
    """Answer with a status, and any headers and body.

    ```python
    Answer(429, retry_after=2)  # seconds
    Answer(429, retry_after="in 2 seconds")  # a date, that many seconds from now
    Answer(429, retry_after=datetime(2026, 1, 1, 0, 5, tzinfo=UTC))
    Answer(429, retry_after="soon")  # not valid in HTTP
    ```
    """

    status: int = field()
    retry_after: float | str | datetime | None = field(default=None, kw_only=True)
    """The header `Retry-After`. A number is sent as seconds, an aware datetime as an
    HTTP date, and `in n seconds` as the HTTP date n seconds after the clock's time.
    Other text is sent unchanged."""
    headers: Mapping[str, str] = field(factory=dict, kw_only=True)
    body: bytes | None = field(default=None, kw_only=True)
    """None for a JSON object with a `detail`, as the contract describes it."""

    @status.validator
    def _check_status(self, _: Attribute[Any], value: object) -> None:
        if not isinstance(value, int) or value not in _STATUSES:
            raise ConfigurationError(
                f"status must be a whole number from 200 to 599, not {value!r}"
            )

    @retry_after.validator
    def _check_retry_after(self, _: Attribute[Any], value: object) -> None:
        if isinstance(value, datetime) and value.tzinfo is None:
            raise ConfigurationError(
                f"retry_after must be an aware datetime, not {value!r}: add tzinfo=UTC"
            )

    async def apply(self, _request: Request[Any], proceed: Proceed, /) -> Response:
        """Build the response."""
        body = encode_json({"detail": f"Scripted answer {self.status}."})
        wait = _build_retry_after(self.retry_after, proceed.clock)
        headers = {name.lower(): text for name, text in self.headers.items()}
        return Response(
            self.status,
            {**_JSON, **wait, **headers},
            body if self.body is None else self.body,
        )


@frozen
class Html:
    """Answer with an HTML page, as a proxy, a login or a maintenance page does."""

    status: int = 200

    async def apply(self, _request: Request[Any], _proceed: Proceed, /) -> Response:
        """Build the page."""
        body = (
            f"<!DOCTYPE html>\n<html><head><title>{self.status}</title></head>"
            f"<body><h1>{self.status}</h1><hr>nginx</body></html>\n"
        )
        headers = {"content-type": "text/html; charset=utf-8"}
        return Response(self.status, headers, body.encode())


@frozen
class Empty:
    """Answer with an empty body, by default with status 200."""

    status: int = 200

    async def apply(self, _request: Request[Any], _proceed: Proceed, /) -> Response:
        """Build the response."""
        return Response(self.status, _JSON)


@frozen(kw_only=True)
class SendAway:
    """Redirect to the same path of another server, or to the same URL again."""

    origin: str = ""
    """The other server, as `http://host:port`; empty for the same server."""
    status: int = 307

    async def apply(self, request: Request[Any], _proceed: Proceed, /) -> Response:
        """Build the redirect."""
        target = _ORIGIN.sub("", request.url)
        return Response(self.status, {"location": f"{self.origin}{target}"})


@frozen
class ExpireLink:
    """Answer 403, as a file host does when a link has expired."""

    async def apply(self, _request: Request[Any], _proceed: Proceed, /) -> Response:
        """Build the response."""
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code>'
            "<Message>The link has expired.</Message></Error>"
        )
        headers = {"content-type": "application/xml"}
        return Response(_FORBIDDEN, headers, body.encode())


@frozen(kw_only=True)
class GzipBomb:
    """Answer with a small body that decompresses to `size` bytes of spaces."""

    size: int = field(default=1024 * _MEBIBYTE, validator=check_whole(0))
    status: int = 200

    async def apply(self, _request: Request[Any], _proceed: Proceed, /) -> Response:
        """Build the response."""
        # In a thread, and not one of the application's: the checksum takes a while.
        body = await anyio.to_thread.run_sync(
            _build_bomb, self.size, limiter=anyio.CapacityLimiter(1)
        )
        return Response(self.status, {**_JSON, "content-encoding": "gzip"}, body)


@lru_cache(maxsize=8)
def _build_bomb(size: int) -> bytes:
    # A full flush ends each block, so one compressed mebibyte can be repeated.
    blank = b" " * _MEBIBYTE
    count, remainder = divmod(size, _MEBIBYTE)
    packer = zlib.compressobj(wbits=_RAW_DEFLATE)
    block = packer.compress(blank) + packer.flush(zlib.Z_FULL_FLUSH)
    packer = zlib.compressobj(wbits=_RAW_DEFLATE)
    end = packer.compress(blank[:remainder]) + packer.flush()
    checksum = 0
    for _ in range(count):
        checksum = zlib.crc32(blank, checksum)
    checksum = zlib.crc32(blank[:remainder], checksum)
    trailer = struct.pack("<LL", checksum, size % (1 << 32))
    return b"".join((_GZIP_HEADER, block * count, end, trailer))


def _build_retry_after(
    wait: float | str | datetime | None, clock: Clock
) -> Mapping[str, str]:
    """Build `Retry-After`; for `in N seconds` a date, with the present in `Date`."""
    if wait is None:
        return {}
    if isinstance(wait, datetime):
        return {"retry-after": _format_date(wait)}
    if isinstance(wait, str) and (match := _RELATIVE_WAIT.fullmatch(wait)) is not None:
        now = clock.now()
        until = now + timedelta(seconds=int(match[1]))
        return {"retry-after": _format_date(until), "date": _format_date(now)}
    return {"retry-after": str(wait)}


def _format_date(moment: datetime) -> str:
    return format_datetime(moment.astimezone(UTC), usegmt=True)
