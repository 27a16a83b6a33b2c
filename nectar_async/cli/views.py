"""The lists that can be pulled: their filters, their texts and their totals.

`VIEWS` is the one table. Each entry becomes a command of `nectar pull`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from typing import Any, Final

from attrs import define, field, frozen

from nectar_async._paging.fanout import FanOut
from nectar_async.cli.output import count_noun
from nectar_async.models.account import Account
from nectar_async.models.company import Company
from nectar_async.models.connection import Connection
from nectar_async.models.document import Document
from nectar_async.models.meter import Meter
from nectar_async.models.site import Site
from nectar_async.models.usage import UsageData
from nectar_async.resources.repository import Repository

__all__ = ["VIEWS", "GroupTotal", "View", "ViewTotals"]

# More digits than any meter shows, and room for any exponent that a server sends.
_DECIMALS: Final = Context(prec=100, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])

_CONNECTION_FILTERS: Final = ("connection_owner_email", "sites", "status")
_METER_FILTERS: Final = ("datasource_type", "identifier")
_BILL_FILTERS: Final = ("start_date", "end_date", "date_type", *_METER_FILTERS)


@frozen(kw_only=True)
class View:
    """A list over all companies, and how it is described and summed up."""

    name: str
    """The name of the command below `nectar pull`."""
    summary: str
    """The first line of the command's help."""
    details: str = ""
    """Further paragraphs of the help."""
    example: str = ""
    """Options of the example in the help, besides --out."""
    fan_out: Callable[..., FanOut[Any]] | None = None
    """The method of `Repository` that lists the records. None for records that come
    with the list of companies."""
    filters: Sequence[str] = ()
    """Arguments of that method which are options of the command."""
    read_company: Callable[[Company], Sequence[Any]] = lambda company: (company,)
    """Reads the records out of a company, if there is no `fan_out`."""
    read_parts: Callable[[Any], Sequence[Any]] | None = None
    """Reads the records out of an item of the list, if the item itself is no record."""
    parent_key: str = ""
    """The first key of each of these records; its value is the id of the item."""
    title: str
    """The title of the table of totals."""
    group: str | None = None
    """The field by which records are grouped in that table; None for one row."""
    amount: str | None = None
    """The field that is added up."""
    unit: str | None = None
    """The field with the unit of the amount."""
    has_sites: bool = False
    """Whether records belong to sites, so that the table counts their sites."""
    describe: Callable[[Any], Sequence[str]]
    """Describes a record in a few words, for the progress display."""


@define(kw_only=True, eq=False)
class GroupTotal:
    """The total of the records that share a group and a unit."""

    view: View
    group: str | None
    unit: str | None
    """None if nothing was measured, as on a telephone bill."""
    records: int = 0
    sites: set[str] = field(factory=set)
    amount: Decimal | None = None

    def as_json(self) -> dict[str, Any]:
        """Return plain values by field name; the amount is text and so stays exact."""
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


