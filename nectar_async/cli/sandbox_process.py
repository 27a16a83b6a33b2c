"""A sandbox as a child process, which is gone when its block is left."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream
from attrs import frozen

from nectar_async.errors import NectarError

__all__ = ["Portfolio", "SandboxProcess", "sandbox_process"]

_START_SECONDS = 60.0
_WITNESS_SECONDS = 30.0
_LINE_BOUND = 10_000
_WITNESS = "/_sandbox/witness"


@frozen(kw_only=True)
class Portfolio:
    """What the sandbox invents."""

    companies: int
    seed: int
    latency: float
    """Seconds that each answer takes."""
    faults: tuple[str, ...] = ()
    """Trouble, each as `--fault` takes it."""


@frozen(kw_only=True)
class SandboxProcess:
    """Where a sandbox listens, and its word on what reached it."""

    url: str
    api_key: str

    async def forget(self) -> None:
        """Let the witness begin anew."""
        await anyio.to_thread.run_sync(self._ask, "POST", f"{_WITNESS}/reset")

    async def witness(self) -> dict[str, Any]:
        """What it saw since then."""
        return await anyio.to_thread.run_sync(self._ask, "GET", _WITNESS)

    def _ask(self, method: str, path: str) -> dict[str, Any]:
        # Not `urllib.request`, which would go through the environment's proxy.
        host = urlsplit(self.url).netloc
        connection = http.client.HTTPConnection(host, timeout=_WITNESS_SECONDS)
        try:
            connection.request(method, path)
            answer: dict[str, Any] = json.load(connection.getresponse())
        finally:
            connection.close()
        return answer


@asynccontextmanager
async def sandbox_process(portfolio: Portfolio) -> AsyncIterator[SandboxProcess]:
    """Start a sandbox beside this process, and end it whatever happens.

    Should this process be killed outright, the end of its pipe ends the child.

    Raises:
        NectarError: it did not start.
    """
    process = await anyio.open_process(
        [
            *(sys.executable, "-m", "nectar_async.sandbox", "--port", "0"),
            *("--companies", str(portfolio.companies)),
            *("--seed", str(portfolio.seed), "--latency", str(portfolio.latency)),
            *(f"--fault={fault}" for fault in portfolio.faults),
            *("--json", "--exit-with-parent"),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=None,
        # Ctrl-C on the terminal is for us; the child outlives us by a moment.
        start_new_session=True,
    )
    try:
        yield await _announced(process)
    finally:
        with anyio.CancelScope(shield=True):
            with suppress(ProcessLookupError):
                process.kill()  # it holds nothing that is worth saving
            await process.aclose()


async def _announced(process: Process) -> SandboxProcess:
    if process.stdout is None:
        raise NectarError("the sandbox has no output to announce itself on")
    lines = BufferedByteReceiveStream(process.stdout)
    try:
        with anyio.fail_after(_START_SECONDS):
            said = json.loads(await lines.receive_until(b"\n", _LINE_BOUND))
    except (TimeoutError, anyio.IncompleteRead, anyio.EndOfStream, ValueError):
        raise NectarError(
            "the sandbox did not start; `python -m nectar_async.sandbox` shows why"
        ) from None
    return SandboxProcess(url=said["url"], api_key=said["api_key"])
