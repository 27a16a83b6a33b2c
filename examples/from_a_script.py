"""The same client from code that is not async: `anyio.run` around one function.

NECTAR_API_KEY=... python examples/from_a_script.py
"""

from __future__ import annotations

import anyio

from nectar_async import Company, NectarClient


async def fetch() -> list[Company]:
    """List every company with its sites."""
    async with NectarClient() as nectar:
        return await nectar.companies.all()


def companies() -> list[Company]:
    """Fetch from synchronous code; each call has an event loop of its own."""
    return anyio.run(fetch)


if __name__ == "__main__":
    for company in companies():
        print(f"{company.id}  {len(company.sites):3} sites  {company.name}")
