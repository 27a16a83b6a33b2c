"""Fixtures of the tests of secrets."""

from __future__ import annotations

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """Use one backend: the results do not depend on it."""
    return "asyncio"
