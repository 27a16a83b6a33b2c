"""Fixtures: a small sandbox for each test, and a portfolio for reading only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
import pytest
import pytest_asyncio
from contract_client import ContractClient
from raw_client import RawClient

from nectar_async.sandbox import Portfolio, Sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture(scope="session")
def portfolio() -> Portfolio:
    return Portfolio(companies=20)


@pytest_asyncio.fixture
async def raw_client() -> AsyncIterator[RawClient]:
    async with Sandbox(companies=2) as sandbox, aiohttp.ClientSession() as session:
        yield RawClient(sandbox, session)


@pytest_asyncio.fixture
async def client() -> AsyncIterator[ContractClient]:
    """A client of a sandbox whose clock is stopped."""
    async with (
        Sandbox(companies=2, clock_speed=0) as sandbox,
        aiohttp.ClientSession() as session,
    ):
        yield ContractClient(sandbox, session)
