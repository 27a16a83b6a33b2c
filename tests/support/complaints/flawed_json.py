"""Decoding and encoding of JSON as it is often written; each has one flaw."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import aiohttp
import cattrs
import msgspec
from attrs import define, frozen

__all__ = [
    "StoredLinks",
    "Usage",
    "build_body",
    "decode_page",
    "decode_strictly",
    "decode_with_new_class",
    "parse_local_time",
    "read_ids",
    "sum_usage",
]


class Unit(StrEnum):
    """The units known when the code was written."""

    KWH = "kWh"
    THERMS = "therms"


@frozen
class Usage:
    """A usage record with a closed enum."""

    id: str
    usageUnits: Unit  # noqa: N815 - as on the wire


def decode_page(body: bytes) -> list[Usage]:
    """Decode all records; one new enum value fails the whole page."""
    return cattrs.structure(json.loads(body)["usageData"], list[Usage])


def decode_strictly(body: bytes) -> object:
    """Decode with a strict parser; one damaged value fails the whole page."""
    return msgspec.json.decode(body)


def sum_usage(body: bytes) -> float:
    """Sum up amounts as rounded floats; a row without an amount fails."""
    rows: list[dict[str, float]] = json.loads(body)["usageData"]
    return sum(round(row["usage"], 2) for row in rows)


def read_ids(body: bytes) -> list[str]:
    """Read ids up to the first row without an amount, and hide the rest."""
    ids: list[str] = []
    try:
        for row in json.loads(body)["usageData"]:
            float(row["usage"])
            ids.append(row["id"])
    except (KeyError, TypeError, ValueError):
        return ids
    return ids


def parse_local_time(text: str) -> datetime:
    """Parse a time and drop its time zone."""
    return datetime.fromisoformat(text).replace(tzinfo=None)


def build_body(**fields: object) -> dict[str, object]:
    """Build a body without None, so that no field can be cleared."""
    return {name: value for name, value in fields.items() if value is not None}


_CONVERTER = cattrs.Converter()


def decode_with_new_class(body: bytes) -> Any:
    """Decode a page with a class that is created for the call and never freed."""
    page_class = define(
        type("Page", (), {"__annotations__": {"usageData": list[Any]}}), slots=False
    )
    return _CONVERTER.structure(json.loads(body), page_class)


class StoredLinks:
    """Stores links of files for later use, when they have expired."""

    def __init__(self, links: Mapping[str, str]) -> None:
        self._links = links

    async def download(self, name: str) -> bytes:
        async with (
            aiohttp.ClientSession(raise_for_status=True) as session,
            session.get(self._links[name]) as response,
        ):
            return await response.read()
