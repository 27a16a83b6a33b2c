"""What a caller corrects of meters and usage: checked, and as values' own fields."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from nectar_async.sandbox.generator.entities import IdentifierRecord
from nectar_async.sandbox.server.messages import RefusalError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nectar_async.sandbox.generator.entities import (
        CompanyRecord,
        SiteRecord,
        UsageRecord,
    )

__all__ = ["identifiers", "site_named", "usage_fields"]

_BAD_REQUEST = 400
_DAYS = {"startDate": "start", "endDate": "end"}
_FLAGS = {"exclusion": "exclusion", "isEstimated": "is_estimated"}
# Not among them is what carries through to the meter.
_WRITTEN = (
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


def identifiers(values: Iterable[Mapping[str, Any]]) -> tuple[IdentifierRecord, ...]:
    """A meter's whole list of numbers; 400 if one of them has no value."""
    made = []
    for place, value in enumerate(values):
        if not value.get("value"):
            detail = f"identifiers.{place}.value: this field is required."
            raise RefusalError(_BAD_REQUEST, detail)
        made.append(
            IdentifierRecord(
                raw_name=value.get("rawName"),
                value=value["value"],
                name=value.get("name"),
            )
        )
    return tuple(made)


def site_named(company: CompanyRecord, site_id: str) -> SiteRecord:
    """The company's site of that id, or 400."""
    for site in company.sites:
        if site.id == site_id.lower():
            return site
    detail = f"site: the company has no such site: {site_id}."
    raise RefusalError(_BAD_REQUEST, detail)


def usage_fields(record: UsageRecord, body: Mapping[str, Any]) -> dict[str, Any]:
    """What changes on the record itself.

    Raises:
        RefusalError: the period would end before it starts.
    """
    fields: dict[str, Any] = {_FLAGS[key]: body[key] for key in body if key in _FLAGS}
    for key, name in _DAYS.items():
        if key in body:
            fields[name] = date.fromisoformat(body[key]).toordinal()
    if fields.get("end", record.end) < fields.get("start", record.start):
        raise RefusalError(_BAD_REQUEST, "endDate: it lies before the startDate.")
    written = {key: body[key] for key in _WRITTEN if key in body}
    if "usage" in written:
        # The parts of another whole say nothing about this one.
        fields["peak_amount"] = None
    if written:
        fields["written"] = {**record.written, **written}
    return fields
