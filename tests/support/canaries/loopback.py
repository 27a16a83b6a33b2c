"""A server over real HTTP that answers with canaries or fails."""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from canaries.server import build_answer, encode_json
from endpoints import ENDPOINTS

__all__ = ["BREAKS", "Loopback", "run_server"]

_FILES = b"https://files.example.com"
_PDF = b"%PDF-1.7 the file"


class Loopback:
    """Answers requests in one way, and keeps their heads and bodies in `heard`.

    Args:
        answer: answers a request.
        fails_at: a part of the URLs that `answer` applies to; others succeed.
        cancel: cancels the call, for the answers that need it.
    """

    def __init__(
        self, answer: Answer, fails_at: str, cancel: Callable[[], None]
    ) -> None:
        self._answer = answer
        self._fails_at = fails_at
        self.cancel = cancel
        self.origin = ""
        self.heard: list[str] = []
        self._writers: list[asyncio.StreamWriter] = []

    async def connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer all requests of a connection."""
        self._writers.append(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while not writer.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
                body = await reader.readexactly(int(length[1]) if length else 0)
                self.heard.append(head + body.decode())
                answer = self._answer if self._fails_at in head else success
                await answer(self, self.heard[-1], writer)
                await writer.drain()
        writer.close()

    def hang_up(self) -> None:
        """Close all connections."""
        for writer in self._writers:
            writer.close()

    def build_body(self, heard: str) -> bytes:
        """Build the successful answer with canaries; its links lead to this server."""
        method, address, _ = heard.split(" ", 2)
        path = address.partition("?")[0].removeprefix("/v2.2")
        if "/bill.pdf" in path:
            return _PDF
        for endpoint in ENDPOINTS:
            pattern = re.sub(r"\{\w+\}", "[^/]+", endpoint.path)
            if endpoint.method == method and re.fullmatch(pattern, path):
                body = encode_json(build_answer(endpoint.operation)[1])
                return body.replace(_FILES, self.origin.encode())
        raise AssertionError(f"no endpoint for {method} {path}")


Answer = Callable[[Loopback, str, asyncio.StreamWriter], Awaitable[None]]


def _build_message(status: str, body: bytes, *more: str) -> bytes:
    lines = (f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *more, "", "")
    return "\r\n".join(lines).encode() + body


async def success(server: Loopback, heard: str, writer: asyncio.StreamWriter) -> None:
    """Answer successfully."""
    body = server.build_body(heard)
    if body == _PDF:
        span = f"Content-Range: bytes 0-{len(body) - 1}/{len(body)}"
        writer.write(_build_message("206 Partial Content", body, span))
    else:
        writer.write(_build_message("200 OK", body, "Content-Type: application/json"))


async def echo(server: Loopback, heard: str, writer: asyncio.StreamWriter) -> None:
    """Answer 400 with the whole request."""
    writer.write(_build_message("400 Bad Request", encode_json({"detail": heard})))


async def redirect(server: Loopback, heard: str, writer: asyncio.StreamWriter) -> None:
    """Answer 302 with the key in the target and in a cookie."""
    key = _find_key(heard)
    writer.write(
        _build_message(
            "302 Found",
            b"",
            f"Location: /bill.pdf?X-Signature=qzsigner&k={key}",
            f"Set-Cookie: key={key}",
        )
    )


async def reset(server: Loopback, heard: str, writer: asyncio.StreamWriter) -> None:
    """Close the connection without an answer."""
    writer.transport.abort()


async def cut(server: Loopback, heard: str, writer: asyncio.StreamWriter) -> None:
    """Close the connection after half of the answer."""
    body = server.build_body(heard)
    writer.write(_build_message("200 OK", body)[: -len(body) // 2])
    await writer.drain()
    await asyncio.sleep(0)
    writer.transport.abort()


async def no_http(server: Loopback, heard: str, writer: asyncio.StreamWriter) -> None:
    """Answer with the request; it is no valid HTTP, and aiohttp's error quotes it."""
    writer.write(f"{_find_key(heard)} {heard}\r\n\r\n".encode())
    await writer.drain()
    writer.close()


async def bad_header(
    server: Loopback, heard: str, writer: asyncio.StreamWriter
) -> None:
    """Send an invalid header that contains the key."""
    writer.write(f"HTTP/1.1 200 OK\r\n{_find_key(heard)} : \x00no\r\n\r\n".encode())


async def bad_chunk(server: Loopback, heard: str, writer: asyncio.StreamWriter) -> None:
    """Send an invalid chunk size that contains the key."""
    head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    writer.write(f"{head}{_find_key(heard)}\r\n{heard}\r\n".encode())


async def bad_gzip(server: Loopback, heard: str, writer: asyncio.StreamWriter) -> None:
    """Send a body that is not compressed as its header says."""
    writer.write(_build_message("200 OK", heard.encode(), "Content-Encoding: gzip"))


async def silence(server: Loopback, heard: str, writer: asyncio.StreamWriter) -> None:
    """Send the first half of the answer and stall."""
    body = server.build_body(heard)
    writer.write(_build_message("200 OK", body)[: -len(body) // 2])


async def cancelled(server: Loopback, heard: str, writer: asyncio.StreamWriter) -> None:
    """Send the first half of the answer, stall, and cancel the call."""
    await silence(server, heard, writer)
    await writer.drain()
    for _ in range(5):
        await asyncio.sleep(0)
    server.cancel()


def _find_key(heard: str) -> str:
    match = re.search(r"x-api-key: (.+)\r", heard, re.IGNORECASE)
    return match[1] if match else "no key"


BREAKS: list[Answer] = [
    echo,
    redirect,
    reset,
    cut,
    no_http,
    bad_header,
    bad_chunk,
    bad_gzip,
    silence,
    cancelled,
]


@asynccontextmanager
async def run_server(
    server: Loopback, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Loopback]:
    """Run the server on the loopback interface."""
    listener = await asyncio.start_server(server.connected, "127.0.0.1", 0, ssl=tls)
    port = listener.sockets[0].getsockname()[1]
    server.origin = f"http{'s' if tls else ''}://127.0.0.1:{port}"
    try:
        yield server
    finally:
        listener.close()
        server.hang_up()
        await asyncio.sleep(0)
