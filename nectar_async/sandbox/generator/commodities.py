"""Commodities: their units, seasons, billing periods and kinds of meters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["COMMODITIES", "SEWER", "Commodity", "Unit"]

# The usage of a day, by month from January, in percent of an average day.
_HEATING = (190, 175, 140, 95, 60, 35, 30, 30, 50, 95, 140, 160)
_COOLING = (90, 85, 85, 85, 95, 115, 135, 135, 110, 90, 85, 90)
_SUN = (50, 65, 95, 120, 140, 150, 150, 135, 110, 80, 55, 50)
_FLAT = (100,) * 12


@frozen(kw_only=True)
class Unit:
    """A unit, and the range of a day's usage, counted in its last decimal place."""

    name: str
    places: int
    low: int
    high: int


@frozen(kw_only=True)
class Commodity:
    """A value of `datasourceType`, with the properties of its meters and bills."""

    datasource_type: str
    units: tuple[Unit, ...]
    metric_units: tuple[Unit, ...]
    season: tuple[int, ...]
    months: tuple[int, ...]
    """How many months a bill may cover."""
    kinds: tuple[Mapping[str, str], ...] = ({},)
    """Alternative sets of further fields of its meters."""
    supply_charge: str = "Service"


def _unit(name: str, places: int, low: int, high: int) -> Unit:
    return Unit(name=name, places=places, low=low, high=high)


_KWH = _unit("kWh", 2, 8_000, 180_000)
_MWH = _unit("MWh", 3, 80, 1_800)
_MMBTU = _unit("MMBtu", 3, 400, 9_000)
_CUBIC_M = _unit("cubic m", 2, 80, 2_600)

SEWER: Mapping[str, str] = {"waterType": "WASTEWATER"}

COMMODITIES: Mapping[str, Commodity] = {
    row.datasource_type: row
    for row in (
        Commodity(
            datasource_type="ELECTRICITY",
            units=(_KWH, _KWH, _KWH, _KWH, _MWH),
            metric_units=(_KWH, _KWH, _MWH),
            season=_COOLING,
            months=(1,),
            supply_charge="Supply energy",
        ),
        Commodity(
            datasource_type="GAS",
            units=(
                _unit("thm (US)", 2, 300, 9_000),
                _unit("thm (US)", 2, 300, 9_000),
                _unit("CCF", 1, 30, 900),
                _unit("MCF", 3, 300, 9_000),
            ),
            metric_units=(_CUBIC_M, _KWH, _unit("GJ", 3, 300, 9_000)),
            season=_HEATING,
            months=(1, 1, 2),
            kinds=({"gasType": "NATURAL_GAS"},),
            supply_charge="Gas supply",
        ),
        Commodity(
            datasource_type="WATER",
            units=(
                _unit("kgal (US)", 3, 200, 9_000),
                _unit("gal (US)", 0, 200, 9_000),
                _unit("CCF", 2, 30, 900),
                _unit("HCF", 2, 30, 900),
            ),
            metric_units=(_CUBIC_M,),
            season=_COOLING,
            months=(1, 2, 3),
            kinds=({"waterType": "POTABLE_WATER"},),
            supply_charge="Water use",
        ),
        Commodity(
            datasource_type="DISTRICT",
            units=(
                _MMBTU,
                _unit("ton hours", 1, 500, 20_000),
                _unit("mlb", 3, 300, 7_000),
            ),
            metric_units=(_MWH, _unit("GJ", 3, 900, 9_000)),
            season=_HEATING,
            months=(1,),
            kinds=({"districtType": "HEATING", "districtMediumType": "HOT_WATER"},),
            supply_charge="District energy",
        ),
        Commodity(
            datasource_type="WASTE",
            units=(
                _unit("tons (US)", 3, 20, 900),
                _unit("lb", 0, 40, 900),
                _unit("cubic yd", 1, 5, 120),
            ),
            metric_units=(_unit("tonne", 3, 20, 900), _unit("kg", 0, 20, 900)),
            season=_FLAT,
            months=(1,),
            kinds=(
                {
                    "wasteDescription": "8 yd front load, weekly",
                    "wasteType": "Mixed waste",
                    "wasteStream": "Landfill",
                },
                {
                    "wasteDescription": "96 gal cart, twice a week",
                    "wasteType": "Cardboard & paper",
                    "wasteStream": "Recycling",
                },
                {"wasteType": "Food scraps", "wasteStream": "Compost"},
            ),
            supply_charge="Collection",
        ),
        Commodity(
            datasource_type="FUEL",
            units=(_unit("gal (US)", 1, 20, 1_200), _MMBTU),
            metric_units=(_unit("L", 1, 90, 4_500),),
            season=_HEATING,
            months=(2, 3),
            kinds=({"fuelType": "DIESEL"}, {"fuelType": "ANTHRACITE_COAL"}),
            supply_charge="Fuel delivered",
        ),
        Commodity(
            datasource_type="MISC",
            units=(_unit("mi", 1, 90, 9_000), _unit("lb", 2, 90, 9_000)),
            metric_units=(_unit("km", 1, 90, 9_000),),
            season=_FLAT,
            months=(3,),
            supply_charge="Other services",
        ),
        Commodity(
            datasource_type="REFRIGERANT",
            units=(_unit("lb", 2, 1, 40),),
            metric_units=(_unit("kg", 3, 5, 200),),
            season=_FLAT,
            months=(3,),
            kinds=({"refrigerantType": "R11"}, {"refrigerantType": "R410A"}),
            supply_charge="Refrigerant top-up",
        ),
        Commodity(
            datasource_type="SOLAR",
            units=(_KWH,),
            metric_units=(_KWH,),
            season=_SUN,
            months=(1,),
            kinds=({"netMeteringType": "GENERATION"},),
            supply_charge="Generation credit",
        ),
        Commodity(
            datasource_type="TELECOM",
            units=(_KWH,),
            metric_units=(_KWH,),
            season=_FLAT,
            months=(1,),
            supply_charge="Leased lines",
        ),
    )
}
