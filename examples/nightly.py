"""Pull the last months of usage of every company, and say what is worth what.

A company that fails costs nobody else; its cursor says where to go on.

    NECTAR_API_KEY=... python examples/nightly.py 2025-10-01
"""

from __future__ import annotations

import sys
from collections import Counter
from datetime import date

import anyio

from nectar_async import NectarClient


async def pull(since: date) -> int:
    """Count records by commodity; the exit code says whether all of it is complete."""
    by_type: Counter[str] = Counter()
    async with (
        NectarClient() as nectar,
        nectar.repository.usage(start_date=since, on_error="collect") as records,
    ):
        async for record in records:
            by_type[record.datasource_type or "unknown"] += 1
    for commodity, count in by_type.most_common():
        print(f"{commodity:12} {count:7,}")
    for failure in records.failures:
        print(f"{failure.company_id} failed: {failure.error}", file=sys.stderr)
        print(f"  go on from {failure.error.cursor}", file=sys.stderr)
    print(f"{records.receipt.records:,} records: {records.receipt.verdict}")
    return 0 if records.receipt.verdict == "complete" else 1


if __name__ == "__main__":
    sys.exit(anyio.run(pull, date.fromisoformat(sys.argv[1])))
