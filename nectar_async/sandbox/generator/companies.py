"""Companies and their sites, without connections, bills and usage."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from nectar_async.sandbox.generator.dates import find_first_day
from nectar_async.sandbox.generator.entities import CompanyRecord, SiteRecord
from nectar_async.sandbox.generator.names import (
    BUILDINGS,
    REGIONS,
    STREETS,
    Region,
    make_company_name,
)
from nectar_async.sandbox.generator.seeded_random import SeededRandom

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nectar_async.sandbox.generator.ids import Ids

__all__ = ["build_company", "build_site", "make_company"]

# One company in 25 has no usage yet, one in 13 is a large one.
_EMPTY_EVERY = 25
_LARGE_EVERY = 13
_RECORDS_A_SITE = 130


def make_company(ids: Ids, seed: int, index: int, last_day: date) -> CompanyRecord:
    """Make the company at an index."""
    random = SeededRandom(seed, "company", index)
    region = REGIONS[0] if random.chance(780) else random.pick(REGIONS[1:])
    planned = _draw_planned_records(random, seed, index)
    name = make_company_name(index)
    has_implied_sewer = random.chance(200)
    first = find_first_day(last_day)
    return CompanyRecord(
        index=index,
        id=ids.make("company", index),
        name=name,
        external_id=f"CO-{index + 1:05d}" if random.chance(850) else None,
        users=tuple(
            f"{user}{index}@example.com" for user in ("ops", "energy")[: 1 + index % 2]
        ),
        region=region,
        start_date=first.isoformat() if random.chance(700) else None,
        is_demand_enabled=random.chance(300),
        is_implied_metering_enabled=has_implied_sewer,
        sewer_percent=random.pick((100, 100, 90, 75)) if has_implied_sewer else 100,
        is_basic_identifier_mapping_enabled=random.chance(100),
        is_low_accuracy_mode_enabled=random.chance(60),
        sites=tuple(
            _make_site(
                ids.make("site", index, str(place)), random, place, region, last_day
            )
            for place in range(max(1, round(planned / _RECORDS_A_SITE)))
        ),
        planned_records=planned,
    )


def build_company(
    index: int, company_id: str, fields: Mapping[str, Any], today: int
) -> CompanyRecord:
    """Build a company that a caller creates, with defaults for missing `fields`."""
    year = date.fromordinal(today).year
    values: dict[str, Any] = {
        "external_id": None,
        "users": (),
        "start_date": date(year - 1, 1, 1).isoformat(),
        "is_demand_enabled": False,
        "is_implied_metering_enabled": False,
        "sewer_percent": 100,
        "is_basic_identifier_mapping_enabled": False,
        "is_low_accuracy_mode_enabled": False,
        **fields,
    }
    return CompanyRecord(
        index=index,
        id=company_id,
        region=REGIONS[0],
        sites=(),
        planned_records=0,
        **values,
    )


def build_site(
    ids: Ids, index: int, serial: int, fields: Mapping[str, Any]
) -> SiteRecord:
    """Build a site that a caller creates, with defaults for all `fields` but the name.

    `serial` is how many sites were created in that company before.
    """
    values: dict[str, Any] = {
        "address": "",
        "path": (),
        "external_id": None,
        "occupancy_percent": None,
        **fields,
    }
    site_id = ids.make("site", index, f"created-{serial}")
    return SiteRecord(id=site_id, stop_day=None, **values)


def _draw_planned_records(random: SeededRandom, seed: int, index: int) -> int:
    # The index decides, not chance, so that 20 companies include all sizes.
    if index % _EMPTY_EVERY == 1 + seed % (_EMPTY_EVERY - 1):
        return 0
    if index % _LARGE_EVERY == 1 + seed % (_LARGE_EVERY - 1):
        return random.pick((800, 950, 1_100, 1_400, 1_400, 1_900))
    return random.between(150, 480)


def _make_site(
    site_id: str, random: SeededRandom, place: int, region: Region, last_day: date
) -> SiteRecord:
    state, town, postcode = random.pick(region.towns)
    street = random.pick(STREETS)
    number = random.between(1, 900)
    is_archived = random.chance(40)
    address = (
        f"{street} {number}, {postcode} {town}"
        if region.is_metric
        else f"{number} {street}, {town}, {state} {postcode}"
    )
    stop_day = last_day.toordinal() - random.between(30, 400)
    return SiteRecord(
        id=site_id,
        name=f"{street} {random.pick(BUILDINGS)} {place + 1}",
        address=address,
        path=(region.country, state, town) if random.chance(900) else (),
        external_id=f"SITE-{place + 1:03d}" if random.chance(700) else None,
        stop_day=stop_day if is_archived else None,
        occupancy_percent=(
            f"{random.between(20, 99)}.{random.digits(4)}"
            if random.chance(400)
            else None
        ),
    )
