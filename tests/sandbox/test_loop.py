"""Our own processes run on uvloop where it is installed; nobody else's do."""

from __future__ import annotations

import asyncio
import sys

import anyio
import pytest

from nectar_async import MemoryTransport, NectarClient
from nectar_async.sandbox.loop import run_loop


async def loop_of_now(*words: str) -> tuple[str, ...]:
    return type(asyncio.get_running_loop()).__module__.partition(".")[0], *words


@pytest.fixture
def _without_uvloop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)


@pytest.mark.usefixtures("_without_uvloop")
def test_without_uvloop_it_is_the_loop_of_asyncio() -> None:
    assert run_loop(loop_of_now, "a", "b") == ("asyncio", "a", "b")


def test_on_windows_there_is_no_uvloop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert run_loop(loop_of_now) == ("asyncio",)


def test_with_uvloop_it_is_that() -> None:
    assert run_loop(loop_of_now, "a") == ("uvloop", "a")


def test_an_error_comes_out_as_it_is() -> None:
    async def fail() -> None:
        raise KeyError

    with pytest.raises(KeyError):
        run_loop(fail)


def test_a_call_of_the_package_stays_on_the_loop_that_runs() -> None:
    async def call() -> tuple[str, ...]:
        async with NectarClient(transport=MemoryTransport({"ping_get": "pong"})) as one:
            await one.ping()
        return await loop_of_now()

    assert anyio.run(call) == ("asyncio",)
