"""`nectar demo`: pull from a sandbox and compare the time with the least possible."""

from __future__ import annotations

import heapq
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from nectar_async.cli import options
from nectar_async.cli.commands.pull import run_pull
from nectar_async.cli.output_file import OutputFile
from nectar_async.cli.pull_report import TimeBound
from nectar_async.cli.pull_run import FirstRecord, PullQuery, PullRun
from nectar_async.cli.sandbox_process import SandboxArguments, start_sandbox
from nectar_async.client import NectarClient
from nectar_async.settings import Settings

__all__ = ["compute_bound", "compute_makespan", "demo"]

# Not `usage.jsonl`: invented data must never replace a real pull.
_FILE: Final = "nectar-demo.jsonl"
_COMPANIES_LIST: Final = "companies_list"

DemoOut = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        metavar="FILE",
        parser=options.parse_path,
        help=f"File to write; - is stdout. Defaults to {_FILE}.",
        show_default=False,
    ),
]


def demo(
    *,
    companies: options.CompanyCount = 50,
    seed: options.Seed = 7,
    latency: options.Latency = 0.05,
    out: DemoOut = None,
    include_secrets: options.IncludeSecrets = False,
    as_json: options.AsJson = False,
) -> int:
    """Pull usage from a local sandbox; needs no API key.

    Starts a sandbox with invented data, pulls all of its usage over HTTP into a file
    of JSON lines, and compares the time with a lower bound: an ideal schedule of the
    same requests, ten at a time after the list of companies, each as long as
    --latency.

    Example: nectar demo --companies 200 --latency 0.1
    """
    file = OutputFile(out or _find_default_file(), is_private=include_secrets)
    pull = PullRun(PullQuery(with_secrets=include_secrets), file)
    arguments = SandboxArguments(companies=companies, seed=seed, latency=latency)

    async def work(on_first: FirstRecord | None) -> TimeBound:
        return await _pull_from_sandbox(arguments, pull, on_first)

    return run_pull(pull, work, as_json=as_json)


async def _pull_from_sandbox(
    arguments: SandboxArguments, pull: PullRun, on_first: FirstRecord | None
) -> TimeBound:
    """Run a pull from a new sandbox; return the bound for the requests it counted."""
    async with start_sandbox(arguments) as sandbox:
        settings = Settings(base_url=sandbox.url)
        async with NectarClient(sandbox.api_key, settings=settings) as nectar:
            await nectar.ping()  # so that the connection is not part of the time
            await sandbox.reset_witness()
            await pull.run(nectar, on_first)
        witness = await sandbox.read_witness()
    return TimeBound(
        seconds=compute_bound(
            witness["log"], arguments.latency, settings.max_concurrency
        ),
        peak_in_flight=witness["peakInFlight"],
        requests=witness["requests"],
    )


def compute_bound(
    log: Iterable[Mapping[str, Any]], latency: float, permits: int
) -> float:
    """Compute a lower bound, in seconds, for the logged requests.

    Lists of companies run one after another; at most `permits` of the others run at
    once. Every request counts as `latency`, whatever it really took, so that a busy
    machine does not raise the bound.
    """
    is_list = [entry["operation"] == _COMPANIES_LIST for entry in log]
    lists, others = is_list.count(True), is_list.count(False)
    return lists * latency + compute_makespan([latency] * others, permits)


def compute_makespan(durations: Iterable[float], permits: int) -> float:
    """Compute the seconds that requests take if a free permit takes the next at once.

    This is list scheduling: exact for equal durations, greedy otherwise.
    """
    free_at = [0.0] * permits
    for duration in durations:
        heapq.heapreplace(free_at, free_at[0] + duration)
    return max(free_at)


def _find_default_file() -> Path:
    """Find a writable file: in the working directory, or in the temporary one."""
    is_writable = os.access(_FILE if Path(_FILE).exists() else ".", os.W_OK)
    return Path(_FILE) if is_writable else Path(tempfile.gettempdir(), _FILE)
