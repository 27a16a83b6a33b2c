"""Bills and their usage records: generated ones, and bills that callers upload."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from attrs import define, evolve, field, frozen

from nectar_async.sandbox.generator.connected_meters import make_loose_meter
from nectar_async.sandbox.generator.dates import (
    Instant,
    find_first_day,
    to_midnight,
    to_ordinal,
)
from nectar_async.sandbox.generator.entities import (
    AccountRecord,
    CompanyRecord,
    ConnectionRecord,
    DocumentRecord,
    MeterRecord,
    UsageRecord,
)
from nectar_async.sandbox.generator.seeded_random import SeededRandom

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nectar_async.sandbox.generator.entities import SiteRecord
    from nectar_async.sandbox.generator.ids import Ids

__all__ = [
    "UploadedBill",
    "invent_uploaded_bill",
    "make_bills",
    "make_sample_usage",
    "make_usage",
]

# Shares, in a thousandth.
_GAP = 12
_REVISED = 10
_ESTIMATED = 35
_NO_BILL_DATE = 5
_NO_DOCUMENT = 6
_AT_MIDNIGHT = 15
_TOUCHED_LATER = 100

# One bill in 40 was received twice. The bill's id decides, because a further random
# draw would change the rest of the portfolio.
_COPIED_EVERY = 40

_DUE_DAYS = 21
_SECONDS = 1_000_000_000
_FRACTION_DIGITS = (0, 0, 6, 9)
# Cents a day for one meter.
_DAY_CENTS = (90, 4_000)


@frozen(kw_only=True)
class UploadedBill:
    """A bill that was read from an uploaded file."""

    document: DocumentRecord
    records: tuple[UsageRecord, ...]
    """Its usage; empty if the company has neither a meter nor a site."""
    new_meters: tuple[MeterRecord, ...]
    """The new meter of the records, if no meter was known."""


def make_usage(
    ids: Ids,
    seed: int,
    company: CompanyRecord,
    connections: Sequence[ConnectionRecord],
    last_day: date,
) -> list[UsageRecord]:
    """Make all usage of a company, the newest first."""
    generator = _BillGenerator(
        ids=ids, random=SeededRandom(seed, "bills", company.index), company=company
    )
    first = find_first_day(last_day)
    records = [
        record
        for connection in connections
        for account in connection.accounts
        for record in generator.make_account_records(
            account, connection.utility, account.cycle.list_periods(first, last_day)
        )
    ]
    records.sort(key=lambda record: (-record.created.nanoseconds, record.id))
    return records


def make_sample_usage(
    ids: Ids,
    seed: int,
    company: CompanyRecord,
    connection: ConnectionRecord,
    last_day: date,
) -> list[UsageRecord]:
    """Make all usage of a connection's sample data, created at one moment."""
    random = SeededRandom(seed, "bills", connection.id)
    generator = _BillGenerator(
        ids=ids, random=random, company=company, received=connection.samples_due
    )
    first = find_first_day(last_day)
    return [
        record
        for account in connection.accounts
        for record in generator.make_account_records(
            account, connection.utility, account.cycle.list_periods(first, last_day)
        )
    ]


def make_bills(
    ids: Ids, company: CompanyRecord, records: Sequence[UsageRecord]
) -> list[DocumentRecord]:
    """Make the list of the records' bills, and deleted copies of some of them."""
    bills = {
        record.document.id: record.document
        for record in records
        if record.document is not None
    }
    copies = [
        evolve(
            bill,
            id=ids.make("document", company.index, f"{bill.id}-copy"),
            file_name=f"{bill.number} (1).pdf",
            is_deleted=True,
        )
        for bill in bills.values()
        if int(bill.id[:4], 16) % _COPIED_EVERY == 0
    ]
    return [*bills.values(), *copies]


