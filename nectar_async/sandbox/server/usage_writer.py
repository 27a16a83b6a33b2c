"""Usage records and bills as the API sends them, in each of its versions."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
from attrs import define, field

from nectar_async import contract
from nectar_async.sandbox.generator.charges import (
    decimal,
    demand_meters,
    line_items,
    money,
)
from nectar_async.sandbox.generator.dates import iso
from nectar_async.sandbox.server.links import file_link
from nectar_async.sandbox.server.wire_format import encode, identifiers_json, site_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nectar_async.sandbox.generator.entities import (
        CompanyRecord,
        DocumentRecord,
        MeterRecord,
        UsageRecord,
    )

__all__ = ["UsageEncoder", "document_json"]

_HAS_DEMAND_METERS = "v2.2"


@define
class UsageEncoder:
    """Writes usage records of one API version.

    What many records share (meter, site, bill) is prepared once.
    """

    version: str
    _halves: dict[str, dict[str, Any]] = field(factory=dict, init=False)
    _documents: dict[str, msgspec.Raw] = field(factory=dict, init=False)

    def write(self, record: UsageRecord) -> bytes:
        """The record as JSON."""
        fields = self.nested(record)
        document = record.document
        fields["document"] = None if document is None else self._document(document)
        return encode(fields)

    def nested(self, record: UsageRecord) -> dict[str, Any]:
        """The record as it stands in its bill."""
        known = self._varying(record)
        if record.is_demand:
            known |= {"electricityType": "DEMAND", "usageUnits": "KW"}
        if record.written:
            known |= record.written
        fields = self._half(record.meter).copy()
        optional = _fields(self.version)
        fields.update({key: known[key] for key in known if key in optional})
        return fields

    def _varying(self, record: UsageRecord) -> dict[str, Any]:
        meter = record.meter
        values: dict[str, Any] = {
            "id": record.id,
            "created": record.created.text,
            "updated": record.updated.text,
            "startDate": iso(record.start),
            "endDate": iso(record.end),
            "isEstimated": record.is_estimated,
            "exclusion": record.exclusion,
        }
        if record.amount is None:
            return values
        values["usage"] = _number(meter, record.amount, record.places)
        values["usageUnits"] = meter.unit.name
        if record.peak_amount is not None:
            values["timeOfUseBreakdown"] = _parts(record)
        if record.register is not None:
            now = record.register + record.amount
            values["previousReading"] = _number(meter, record.register, record.places)
            values["currentReading"] = _number(meter, now, record.places)
            values["multiplier"] = "1"
            values["multiplierDescription"] = "Meter constant"
        if record.peak_demand is not None:
            values["billedDemand"] = decimal(record.peak_demand, 1)
        for key, amount in (
            ("netMeteringGeneratedKwh", record.generated),
            ("netMeteringGridImportKwh", record.imported),
            ("netMeteringGridExportKwh", record.exported),
        ):
            if amount is not None:
                values[key] = _number(meter, amount, record.places)
        return values

    def _half(self, meter: MeterRecord) -> dict[str, Any]:
        half = self._halves.get(meter.id)
        if half is None:
            half = self._halves[meter.id] = self._make_half(meter)
        return half

    def _make_half(self, meter: MeterRecord) -> dict[str, Any]:
        values: dict[str, Any] = {
            "meter": meter.id,
            "meterAddress": meter.address,
            "serviceAddress": meter.address,
            "meterIsTracked": meter.is_tracked,
            "site": msgspec.Raw(encode(site_json(meter.site))),
            "identifiers": msgspec.Raw(encode(identifiers_json(meter))),
            "datasourceType": meter.commodity.datasource_type,
            "additionalFields": {},
            "isImplied": meter.is_implied,
            **meter.kind,
        }
        if meter.commodity.datasource_type == "ELECTRICITY":
            values["electricityType"] = "USAGE"
        if meter.tariff is not None:
            values["tariff"] = meter.tariff
            values["country"] = meter.country
        fields = _fields(self.version)
        half = dict.fromkeys(key for key, is_always in fields.items() if is_always)
        return half | {key: value for key, value in values.items() if key in fields}

    def _document(self, document: DocumentRecord) -> msgspec.Raw:
        raw = self._documents.get(document.id)
        if raw is None:
            raw = msgspec.Raw(encode(_embedded(document)))
            self._documents[document.id] = raw
        return raw


def document_json(
    company: CompanyRecord,
    document: DocumentRecord,
    rows: Sequence[UsageRecord],
    version: str,
) -> dict[str, Any]:
    """A bill whole, in that API version: with its usage, line items and demand."""
    writer = UsageEncoder(version)
    records = [row for row in rows if not row.is_demand]
    values = {
        **_embedded(document),
        "company": company.id,
        "usageData": [writer.nested(row) for row in rows],
        "lineItems": line_items(document, records),
    }
    if version == _HAS_DEMAND_METERS:
        values["demandMeters"] = demand_meters(records)
    return values


@cache
def _fields(version: str) -> Mapping[str, bool]:
    """The version's keys of a usage record, and whether each is always there."""
    schema = contract.load()["components"]["schemas"]["UsageData"]
    lists = schema["x-version-fields"][version]
    return dict.fromkeys(lists["always"], True) | dict.fromkeys(
        lists["optional"], False
    )


def _embedded(document: DocumentRecord) -> dict[str, Any]:
    return {
        "id": document.id,
        "created": document.created.text,
        "auditTrailUrl": f"https://dash.example.com/audit/{document.id}",
        "url": file_link(document.id),
        "billDate": iso(document.bill_day) if document.bill_day else None,
        "chargesUnits": document.currency,
        "utilityCompany": document.utility,
        "status": "PROCESSED",
        "flaggedStatus": None,
        "revisedDocumentId": document.revised_document_id,
        "updated": document.updated.text,
        "fileName": document.file_name,
        "email": None,
        "jobId": document.job_id,
        "notes": document.notes,
        "dueDate": iso(document.due_day) if document.due_day else None,
        "totalCharges": document.total or money(document.total_cents),
        "sourceType": "INVOICE",
        "isFlagged": document.is_flagged,
        "invoiceId": document.number,
    }


def _parts(record: UsageRecord) -> list[dict[str, Any]]:
    """Peak and off-peak; they add up to the record's usage."""
    peak = record.peak_amount or 0
    rest = (record.amount or 0) - peak
    return [
        {
            "timeOfUse": time_of_use,
            "usage": _number(record.meter, amount, record.places),
            "usageUnits": record.meter.unit.name,
            "description": description,
            "startDate": None,
            "endDate": None,
        }
        for time_of_use, description, amount in (
            ("PEAK", "On-peak energy", peak),
            ("OFF_PEAK", "Off-peak energy", rest),
        )
    ]


def _number(meter: MeterRecord, amount: int, places: int) -> str | msgspec.Raw:
    text = decimal(amount, places)
    return msgspec.Raw(text.encode()) if meter.sends_numbers else text
