"""A package whose `__init__` imports all of its modules, as is often done."""

from __future__ import annotations

from nectar_async import models
from nectar_async._http.pipeline import build_api_pipeline
from nectar_async.client import NectarClient
from nectar_async.transports.aiohttp import AiohttpTransport

__all__ = ["AiohttpTransport", "NectarClient", "build_api_pipeline", "models"]
