"""New connections: what is refused, and what they are until their portal was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from nectar_async.sandbox.generator.entities import ConnectionRecord
from nectar_async.sandbox.generator.portal_logins import (
    SANDBOX_LOGIN,
    checked,
    same_portal,
)
from nectar_async.sandbox.generator.providers import providers
from nectar_async.sandbox.server.messages import RefusalError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nectar_async.sandbox.generator.company_data import CompanyData
    from nectar_async.sandbox.generator.dates import Instant
    from nectar_async.sandbox.generator.entities import CompanyRecord
    from nectar_async.sandbox.generator.ids import Ids

__all__ = ["MAX_SITES", "check_sites", "check_unique", "new_connection"]

MAX_SITES = 3
"""Sites that a connection of a sandbox may be made for."""

_SANDBOX_UTILITY = "Nectar Sandbox Utility"
_BAD_REQUEST = 400


def new_connection(
    ids: Ids, company_data: CompanyData, fields: Mapping[str, Any], moment: Instant
) -> ConnectionRecord:
    """A PENDING connection from the fields of the contract's `ConnectionCreate`.

    Raises:
        RefusalError: the sites are not one to three of the company's, or it has a
            connection with that URL and user name already.
    """
    company = company_data.company
    sites = check_sites(company, fields["sites"], most=MAX_SITES)
    check_unique(company_data.connections, fields["url"], fields["username"])
    serial = len(company_data.changes.connections)
    types = fields.get("initialDatasourceTypes")
    connection = ConnectionRecord(
        id=ids.make("connection", company.index, f"created-{serial}"),
        utility=_utility(fields["url"]),
        url=fields["url"],
        username=fields["username"],
        country=fields.get("country", company.region.country),
        status="PENDING",
        created=moment,
        updated=moment,
        status_seen=moment,
        status_checked=moment,
        owner_email=fields.get("workflowOwnerEmail") or next(iter(company.users), None),
        accounts=(),
        external_id=fields.get("externalId"),
        sites=sites,
        datasource_types=tuple(types) if types else None,
        start_date=fields.get("dataCollectionStartDate"),
        multiplies_by_occupancy=fields.get("multiplyByOccupancy", False),
        brings_samples=True,
    )
    return checked(connection, moment, password=fields["password"])


def check_sites(
    company: CompanyRecord,
    site_ids: Iterable[str],
    *,
    most: int | None = None,
    key: str = "sites",
) -> tuple[str, ...]:
    """The ids without repetitions; 400 if there are none, too many, or strange ones."""
    wanted = tuple(dict.fromkeys(site_id.lower() for site_id in site_ids))
    known = {site.id for site in company.sites}
    unknown = [site_id for site_id in wanted if site_id not in known]
    if unknown:
        detail = f"{key}: the company has no such sites: {', '.join(unknown)}."
        raise RefusalError(_BAD_REQUEST, detail)
    if not wanted:
        raise RefusalError(_BAD_REQUEST, f"{key}: at least one site is required.")
    if most is not None and len(wanted) > most:
        raise RefusalError(_BAD_REQUEST, f"{key}: no more than {most} are allowed.")
    return wanted


def check_unique(
    connections: Iterable[ConnectionRecord], url: str, username: str, *, but: str = ""
) -> None:
    """400 if another connection than the one of that id has the same login."""
    for connection in connections:
        is_same = same_portal(connection.url, url) and connection.username == username
        if is_same and connection.id != but:
            detail = "The company has a connection with this provider and user name."
            raise RefusalError(_BAD_REQUEST, detail)


def _utility(url: str) -> str:
    if same_portal(url, SANDBOX_LOGIN.url):
        return _SANDBOX_UTILITY
    known = (known.name for known in providers() if same_portal(known.url, url))
    return next(known, urlsplit(url).hostname or url)
