"""What came, group by group and unit by unit."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from typing import Any

from attrs import define, field

from nectar_async.cli.views import View

__all__ = ["Total", "Totals"]

# More digits than any meter shows, and no amount that a server could send is too large.
_SUMS = Context(prec=100, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])


@define(kw_only=True, eq=False)
class Total:
    """The records of one group that are in one unit."""

    view: View
    group: str | None
    unit: str | None
    """None where nothing was measured, as on a telephone bill."""
    records: int = 0
    sites: set[str] = field(factory=set)
    amount: Decimal | None = None

    def as_json(self) -> dict[str, Any]:
        """By the names of the view's fields; the amount is text, to lose no digit."""
        view = self.view
        facts: dict[str, Any] = {} if view.group is None else {view.group: self.group}
        if view.unit is not None:
            facts[view.unit] = self.unit
        facts["records"] = self.records
        if view.has_sites:
            facts["sites"] = len(self.sites)
        if view.amount is not None:
            facts[view.amount] = None if self.amount is None else str(self.amount)
        return facts


class Totals:
    """Sums that never mix units: a line for each group and unit."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._lines: dict[tuple[str | None, str | None], Total] = {}

    def add(self, records: Iterable[Any]) -> None:
        """Count the records of a page."""
        view, lines = self._view, self._lines
        for record in records:
            unit = None if view.unit is None else getattr(record, view.unit)
            group = None if view.group is None else getattr(record, view.group)
            key = group, unit
            total = lines.get(key)
            if total is None:
                total = lines[key] = Total(view=view, group=key[0], unit=unit)
            total.records += 1
            if view.has_sites and record.site is not None:
                total.sites.add(getattr(record.site, "id", record.site))
            amount = None if view.amount is None else getattr(record, view.amount)
            if amount is not None:
                total.amount = _SUMS.add(amount, total.amount or 0)

    @property
    def lines(self) -> list[Total]:
        """The most records first, the units of a group together."""
        of_group: dict[str | None, int] = {}
        for total in self._lines.values():
            kind = total.group
            of_group[kind] = of_group.get(kind, 0) + total.records
        return sorted(
            self._lines.values(),
            key=lambda total: (
                -of_group[total.group],
                total.group or "",
                -total.records,
            ),
        )
