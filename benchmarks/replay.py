"""Replay: how fast is a recording replayed, next to vcrpy and aioresponses?

One portfolio is pulled from the sandbox once, company after company, page after page,
and kept in three ways: as a recording, as a vcrpy cassette, and as what aioresponses is
told to answer. Then the same pull runs on each of them, in turn, in one process. All
three are read by the same client, with its decoding; what differs is where an answer
comes from. "bare" is the same pull from answers in memory: the time that remains if a
replay costs nothing.

    python -m benchmarks.replay [rounds] [companies]
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import vcr  # type: ignore[import-untyped]

from nectar_async import MemoryTransport, NectarClient, Response, Settings
from nectar_async.recording.folder import Recording
from nectar_async.sandbox import Sandbox
from nectar_async.transports import RecordedTransport, Recorder

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
from aioresponses_shim import aioresponses

KEY = "k" * 16


async def pull(nectar: NectarClient) -> int:
    """Read one list after the other; returns the number of records."""
    count = 0
    for company in await nectar.companies.all():
        async for _ in nectar.usage.by_company(company.id):
            count += 1
        async for _ in nectar.documents.by_company(company.id):
            count += 1
    return count


def cassette(path: Path) -> Any:
    """Open a vcrpy cassette at a path."""
    return vcr.VCR(
        record_mode="once" if not path.exists() else "none",
        filter_headers=["X-API-Key", "X-Request-Id"],
        # vcrpy's default without the host, because the sandbox has ended.
        match_on=["method", "path", "query"],
    ).use_cassette(str(path), allow_playback_repeats=False)


class Peers:
    """Pulls the same data from each kind of recording."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.recording = folder / "recording"
        self.cassette = folder / "cassette.yaml"
        self.settings = settings

    async def record(self) -> int:
        """Make the recordings."""
        recorder = Recorder(self.recording, mode="record")
        async with NectarClient(
            KEY, settings=self.settings, recorder=recorder
        ) as nectar:
            count = await pull(nectar)
        with cassette(self.cassette):
            async with NectarClient(KEY, settings=self.settings) as nectar:
                await pull(nectar)
        exchanges = Recording.load(self.recording).exchanges
        base = self.settings.api_url
        self.addresses = [
            (
                base + exchange.question.path,
                dict(exchange.question.query),
                exchange.answer.response().body,
            )
            for exchange in exchanges
        ]
        return count

    async def nectar_async(self) -> int:
        """Pull from a `RecordedTransport`, read from disk each time."""
        transport = RecordedTransport(self.recording)
        async with NectarClient(transport=transport, settings=self.settings) as nectar:
            return await pull(nectar)

    async def vcrpy(self) -> int:
        """Pull from a cassette, below the client's own aiohttp transport."""
        with cassette(self.cassette):
            async with NectarClient(KEY, settings=self.settings) as nectar:
                return await pull(nectar)

    async def aioresponses(self) -> int:
        """Pull from aioresponses, below the client's own aiohttp transport."""
        with aioresponses() as mocked:
            for address, query, body in self.addresses:
                pairs = "&".join(f"{key}={text}" for key, text in query.items())
                mocked.get(f"{address}?{pairs}" if pairs else address, body=body)
            async with NectarClient(KEY, settings=self.settings) as nectar:
                return await pull(nectar)

    async def bare(self) -> int:
        """Pull from answers in memory."""
        answers = {
            (address, *query.values()): Response(200, {}, body)
            for address, query, body in self.addresses
        }

        def answer(request: Any) -> Response:
            address = request.url.partition("?")[0]
            return answers[address, *(text for _, text in request.query)]

        async with NectarClient(
            transport=MemoryTransport(answer), settings=self.settings
        ) as nectar:
            return await pull(nectar)


async def main(rounds: int = 7, companies: int = 20) -> None:
    """Measure and print all kinds."""
    with tempfile.TemporaryDirectory() as folder:
        async with Sandbox(companies=companies, api_key=KEY) as sandbox:
            peers = Peers(Path(folder), sandbox.settings)
            records = await peers.record()
        ways: dict[str, Callable[[], Awaitable[int]]] = {
            "bare": peers.bare,
            "nectar_async": peers.nectar_async,
            "aioresponses": peers.aioresponses,
            "vcrpy": peers.vcrpy,
        }
        times: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, way in ways.items():
                start = time.perf_counter()
                came = await way()
                times[name].append(time.perf_counter() - start)
                if came != records:
                    sys.exit(f"{name} gave {came:,} records of {records:,}")
        pages = len(peers.addresses)
    ours = statistics.median(times["nectar_async"])
    print(f"{records:,} records on {pages} pages, {rounds} rounds in turn, medians")
    for name, each in times.items():
        median, least, most = statistics.median(each), min(each), max(each)
        print(
            f"{name:14} {median * 1e3:8.1f} ms ({least * 1e3:.0f} to {most * 1e3:.0f})"
            f"   {median / pages * 1e6:8.0f} us a page   {median / ours:6.2f} x ours"
        )


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
