"""Calls operations by their names, and holds each answer against the contract."""

from __future__ import annotations

from typing import Any

from answers import OPERATIONS, answer_schema, check, success
from visitor import Seen, Visitor

from nectar_async.sandbox.generator.connections import SANDBOX_LOGIN


class Caller(Visitor):
    """A visitor who knows the contract."""

    async def call(
        self,
        operation: str,
        body: Any = None,
        *query: tuple[str, str],
        segment: str = "v2.2",
        status: int | None = None,
        **ids: str,
    ) -> Any:
        """The decoded answer, which has the status of success unless told otherwise."""
        seen = await self.sent(operation, body, *query, segment=segment, **ids)
        assert seen.status == (status or success(operation)), seen.body
        if seen.status == 204:
            return None
        check(answer_schema(operation, seen.status), seen.json)
        return seen.json

    async def sent(
        self,
        operation: str,
        body: Any = None,
        *query: tuple[str, str],
        segment: str = "v2.2",
        **ids: str,
    ) -> Seen:
        """The answer as it came."""
        row = OPERATIONS[operation]
        path = f"/{segment}{row.path.format(**ids)}"
        return await self.ask(path, list(query), method=row.method, body=body)

    async def refused(
        self, operation: str, body: Any = None, *query: tuple[str, str], **ids: str
    ) -> str:
        """The detail of an answer with status 400."""
        answer = await self.call(operation, body, *query, status=400, **ids)
        detail: str = answer["detail"]
        return detail

    def company_id(self, index: int = 0) -> str:
        return self.sandbox.portfolio.company(index).id

    def site_ids(self, index: int = 0) -> list[str]:
        return [site.id for site in self.sandbox.portfolio.company(index).sites]

    async def every(
        self, operation: str, items: str, *query: tuple[str, str], **ids: Any
    ) -> list[dict[str, Any]]:
        """The things on all pages of a list, of which each page's first is checked."""
        found: list[dict[str, Any]] = []
        page: dict[str, Any] = {"hasNext": True, "currentPage": 0}
        while page["hasNext"]:
            number = ("page", str(page["currentPage"] + 1))
            seen = await self.sent(operation, None, *query, number, **ids)
            assert seen.status == 200, seen.body
            page = seen.json
            check(answer_schema(operation, 200), {**page, items: page[items][:1]})
            found += page[items]
        return found

    async def connect(self, *sites: str, index: int = 0, **more: Any) -> Any:
        """A connection with the sandbox's credentials, unless told otherwise."""
        body = {
            **SANDBOX_LOGIN._asdict(),
            "sites": sites or self.site_ids(index)[:1],
            **more,
        }
        company_id = self.company_id(index)
        return await self.call("connections_create", body, company_id=company_id)

    async def connection(self, connection_id: str) -> Any:
        return await self.call("connections_get", connection_id=connection_id)

    def wait(self, seconds: float) -> None:
        self.sandbox.clock.advance(seconds)
