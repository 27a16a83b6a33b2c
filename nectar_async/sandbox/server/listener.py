"""The front of a sandbox: where it listens, who is inside, and which keys open it."""

from __future__ import annotations

import asyncio
import hmac
from contextlib import contextmanager
from typing import TYPE_CHECKING

from nectar_async.errors import ConfigurationError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Sequence

    from aiohttp import web

__all__ = ["Listener"]

_HOST = "127.0.0.1"
# Whoever is still being served at the end has this many seconds to be done.
_SHUTDOWN_SECONDS = 0.1


class Listener:
    """A port on loopback that opens, closes for a while, and closes for good.

    Args:
        keys: What opens the sandbox; the first one is the one to use.
        port: 0 takes a free one, which it keeps.
        tls: The certificate to show, for HTTPS.
    """

    def __init__(
        self,
        keys: Sequence[str],
        *,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._keys = list(keys)
        self._port = port
        self._tls = tls
        self._server: web.Server | None = None
        self._busy: set[object] = set()
        """Connections on which a request is being served."""
        self._listener: asyncio.Server | None = None
        self._opens_at = 0.0
        self._reopening: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where it listens: `http://127.0.0.1:41234`."""
        if self._port == 0:
            raise RuntimeError("the sandbox was not started, so it has no port yet")
        scheme = "http" if self._tls is None else "https"
        return f"{scheme}://{_HOST}:{self._port}"

    @property
    def key(self) -> str:
        """The key to use."""
        return self._keys[0]

    def knows(self, key: str) -> bool:
        """Whether a key opens the sandbox."""
        given = key.encode(errors="surrogateescape")
        # All are compared, in constant time each: how long it takes says nothing.
        matches = [hmac.compare_digest(given, known.encode()) for known in self._keys]
        return any(matches)

    def rotate(self, key: str) -> None:
        """From now on this key opens it, and no other.

        Raises:
            ConfigurationError: the key is empty.
        """
        if not key:
            raise ConfigurationError("the new key is empty")
        self._keys[:] = [key]

    async def open(self, server: web.Server) -> None:
        """Listen, and hand every connection to the server."""
        self._server = server
        await self._listen()

    def refuse(self, seconds: float) -> None:
        """Take no connection for so long; what is served now is served to its end.

        Idle connections close, and the port is the same afterwards.
        """
        loop = asyncio.get_running_loop()
        self._opens_at = max(self._opens_at, loop.time() + seconds)
        self._stop_listening()
        for connection in list(self._server.connections) if self._server else ():
            self.hang_up(connection)
        if self._reopening is not None:
            self._reopening.cancel()
        rest = self._opens_at - loop.time()
        self._reopening = loop.create_task(self._reopen(rest))

    @contextmanager
    def serving(self, connection: web.RequestHandler) -> Iterator[None]:
        """While a request is served, its connection is not idle."""
        self._busy.add(connection)
        try:
            yield
        finally:
            self._busy.discard(connection)

    def hang_up(self, connection: web.RequestHandler) -> None:
        """Close a connection: at once if it is idle, else after the present answer."""
        # aiohttp's `close` forgets the socket of a connection that waits for a request.
        if connection in self._busy:
            connection.close()
        else:
            connection.force_close()

    def kill(self) -> None:
        """Stop listening and drop every connection, as a crash would."""
        self._stay_closed()
        for connection in self._server.connections if self._server else ():
            if connection.transport is not None:
                connection.transport.abort()

    async def aclose(self) -> None:
        """Stop listening, and end what is still being served."""
        self._stay_closed()
        if self._server is not None:
            await self._server.shutdown(_SHUTDOWN_SECONDS)

    async def _listen(self) -> None:
        if self._server is None:
            return
        loop = asyncio.get_running_loop()
        # Started only when it is known here: cancelled in between, it would listen on.
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
