"""Bills, period by period, and the usage that each meter has on them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from attrs import define, evolve, field

from nectar_async.sandbox.generator.dates import Instant, first_day, midnight
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

    from nectar_async.sandbox.generator.ids import Ids

__all__ = ["make_bills", "make_sample_usage", "make_usage"]

# Times in a thousand.
_GAP = 12
_REVISED = 10
_ESTIMATED = 35
_NO_BILL_DATE = 5
_NO_DOCUMENT = 6
_AT_MIDNIGHT = 15
_TOUCHED_LATER = 100

# Files that came in twice; no random, since they came to the portfolio after them.
_COPIED_EVERY = 40

_DUE_DAYS = 21
_SECONDS = 1_000_000_000
_FRACTION_DIGITS = (0, 0, 6, 9)
# Cents a day for one meter, before season: enough for bills that look like bills.
_DAY_CENTS = (90, 4_000)


def make_usage(
    ids: Ids,
    seed: int,
    company: CompanyRecord,
    connections: Sequence[ConnectionRecord],
    last_day: date,
) -> list[UsageRecord]:
    """All usage of a company, what came in last first."""
    press = _BillGenerator(
        ids=ids, random=SeededRandom(seed, "bills", company.index), company=company
    )
    first = first_day(last_day)
    records = [
        record
        for connection in connections
        for account in connection.accounts
        for record in press.bill(
            account, connection.utility, account.cycle.periods(first, last_day)
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
    """All usage of a connection's sample data, which comes in at one moment."""
    random = SeededRandom(seed, "bills", connection.id)
    press = _BillGenerator(
        ids=ids, random=random, company=company, came_in=connection.samples_due
    )
    first = first_day(last_day)
    return [
        record
        for account in connection.accounts
        for record in press.bill(
            account, connection.utility, account.cycle.periods(first, last_day)
        )
    ]


def make_bills(
    ids: Ids, company: CompanyRecord, records: Sequence[UsageRecord]
) -> list[DocumentRecord]:
    """Every bill that the records are on, and of some a copy that was deleted again."""
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


@define(kw_only=True)
class _BillGenerator:
    """Prints the bills of one company, one account after the other."""

    ids: Ids
    random: SeededRandom
    company: CompanyRecord
    came_in: Instant | None = None
    """When all bills came in; None for each in its own time, and some revised."""
    registers: dict[str, int] = field(factory=dict)

    def bill(
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
            document = self._document(account, utility, place, end)
            records = self._records(meters, document, start, end)
            yield from records
            has_document = all(record.document is not None for record in records)
            is_revised = self.random.chance(_REVISED) and self.came_in is None
            if is_revised and has_document:
                yield from self._revised(document, records)

    def _document(
        self, account: AccountRecord, utility: str, place: int, end: int
    ) -> DocumentRecord:
        random = self.random
        bill_day = end + random.between(1, 6)
        created = self._arrival(bill_day)
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
            created=self.came_in or created,
            updated=self.came_in
            or Instant.at(created.nanoseconds + later * _SECONDS, digits=digits),
            total_cents=sum(
                self.random.between(*_DAY_CENTS) * 30 * account.cycle.months
                for _ in account.meters
            ),
            revised_document_id=None,
        )

    def _arrival(self, bill_day: int) -> Instant:
        """When a bill came in: some time in the days after its date."""
        random = self.random
        day = midnight(bill_day + random.between(0, 5))
        if random.chance(_AT_MIDNIGHT):
            return Instant.at(day)
        time = random.below(86_400_000_000) * 1_000 + random.below(1_000)
        return Instant.at(day + time, digits=random.pick(_FRACTION_DIGITS))

    def _records(
        self,
        meters: Sequence[MeterRecord],
        document: DocumentRecord,
        start: int,
        end: int,
    ) -> list[UsageRecord]:
        amounts = self._amounts(meters, start, end)
        is_estimated = self.random.chance(_ESTIMATED)
        records = []
        for meter, amount in zip(meters, amounts, strict=True):
            record = self._record(meter, document, start, end, amount)
            if is_estimated:
                record = evolve(record, is_estimated=True)
            if meter.kind.get("netMeteringType") == "IMPORT":
                record = self._with_net_metering(record, meters, amounts)
            records.append(record)
        return records

    def _record(
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

    def _amounts(
        self, meters: Sequence[MeterRecord], start: int, end: int
    ) -> list[int | None]:
        """What each meter used; some follow from the meter before them."""
        month = date.fromordinal((start + end) // 2).month - 1
        amounts: list[int | None] = []
        previous = 0
        for meter in meters:
            amount = self._amount(meter, end - start + 1, month, previous)
            amounts.append(amount)
            previous = amount or 0
        return amounts

    def _amount(
        self, meter: MeterRecord, days: int, month: int, previous: int
    ) -> int | None:
        if meter.commodity.datasource_type == "TELECOM":
            return None  # a phone bill has charges, and nothing that is measured
        if meter.is_implied:
            # In hundredths of the water's last place, so that the share is exact.
            return previous * self.company.sewer_percent
        if meter.kind.get("netMeteringType") == "EXPORT":
            return previous * self.random.between(10, 60) // 100
        season = meter.commodity.season[month] * self.random.between(88, 112)
        return meter.day_amount * days * season // 10_000

    def _with_net_metering(
        self,
        record: UsageRecord,
        meters: Sequence[MeterRecord],
        amounts: Sequence[int | None],
    ) -> UsageRecord:
        """The bought energy's record also says what was generated and sent back."""
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

    def _revised(
        self, document: DocumentRecord, records: Sequence[UsageRecord]
    ) -> Iterator[UsageRecord]:
        """The bill as it first came, its charges higher; `document` took its place."""
        age = self.random.between(1, 20 * 86_400) * _SECONDS
        was_at = Instant.at(document.created.nanoseconds - age)
        former = evolve(
            document,
            id=self.ids.make("document", self.company.index, f"{document.id}-old"),
            number=f"{document.number}-A",
            file_name=f"{document.number}-A.pdf",
            created=was_at,
            total_cents=document.total_cents * 11 // 10,
            revised_document_id=document.id,
        )
        for record in records:
            yield evolve(
                record,
                id=self.ids.make("usage", self.company.index, f"{record.id}-old"),
                document=former,
                created=was_at,
                updated=former.updated,
            )
