"""Requests to a sandbox through a plain aiohttp session, without the SDK."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from attrs import frozen

if TYPE_CHECKING:
    import aiohttp

    from nectar_async.sandbox import Sandbox


@frozen
class RawResponse:
    """A response with its undecoded body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body, parse_float=Decimal)


class RawClient:
    """Sends requests to a sandbox, by default with its API key."""

    def __init__(self, sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
        self.sandbox = sandbox
        self.session = session

    async def request(
        self,
        path: str,
        query: list[tuple[str, str]] | None = None,
        *,
        method: str = "GET",
        key: str | None = "",
        headers: dict[str, str] | None = None,
        body: Any = None,
        data: Any = None,
    ) -> RawResponse:
        """Send a request; `body` is sent as JSON, `data` as bytes or as a form.

        `key` is the API key: empty for the sandbox's key, None for no key.
        """
        key = self.sandbox.api_key if key == "" else key
        key_header = {} if key is None else {"X-API-Key": key}
        async with self.session.request(
            method,
            self.sandbox.url + path,
            params=query,
            headers=key_header | (headers or {}),
            json=body,
            data=data,
            allow_redirects=False,
        ) as response:
            return RawResponse(
                response.status, dict(response.headers), await response.read()
            )

    async def list_usage(
        self, index: int = 0, *query: tuple[str, str], version: str = "v2.2"
    ) -> Any:
        """Get one page of the usage of a company, decoded."""
        company = self.sandbox.portfolio.company(index)
        path = f"/{version}/usage/company/{company.id}"
        response = await self.request(path, list(query))
        assert response.status == 200, response.body
        return response.json

    async def list_all_usage(
        self, path: str, *query: tuple[str, str]
    ) -> tuple[int, list[dict[str, Any]]]:
        """Get the total in the envelope, and the records of all pages."""
        records: list[dict[str, Any]] = []
        page = 1
        while True:
            response = await self.request(path, [*query, ("page", str(page))])
            assert response.status == 200, response.body
            envelope = response.json
            records += envelope["usageData"]
            if not envelope["hasNext"]:
                return envelope["totalUsageData"], records
            page += 1
