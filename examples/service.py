"""A web service that shares one client among all its requests.

The client is created when the service starts and closed when it stops. All requests of
its users share one pool of connections and one limiter.

    NECTAR_API_KEY=... python examples/service.py
    curl localhost:8090/company/<id>/months
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from decimal import Decimal

from aiohttp import web

from nectar_async import (
    NectarClient,
    NotFoundError,
    PermissionDeniedError,
    UsageUnits,
)

NECTAR = web.AppKey("nectar", NectarClient)

# Exact factors. Units that are missing, such as kVA, do not measure energy.
IN_KWH: dict[UsageUnits | None, Decimal] = {
    UsageUnits.WH: Decimal("0.001"),
    UsageUnits.KWH: Decimal(1),
    UsageUnits.MWH: Decimal(1_000),
    UsageUnits.GWH: Decimal(1_000_000),
}


async def connect(app: web.Application) -> AsyncIterator[None]:
    """Hold the client for the life of the service."""
    app[NECTAR] = NectarClient()
    yield
    await app[NECTAR].aclose()


async def months(request: web.Request) -> web.Response:
    """Sum a company's electricity in kWh, by the month in which a bill's period ends.

    Records that cannot be added up are counted by their unit, under `skipped`.
    """
    usage = request.app[NECTAR].usage.by_company(
        request.match_info["company"], datasource_type="ELECTRICITY"
    )
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    skipped: Counter[str] = Counter()
    try:
        async for record in usage:
            unit, amount, end = record.usage_units, record.usage, record.end_date
            factor = IN_KWH.get(unit)
            if factor is None or amount is None or end is None:
                skipped[unit or "no unit"] += 1
                continue
            sums[f"{end:%Y-%m}"] += amount * factor
    except (NotFoundError, PermissionDeniedError) as error:
        raise web.HTTPNotFound(text=error.message) from None
    rows = {month: format(total, "f") for month, total in sorted(sums.items())}
    return web.json_response(
        {"months": rows, "skipped": skipped, "verdict": usage.receipt.verdict}
    )


def service() -> web.Application:
    """Build the application, for a test or a server."""
    app = web.Application()
    app.cleanup_ctx.append(connect)
    app.router.add_get("/company/{company}/months", months)
    return app


if __name__ == "__main__":
    web.run_app(service(), port=8090)
