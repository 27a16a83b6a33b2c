"""The portfolio's entities as the JSON of the API, in each of its versions."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
from attrs import define, field

from nectar_async import contract
from nectar_async.sandbox.generator.charges import (
    build_demand_meters,
    build_line_items,
    format_decimal,
    format_money,
)
from nectar_async.sandbox.generator.dates import format_day
from nectar_async.sandbox.server.files import mark_link
from nectar_async.sandbox.server.messages import encode_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nectar_async.sandbox.generator.company_data import CompanyData
    from nectar_async.sandbox.generator.entities import (
        AccountRecord,
        CompanyRecord,
        ConnectionRecord,
        DocumentRecord,
        MeterRecord,
        SiteRecord,
        UsageRecord,
    )
    from nectar_async.sandbox.generator.ids import Ids
    from nectar_async.sandbox.generator.intervals import IntervalRecord

__all__ = [
    "WASTE_KEYS",
    "UsageEncoder",
    "account_json",
    "company_json",
    "connection_json",
    "document_json",
    "encode_rows",
    "interval_json",
    "meter_json",
    "site_json",
]

_VERSION_WITH_DEMAND_METERS = "v2.2"
WASTE_KEYS = ("wasteType", "wasteStream")
"""The keys whose values are UUIDs in meters and names in usage records."""

_TRACKING = {
    True: ("ENABLED", "ONBOARDED"),
    False: ("DISABLED", "CUSTOMER_NOT_TRACKED"),
}


def company_json(company: CompanyRecord) -> dict[str, Any]:
    """Build the JSON of a company, with its sites."""
    return {
        "id": company.id,
        "name": company.name,
        "isDemandEnabled": company.is_demand_enabled,
        "sites": [site_json(site) for site in company.sites],
        "users": company.users,
        "externalId": company.external_id,
        "dataCollectionStartDate": company.start_date,
        "isImpliedMeteringEnabled": company.is_implied_metering_enabled,
        "impliedMeteringFraction": format_decimal(company.sewer_percent, 2),
        "isBasicIdentifierMappingEnabled": company.is_basic_identifier_mapping_enabled,
        "isLowAccuracyModeEnabled": company.is_low_accuracy_mode_enabled,
    }


def site_json(site: SiteRecord) -> dict[str, Any]:
    """Build the JSON of a site, which companies and usage records contain too."""
    return {
        "id": site.id,
        "name": site.name,
        "dataCollectionStopDate": format_day(site.stop_day) if site.stop_day else None,
        "externalId": site.external_id,
        "address": site.address,
        "path": site.path,
        "occupancyPercent": site.occupancy_percent,
    }


def meter_json(ids: Ids, company: CompanyRecord, meter: MeterRecord) -> dict[str, Any]:
    """Build the JSON of a meter, in which waste types are UUIDs."""
    kind = {
        key: ids.make(key, company.index, value)
        if key in WASTE_KEYS and value is not None
        else value
        for key, value in meter.kind.items()
    }
    return {
        "id": meter.id,
        "site": meter.site.id,
        "identifiers": _identifiers_json(meter),
        "datasourceType": meter.commodity.datasource_type,
        "account": meter.account_id,
        "address": meter.address,
        **kind,
        "isTracked": meter.is_tracked,
        "isDuplicated": str(meter.is_duplicated).lower(),
        "tags": meter.tags,
    }


def connection_json(
    company: CompanyRecord, connection: ConnectionRecord
) -> dict[str, Any]:
    """Build the JSON of a connection, with its accounts."""
    types = connection.datasource_types
    return {
        "id": connection.id,
        "created": connection.created.text,
        "publicCompanyId": None,
        "connectionMagicLinkSecret": None,
        "statusLastUpdateTime": connection.status_checked.text,
        "statusFirstSeenTime": connection.status_seen.text,
        "statusErrorDetail": connection.error_detail,
        "updated": connection.updated.text,
        "externalId": connection.external_id,
        "datasource": {"name": connection.utility, "url": connection.url},
        "accounts": [account_json(account) for account in connection.accounts],
        "company": {
            "id": company.id,
            "name": company.name,
            "externalId": company.external_id,
        },
        "url": connection.url,
        "status": connection.status,
        "country": connection.country,
        "initialSites": connection.site_ids,
        "initialDatasourceTypes": (
            _list_datasource_types(connection.meters) if types is None else types
        ),
        "username": connection.username,
        "workflowOwnerEmail": connection.owner_email,
        "dataCollectionStartDate": connection.start_date,
        "multiplyByOccupancy": connection.multiplies_by_occupancy,
        "isActive": connection.is_active,
    }


def account_json(account: AccountRecord) -> dict[str, Any]:
    """Build the JSON of an account; three of its fields say whether it is tracked."""
    tracking, status = _TRACKING[account.is_tracked]
    status_seen = account.status_seen.text if account.status_seen else None
    return {
        "id": account.id,
        "meters": [meter.id for meter in account.meters],
        "isTracked": account.is_tracked,
        "isDuplicated": "false",
        "accountNumber": account.number,
        "trackingStatus": tracking,
        "dataCollectionStartDate": None,
        "isCollectingInvoiceData": True,
        "isCollectingSmartMeterData": False,
        "datasourceTypes": _list_datasource_types(account.meters),
        "lastServiceDate": None,
        "status": status,
        "statusLastUpdateTime": status_seen,
        "statusFirstSeenTime": status_seen,
        "statusErrorDetail": None,
    }


def interval_json(interval: IntervalRecord) -> dict[str, Any]:
    """Build the JSON of a smart meter interval."""
    meter = interval.meter
    return {
        "id": interval.id,
        "created": interval.created.text,
        "updated": interval.created.text,
        "identifiers": _identifiers_json(meter),
        "account": meter.account_id,
        "start": interval.start.text,
        "end": interval.end.text,
        "usage": format_decimal(interval.amount, interval.places),
        "usageUnits": meter.unit.name,
        "quality": "ESTIMATED" if interval.is_estimated else "MEASURED",
    }


def encode_rows(data: CompanyData, version: str) -> list[bytes]:
    """Encode all usage rows of a company, in order, once for each API version."""
    lines = data.encoded_rows.get(version)
    if lines is None:
        encoder = UsageEncoder(version)
        lines = [encoder.encode(record) for record in data.list_rows(version)]
        data.encoded_rows[version] = lines
    return lines


@define
class UsageEncoder:
    """Encodes usage records for one API version.

    The parts that many records share (meter, site, bill) are encoded once.
    """

    version: str
    _meter_fields: dict[str, dict[str, Any]] = field(factory=dict, init=False)
    _documents: dict[str, msgspec.Raw] = field(factory=dict, init=False)

    def encode(self, record: UsageRecord) -> bytes:
        """Encode a usage record as JSON."""
        fields = self.build_json(record)
        document = record.document
        fields["document"] = (
            None if document is None else self._encode_document(document)
        )
        return encode_json(fields)

    def build_json(self, record: UsageRecord) -> dict[str, Any]:
        """Build the JSON of a usage record, without the key of its bill."""
        known = self._build_record_fields(record)
        if record.is_demand:
            known |= {"electricityType": "DEMAND", "usageUnits": "KW"}
        if record.overrides:
            known |= record.overrides
        fields = self._get_meter_fields(record.meter).copy()
        optional = _list_fields(self.version)
        fields.update({key: known[key] for key in known if key in optional})
        return fields

    def _build_record_fields(self, record: UsageRecord) -> dict[str, Any]:
        meter = record.meter
        values: dict[str, Any] = {
            "id": record.id,
            "created": record.created.text,
            "updated": record.updated.text,
            "startDate": format_day(record.start),
            "endDate": format_day(record.end),
            "isEstimated": record.is_estimated,
            "exclusion": record.exclusion,
        }
        if record.amount is None:
            return values
        values["usage"] = _build_number(meter, record.amount, record.places)
        values["usageUnits"] = meter.unit.name
        if record.peak_amount is not None:
            values["timeOfUseBreakdown"] = _build_time_of_use(record)
        if record.register is not None:
            now = record.register + record.amount
            values["previousReading"] = _build_number(
                meter, record.register, record.places
            )
            values["currentReading"] = _build_number(meter, now, record.places)
            values["multiplier"] = "1"
            values["multiplierDescription"] = "Meter constant"
        if record.peak_demand is not None:
            values["billedDemand"] = format_decimal(record.peak_demand, 1)
        for key, amount in (
            ("netMeteringGeneratedKwh", record.generated),
            ("netMeteringGridImportKwh", record.imported),
            ("netMeteringGridExportKwh", record.exported),
        ):
            if amount is not None:
                values[key] = _build_number(meter, amount, record.places)
        return values

    def _get_meter_fields(self, meter: MeterRecord) -> dict[str, Any]:
        fields = self._meter_fields.get(meter.id)
        if fields is None:
            fields = self._meter_fields[meter.id] = self._build_meter_fields(meter)
        return fields

    def _build_meter_fields(self, meter: MeterRecord) -> dict[str, Any]:
        values: dict[str, Any] = {
            "meter": meter.id,
            "meterAddress": meter.address,
            "serviceAddress": meter.address,
            "meterIsTracked": meter.is_tracked,
            "site": msgspec.Raw(encode_json(site_json(meter.site))),
            "identifiers": msgspec.Raw(encode_json(_identifiers_json(meter))),
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
        fields = _list_fields(self.version)
        required = dict.fromkeys(
            key for key, is_required in fields.items() if is_required
        )
        return required | {key: value for key, value in values.items() if key in fields}

    def _encode_document(self, document: DocumentRecord) -> msgspec.Raw:
        raw = self._documents.get(document.id)
        if raw is None:
            raw = msgspec.Raw(encode_json(_build_embedded_document(document)))
            self._documents[document.id] = raw
        return raw


def document_json(
    company: CompanyRecord,
    document: DocumentRecord,
    rows: Sequence[UsageRecord],
    version: str,
) -> dict[str, Any]:
    """Build the JSON of a bill in an API version, with usage, line items and demand."""
    encoder = UsageEncoder(version)
    records = [row for row in rows if not row.is_demand]
    values = {
        **_build_embedded_document(document),
        "company": company.id,
        "usageData": [encoder.build_json(row) for row in rows],
        "lineItems": build_line_items(document, records),
    }
    if version == _VERSION_WITH_DEMAND_METERS:
        values["demandMeters"] = build_demand_meters(records)
    return values


def _identifiers_json(meter: MeterRecord) -> list[dict[str, str | None]]:
    """Build the JSON of a meter's identifiers."""
    return [
        {
            "rawName": identifier.raw_name,
            "value": identifier.value,
            "name": identifier.name,
        }
        for identifier in meter.identifiers
    ]


