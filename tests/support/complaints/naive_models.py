"""Meaning made of JSON as it is often done: each has one flaw."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import aiohttp
import cattrs
from attrs import define, frozen

__all__ = [
    "KeptLinks",
    "Usage",
    "body_of",
    "class_per_call",
    "good_rows",
    "local_time",
    "page_of",
    "total_of",
]


class Unit(StrEnum):
    """The units that there were when this was written."""

    KWH = "kWh"
    THERMS = "therms"


@frozen
class Usage:
    """A record, with a value of a closed list."""

    id: str
    usageUnits: Unit  # noqa: N815 - as on the wire


def page_of(body: bytes) -> list[Usage]:
    """All records, or none: one value that is new, and the whole answer is lost."""
    return cattrs.structure(json.loads(body)["usageData"], list[Usage])


def total_of(body: bytes) -> float:
    """A sum that trusts each row to have its amount, rounded on the way."""
    rows: list[dict[str, float]] = json.loads(body)["usageData"]
    return sum(round(row["usage"], 2) for row in rows)


def good_rows(body: bytes) -> list[str]:
    """Ids up to the first row that is not as it should be; the rest is hidden."""
    ids: list[str] = []
    try:
        for row in json.loads(body)["usageData"]:
            float(row["usage"])
            ids.append(row["id"])
    except (KeyError, TypeError, ValueError):
        return ids
    return ids


def local_time(text: str) -> datetime:
    """What the clock on the wall says, without where the wall is."""
    return datetime.fromisoformat(text).replace(tzinfo=None)


def body_of(**fields: object) -> dict[str, object]:
    """None is what nobody gave, so there is no way to clear a field."""
    return {name: value for name, value in fields.items() if value is not None}


_CONVERTER = cattrs.Converter()


def class_per_call(body: bytes) -> Any:
    """A class for the page of this kind, made for each call, and known ever after."""
    kind = define(
        type("Page", (), {"__annotations__": {"usageData": list[Any]}}), slots=False
    )
    return _CONVERTER.structure(json.loads(body), kind)


class KeptLinks:
    """Links of files, kept for later; by then they are dead."""

    def __init__(self, links: Mapping[str, str]) -> None:
        self._links = links

    async def download(self, name: str) -> bytes:
        async with (
            aiohttp.ClientSession(raise_for_status=True) as session,
            session.get(self._links[name]) as response,
        ):
            return await response.read()
