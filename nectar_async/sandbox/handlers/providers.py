"""The search for utility providers."""

from __future__ import annotations

from attrs import asdict

from nectar_async.sandbox.generator.providers import providers
from nectar_async.sandbox.server.filters import page_number
from nectar_async.sandbox.server.messages import Call, Reply
from nectar_async.sandbox.server.pagination import page_of
from nectar_async.sandbox.server.wire_format import encode

__all__ = ["search"]


async def search(call: Call) -> Reply:
    """A page of the providers that the text finds; no text finds all."""
    text = call.query.get("search", ("",))[-1]
    lines = [encode(asdict(found)) for found in providers() if found.matches(text)]
    page = page_number(call.query)
    return page_of(lines, page=page, items="datasources", total="totalDatasources")
