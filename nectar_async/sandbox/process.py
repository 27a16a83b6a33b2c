"""A sandbox as a process, which prints its address and serves until it is stopped."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING

from attrs import frozen

from nectar_async.sandbox.sandbox import API_KEY, Sandbox

if TYPE_CHECKING:
    import ssl
    from types import FrameType

    from nectar_async.faults import Fault

__all__ = ["Options", "serve"]

_CHUNK = 4_096
_Stop = Callable[[], None]


@frozen(kw_only=True)
class Options:
    """The options of a sandbox process; `Sandbox` describes the other ones."""

    port: int = 0
    companies: int = 20
    seed: int = 7
    latency: float = 0.0
    api_key: str = API_KEY
    clock_speed: float = 1.0
    file_bytes: int | None = None
    faults: tuple[Fault, ...] = ()
    ssl_context: ssl.SSLContext | None = None
    as_json: bool = False
    """Whether the address is printed as JSON."""
    exit_with_parent: bool = False
    """Whether the end of standard input, as when the parent dies, stops it too."""


async def serve(options: Options, print_line: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; call `print_line` as soon as it listens."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        loop.call_soon_threadsafe(stopped.set)

    sandbox = Sandbox(
        companies=options.companies,
        seed=options.seed,
        latency=options.latency,
        api_key=options.api_key,
        port=options.port,
        clock_speed=options.clock_speed,
        file_bytes=options.file_bytes,
        faults=options.faults,
        ssl_context=options.ssl_context,
    )
    with _handle_signals(stop):
        async with sandbox:
            print_line(_build_announcement(sandbox, options))
            if options.exit_with_parent:
                Thread(target=_watch_stdin, args=(stop,), daemon=True).start()
            await stopped.wait()


def _build_announcement(sandbox: Sandbox, options: Options) -> str:
    if options.as_json:
        return json.dumps(
            {
                "url": sandbox.url,
                "api_key": sandbox.api_key,
                "companies": options.companies,
                "seed": options.seed,
                "latency": options.latency,
            }
        )
    return (
        f"A sandbox of {options.companies} companies (seed {options.seed}) is running."
        " Press Ctrl-C to stop it. Point the SDK at it:\n"
        f"export NECTAR_BASE_URL={sandbox.url} NECTAR_API_KEY={sandbox.api_key}"
    )


@contextmanager
def _handle_signals(stop: _Stop) -> Iterator[None]:
    # `loop.add_signal_handler` does not work on Windows.
    def handle(_number: int, _frame: FrameType | None) -> None:
        stop()

    numbers = (signal.SIGINT, signal.SIGTERM)
    previous = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _watch_stdin(stop: _Stop) -> None:
    # `os.read` holds no lock; a buffered read would block Python's exit.
    try:
        while os.read(sys.stdin.fileno(), _CHUNK):
            pass
    finally:
        stop()
