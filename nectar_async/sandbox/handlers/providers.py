"""The handler that searches utility providers."""

from __future__ import annotations

from attrs import asdict

from nectar_async.sandbox.generator.providers import list_providers
from nectar_async.sandbox.server.api_call import Call
from nectar_async.sandbox.server.messages import Reply, encode_json
from nectar_async.sandbox.server.pagination import build_page, parse_page_number

__all__ = ["search"]


async def search(call: Call) -> Reply:
    """Search providers by name or URL; without a text, list all."""
    text = call.query.get("search", ("",))[-1]
    lines = [
        encode_json(asdict(provider))
        for provider in list_providers()
        if provider.matches(text)
    ]
    page = parse_page_number(call.query)
    return build_page(lines, page=page, items="datasources", total="totalDatasources")
