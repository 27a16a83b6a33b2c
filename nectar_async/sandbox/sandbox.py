"""The sandbox: a local Nectar API over real HTTP on loopback."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal, Self

from aiohttp import web
from attrs import evolve

from nectar_async.faults import FaultLike
from nectar_async.sandbox.generator.portfolio import LAST_DAY, Portfolio
from nectar_async.sandbox.generator.server_clock import ServerClock
from nectar_async.sandbox.handlers import documents, sites
from nectar_async.sandbox.handlers.routes import ROUTES
from nectar_async.sandbox.server.api_keys import ApiKeys
from nectar_async.sandbox.server.control_api import ControlApi
from nectar_async.sandbox.server.entity_json import encode_rows
from nectar_async.sandbox.server.faults import Faults
from nectar_async.sandbox.server.gateway import Gateway
from nectar_async.sandbox.server.listener import Listener
from nectar_async.sandbox.server.request_log import Witness
from nectar_async.sandbox.server.router import Route, Router
from nectar_async.sandbox.server.stores import ServerState
from nectar_async.settings import Settings

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date
    from types import TracebackType

__all__ = ["API_KEY", "Sandbox"]

_GENERATED_AT_START = 200

API_KEY = "nectar-sandbox-key"
"""The default API key of a sandbox; no other server accepts it."""


class Sandbox:
    """A local Nectar API with a generated portfolio.

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
        latency: Seconds from a request's arrival to the first byte of its response.
        api_key: The accepted API key.
        api_keys: Further accepted API keys.
        port: 0 takes a free port.
        faults: The first faults, each a `Fault`, an effect for every call, or a text
            as in `nectar sandbox --fault`; `sandbox.faults.add` adds more at any time.
        restricted: Ids of companies that are listed, but whose data gives 403;
            `sandbox.restricted` can change at any time.
        site_list: Whether sites are listed in an array or in pages; the contract allows
            both.
        last_day: The last day of the two years that have bills.
        clock_speed: How many seconds pass in the sandbox for each real one; its time
            starts at the midnight (UTC) after `last_day`, and `sandbox.clock` advances
            it.
        file_bytes: The size of each document's file; None for various sizes.
        ssl_context: A TLS context with a certificate; with one it serves HTTPS.

    Raises:
        ConfigurationError: a fault is not valid, `companies` is out of range, or
            `clock_speed` is negative.
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
        self.clock: ServerClock = ServerClock(last_day, speed=clock_speed)
        self.portfolio: Portfolio = Portfolio(
            companies=companies, seed=seed, last_day=last_day, clock=self.clock
        )
        self.witness: Witness = Witness()
        self.faults: Faults = Faults(faults, seed=seed)
        self.restricted: set[str] = set(restricted)
        self._api_keys = ApiKeys((api_key, *api_keys))
        self._listener = Listener(port=port, tls=ssl_context)
        state = ServerState.create(self.portfolio, file_bytes=file_bytes)
        gateway = Gateway(
            portfolio=self.portfolio,
            state=state,
            request_log=self.witness,
            faults=self.faults,
            router=Router(_select_routes(site_list)),
            download=documents.download,
            latency=latency,
            listener=self._listener,
            api_keys=self._api_keys,
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
            # So the request of a client that disconnects is no longer in flight.
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
        """The base URL, without a version: `http://127.0.0.1:41234`."""
        return self._listener.url

    @property
    def api_key(self) -> str:
        """The API key for clients to use."""
        return self._api_keys.first

    @property
    def settings(self) -> Settings:
        """Settings that point a client at this sandbox."""
        return Settings(base_url=self.url)

    async def start(self) -> None:
        """Generate the usage of a small portfolio, and start to listen."""
        # In a thread, because the contract is read from disk and companies take long.
        await asyncio.to_thread(_generate, self.portfolio)
        await self._listener.start(self._server)

    def rotate_key(self, key: str) -> None:
        """Accept this API key from now on, and no other.

        Raises:
            ConfigurationError: the key is empty.
        """
        self._api_keys.rotate(key)

    def refuse(self, seconds: float) -> None:
        """Refuse connections for some seconds, and close the idle ones.

        Running requests are served to their end. The port stays the same.
        """
        self._listener.refuse(seconds)

    def kill(self) -> None:
        """Stop listening and abort every connection, as a crash would."""
        self._listener.kill()

    async def aclose(self) -> None:
        """Stop listening, and end the requests that are still running."""
        await self._listener.aclose()


def _select_routes(site_list: Literal["array", "envelope"]) -> Mapping[str, Route]:
    if site_list == "array":
        return ROUTES
    route = ROUTES["sites_list_by_company"]
    in_pages = evolve(route, handler=sites.list_by_company_in_pages)
    return {**ROUTES, "sites_list_by_company": in_pages}


def _generate(portfolio: Portfolio) -> None:
    """Generate and encode the usage of all companies, or of the first of many."""
    size = len(portfolio)
    for index in range(size if size <= _GENERATED_AT_START else 1):
        encode_rows(portfolio.company_data(index), "v2.2")
