"""An HTTP server in a thread, independent of any event loop."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

__all__ = ["COMPANY", "CountingServer", "run_server"]

COMPANY = {"id": "c", "name": "C"}

_CLIENT_TIMEOUT = 5.0


class CountingServer(ThreadingHTTPServer):
    """Answers with a company, and counts connections and requests.

    Args:
        status: the status of every answer.
        halves: how many answers stop in the middle of their bodies.
        each_connection: how many requests a connection serves; it closes at the next
            one without an answer.
    """

    request_queue_size = 128

    def __init__(
        self, *, status: int = 200, halves: int = 0, each_connection: int | None = None
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = status
        self.halves = halves
        self.each_connection = each_connection
        self.is_ended = threading.Event()
        self.halves_sent = threading.Semaphore(0)
        self.connections = 0
        self.request_lines: list[str] = []
        """The request line of each request."""
        self.passwords = 0
        """How many requests had an `Authorization`."""
        self.lock = threading.Lock()

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore errors: the tests end clients in the middle of an answer."""

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout: ClassVar[float | None] = _CLIENT_TIMEOUT

    def setup(self) -> None:
        super().setup()
        assert isinstance(self.server, CountingServer)
        self.counting_server = self.server
        self.answered = 0
        with self.counting_server.lock:
            self.counting_server.connections += 1

    def do_GET(self) -> None:
        server = self.counting_server
        with server.lock:
            server.request_lines.append(self.requestline)
            server.passwords += "Authorization" in self.headers
            is_half = server.halves > 0
            server.halves -= is_half
        if self.answered == server.each_connection:
            self.close_connection = True
            return
        self.answered += 1
        body = json.dumps(COMPANY).encode()
        self.send_response(server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body) + 500 * is_half))
        self.end_headers()
        self.wfile.write(body)
        if is_half:
            server.halves_sent.release()
            server.is_ended.wait(_CLIENT_TIMEOUT)
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Discard log messages, which the base class writes to stderr."""


@contextmanager
def run_server(
    *, status: int = 200, halves: int = 0, each_connection: int | None = None
) -> Iterator[CountingServer]:
    """Run a server on loopback while the block runs."""
    server = CountingServer(
        status=status, halves=halves, each_connection=each_connection
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.is_ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
