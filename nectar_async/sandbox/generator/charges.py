"""What a bill charges: line items and demand, made only when a bill is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nectar_async.sandbox.generator.dates import iso

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nectar_async.sandbox.generator.entities import DocumentRecord, UsageRecord

__all__ = ["decimal", "demand_meters", "line_items", "money"]

_SUPPLY_PERCENT = 61
_DELIVERY_PERCENT = 32


def money(cents: int) -> str:
    """An amount of money as the wire prints it."""
    return decimal(cents, 2)


def decimal(amount: int, places: int) -> str:
    """A whole number of last places as an exact decimal text."""
    if not places:
        return str(amount)
    sign = "-" if amount < 0 else ""
    digits = f"{abs(amount):0{places + 1}d}"
    return f"{sign}{digits[:-places]}.{digits[-places:]}"


def line_items(
    document: DocumentRecord, records: Sequence[UsageRecord]
) -> list[dict[str, Any]]:
    """The bill's charges; they add up to its total to the cent."""
    share = document.total_cents // max(1, len(records))
    items = []
    for record in records:
        commodity = record.meter.commodity
        is_power = commodity.datasource_type == "ELECTRICITY"
        is_gas = commodity.datasource_type == "GAS"
        items += [
            _item(
                document,
                commodity.supply_charge,
                share * _SUPPLY_PERCENT // 100,
                record=record,
                electricityChargeType="SUPPLY" if is_power else None,
                gasChargeType="SUPPLY" if is_gas else None,
            ),
            _item(
                document, "Delivery", share * _DELIVERY_PERCENT // 100, record=record
            ),
        ]
    charged = sum(cents for cents, _ in items)
    rest = document.total_cents - charged
    items.append(_item(document, "Taxes and fees", rest, chargeType="TAX"))
    return [item for _, item in items]


def demand_meters(records: Sequence[UsageRecord]) -> list[dict[str, Any]]:
    """The demand that the bill's tables print, one entry for each metered peak."""
    return [
        {
            "startDate": iso(record.start),
            "endDate": iso(record.end),
            "isEstimated": record.is_estimated,
            "demandUsage": decimal(record.peak_demand, 1),
            "demandUsageUnits": "kW",
            "description": "On-peak demand",
            "demandType": "PEAK",
            "usageDataIds": [record.id],
        }
        for record in records
        if record.peak_demand is not None
    ]


def _item(
    document: DocumentRecord,
    description: str,
    cents: int,
    *,
    record: UsageRecord | None = None,
    **types: str | None,
) -> tuple[int, dict[str, Any]]:
    has_quantity = record is not None and record.amount is not None
    return cents, {
        "rate": None,
        "totalCharge": money(cents),
        "description": description,
        "quantity": (
            decimal(record.amount, record.places)
            if record is not None and record.amount is not None
            else None
        ),
        "quantityUnits": record.meter.unit.name if record and has_quantity else None,
        "multipliers": [],
        "accountIds": [document.account_id] if document.account_id else [],
        "chargeType": None,
        "electricityChargeType": None,
        "electricityIsDemand": False,
        "electricityTimeOfUse": None,
        "gasChargeType": None,
        "billingPeriod": "CURRENT",
        **types,
    }
