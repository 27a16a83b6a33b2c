"""The sandbox: a Nectar of one's own, over real HTTP on loopback."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal, Self

from aiohttp import web
from attrs import evolve

from nectar_async.faults import FaultLike
from nectar_async.sandbox.generator.clock import Clock
from nectar_async.sandbox.generator.portfolio import LAST_DAY, Portfolio
from nectar_async.sandbox.handlers import sites
from nectar_async.sandbox.handlers.routes import ROUTES, Route, Router
from nectar_async.sandbox.server.control_api import ControlApi
from nectar_async.sandbox.server.faults import Faults
from nectar_async.sandbox.server.gateway import Gateway
from nectar_async.sandbox.server.listener import Listener
from nectar_async.sandbox.server.request_log import Witness
from nectar_async.sandbox.server.state import ServerState
from nectar_async.settings import Settings

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date
    from types import TracebackType

__all__ = ["API_KEY", "Sandbox"]

API_KEY = "nectar-sandbox-key"
"""What opens a sandbox unless told otherwise; it opens nothing else."""


class Sandbox:
    """A local Nectar that holds a generated portfolio.

    ```python
    async with Sandbox(companies=20, seed=7, latency=0.05) as sandbox:
        async with NectarClient(
            settings=sandbox.settings, api_key=sandbox.api_key
        ) as nectar:
            await nectar.companies.all()
    assert sandbox.witness.by_operation["companies_list"] == 1
    ```

    Args:
        companies: How many companies the portfolio has.
        seed: The same seed gives the same portfolio, byte for byte.
        latency: Seconds from a request's arrival to the first byte of its answer.
        api_key: The key that opens it.
        api_keys: Further keys.
        port: 0 takes a free one.
        faults: The first faults, each a `Fault`, an effect for every request, or a
            text as `nectar sandbox --fault` takes it; `sandbox.faults.add` adds more
            at any time.
        restricted: Ids of companies that are listed, and answer 403 otherwise;
            `sandbox.restricted` takes more at any time.
        site_list: Whether sites come as a bare array or in pages; both are allowed.
        last_day: The last day of the two years that have bills.
        clock_speed: How many seconds pass in the sandbox for each real one; its time
            begins at midnight (UTC) after `last_day`, and `sandbox.clock` moves it.
        file_bytes: How large each document's file is; None for sizes as of bills.
        ssl_context: The certificate to show; with one it speaks HTTPS.

    Raises:
        ConfigurationError: one of the faults is not valid.
    """

    def __init__(
        self,
        *,
        companies: int = 20,
        seed: int = 7,
        latency: float = 0.0,
        api_key: str = API_KEY,
        api_keys: Sequence[str] = (),
        port: int = 0,
        faults: Sequence[FaultLike] = (),
        restricted: Iterable[str] = (),
        site_list: Literal["array", "envelope"] = "array",
        last_day: date = LAST_DAY,
        clock_speed: float = 1.0,
        file_bytes: int | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self.clock: Clock = Clock(last_day, speed=clock_speed)
        self.portfolio: Portfolio = Portfolio(
            companies=companies, seed=seed, last_day=last_day, clock=self.clock
        )
        self.witness: Witness = Witness()
        self.faults: Faults = Faults(faults, seed=seed)
        self.restricted: set[str] = set(restricted)
        self._listener = Listener((api_key, *api_keys), port=port, tls=ssl_context)
        state = ServerState.empty(self.portfolio, file_bytes=file_bytes)
        gateway = Gateway(
            portfolio=self.portfolio,
            clock=self.clock,
            state=state,
            witness=self.witness,
            faults=self.faults,
            router=Router(_routes(site_list)),
            latency=latency,
            listener=self._listener,
            restricted=self.restricted,
            control_api=ControlApi(
                witness=self.witness,
                clock=self.clock,
                portfolio=self.portfolio,
                invitations=state.invitations,
            ),
        )
        self._server = web.Server(
            gateway.serve,
            access_log=None,
            # A client that leaves takes its request out of the witness's flight.
            handler_cancellation=True,
        )

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    @property
    def url(self) -> str:
        """Where it listens, without a version: `http://127.0.0.1:41234`."""
        return self._listener.url

    @property
    def api_key(self) -> str:
        """The key that opens it."""
        return self._listener.key

    @property
    def settings(self) -> Settings:
        """Settings that point a client at this sandbox."""
        return Settings(base_url=self.url)

    async def start(self) -> None:
        """Listen. A small portfolio is made first, so that no request pays for it."""
        # In a thread: the contract is read from disk, and companies take their time.
        await asyncio.to_thread(self.portfolio.warm)
        await self._listener.open(self._server)

    def rotate_key(self, key: str) -> None:
        """From now on this key opens it, and no other.

        Raises:
            ConfigurationError: the key is empty.
        """
        self._listener.rotate(key)

    def refuse(self, seconds: float) -> None:
        """Take no connection for so long, and close those that are idle.

        What is being served is served to its end; the port is the same afterwards.
        """
        self._listener.refuse(seconds)

    def kill(self) -> None:
        """Stop listening and drop every connection, as a crash would."""
        self._listener.kill()

    async def aclose(self) -> None:
        """Stop listening, and end what is still being served."""
        await self._listener.aclose()


def _routes(site_list: Literal["array", "envelope"]) -> Mapping[str, Route]:
    if site_list == "array":
        return ROUTES
    row = ROUTES["sites_list_by_company"]
    in_pages = evolve(row, handler=sites.list_by_company_in_pages)
    return {**ROUTES, "sites_list_by_company": in_pages}
