"""Charges of a bill: line items and demand, computed when a bill is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nectar_async.sandbox.generator.dates import format_day

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nectar_async.sandbox.generator.entities import DocumentRecord, UsageRecord

__all__ = ["build_demand_meters", "build_line_items", "format_decimal", "format_money"]

_SUPPLY_PERCENT = 61
_DELIVERY_PERCENT = 32


def format_money(cents: int) -> str:
    """Format cents as an amount of money."""
    return format_decimal(cents, 2)


def format_decimal(amount: int, places: int) -> str:
    """Format a whole number as an exact decimal: 1234 with two places is `12.34`."""
    if not places:
        return str(amount)
    sign = "-" if amount < 0 else ""
    digits = f"{abs(amount):0{places + 1}d}"
    return f"{sign}{digits[:-places]}.{digits[-places:]}"


def build_line_items(
    document: DocumentRecord, records: Sequence[UsageRecord]
) -> list[dict[str, Any]]:
    """Build the bill's line items, whose sum is its total."""
    share = document.total_cents // max(1, len(records))
    items = []
    for record in records:
        commodity = record.meter.commodity
        is_power = commodity.datasource_type == "ELECTRICITY"
        is_gas = commodity.datasource_type == "GAS"
        items += [
            _build_item(
                document,
                commodity.supply_charge,
                share * _SUPPLY_PERCENT // 100,
                record=record,
                electricityChargeType="SUPPLY" if is_power else None,
                gasChargeType="SUPPLY" if is_gas else None,
            ),
            _build_item(
                document, "Delivery", share * _DELIVERY_PERCENT // 100, record=record
            ),
        ]
    charged = sum(cents for cents, _ in items)
    tax = document.total_cents - charged
    items.append(_build_item(document, "Taxes and fees", tax, chargeType="TAX"))
    return [item for _, item in items]


def build_demand_meters(records: Sequence[UsageRecord]) -> list[dict[str, Any]]:
    """Build the bill's `demandMeters`, an entry for each measured peak demand."""
    return [
        {
            "startDate": format_day(record.start),
            "endDate": format_day(record.end),
            "isEstimated": record.is_estimated,
            "demandUsage": format_decimal(record.peak_demand, 1),
            "demandUsageUnits": "kW",
            "description": "On-peak demand",
            "demandType": "PEAK",
            "usageDataIds": [record.id],
        }
        for record in records
        if record.peak_demand is not None
    ]


def _build_item(
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
        "totalCharge": format_money(cents),
        "description": description,
        "quantity": (
            format_decimal(record.amount, record.places)
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
