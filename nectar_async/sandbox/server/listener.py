"""The port on which a sandbox listens, and its connections."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

    from aiohttp import web

__all__ = ["Listener"]

_HOST = "127.0.0.1"
# How long requests may still run when the sandbox is closed.
_SHUTDOWN_SECONDS = 0.1


class Listener:
    """A port on loopback that can be closed for a while.

    Args:
        port: 0 takes a free port, and keeps it.
        tls: The certificate, for HTTPS.
    """

    def __init__(self, *, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self._port = port
        self._tls = tls
        self._server: web.Server | None = None
        self._busy: set[object] = set()
        """The connections on which a request is being served."""
        self._listener: asyncio.Server | None = None
        self._opens_at = 0.0
        self._reopening: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """The base URL: `http://127.0.0.1:41234`."""
        if self._port == 0:
            raise RuntimeError(
                "the sandbox has not been started, so it has no port yet"
            )
        scheme = "http" if self._tls is None else "https"
        return f"{scheme}://{_HOST}:{self._port}"

    async def start(self, server: web.Server) -> None:
        """Start to listen, and pass every connection to the server."""
        self._server = server
        await self._listen()

    def refuse(self, seconds: float) -> None:
        """Refuse connections for some seconds, and close the idle ones.

        Running requests are served to their end. The port stays the same.
        """
        loop = asyncio.get_running_loop()
        self._opens_at = max(self._opens_at, loop.time() + seconds)
        self._stop_listening()
        for connection in list(self._server.connections) if self._server else ():
            self.close_connection(connection)
        if self._reopening is not None:
            self._reopening.cancel()
        seconds = self._opens_at - loop.time()
        self._reopening = loop.create_task(self._reopen(seconds))

    @contextmanager
    def serving(self, connection: web.RequestHandler) -> Iterator[None]:
        """Mark a connection as busy while a request on it is served."""
        self._busy.add(connection)
        try:
            yield
        finally:
            self._busy.discard(connection)

    def close_connection(self, connection: web.RequestHandler) -> None:
        """Close a connection, at once if it is idle, else after the current reply."""
        # aiohttp's `close` leaves the socket of an idle connection open.
        if connection in self._busy:
            connection.close()
        else:
            connection.force_close()

    def kill(self) -> None:
        """Stop listening and abort every connection, as a crash would."""
        self._stay_closed()
        for connection in self._server.connections if self._server else ():
            if connection.transport is not None:
                connection.transport.abort()

    async def aclose(self) -> None:
        """Stop listening, and end the requests that are still running."""
        self._stay_closed()
        if self._server is not None:
            await self._server.shutdown(_SHUTDOWN_SECONDS)

    async def _listen(self) -> None:
        if self._server is None:
            return
        loop = asyncio.get_running_loop()
        # Serving starts only when the server is stored, so that a cancellation cannot
        # leave it open.
        self._listener = await loop.create_server(
            self._server, _HOST, self._port, ssl=self._tls, start_serving=False
        )
        self._port = self._listener.sockets[0].getsockname()[1]
        await self._listener.start_serving()

    async def _reopen(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._listen()
        self._reopening = None

    def _stay_closed(self) -> None:
        if self._reopening is not None:
            self._reopening.cancel()
            self._reopening = None
        self._stop_listening()

    def _stop_listening(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None
