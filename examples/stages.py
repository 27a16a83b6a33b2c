"""Wrap every request in stages of your own: stamp a header, count bytes.

A stage is a function of a request and of the function that sends it on. It is called
once for each attempt, so a request that is retried passes it again.

    NECTAR_API_KEY=... python examples/stages.py
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import anyio
import attrs

from nectar_async import NectarClient, Request, Response, Send


async def stamp_team(request: Request[Any], send: Send) -> Response:
    """Send a copy of the request with one more header."""
    headers = {**request.headers, "X-Team": "energy"}
    return await send(attrs.evolve(request, headers=headers))


class CountBytes:
    """Count the bytes that each operation received, as they came over the wire."""

    def __init__(self) -> None:
        self.received: Counter[str] = Counter()

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        """Send the request and count the body of the response."""
        response = await send(request)
        self.received[request.operation] += len(response.body)
        return response


async def main() -> Counter[str]:
    """List companies and sites; return the bytes of each operation."""
    count = CountBytes()
    async with NectarClient(stages=[stamp_team, count]) as nectar:
        for company in await nectar.companies.all():
            sites = [site async for site in nectar.sites.by_company(company.id)]
            print(f"{company.name}: {len(sites)} sites")
    for operation, size in count.received.most_common():
        print(f"{operation:20} {size:9,} bytes")
    return count.received


if __name__ == "__main__":
    anyio.run(main)
