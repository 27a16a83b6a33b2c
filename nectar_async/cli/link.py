"""The client of a command: as the environment says."""

from __future__ import annotations

import os
from typing import Any

from nectar_async.cli.outcome import NoKeyError
from nectar_async.client import NectarClient
from nectar_async.settings import Settings

__all__ = ["open_client"]


def open_client(**changes: Any) -> NectarClient:
    """A client with the environment's key and settings, and these changes.

    Raises:
        ConfigurationError: the environment makes no sense.
        NoKeyError: it has no key.
    """
    settings = Settings.from_env(**changes)
    if not os.environ.get("NECTAR_API_KEY", "").strip():
        raise NoKeyError("no API key: NECTAR_API_KEY is not set")
    return NectarClient(settings=settings)
