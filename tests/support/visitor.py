"""How the tests talk to a sandbox: with a plain session, never with the SDK."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from attrs import frozen

if TYPE_CHECKING:
    import aiohttp

    from nectar_async.sandbox import Sandbox


@frozen
class Seen:
    """An answer as it came."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body, parse_float=Decimal)


class Visitor:
    """Asks a sandbox, with its key unless told otherwise."""

    def __init__(self, sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
        self.sandbox = sandbox
        self.session = session

    async def ask(
        self,
        path: str,
        query: list[tuple[str, str]] | None = None,
        *,
        method: str = "GET",
        key: str | None = "",
        headers: dict[str, str] | None = None,
        body: Any = None,
        data: Any = None,
    ) -> Seen:
        """An answer; `body` is sent as JSON, `data` as it is or as a form."""
        key = self.sandbox.api_key if key == "" else key
        sent = {} if key is None else {"X-API-Key": key}
        async with self.session.request(
            method,
            self.sandbox.url + path,
            params=query,
            headers=sent | (headers or {}),
            json=body,
            data=data,
            allow_redirects=False,
        ) as response:
            return Seen(response.status, dict(response.headers), await response.read())

    async def usage(
        self, index: int = 0, *query: tuple[str, str], version: str = "v2.2"
    ) -> Any:
        """One page of the usage of a company, decoded."""
        company = self.sandbox.portfolio.company(index)
        path = f"/{version}/usage/company/{company.id}"
        seen = await self.ask(path, list(query))
        assert seen.status == 200, seen.body
        return seen.json

    async def all_usage(
        self, path: str, *query: tuple[str, str]
    ) -> tuple[int, list[dict[str, Any]]]:
        """The total that the envelope says, and the records of all pages."""
        records: list[dict[str, Any]] = []
        page = 1
        while True:
            seen = await self.ask(path, [*query, ("page", str(page))])
            assert seen.status == 200, seen.body
            envelope = seen.json
            records += envelope["usageData"]
            if not envelope["hasNext"]:
                return envelope["totalUsageData"], records
            page += 1
