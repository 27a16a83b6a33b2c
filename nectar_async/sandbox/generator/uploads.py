"""Bills that a caller uploads: what is read from them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from attrs import frozen

from nectar_async.sandbox.generator.dates import ordinal
from nectar_async.sandbox.generator.entities import (
    DocumentRecord,
    MeterRecord,
    UsageRecord,
)
from nectar_async.sandbox.generator.meters import make_loose_meter
from nectar_async.sandbox.generator.seeded_random import SeededRandom

if TYPE_CHECKING:
    from nectar_async.sandbox.generator.company_data import CompanyData
    from nectar_async.sandbox.generator.dates import Instant
    from nectar_async.sandbox.generator.entities import CompanyRecord, SiteRecord
    from nectar_async.sandbox.generator.ids import Ids

__all__ = ["UploadedBill", "read_bill"]

_DAY_CENTS = (90, 4_000)
_DUE_DAYS = 21


@frozen(kw_only=True)
class UploadedBill:
    """What a bill's file brought."""

    document: DocumentRecord
    records: tuple[UsageRecord, ...]
    """None where the company has neither a meter nor a site."""
    new_meters: tuple[MeterRecord, ...]
    """Those of the records that were not known before."""


def read_bill(
    ids: Ids,
    seed: int,
    company_data: CompanyData,
    *,
    serial: int,
    file_name: str,
    job_id: str | None,
    site: SiteRecord | None,
    moment: Instant,
) -> UploadedBill:
    """The bill of the month before: of the site's first meter, or of a new one there.

    Without a site it is the company's first meter, or a new one at its first site.
    """
    company = company_data.company
    document_id = ids.make("document", company.index, f"upload-{serial}")
    random = SeededRandom(seed, "upload", document_id)
    start, end = _month_before(ordinal(moment))
    known = next(
        (
            meter
            for meter in company_data.meters
            if site is None or meter.site.id == site.id
        ),
        None,
    )
    meter = known or _new_meter(ids, seed, company, site, document_id)
    document = DocumentRecord(
        id=document_id,
        utility=company.region.utilities[0],
        currency=company.region.currency,
        account_id=meter.account_id if meter else None,
        number=f"UP-{document_id[:4]}-{serial + 1:04d}",
        file_name=file_name,
        job_id=job_id,
        bill_day=end,
        due_day=end + _DUE_DAYS,
        created=moment,
        updated=moment,
        total_cents=random.between(*_DAY_CENTS) * (end - start + 1),
        revised_document_id=None,
    )
    if meter is None:
        return UploadedBill(document=document, records=(), new_meters=())
    return UploadedBill(
        document=document,
        records=(_record(ids, company, meter, document, start=start, end=end),),
        new_meters=() if known else (meter,),
    )


def _new_meter(
    ids: Ids,
    seed: int,
    company: CompanyRecord,
    site: SiteRecord | None,
    document_id: str,
) -> MeterRecord | None:
    place = site or next(iter(company.sites), None)
    if place is None:
        return None
    return make_loose_meter(ids, seed, company, place, document_id)


def _record(
    ids: Ids,
    company: CompanyRecord,
    meter: MeterRecord,
    document: DocumentRecord,
    *,
    start: int,
    end: int,
) -> UsageRecord:
    month = date.fromordinal(start).month - 1
    amount = meter.day_amount * (end - start + 1) * meter.commodity.season[month]
    has_amount = meter.commodity.datasource_type != "TELECOM"
    return UsageRecord(
        id=ids.make("usage", company.index, document.id),
        meter=meter,
        document=document,
        start=start,
        end=end,
        created=document.created,
        updated=document.updated,
        amount=amount // 100 if has_amount else None,
        places=meter.unit.places,
    )


def _month_before(day: int) -> tuple[int, int]:
    first = date.fromordinal(day).replace(day=1)
    last = first - timedelta(days=1)
    return last.replace(day=1).toordinal(), last.toordinal()
