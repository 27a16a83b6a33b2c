"""A service on FastAPI: electricity by month, with a cache for when the API is away.

    pip install fastapi uvicorn nectar-async
    NECTAR_API_KEY=... uvicorn --factory my_service:main
    curl 'localhost:8000/companies/<id>/electricity?since=2025-01-01&until=2025-12-31'

The client is an argument, so that a test can pass another one, as test_my_service.py
does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import date
from decimal import Decimal
from typing import Any

from fastapi import FastAPI, HTTPException

from nectar_async import (
    DeadlineExceededError,
    NectarClient,
    NectarError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    ServerError,
    Settings,
    StatusError,
    TransportError,
    UsageData,
    UsageUnits,
)

Months = dict[str, str]

# Exact factors. Units that are missing, such as kVA, do not measure energy.
IN_KWH: dict[UsageUnits | None, Decimal] = {
    UsageUnits.WH: Decimal("0.001"),
    UsageUnits.KWH: Decimal(1),
    UsageUnits.MWH: Decimal(1_000),
    UsageUnits.GWH: Decimal(1_000_000),
}


def in_months(records: list[UsageData]) -> Months:
    """Sum the electricity in kWh, by the month in which a bill's period ends."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for record in records:
        factor = IN_KWH.get(record.usage_units)
        amount, end = record.usage, record.end_date
        if factor is not None and amount is not None and end is not None:
            sums[f"{end:%Y-%m}"] += amount * factor
    return {month: format(total, "f") for month, total in sorted(sums.items())}


# The API is busy, down or out of reach. Each of these was repeated already.
UNAVAILABLE = (
    RateLimitedError,
    ServerError,
    TransportError,
    DeadlineExceededError,
)


def refuse_for_now(error: NectarError) -> HTTPException:
    """Build the answer for a visitor while the API is not available."""
    wait = error.retry_after if isinstance(error, StatusError) else None
    headers = {"Retry-After": f"{wait or 60:.0f}"}
    return HTTPException(503, "try again later", headers=headers)


def service(nectar: NectarClient) -> FastAPI:
    """Build the application; it closes the client when it stops."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        yield
        await nectar.aclose()

    app = FastAPI(lifespan=lifespan)
    cache: dict[tuple[str, date, date], Months] = {}

    @app.get("/companies/{company}/electricity")
    async def electricity(company: str, since: date, until: date) -> dict[str, Any]:
        """Answer with the months of a company; with cached ones if the API is away."""
        query = company, since, until
        try:
            usage = nectar.usage.by_company(
                company, datasource_type="ELECTRICITY", start_date=since, end_date=until
            )
            cache[query] = in_months([record async for record in usage])
        except (NotFoundError, PermissionDeniedError) as error:
            raise HTTPException(404, error.message) from None
        except UNAVAILABLE as error:
            if query not in cache:
                raise refuse_for_now(error) from None
            return {"months": cache[query], "is_stale": True}
        return {"months": cache[query], "is_stale": False}

    @app.get("/electricity")
    async def overview(since: date, until: date) -> dict[str, Months]:
        """Answer with the months of every company, by its id, ten requests at once."""
        records_by_company: defaultdict[str, list[UsageData]] = defaultdict(list)
        try:
            async with nectar.repository.usage(
                datasource_type="ELECTRICITY", start_date=since, end_date=until
            ) as records:
                async for company, page in records.pages():
                    records_by_company[company] += page.items
        except UNAVAILABLE as error:
            raise refuse_for_now(error) from None
        return {
            company: in_months(company_records)
            for company, company_records in sorted(records_by_company.items())
        }

    return app


def main() -> FastAPI:
    """Run the service, as a server does; no visitor waits longer than the deadline."""
    return service(NectarClient(settings=Settings.from_env(deadline=20.0)))
