"""Check and parse request values beyond what the contract's schemas express.

Each function raises a `RefusalError` with status 400.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from nectar_async.sandbox.generator.connection_logins import (
    is_same_portal,
    normalize_ids,
)
from nectar_async.sandbox.generator.entities import IdentifierRecord
from nectar_async.sandbox.server.messages import RefusalError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nectar_async.sandbox.generator.company_data import CompanyData
    from nectar_async.sandbox.generator.entities import (
        CompanyRecord,
        ConnectionRecord,
        SiteRecord,
        UsageRecord,
    )

__all__ = [
    "MAX_SITES",
    "check_new_connection",
    "check_sites",
    "check_unique_login",
    "parse_decimal",
    "parse_identifiers",
    "parse_usage_fields",
    "require_site",
]

MAX_SITES = 3
"""The maximum number of sites of a new connection."""

_BAD_REQUEST = 400
_DAYS = {"startDate": "start", "endDate": "end"}
_FLAGS = {"exclusion": "exclusion", "isEstimated": "is_estimated"}
# Not `site` and `identifiers`, which are fields of the meter.
_OVERRIDES = (
    "usage",
    "usageUnits",
    "isImplied",
    "tariff",
    "currentReading",
    "previousReading",
    "multiplier",
    "multiplierDescription",
    "multiplier2",
    "multiplier2Description",
    "billedDemand",
    "fractionRenewable",
    "netMeteringGeneratedKwh",
    "netMeteringGridImportKwh",
    "netMeteringGridExportKwh",
    "supplierName",
    "utilityName",
    "country",
)


def check_new_connection(data: CompanyData, fields: Mapping[str, Any]) -> None:
    """Check the sites and the login of a new connection.

    Raises:
        RefusalError: the sites are not one to three of the company's, or the company
            has a connection with this login.
    """
    check_sites(data.company, fields["sites"], most=MAX_SITES)
    check_unique_login(data.connections, fields["url"], fields["username"])


def check_sites(
    company: CompanyRecord,
    site_ids: Iterable[str],
    *,
    most: int | None = None,
    key: str = "sites",
) -> tuple[str, ...]:
    """Check that the sites exist in the company, and return their unique ids.

    Args:
        company: The company.
        site_ids: The ids in the request.
        most: The maximum number of sites; None for any number.
        key: The name of the field, for the error.

    Raises:
        RefusalError: there are no sites, too many, or unknown ones.
    """
    unique = normalize_ids(site_ids)
    known = {site.id for site in company.sites}
    unknown = [site_id for site_id in unique if site_id not in known]
    if unknown:
        detail = f"{key}: The company has no such sites: {', '.join(unknown)}."
        raise RefusalError(_BAD_REQUEST, detail)
    if not unique:
        raise RefusalError(_BAD_REQUEST, f"{key}: At least one site is required.")
    if most is not None and len(unique) > most:
        raise RefusalError(_BAD_REQUEST, f"{key}: At most {most} sites are allowed.")
    return unique


def check_unique_login(
    connections: Iterable[ConnectionRecord],
    url: str,
    username: str,
    *,
    ignore: str = "",
) -> None:
    """Check that no connection has this login, except for the one with the id `ignore`.

    Raises:
        RefusalError: another connection has the same URL and user name.
    """
    for connection in connections:
        is_same_url = is_same_portal(connection.url, url)
        is_same = is_same_url and connection.username == username
        if is_same and connection.id != ignore:
            detail = (
                "The company already has a connection with this provider and user name."
            )
            raise RefusalError(_BAD_REQUEST, detail)


def parse_decimal(key: str, text: str, highest: int) -> Decimal:
    """Parse a decimal between 0 and `highest`.

    The contract's patterns also allow texts that are not numbers, such as a lone dot.

    Raises:
        RefusalError: the text is not a number, or the number is out of range.
    """
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise RefusalError(_BAD_REQUEST, f"{key}: This must be a number.") from None
    if not 0 <= value <= highest:
        detail = f"{key}: This must be between 0 and {highest}."
        raise RefusalError(_BAD_REQUEST, detail)
    return value


def parse_identifiers(
    values: Iterable[Mapping[str, Any]],
) -> tuple[IdentifierRecord, ...]:
    """Parse the list of a meter's identifiers.

    Raises:
        RefusalError: an identifier has no value.
    """
    identifiers = []
    for index, value in enumerate(values):
        if not value.get("value"):
            detail = f"identifiers.{index}.value: This field is required."
            raise RefusalError(_BAD_REQUEST, detail)
        identifiers.append(
            IdentifierRecord(
                raw_name=value.get("rawName"),
                value=value["value"],
                name=value.get("name"),
            )
        )
    return tuple(identifiers)


def require_site(company: CompanyRecord, site_id: str) -> SiteRecord:
    """Find a site of the company by its id.

    Raises:
        RefusalError: the company has no such site.
    """
    for site in company.sites:
        if site.id == site_id.lower():
            return site
    detail = f"site: The company has no such site: {site_id}."
    raise RefusalError(_BAD_REQUEST, detail)


def parse_usage_fields(record: UsageRecord, body: Mapping[str, Any]) -> dict[str, Any]:
    """Parse the new values of a usage record's own fields.

    Raises:
        RefusalError: the period would end before it starts.
    """
    fields: dict[str, Any] = {_FLAGS[key]: body[key] for key in body if key in _FLAGS}
    for key, name in _DAYS.items():
        if key in body:
            fields[name] = date.fromisoformat(body[key]).toordinal()
    if fields.get("end", record.end) < fields.get("start", record.start):
        raise RefusalError(_BAD_REQUEST, "endDate: This must not be before startDate.")
    overrides = {key: body[key] for key in _OVERRIDES if key in body}
    if "usage" in overrides:
        # The old peak and off-peak parts do not add up to the new usage.
        fields["peak_amount"] = None
    if overrides:
        fields["overrides"] = {**record.overrides, **overrides}
    return fields
