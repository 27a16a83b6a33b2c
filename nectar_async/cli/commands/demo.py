"""The demo: a sandbox beside this process, all of its usage, and the time it took."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nectar_async.cli.makespan import ideal_makespan
from nectar_async.cli.pull_run import Pull, Watch
from nectar_async.cli.report import Bound
from nectar_async.cli.sandbox_process import Portfolio, sandbox_process
from nectar_async.client import NectarClient
from nectar_async.settings import Settings

__all__ = ["default_out", "run_demo"]

# Not `usage.jsonl`: nobody's real pull shall be overwritten with invented data.
_FILE = "nectar-demo.jsonl"
_COMPANIES_LIST = "companies_list"


async def run_demo(
    portfolio: Portfolio, pull: Pull, on_first: Watch | None = None
) -> Bound:
    """Pull everything from a sandbox of its own; the bound by what that saw."""
    async with sandbox_process(portfolio) as sandbox:
        settings = Settings(base_url=sandbox.url)
        async with NectarClient(sandbox.api_key, settings=settings) as nectar:
            await nectar.ping()  # what is made at first use is made before the clock
            await sandbox.forget()
            await pull.run(nectar, on_first)
        seen = await sandbox.witness()
    return Bound(
        seconds=bound(seen["log"], portfolio.latency, settings.max_concurrency),
        peak_in_flight=seen["peakInFlight"],
        requests=seen["requests"],
    )


def bound(log: Iterable[Mapping[str, Any]], latency: float, permits: int) -> float:
    """The least seconds that the requests of a witness's log can take.

    The list of companies has to come first; all that follows can be `permits` at once.
    Each costs the latency, and not what the server took: that would excuse a busy
    machine.
    """
    is_first = [entry["operation"] == _COMPANIES_LIST for entry in log]
    first = is_first.count(True)
    return first * latency + ideal_makespan([latency] * is_first.count(False), permits)


def default_out() -> Path:
    """A file in the working directory, or for temporary files if that is read-only."""
    is_writable = os.access(_FILE if Path(_FILE).exists() else ".", os.W_OK)
    return Path(_FILE) if is_writable else Path(tempfile.gettempdir(), _FILE)