def invent_uploaded_bill(
    ids: Ids,
    seed: int,
    company: CompanyRecord,
    meters: Sequence[MeterRecord],
    *,
    serial: int,
    file_name: str,
    job_id: str | None,
    site: SiteRecord | None,
    moment: Instant,
) -> UploadedBill:
    """Make an uploaded bill of the month before `moment`.

    Its usage belongs to the site's first meter, or to a new meter there. Without a site
    it belongs to the company's first meter, or to a new one at the first site.
    """
    document_id = ids.make("document", company.index, f"upload-{serial}")
    random = SeededRandom(seed, "upload", document_id)
    start, end = _find_month_before(to_ordinal(moment))
    known = next(
        (meter for meter in meters if site is None or meter.site.id == site.id), None
    )
    bill_site = site or next(iter(company.sites), None)
    meter = known
    if meter is None and bill_site is not None:
        meter = make_loose_meter(ids, seed, company, bill_site, document_id)
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
    record = _make_uploaded_record(ids, company, meter, document, start=start, end=end)
    return UploadedBill(
        document=document, records=(record,), new_meters=() if known else (meter,)
    )


@define(kw_only=True)
class _BillGenerator:
    """Makes the bills of one company, account by account."""

    ids: Ids
    random: SeededRandom
    company: CompanyRecord
    received: Instant | None = None
    """When all bills were received. None draws a time for each, and revises some."""
    registers: dict[str, int] = field(factory=dict)
    """The last reading by meter id."""

    def make_account_records(
        self, account: AccountRecord, utility: str, periods: Sequence[tuple[int, int]]
    ) -> Iterator[UsageRecord]:
        for place, (start, end) in enumerate(periods):
            meters = [
                meter
                for meter in account.meters
                if meter.site.stop_day is None or end <= meter.site.stop_day
            ]
            if not meters or self.random.chance(_GAP):
                continue
            document = self._make_document(account, utility, place, end)
            records = self._make_bill_records(meters, document, start, end)
            yield from records
            has_document = all(record.document is not None for record in records)
            is_revised = self.random.chance(_REVISED) and self.received is None
            if is_revised and has_document:
                yield from self._make_original(document, records)

    def _make_document(
        self, account: AccountRecord, utility: str, place: int, end: int
    ) -> DocumentRecord:
        random = self.random
        bill_day = end + random.between(1, 6)
        created = self._draw_arrival(bill_day)
        digits = random.pick(_FRACTION_DIGITS)
        later = random.between(1, 40 * 86_400) if random.chance(_TOUCHED_LATER) else 3
        number = f"INV-{account.id[:4]}-{place + 1:04d}"
        is_illegible = random.chance(_NO_BILL_DATE)
        return DocumentRecord(
            id=self.ids.make("document", self.company.index, f"{account.id}{place}"),
            utility=utility,
            currency=self.company.region.currency,
            account_id=account.id,
            number=number,
            file_name=f"{number}.pdf",
            bill_day=None if is_illegible else bill_day,
            due_day=None if is_illegible else bill_day + _DUE_DAYS,
            notes="bill date illegible" if is_illegible else None,
            created=self.received or created,
            updated=self.received
            or Instant.at(created.nanoseconds + later * _SECONDS, digits=digits),
            total_cents=sum(
                self.random.between(*_DAY_CENTS) * 30 * account.cycle.months
                for _ in account.meters
            ),
            revised_document_id=None,
        )

    def _draw_arrival(self, bill_day: int) -> Instant:
        """Draw when a bill was received, within days after its date."""
        random = self.random
        day = to_midnight(bill_day + random.between(0, 5))
        if random.chance(_AT_MIDNIGHT):
            return Instant.at(day)
        time = random.below(86_400_000_000) * 1_000 + random.below(1_000)
        return Instant.at(day + time, digits=random.pick(_FRACTION_DIGITS))

    def _make_bill_records(
        self,
        meters: Sequence[MeterRecord],
        document: DocumentRecord,
        start: int,
        end: int,
    ) -> list[UsageRecord]:
        amounts = self._draw_amounts(meters, start, end)
        is_estimated = self.random.chance(_ESTIMATED)
        records = []
        for meter, amount in zip(meters, amounts, strict=True):
            record = self._make_record(meter, document, start, end, amount)
            if is_estimated:
                record = evolve(record, is_estimated=True)
            if meter.kind.get("netMeteringType") == "IMPORT":
                record = self._add_net_metering(record, meters, amounts)
            records.append(record)
        return records

    def _make_record(
        self,
        meter: MeterRecord,
        document: DocumentRecord,
        start: int,
        end: int,
        amount: int | None,
    ) -> UsageRecord:
        random = self.random
        register = None
        if meter.has_register and amount is not None:
            register = self.registers.get(meter.id, 10**6)
            self.registers[meter.id] = register + amount
        peak = None
        if meter.has_time_of_use and amount is not None:
            peak = amount * random.between(28, 47) // 100
        has_demand = (
            self.company.is_demand_enabled
            and meter.commodity.datasource_type == "ELECTRICITY"
        )
        return UsageRecord(
            id=self.ids.make("usage", self.company.index, f"{meter.id}{start}"),
            meter=meter,
            document=None if random.chance(_NO_DOCUMENT) else document,
            start=start,
            end=end,
            created=document.created,
            updated=document.updated,
            amount=amount,
            places=meter.unit.places + 2 * meter.is_implied,
            exclusion=random.chance(10),
            peak_amount=peak,
            register=register,
            peak_demand=random.between(50, 4_000) if has_demand else None,
        )

    def _draw_amounts(
        self, meters: Sequence[MeterRecord], start: int, end: int
    ) -> list[int | None]:
        """Draw the usage of each meter; some depend on the meter before them."""
        month = date.fromordinal((start + end) // 2).month - 1
        amounts: list[int | None] = []
        previous = 0
        for meter in meters:
            amount = self._draw_amount(meter, end - start + 1, month, previous)
            amounts.append(amount)
            previous = amount or 0
        return amounts

    def _draw_amount(
        self, meter: MeterRecord, days: int, month: int, previous: int
    ) -> int | None:
        if meter.commodity.datasource_type == "TELECOM":
            return None  # a phone bill has charges but no usage
        if meter.is_implied:
            # In hundredths of the water's last place, so that the share is exact.
            return previous * self.company.sewer_percent
        if meter.kind.get("netMeteringType") == "EXPORT":
            return previous * self.random.between(10, 60) // 100
        season = meter.commodity.season[month] * self.random.between(88, 112)
        return meter.day_amount * days * season // 10_000

    def _add_net_metering(
        self,
        record: UsageRecord,
        meters: Sequence[MeterRecord],
        amounts: Sequence[int | None],
    ) -> UsageRecord:
        """Add generated and exported energy to the record of imported energy."""
        site = record.meter.site
        by_type = {
            meter.kind.get("netMeteringType"): amount
            for meter, amount in zip(meters, amounts, strict=True)
            if meter.site is site
        }
        return evolve(
            record,
            generated=by_type.get("GENERATION"),
            imported=by_type.get("IMPORT"),
            exported=by_type.get("EXPORT"),
        )

    def _make_original(
        self, document: DocumentRecord, records: Sequence[UsageRecord]
    ) -> Iterator[UsageRecord]:
        """Make the records of the original bill, which `document` replaced."""
        age = self.random.between(1, 20 * 86_400) * _SECONDS
        created = Instant.at(document.created.nanoseconds - age)
        original = evolve(
            document,
            id=self.ids.make("document", self.company.index, f"{document.id}-old"),
            number=f"{document.number}-A",
            file_name=f"{document.number}-A.pdf",
            created=created,
            total_cents=document.total_cents * 11 // 10,
            revised_document_id=document.id,
        )
        for record in records:
            yield evolve(
                record,
                id=self.ids.make("usage", self.company.index, f"{record.id}-old"),
                document=original,
                created=created,
                updated=original.updated,
            )


def _make_uploaded_record(
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


def _find_month_before(day: int) -> tuple[int, int]:
    first = date.fromordinal(day).replace(day=1)
    last = first - timedelta(days=1)
    return last.replace(day=1).toordinal(), last.toordinal()
