"""A server in a thread of its own, so that any loop and none may ask it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

__all__ = ["COMPANY", "Host", "hosting"]

COMPANY = {"id": "c", "name": "C"}

_CLIENT_IS_GONE_SECONDS = 5.0


class Host(ThreadingHTTPServer):
    """Answers with a company, and counts what comes.

    Args:
        status: of every answer.
        halves: how many answers stop in the middle of their body.
        each_connection: how many requests a connection is good for; at the next one it
            closes without an answer.
    """

    request_queue_size = 128

    def __init__(
        self, *, status: int = 200, halves: int = 0, each_connection: int | None = None
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = status
        self.halves = halves
        self.each_connection = each_connection
        self.is_over = threading.Event()
        self.halves_sent = threading.Semaphore(0)
        self.connections = 0
        self.heads: list[str] = []
        """Request lines, one a request."""
        self.lock = threading.Lock()

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients go away in the middle here; that is what the tests are about."""

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout: ClassVar[float | None] = _CLIENT_IS_GONE_SECONDS

    def setup(self) -> None:
        super().setup()
        assert isinstance(self.server, Host)
        self.host = self.server
        self.answered = 0
        with self.host.lock:
            self.host.connections += 1

    def do_GET(self) -> None:
        host = self.host
        with host.lock:
            host.heads.append(self.requestline)
            is_half = host.halves > 0
            host.halves -= is_half
        if self.answered == host.each_connection:
            self.close_connection = True
            return
        self.answered += 1
        body = json.dumps(COMPANY).encode()
        self.send_response(host.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body) + 500 * is_half))
        self.end_headers()
        self.wfile.write(body)
        if is_half:
            host.halves_sent.release()
            host.is_over.wait(_CLIENT_IS_GONE_SECONDS)
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def hosting(
    *, status: int = 200, halves: int = 0, each_connection: int | None = None
) -> Iterator[Host]:
    """A server on loopback."""
    host = Host(status=status, halves=halves, each_connection=each_connection)
    thread = threading.Thread(target=host.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield host
    finally:
        host.is_over.set()
        host.shutdown()
        host.server_close()
        thread.join()
