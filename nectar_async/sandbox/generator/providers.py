"""Invented utility providers: those of the portfolio and a few hundred more."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from itertools import product
from uuid import NAMESPACE_URL, uuid5

from attrs import frozen

from nectar_async.sandbox.generator.names import REGIONS

__all__ = ["ProviderRecord", "list_providers"]

_PLACES = (
    "Alder County", "Ashford", "Bayview", "Brightwater", "Cedar Valley", "Clearbrook",
    "Coldstream", "Copperfield", "Dunmore", "Eastlake", "Elm Hollow", "Fairmount",
    "Foxglove", "Glenrock", "Goldfield", "Greenhaven", "Highmoor", "Hillcrest",
    "Ironbridge", "Juniper Flats", "Kingsport", "Lakemont", "Longmeadow", "Maplewood",
    "Millbrook", "Northgate", "Oakridge", "Pinehurst", "Quarry Bay", "Redstone",
    "Riverbend", "Rosemont", "Sandhill", "Silverton", "Stonebridge", "Sunnyvale",
    "Thornbury", "Upland", "Westbrook", "Whitewater",
)  # fmt: skip
_KINDS = (
    "Electric Cooperative", "Energy", "Gas Company", "Light and Power",
    "Municipal Utilities", "Sanitation", "Water District", "Waterworks",
)  # fmt: skip
_NOT_ALPHANUMERIC = re.compile(r"[^a-z0-9]+")


@frozen
class ProviderRecord:
    """A utility with a portal for logins."""

    id: str
    name: str
    url: str

    def matches(self, text: str) -> bool:
        """Whether a text occurs in the name, in whatever case, or in the URL."""
        wanted = text.strip().casefold()
        return wanted in self.name.casefold() or wanted in self.url


@cache
def list_providers() -> tuple[ProviderRecord, ...]:
    """List all providers, sorted by name."""
    billing = {name for region in REGIONS for name in region.utilities}
    others = {f"{place} {kind}" for place, kind in product(_PLACES, _KINDS)}
    return tuple(_make_provider(name) for name in sorted(billing | others))


def _make_provider(name: str) -> ProviderRecord:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    host = _NOT_ALPHANUMERIC.sub("-", plain.lower()).strip("-")
    url = f"https://{host}.example.com"
    return ProviderRecord(str(uuid5(NAMESPACE_URL, url)), name, url)
