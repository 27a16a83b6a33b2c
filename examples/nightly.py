"""Pull the last months of usage of every company, and report what is complete.

If a company fails, the others are still pulled. Its cursor tells where to resume.

    NECTAR_API_KEY=... python examples/nightly.py 2025-10-01

Without a date, it pulls the last ninety days.
"""

from __future__ import annotations

import sys
from collections import Counter
from datetime import date, timedelta

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
        print(f"  resume from {failure.error.cursor}", file=sys.stderr)
    print(f"{records.receipt.records:,} records: {records.receipt.verdict}")
    return 0 if records.receipt.verdict == "complete" else 1


def first_day(arguments: list[str]) -> date:
    """Choose the first day.

    Raises:
        SystemExit: the argument is not a date.
    """
    if not arguments:
        return date.today() - timedelta(days=90)  # noqa: DTZ011 - where this runs
    try:
        return date.fromisoformat(arguments[0])
    except ValueError as error:
        raise SystemExit(f"{error}; write it as 2025-10-01") from None


if __name__ == "__main__":
    sys.exit(anyio.run(pull, first_day(sys.argv[1:])))
