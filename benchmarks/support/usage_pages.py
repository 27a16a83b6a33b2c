"""Usage as the API sends it: seeded pages of 100 records, about 150 kB of JSON each.

A page has what real pages have and what makes decoding slow: decimals as text and as
numbers, values of enums that this version does not know, one key that nobody knows,
sites that repeat within a page and bills that two records share.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

__all__ = [
    "PER_PAGE",
    "UNKNOWN_KEY",
    "Template",
    "companies",
    "dump",
    "page",
    "template",
]

PER_PAGE = 100
TEMPLATES = 8
"""The number of rendered pages; all others differ in the ids of records only."""
UNKNOWN_KEY = "meterGroup"

_SITES = 12
_KINDS = ("ELECTRICITY", "GAS", "WATER", "WASTE", "FUEL", "DISTRICT")
_SHARES = (54, 24, 14, 3, 3, 2)
_UNITS = {"ELECTRICITY": "kWh", "GAS": "thm (US)", "WATER": "kgal (US)"}
# Further fields by commodity; the package does not know DEMAND, SEWER, DIESEL, STEAM.
_DETAILS: Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "ELECTRICITY": (("electricityType", ("USAGE", "USAGE", "USAGE", "DEMAND")),),
    "GAS": (("gasType", ("NATURAL_GAS",)),),
    "WATER": (("waterType", ("POTABLE_WATER", "SEWER")),),
    "WASTE": (
        ("wasteDescription", ("Mixed recycling", "Landfill")),
        ("wasteType", ("RECYCLING", "MUNICIPAL")),
        ("wasteStream", ("COMMINGLED", "LANDFILL")),
    ),
    "FUEL": (("fuelType", ("ANTHRACITE_COAL", "DIESEL")),),
    "DISTRICT": (
        ("districtType", ("HEATING",)),
        ("districtMediumType", ("HOT_WATER", "STEAM")),
    ),
}
_NOTHING = dict.fromkeys(
    (
        *("netMeteringGeneratedKwh", "netMeteringGridImportKwh", "meterAddress"),
        *("electricityType", "netMeteringType", "waterType", "meterHighLow"),
        *("gasType", "fuelType", "districtType", "districtMediumType"),
        *("wasteDescription", "wasteType", "wasteStream", "refrigerantType"),
    )
)
_CITIES = (
    *("Portland, OR 97201", "Austin, TX 78701", "München 80331", "Zürich 8001"),
    *("Boston, MA 02108", "Denver, CO 80202"),
)
_STREETS = ("Market St", "NE Killingsworth St", "Congress Ave", "Leopoldstraße")
_UTILITIES = ("Pacific Gas & Electric", "Austin Energy", "Stadtwerke München")
_EPOCH = datetime(2023, 1, 1, tzinfo=UTC)
_FIRST_DAY = date(2024, 1, 1)

Json = dict[str, Any]


def _uuid(dice: random.Random) -> str:
    return str(UUID(int=dice.getrandbits(128), version=4))


def _instant(dice: random.Random) -> str:
    seconds, rest = dice.randrange(900 * 86_400), dice.randrange(1_000_000)
    moment = _EPOCH + timedelta(seconds=seconds, microseconds=rest)
    return moment.isoformat().replace("+00:00", "Z")


def _day(dice: random.Random) -> date:
    return _FIRST_DAY + timedelta(days=dice.randrange(700))


def _amount(dice: random.Random, most: float) -> str | float:
    """Draw an amount: as text, or with a chance of one in five as a number."""
    amount = round(dice.random() * most, 4)
    return amount if dice.random() < 0.2 else f"{amount:.4f}"


def _site(dice: random.Random) -> Json:
    city = dice.choice(_CITIES)
    return {
        "id": _uuid(dice),
        "name": f"Building {dice.randrange(1, 400)} - {city.split(',')[0]}",
        "dataCollectionStopDate": None if dice.random() < 0.9 else "2026-12-31",
        "externalId": f"EXT-{dice.randrange(10**6):06}"
        if dice.random() < 0.6
        else None,
        "address": f"{dice.randrange(10, 9999)} {dice.choice(_STREETS)}, {city}",
        "path": ["Portfolio A", dice.choice(("West", "East", "EMEA"))],
        "occupancyPercent": None if dice.random() < 0.5 else "92.50",
    }


def _document(dice: random.Random) -> Json:
    billed, key = _day(dice), _uuid(dice)
    return {
        "id": key,
        "created": _instant(dice),
        "url": f"https://files.example.test/bills/{key}.pdf",
        "billDate": billed.isoformat(),
        "chargesUnits": "USD",
        "utilityCompany": dice.choice(_UTILITIES),
        "status": "PROCESSED",
        "flaggedStatus": None,
        "revisedDocumentId": None,
        "updated": _instant(dice),
        "fileName": f"bill-{billed:%Y-%m}.pdf",
        "jobId": None,
        "dueDate": (billed + timedelta(days=21)).isoformat(),
        "totalCharges": _amount(dice, 20_000),
    }


def _parts(dice: random.Random) -> list[Json]:
    """Build parts by time of use; the package does not know SHOULDER."""
    return [
        {
            "timeOfUse": period,
            "usage": _amount(dice, 9_000),
            "usageUnits": "kWh",
            "description": f"{period.title()} usage",
            "startDate": None,
            "endDate": None,
        }
        for period in ("PEAK", "OFF_PEAK", "SHOULDER")
    ]


def _record(dice: random.Random, site: Json, document: Json) -> Json:
    (kind,) = dice.choices(_KINDS, _SHARES)
    start = _day(dice)
    unit = "newUnit" if dice.random() < 0.01 else _UNITS.get(kind, "short ton")
    number = f"{dice.randrange(10**9):09}"
    names = [
        {"rawName": "Meter #", "value": number, "name": "METER"},
        {"rawName": "Account", "value": f"{dice.randrange(10**10)}", "name": "ACCOUNT"},
    ]
    has_parts = kind == "ELECTRICITY" and dice.random() < 0.25
    details = {key: dice.choice(values) for key, values in _DETAILS[kind]}
    center = f"CC-{dice.randrange(100)}"
    return {
        "id": _uuid(dice),
        "created": _instant(dice),
        "updated": _instant(dice),
        "startDate": start.isoformat(),
        "endDate": (start + timedelta(days=dice.randrange(27, 32))).isoformat(),
        "isEstimated": dice.random() < 0.1,
        "exclusion": False,
        "usage": _amount(dice, 50_000),
        "usageUnits": unit,
        "timeOfUseBreakdown": _parts(dice) if has_parts else [],
        "serviceAddress": site["address"] if dice.random() < 0.5 else None,
        "meter": _uuid(dice),
        "site": site,
        "identifiers": names[: dice.randrange(1, 3)],
        "datasourceType": kind,
        **_NOTHING,
        **details,
        "additionalFields": {"costCenter": center} if dice.random() < 0.2 else {},
        "meterIsTracked": dice.random() < 0.95,
        "document": document if dice.random() < 0.9 else None,
        UNKNOWN_KEY: f"group-{dice.randrange(20)}",
    }


def page(seed: int = 7, *, number: int = 1, of: int = 1) -> Json:
    """Build a full page of usage: the envelope and 100 records."""
    dice = random.Random(seed)
    sites = [_site(dice) for _ in range(_SITES)]
    documents = [_document(dice) for _ in range(PER_PAGE // 2)]
    records = [
        _record(dice, sites[at % _SITES], documents[at // 2]) for at in range(PER_PAGE)
    ]
    return {**_envelope(number, of), "usageData": records}


def companies(ids: list[str]) -> list[Json]:
    """Build the list of companies: a bare array, each with two sites."""
    dice = random.Random(11)
    return [
        {
            "id": key,
            "name": f"Company {at + 1}",
            "isDemandEnabled": False,
            "sites": [_site(dice) for _ in range(2)],
            "users": [f"person{at}@example.test"],
            "externalId": None,
            "dataCollectionStartDate": "2024-01-01",
        }
        for at, key in enumerate(ids)
    ]


def dump(value: object) -> bytes:
    """Encode JSON without spaces and escapes of letters."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _envelope(number: int, of: int) -> Json:
    return {
        "totalUsageData": of * PER_PAGE,
        "perPage": PER_PAGE,
        "totalPages": of,
        "currentPage": number,
        "hasNext": number < of,
        "hasPrevious": number > 1,
    }


class Template:
    """A template for pages that differ in the ids of their records."""

    def __init__(self, seed: int) -> None:
        base_page = page(seed)
        records: list[Json] = base_page["usageData"]
        self._text = dump(records).split(b'{"id":"')
        self._starts: list[int] = []
        # The text is split at every object with an id, not only at records.
        keys = {record["id"].encode() for record in records}
        for at, piece in enumerate(self._text):
            if piece[:36] in keys:
                self._starts.append(at)

    def body(self, owner: int, number: int, of: int) -> bytes:
        """Build page `number` of `of` of the company at `owner`, in plain JSON."""
        mark = b"%04x%04x" % (owner, number)
        pieces = self._text.copy()
        for at in self._starts:
            pieces[at] = mark + pieces[at][8:]
        head = dump(_envelope(number, of))[:-1]
        return head + b',"usageData":' + b'{"id":"'.join(pieces) + b"}"


@cache
def template(number: int) -> Template:
    """Get one of the templates, which are built on first use."""
    return Template(number % TEMPLATES)
