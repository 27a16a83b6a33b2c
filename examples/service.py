"""A web service that shares one client among all its requests.

The client is made when the service starts and closed when it stops: one pool of
connections, one gate, whatever the number of visitors.

    NECTAR_API_KEY=... python examples/service.py
    curl localhost:8090/company/<id>/months
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator
from decimal import Decimal

from aiohttp import web

from nectar_async import NectarClient, NotFoundError, PermissionDeniedError

NECTAR = web.AppKey("nectar", NectarClient)


async def connect(app: web.Application) -> AsyncIterator[None]:
    """Hold the client for the life of the service."""
    app[NECTAR] = NectarClient()
    yield
    await app[NECTAR].aclose()


async def months(request: web.Request) -> web.Response:
    """Electricity of a company in kWh, by the month in which a bill's period ends."""
    usage = request.app[NECTAR].usage.by_company(
        request.match_info["company"], datasource_type="ELECTRICITY"
    )
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    try:
        async for record in usage:
            if record.usage is None or record.end_date is None:
                continue
            if record.usage_units == "kWh":
                sums[f"{record.end_date:%Y-%m}"] += record.usage
    except (NotFoundError, PermissionDeniedError) as error:
        raise web.HTTPNotFound(text=error.message) from None
    rows = {month: str(total) for month, total in sorted(sums.items())}
    return web.json_response({"months": rows, "verdict": usage.receipt.verdict})


def service() -> web.Application:
    """The application; a test or a server runs it."""
    app = web.Application()
    app.cleanup_ctx.append(connect)
    app.router.add_get("/company/{company}/months", months)
    return app


if __name__ == "__main__":
    web.run_app(service(), port=8090)
