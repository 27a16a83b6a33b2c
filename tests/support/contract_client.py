"""Calls operations by their names, and checks each response against the contract."""

from __future__ import annotations

from typing import Any

from contract_schemas import OPERATIONS, check_schema, response_schema, success_status
from raw_client import RawClient, RawResponse

from nectar_async.sandbox.generator.connection_logins import SANDBOX_LOGIN


class ContractClient(RawClient):
    """A raw client that knows the operations of the contract."""

    async def call(
        self,
        operation: str,
        body: Any = None,
        *query: tuple[str, str],
        segment: str = "v2.2",
        status: int | None = None,
        **ids: str,
    ) -> Any:
        """Call an operation, check its status and schema, and decode the response.

        `status` is the expected status; None for the status of success.
        """
        response = await self.send(operation, body, *query, segment=segment, **ids)
        assert response.status == (status or success_status(operation)), response.body
        if response.status == 204:
            return None
        check_schema(response_schema(operation, response.status), response.json)
        return response.json

    async def send(
        self,
        operation: str,
        body: Any = None,
        *query: tuple[str, str],
        segment: str = "v2.2",
        **ids: str,
    ) -> RawResponse:
        """Call an operation, without a check of the response."""
        row = OPERATIONS[operation]
        path = f"/{segment}{row.path.format(**ids)}"
        return await self.request(path, list(query), method=row.method, body=body)

    async def get_refusal(
        self, operation: str, body: Any = None, *query: tuple[str, str], **ids: str
    ) -> str:
        """Call an operation that must respond with 400, and get the `detail`."""
        response = await self.call(operation, body, *query, status=400, **ids)
        detail: str = response["detail"]
        return detail

    def company_id(self, index: int = 0) -> str:
        return self.sandbox.portfolio.company(index).id

    def site_ids(self, index: int = 0) -> list[str]:
        return [site.id for site in self.sandbox.portfolio.company(index).sites]

    async def list_all(
        self, operation: str, items: str, *query: tuple[str, str], **ids: Any
    ) -> list[dict[str, Any]]:
        """Get the items of all pages of a list; check the first item of each page."""
        all_items: list[dict[str, Any]] = []
        page: dict[str, Any] = {"hasNext": True, "currentPage": 0}
        while page["hasNext"]:
            number = ("page", str(page["currentPage"] + 1))
            response = await self.send(operation, None, *query, number, **ids)
            assert response.status == 200, response.body
            page = response.json
            check_schema(
                response_schema(operation, 200), {**page, items: page[items][:1]}
            )
            all_items += page[items]
        return all_items

    async def connect(self, *sites: str, index: int = 0, **more: Any) -> Any:
        """Create a connection, by default with the sandbox's credentials."""
        body = {
            **SANDBOX_LOGIN._asdict(),
            "sites": sites or self.site_ids(index)[:1],
            **more,
        }
        company_id = self.company_id(index)
        return await self.call("connections_create", body, company_id=company_id)

    async def get_connection(self, connection_id: str) -> Any:
        return await self.call("connections_get", connection_id=connection_id)

    def advance(self, seconds: float) -> None:
        self.sandbox.clock.advance(seconds)
