"""Fixtures of the tests of secrets."""

from __future__ import annotations

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """One is enough: what is shown does not depend on it."""
    return "asyncio"
