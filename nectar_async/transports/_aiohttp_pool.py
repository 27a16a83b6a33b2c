"""The connections of a session of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

__all__ = ["CleanConnector"]


class CleanConnector(aiohttp.TCPConnector):
    """Keeps connections alive, but uses none on which something came unasked.

    aiohttp would take what a broken server sent between two requests for the answer to
    the second one: the records of one company for those of another.
    """

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,
    ) -> Connection:
        """A connection from the pool on which nothing is waiting, or a new one."""
        while True:
            connection = await super().connect(req, traces, timeout)
            protocol = connection.protocol
            if protocol is None or not protocol.should_close:
                return connection
            connection.close()
