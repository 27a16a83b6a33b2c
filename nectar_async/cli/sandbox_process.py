"""A sandbox in a child process, which stops when its context manager is left."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream
from attrs import frozen

from nectar_async._http.cancellation import run_to_end
from nectar_async.errors import NectarError

__all__ = ["SandboxArguments", "SandboxProcess", "start_sandbox"]

_START_SECONDS: Final = 60.0
_WITNESS_SECONDS: Final = 30.0
_MAX_LINE_BYTES: Final = 10_000
_WITNESS_PATH: Final = "/_sandbox/witness"


@frozen(kw_only=True)
class SandboxArguments:
    """The command-line arguments of a sandbox."""

    companies: int
    seed: int
    latency: float
    """Seconds that each answer takes."""
    faults: tuple[str, ...] = ()
    """Faults, each in the grammar of `--fault`."""


@frozen(kw_only=True)
class SandboxProcess:
    """A running sandbox: its address, its key, and its log of requests."""

    url: str
    api_key: str

    async def reset_witness(self) -> None:
        """Clear the sandbox's log of requests."""
        await anyio.to_thread.run_sync(self._request, "POST", f"{_WITNESS_PATH}/reset")

    async def read_witness(self) -> dict[str, Any]:
        """Read the sandbox's log of requests since the last reset."""
        return await anyio.to_thread.run_sync(self._request, "GET", _WITNESS_PATH)

    def _request(self, method: str, path: str) -> dict[str, Any]:
        # Not `urllib.request`, which would use the proxy of the environment.
        host = urlsplit(self.url).netloc
        connection = http.client.HTTPConnection(host, timeout=_WITNESS_SECONDS)
        try:
            connection.request(method, path)
            body: dict[str, Any] = json.load(connection.getresponse())
        finally:
            connection.close()
        return body


@asynccontextmanager
async def start_sandbox(arguments: SandboxArguments) -> AsyncIterator[SandboxProcess]:
    """Run a sandbox in a child process while the block runs.

    The child also ends if this process is killed, because its standard input ends then.

    Raises:
        NectarError: the sandbox did not start.
    """
    processes: list[Process] = []

    async def open_process() -> None:
        process = await anyio.open_process(
            [
                *(sys.executable, "-m", "nectar_async.sandbox", "--port", "0"),
                *("--companies", str(arguments.companies)),
                *("--seed", str(arguments.seed), "--latency", str(arguments.latency)),
                *(f"--fault={fault}" for fault in arguments.faults),
                *("--json", "--exit-with-parent"),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None,
            # Ctrl-C on the terminal must not reach the child, which has to outlive the
            # requests of this process.
            start_new_session=True,
        )
        processes.append(process)

    try:
        # An interrupt between the start of the child and the return of the call would
        # leave a child that nobody can end.
        await run_to_end(open_process)
        yield await _read_announcement(processes[0])
    finally:
        with anyio.CancelScope(shield=True):
            for process in processes:
                with suppress(ProcessLookupError):
                    process.kill()  # it has no state to save
                await process.aclose()


async def _read_announcement(process: Process) -> SandboxProcess:
    if process.stdout is None:
        raise NectarError("the sandbox process has no standard output")
    lines = BufferedByteReceiveStream(process.stdout)
    try:
        with anyio.fail_after(_START_SECONDS):
            line = await lines.receive_until(b"\n", _MAX_LINE_BYTES)
            announcement = json.loads(line)
    except (TimeoutError, anyio.IncompleteRead, anyio.EndOfStream, ValueError):
        raise NectarError(
            "the sandbox did not start; run `python -m nectar_async.sandbox` to see why"
        ) from None
    return SandboxProcess(url=announcement["url"], api_key=announcement["api_key"])
