"""Invented names of companies, buildings, streets, towns and utilities."""

from __future__ import annotations

from attrs import frozen

__all__ = ["BUILDINGS", "REGIONS", "STREETS", "Region", "make_company_name"]

_FIRST = (
    "Amber", "Alder", "Basalt", "Bäckström", "Beacon", "Birch", "Bluff", "Cedar",
    "Château", "Cinder", "Copper", "Coral", "Dune", "Ember", "Fjord", "Garnet",
    "Granite", "Harbor", "Hazel", "Hōshi", "Indigo", "Ironwood", "Juniper", "Kestrel",
    "Lantern", "Larch", "Łąka", "Maple", "Marlow", "Meridian", "Mistral", "Nimbus",
    "Oakmoor", "Obsidian", "Ørsund", "Osprey", "Pebble", "Peregrine", "Pinyon",
    "Quarry", "Quill", "Redwood", "Ridgeline", "Saffron", "Señal", "Sierra", "Sorrel",
    "Spruce", "Summit", "Tamarack", "Thistle", "Tidewater", "Umber", "Vega", "Willow",
    "Windrose", "Yarrow", "Zephyr", "Zürisee", "Île-Rouge", "Wren",
)  # fmt: skip
_SECOND = (
    "Bridge", "Brook", "Canyon", "Cove", "Crest", "Crossing", "Field", "Gate", "Glen",
    "Grove", "Hill", "Hollow", "Island", "Junction", "Lake", "Landing", "Mill", "Park",
    "Point", "Pond", "River", "Rock", "Shore", "Spring", "Terrace", "Vale", "Valley",
    "View", "Wharf", "Woods", "Yard",
)  # fmt: skip
_THIRD = (
    "Properties", "Foods", "Logistics", "Hotels", "Manufacturing", "Health", "Retail",
    "Partners", "Realty Trust", "Schools",
)  # fmt: skip
_NAME_COUNT = len(_FIRST) * len(_SECOND) * len(_THIRD)
# A prime that divides none of the factors, so that no name repeats before all are used.
_STRIDE = 7919

BUILDINGS = (
    "Office", "Warehouse", "Plant", "Store", "Distribution Center", "Clinic", "Tower",
    "Campus", "Garage", "Laboratory", "Café", "Data Hall", "Annex", "Workshop",
)  # fmt: skip
STREETS = (
    "Harbor Street", "Mill Road", "Juniper Avenue", "Rue de l'Église", "Lindenstraße",
    "Canal Row", "Ridge Boulevard", "Old Quarry Lane", "Ferry Approach", "Station Road",
    "Calle del Peñón", "Orchard Way", "Foundry Street", "Beacon Hill Drive",
)  # fmt: skip


@frozen(kw_only=True)
class Region:
    """A country with its currency, towns and utilities."""

    country: str
    currency: str
    is_metric: bool
    towns: tuple[tuple[str, str, str], ...]
    """State, town and postcode."""
    utilities: tuple[str, ...]


REGIONS = (
    Region(
        country="US",
        currency="USD",
        is_metric=False,
        towns=(
            ("IL", "Springfield", "62701"),
            ("OR", "Fernhollow", "97299"),
            ("TX", "Mesquite Flats", "78799"),
            ("MA", "Saltmarsh", "02199"),
            ("CO", "Cañon Alto", "80299"),
        ),
        utilities=(
            "Example Power and Light",
            "Fernhollow Energy",
            "Saltmarsh Municipal Utilities",
            "Mesquite Electric Cooperative",
            "Three Rivers Services",
        ),
    ),
    Region(
        country="DE",
        currency="EUR",
        is_metric=True,
        towns=(("BY", "Neustadt am Fluß", "89999"), ("NW", "Köln-Musterhof", "50999")),
        utilities=("Stadtwerke Musterhof", "Rheintal Energie", "Grünstrom Beispiel"),
    ),
    Region(
        country="FR",
        currency="EUR",
        is_metric=True,
        towns=(("IDF", "Saint-Exemple", "75999"), ("ARA", "Côte-Neuve", "69999")),
        utilities=("Énergie Exemple", "Eaux de Côte-Neuve", "Réseau du Midi"),
    ),
)


def make_company_name(index: int) -> str:
    """Make a name that no other company of the portfolio has."""
    repeat, place = divmod(index, _NAME_COUNT)
    place, first = divmod(place * _STRIDE % _NAME_COUNT, len(_FIRST))
    third, second = divmod(place, len(_SECOND))
    name = f"{_FIRST[first]} {_SECOND[second]} {_THIRD[third]}"
    return f"{name} {repeat + 1}" if repeat else name
