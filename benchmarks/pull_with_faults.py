"""Faults: are records lost, doubled or changed when one request in twenty fails?

Two sandboxes with the same portfolio run, each in a process of its own. One has no
faults; the other has each kind of fault at random. The same pull runs on both, and the
records are compared one by one, company by company. The memory of the client is
measured all the time.

It fails (exit code 1) when a record is lost, doubled or changed, when memory grows with
the number of records, and when it proves nothing, because there were too few records
(by default), or so few retries that the faults cannot have happened.

    python -m benchmarks.pull_with_faults [companies]
"""

from __future__ import annotations

import hashlib
import math
import os
import sys
import time
from pathlib import Path

import anyio
from attrs import define, field

from nectar_async import NectarClient, RetryPolicy, Settings, Statistics, UsageData
from nectar_async.cli.sandbox_process import (
    SandboxArguments,
    SandboxProcess,
    start_sandbox,
)
from nectar_async.models import Page

COMPANIES = 600
RECORDS = 200_000
"""The fewest records that the default number of companies has."""
GROWTH = 1.2
"""How much more memory the last quarter of the pages may take than the first."""
SHARE = 0.05
TROUBLE = (
    "refuse seconds=0.05",
    "reset",
    "drop-body",
    "reset share=0.5",
    "stall-body seconds=5",
    "cut-gzip",
    "html status=502",
    "answer status=429 retry-after=0",
    "answer status=500",
    "answer status=502",
    "answer status=503",
)
_PAGE = os.sysconf("SC_PAGE_SIZE")
_WHOLE = 1 << 128


@define
class Pull:
    """The result of a pull: a checksum for each company, and the memory used."""

    sums: dict[str, tuple[int, int]] = field(factory=dict)
    """Number of records and the sum of their digests, which no order changes."""
    memory: list[int] = field(factory=list)
    """Bytes of memory in use after every page."""
    records: int = 0
    seconds: float = 0.0
    statistics: Statistics | None = None

    def add(self, company: str, page: Page[UsageData]) -> None:
        """Count the records of a page."""
        number, total = self.sums.get(company, (0, 0))
        for record in page.items:
            digest = hashlib.blake2b(repr(record).encode(), digest_size=16).digest()
            total = (total + int.from_bytes(digest)) % _WHOLE
        self.sums[company] = number + len(page.items), total
        self.records += len(page.items)
        self.memory.append(resident())

    @property
    def growth(self) -> float:
        """The peak memory of the last quarter of the pages, divided by the first's."""
        quarter = max(1, len(self.memory) // 4)
        return max(self.memory[-quarter:]) / max(self.memory[:quarter])


def resident() -> int:
    """Measure the memory of this process, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE


async def pull(companies: int, *faults: str) -> Pull:
    """Pull all companies from a sandbox that produces each fault at its share."""
    share = SHARE / max(1, len(faults))
    arguments = SandboxArguments(
        companies=companies,
        seed=7,
        latency=0.002,
        faults=tuple(f"{fault} probability={share:.4f}" for fault in faults),
    )
    async with start_sandbox(arguments) as sandbox:
        return await pull_from(sandbox)


async def pull_from(sandbox: SandboxProcess) -> Pull:
    """Pull everything, with three settings other than the defaults.

    Times are shorter, so that a stall costs two seconds. There are eight attempts: four
    in a row fail once in 160,000 requests, so with four one pull in sixty would fail
    without a defect. The retry budget is 400: while the server refuses connections, all
    twenty workers fail twice, which nearly uses up the default of fifty.
    """
    settings = Settings(
        base_url=sandbox.url,
        attempt_timeout=2.0,
        retry=RetryPolicy(attempts=8, wait_initial=0.1, budget=400),
    )
    result = Pull()
    started = time.perf_counter()
    async with NectarClient(sandbox.api_key, settings=settings) as nectar:
        async with nectar.repository.usage() as records:
            async for company, page in records.pages():
                result.add(company, page)
        result.statistics = nectar.statistics()
    result.seconds = time.perf_counter() - started
    receipt = records.receipt
    if (receipt.verdict, receipt.distinct) != ("complete", result.records):
        raise SystemExit(f"not complete: {receipt}")
    return result


def problems(calm: Pull, rough: Pull, companies: int) -> list[str]:
    """List what is wrong with the two pulls."""
    names = sorted({*calm.sums, *rough.sums})
    different = [
        company
        for company in names
        if calm.sums.get(company) != rough.sums.get(company)
    ]
    failures = [f"the records of company {company} differ" for company in different]
    failures += [
        f"{name}: memory grew {result.growth:.2f} times, and may grow {GROWTH} times"
        for name, result in (("faultless", calm), ("faulted", rough))
        if result.growth > GROWTH
    ]
    if companies >= COMPANIES and calm.records < RECORDS:
        failures.append(
            f"{calm.records:,} records are too few, {RECORDS:,} are to be seen"
        )
    did = rough.statistics
    if did is None or did.retries < fewest(did.attempts):
        repeats = 0 if did is None else did.retries
        failures.append(
            f"{repeats:,} repeats: the trouble did not come as it was ordered"
        )
    return failures


def fewest(attempts: int) -> float:
    """Compute the fewest plausible repeats: three deviations below the share."""
    expected = SHARE * attempts
    return expected - 3 * math.sqrt(expected)


def main(companies: int = COMPANIES) -> int:
    """Pull with and without faults, compare and print; returns the exit status."""
    calm = anyio.run(pull, companies)
    rough = anyio.run(pull, companies, *TROUBLE)
    for name, result in (("faultless", calm), ("faulted", rough)):
        did = result.statistics
        if did is None:
            return 1
        print(
            f"{name:9} {result.records:,} records of {len(result.sums)} companies in"
            f" {result.seconds:.1f} s; {did.requests:,} requests,"
            f" {did.attempts:,} attempts, {did.retries:,} repeats,"
            f" {did.rate_limited:,} times 429; at most"
            f" {did.peak_in_flight} at once; memory {max(result.memory) / 1e6:.0f} MB,"
            f" last quarter / first {result.growth:.2f}"
        )
    failures = problems(calm, rough, companies)
    for problem in failures:
        print(f"FAILED: {problem}", file=sys.stderr)
    if not failures:
        print("nothing is lost, doubled or changed, and memory stays where it is")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