class ViewTotals:
    """The totals of a view by group and unit, so that units are never mixed."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._totals: dict[tuple[str | None, str | None], GroupTotal] = {}

    def add(self, records: Iterable[Any]) -> None:
        """Add the records of a page."""
        view, totals = self._view, self._totals
        for record in records:
            unit = None if view.unit is None else getattr(record, view.unit)
            group = None if view.group is None else getattr(record, view.group)
            total = totals.get((group, unit))
            if total is None:
                total = GroupTotal(view=view, group=group, unit=unit)
                totals[group, unit] = total
            total.records += 1
            if view.has_sites and record.site is not None:
                total.sites.add(getattr(record.site, "id", record.site))
            amount = None if view.amount is None else getattr(record, view.amount)
            if amount is not None:
                total.amount = _DECIMALS.add(amount, total.amount or 0)

    @property
    def rows(self) -> list[GroupTotal]:
        """The totals, largest group first, with the units of a group together."""
        group_sizes: dict[str | None, int] = {}
        for total in self._totals.values():
            size = group_sizes.get(total.group, 0)
            group_sizes[total.group] = size + total.records
        return sorted(
            self._totals.values(),
            key=lambda total: (
                -group_sizes[total.group],
                total.group or "",
                -total.records,
            ),
        )


def _describe_company(company: Company) -> Sequence[str]:
    return company.id, count_noun(len(company.sites), "site")


def _describe_site(site: Site) -> Sequence[str]:
    return site.name or "no name", site.address or "no address"


def _describe_connection(connection: Connection) -> Sequence[str]:
    datasource = connection.datasource
    utility = None if datasource is None else datasource.name
    accounts = count_noun(len(connection.accounts), "account")
    return connection.status or "unknown", utility or connection.id, accounts


def _describe_account(account: Account) -> Sequence[str]:
    return account.status or "unknown", account.account_number or account.id


def _describe_meter(meter: Meter) -> Sequence[str]:
    values = [identifier.value for identifier in meter.identifiers if identifier.value]
    return meter.datasource_type or "unknown", *values[:1]


def _describe_document(document: Document) -> Sequence[str]:
    charges = _format_amount(document.total_charges, document.charges_units)
    return (
        document.utility_company or "unknown utility",
        str(document.bill_date or "no bill date"),
        charges or "no charges",
    )


def _describe_usage(usage: UsageData) -> Sequence[str]:
    period = f"{usage.start_date or 'unknown'} to {usage.end_date or 'unknown'}"
    return (
        usage.datasource_type or "unknown",
        period,
        _format_amount(usage.usage, usage.usage_units) or "nothing measured",
        *([usage.site.name or "no name"] if usage.site is not None else []),
    )


def _format_amount(amount: Decimal | None, unit: str | None) -> str:
    return "" if amount is None else f"{amount:,} {unit or ''}".rstrip()


_ALL: Final = (
    View(
        name="companies",
        summary="Pull companies with their sites.",
        title="Companies",
        describe=_describe_company,
    ),
    View(
        name="sites",
        summary="Pull sites.",
        details="The API lists them with their companies.",
        read_company=lambda company: company.sites,
        title="Sites",
        describe=_describe_site,
    ),
    View(
        name="connections",
        summary="Pull connections with their accounts.",
        example="--status CONNECTED",
        fan_out=Repository.connections,
        filters=_CONNECTION_FILTERS,
        title="Connections by status",
        group="status",
        describe=_describe_connection,
    ),
    View(
        name="accounts",
        summary="Pull accounts.",
        details="The API lists accounts only as parts of connections. The filters"
        " therefore select connections. In the receipts, pages count pages of"
        " connections, and records count accounts. Each record starts with its"
        " companyId and its connectionId.",
        fan_out=Repository.connections,
        filters=_CONNECTION_FILTERS,
        read_parts=lambda connection: connection.accounts,
        parent_key="connectionId",
        title="Accounts by status",
        group="status",
        describe=_describe_account,
    ),
    View(
        name="meters",
        summary="Pull meters.",
        example="--datasource-type WATER",
        fan_out=Repository.meters,
        filters=_METER_FILTERS,
        title="Meters by utility type",
        group="datasource_type",
        has_sites=True,
        describe=_describe_meter,
    ),
    View(
        name="documents",
        summary="Pull bills with their usage, line items and demand.",
        details="`nectar download` saves the file of a bill.",
        example="--start 2025-01-01",
        fan_out=Repository.documents,
        filters=(*_BILL_FILTERS, "is_deleted"),
        title="Documents by source, with their total charges",
        group="source_type",
        amount="total_charges",
        unit="charges_units",
        describe=_describe_document,
    ),
    View(
        name="usage",
        summary="Pull usage records.",
        details="Each amount is in the usageUnits of its record.",
        example="--start 2025-01-01",
        fan_out=Repository.usage,
        filters=_BILL_FILTERS,
        title="Usage by utility type, as billed",
        group="datasource_type",
        amount="usage",
        unit="usage_units",
        has_sites=True,
        describe=_describe_usage,
    ),
)

VIEWS: Final[Mapping[str, View]] = {view.name: view for view in _ALL}
"""All views by name."""