def _list_datasource_types(meters: Sequence[MeterRecord]) -> list[str]:
    return sorted({meter.commodity.datasource_type for meter in meters})


@cache
def _list_fields(version: str) -> Mapping[str, bool]:
    """List a usage record's keys in an API version, and whether each is required."""
    schema = contract.load()["components"]["schemas"]["UsageData"]
    lists = schema["x-version-fields"][version]
    return dict.fromkeys(lists["always"], True) | dict.fromkeys(
        lists["optional"], False
    )


def _build_embedded_document(document: DocumentRecord) -> dict[str, Any]:
    return {
        "id": document.id,
        "created": document.created.text,
        "auditTrailUrl": f"https://dash.example.com/audit/{document.id}",
        "url": mark_link(document.id),
        "billDate": format_day(document.bill_day) if document.bill_day else None,
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
        "dueDate": format_day(document.due_day) if document.due_day else None,
        "totalCharges": document.total or format_money(document.total_cents),
        "sourceType": "INVOICE",
        "isFlagged": document.is_flagged,
        "invoiceId": document.number,
    }


def _build_time_of_use(record: UsageRecord) -> list[dict[str, Any]]:
    """Build the peak and off-peak parts, whose sum is the record's usage."""
    peak = record.peak_amount or 0
    off_peak = (record.amount or 0) - peak
    return [
        {
            "timeOfUse": time_of_use,
            "usage": _build_number(record.meter, amount, record.places),
            "usageUnits": record.meter.unit.name,
            "description": description,
            "startDate": None,
            "endDate": None,
        }
        for time_of_use, description, amount in (
            ("PEAK", "On-peak energy", peak),
            ("OFF_PEAK", "Off-peak energy", off_peak),
        )
    ]


def _build_number(meter: MeterRecord, amount: int, places: int) -> str | msgspec.Raw:
    text = format_decimal(amount, places)
    return msgspec.Raw(text.encode()) if meter.has_json_numbers else text
