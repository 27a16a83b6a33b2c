"""The package's own processes run on uvloop where it is installed."""

from __future__ import annotations

import asyncio
import sys

import anyio
import pytest

from nectar_async import MemoryTransport, NectarClient
from nectar_async.sandbox.run_loop import run_loop


async def find_loop_module(*words: str) -> tuple[str, ...]:
    return type(asyncio.get_running_loop()).__module__.partition(".")[0], *words


@pytest.fixture
def _without_uvloop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)


@pytest.mark.usefixtures("_without_uvloop")
def test_without_uvloop_the_loop_is_asyncios() -> None:
    assert run_loop(find_loop_module, "a", "b") == ("asyncio", "a", "b")


def test_on_windows_the_loop_is_asyncios(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert run_loop(find_loop_module) == ("asyncio",)


def test_with_uvloop_the_loop_is_uvloops() -> None:
    assert run_loop(find_loop_module, "a") == ("uvloop", "a")


def test_an_error_is_raised_unchanged() -> None:
    async def fail() -> None:
        raise KeyError

    with pytest.raises(KeyError):
        run_loop(fail)


def test_other_calls_stay_on_the_running_loop() -> None:
    async def call() -> tuple[str, ...]:
        async with NectarClient(
            transport=MemoryTransport({"ping_get": "pong"})
        ) as nectar:
            await nectar.ping()
        return await find_loop_module()

    assert anyio.run(call) == ("asyncio",)
