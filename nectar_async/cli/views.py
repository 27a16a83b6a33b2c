"""What can be pulled: the views of the Data Repository, and what is told of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from attrs import frozen

from nectar_async._paging.fanout import FanOut
from nectar_async.cli.words import counted
from nectar_async.models.account import Account
from nectar_async.models.company import Company
from nectar_async.models.connection import Connection
from nectar_async.models.document import Document
from nectar_async.models.meter import Meter
from nectar_async.models.site import Site
from nectar_async.models.usage import UsageData
from nectar_async.resources.repository import Repository

__all__ = ["VIEWS", "View"]


@frozen(kw_only=True)
class View:
    """A list over all companies, and the fields by which it is summed up."""

    walk: Callable[..., FanOut[Any]] | None = None
    """The method of `Repository`."""
    of_company: Callable[[Company], Sequence[Any]] = lambda company: (company,)
    """Where there is none: the records that come with a company."""
    parts: Callable[[Any], Sequence[Any]] | None = None
    """Where the walk gives wholes: the records that are in one."""
    whole: str = "whole"
    """The key of the whole's id in front of each."""
    title: str
    """Of the table of totals."""
    group: str | None = None
    """The field that a line of that table stands for; None for a single line."""
    amount: str | None = None
    """The field that is added up."""
    unit: str | None = None
    """The field that holds the unit of the amount."""
    has_sites: bool = False
    """Whether records belong to sites."""
    words: Callable[[Any], Sequence[str]]
    """What somebody who watches is told of a record."""


def _connection(record: Connection) -> Sequence[str]:
    utility = None if record.datasource is None else record.datasource.name
    accounts = counted(len(record.accounts), "account")
    return record.status or "unknown", utility or record.id, accounts


def _account(record: Account) -> Sequence[str]:
    return record.status or "unknown", record.account_number or record.id


def _meter(record: Meter) -> Sequence[str]:
    numbers = [one.value for one in record.identifiers if one.value]
    return record.datasource_type or "unknown", *numbers[:1]


def _document(record: Document) -> Sequence[str]:
    return (
        record.utility_company or "unknown",
        str(record.bill_date),
        _amount(record.total_charges, record.charges_units) or "no charges",
    )


def _usage(record: UsageData) -> Sequence[str]:
    return (
        record.datasource_type or "unknown",
        f"{record.start_date} to {record.end_date}",
        _amount(record.usage, record.usage_units) or "nothing measured",
        *([record.site.name] if record.site is not None else []),
    )


def _amount(amount: Decimal | None, unit: str | None) -> str:
    return "" if amount is None else f"{amount:,} {unit or ''}".rstrip()


def _company(record: Company) -> Sequence[str]:
    return record.id, counted(len(record.sites), "site")


def _site(record: Site) -> Sequence[str]:
    return record.name, record.address or "no address"


VIEWS: Final[Mapping[str, View]] = {
    "companies": View(
        title="Companies",
        words=_company,
    ),
    "sites": View(
        of_company=lambda company: company.sites,
        title="Sites",
        words=_site,
    ),
    "connections": View(
        walk=Repository.connections,
        title="Connections by status",
        group="status",
        words=_connection,
    ),
    "accounts": View(
        walk=Repository.connections,
        parts=lambda connection: connection.accounts,
        whole="connectionId",
        title="Accounts by status",
        group="status",
        words=_account,
    ),
    "meters": View(
        walk=Repository.meters,
        title="Meters by utility type",
        group="datasource_type",
        has_sites=True,
        words=_meter,
    ),
    "documents": View(
        walk=Repository.documents,
        title="Documents by source, with their total charges",
        group="source_type",
        amount="total_charges",
        unit="charges_units",
        words=_document,
    ),
    "usage": View(
        walk=Repository.usage,
        title="Usage by utility type, as billed",
        group="datasource_type",
        amount="usage",
        unit="usage_units",
        has_sites=True,
        words=_usage,
    ),
}
"""By the word that a user types."""
