"""Run each competitor in a process of its own, so that none slows another down.

A child process calls one function again and again, each time with new arguments, so
that rounds of several competitors can take turns. Without `speed` it can import neither
uvloop nor isal, whatever is installed.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, cast

from attrs import frozen

__all__ = ["ROOT", "SPEED", "Child", "child", "has_speed", "main", "new_loop"]

ROOT = Path(__file__).parents[2]
SPEED = ("uvloop", "isal")
"""The libraries of the extra `speed`."""


def has_speed() -> bool:
    """Whether the extra `speed` is installed."""
    return all(find_spec(name) is not None for name in SPEED)


def new_loop(*, speed: bool) -> asyncio.AbstractEventLoop:
    """Make an event loop: uvloop's with `speed`, otherwise asyncio's."""
    maker: Any = import_module("uvloop") if speed else asyncio
    return cast("asyncio.AbstractEventLoop", maker.new_event_loop())


@frozen
class Child:
    """A process that waits for arguments."""

    _input: IO[str]
    _output: IO[str]

    def ask(self, **arguments: Any) -> Any:
        """Call the function of the process; arguments and result are JSON."""
        print(json.dumps(arguments), file=self._input, flush=True)
        answer = self._output.readline()
        if not answer:
            raise SystemExit("a child of the benchmark broke; see above")
        return json.loads(answer)


@contextmanager
def child(target: str, *, speed: bool) -> Iterator[Child]:
    """Start a process for a function, written as `module:name`; it may be async."""
    command = [sys.executable, "-m", "benchmarks.support.child", target]
    with subprocess.Popen(  # noqa: S603 - our own
        [*command, "speed" if speed else "plain"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise SystemExit("a child of the benchmark did not start")
        try:
            yield Child(process.stdin, process.stdout)
        finally:
            process.kill()


def main(target: str, kind: str) -> None:
    """Call the function for each line of the input; write one line each."""
    speed = kind == "speed"
    if not speed:
        sys.modules.update(dict.fromkeys(SPEED))  # type: ignore[arg-type]  # None forbids it
    module, _, name = target.partition(":")
    function = getattr(import_module(module), name)
    for line in sys.stdin:
        result = function(**json.loads(line))
        if inspect.iscoroutine(result):
            with asyncio.Runner(loop_factory=lambda: new_loop(speed=speed)) as runner:
                result = runner.run(result)
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
