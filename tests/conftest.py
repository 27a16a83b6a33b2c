"""Fixtures of every test: two backends, no blocking calls, a clean environment."""

from __future__ import annotations

import gc
import inspect
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import pytest
from blockbuster import blockbuster_ctx
from doubles import MakeClient, assert_idle
from profiles import load_profile

import nectar_async
from nectar_async import NectarClient, Settings
from nectar_async.transports import MemoryTransport

load_profile()


def pytest_collection_finish() -> None:
    """Exclude the collected tests from garbage collection, which is faster."""
    gc.freeze()


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run each test that is marked `anyio` on both backends."""
    return str(request.param)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the key and the address of the machine from the environment."""
    for name in ("API_KEY", "API_VERSION", "BASE_URL", "MAX_CONCURRENCY"):
        monkeypatch.delenv(f"NECTAR_{name}", raising=False)


@pytest.fixture(autouse=True)
def _no_blocking_calls(request: pytest.FixtureRequest) -> Iterator[None]:
    """Make blocking calls of the package in a running event loop an error.

    Only calls from a frame of the package count, not those of pytest, of a double or of
    a server in the test. The detector knows asyncio's loop only; on trio the same tests
    run without it.
    """
    if not inspect.iscoroutinefunction(getattr(request, "function", None)):
        yield
        return
    excluded = ["nectar_async.sandbox"]
    with blockbuster_ctx(nectar_async, excluded_modules=excluded) as blocker:
        # Coverage takes a lock when it meets a file for the first time.
        blocker.functions["threading.Lock.acquire"].can_block_in(
            "coverage/collector.py", {"lock_data"}
        )
        yield


@pytest.fixture
async def make_client(anyio_backend: str) -> AsyncIterator[MakeClient]:
    """Build clients, and check after the test that they left nothing behind.

    The first argument is a transport, or the answers of a `MemoryTransport`; `api_key`,
    `clock`, `converter`, `recorder` and `stages` go to the client, the rest to
    `Settings`.
    """
    made: list[NectarClient] = []
    before = _tasks()

    def make(transport: Any, /, **options: Any) -> NectarClient:
        own = {
            name: options.pop(name)
            for name in ("api_key", "clock", "converter", "recorder", "stages")
            if name in options
        }
        if not hasattr(transport, "send"):
            transport = MemoryTransport(transport)
        client = NectarClient(transport=transport, settings=Settings(**options), **own)
        made.append(client)
        return client

    yield make
    for client in made:
        assert_idle(client)
    assert _tasks() == before, "the number of tasks has changed"
    for client in made:
        await client.aclose()


def _tasks() -> int:
    return len(anyio.get_running_tasks())
