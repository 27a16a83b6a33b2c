"""What came, by utility type and unit."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from attrs import define, field

from nectar_async.models.usage import UsageData

__all__ = ["Total", "Totals"]


@define(kw_only=True, eq=False)
class Total:
    """The records of one utility type that are in one unit."""

    datasource_type: str | None
    usage_units: str | None
    """None where nothing was measured, as with a telephone bill."""
    records: int = 0
    sites: set[str] = field(factory=set)
    usage: Decimal = Decimal(0)

    def as_json(self) -> dict[str, Any]:
        """The total as plain values; the usage is text, so that no digit is lost."""
        return {
            "datasource_type": self.datasource_type,
            "usage_units": self.usage_units,
            "records": self.records,
            "sites": len(self.sites),
            "usage": None if self.usage_units is None else str(self.usage),
        }


class Totals:
    """Sums that never mix units: a line for each type and unit."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str | None, str | None], Total] = {}

    def add(self, records: Iterable[UsageData]) -> None:
        """Count the records of a page."""
        lines = self._lines
        for record in records:
            key = record.datasource_type, record.usage_units
            total = lines.get(key)
            if total is None:
                total = lines[key] = Total(datasource_type=key[0], usage_units=key[1])
            total.records += 1
            if record.site is not None:
                total.sites.add(record.site.id)
            if record.usage is not None:
                total.usage += record.usage

    @property
    def lines(self) -> list[Total]:
        """The most records first, the units of a type together."""
        of_type: dict[str | None, int] = {}
        for total in self._lines.values():
            kind = total.datasource_type
            of_type[kind] = of_type.get(kind, 0) + total.records
        return sorted(
            self._lines.values(),
            key=lambda total: (
                -of_type[total.datasource_type],
                total.datasource_type or "",
                -total.records,
            ),
        )
