"""Books of companies: what a seed brings, and what was done to it since."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve, frozen

from nectar_async.sandbox.generator.bills import (
    make_bills,
    make_sample_usage,
    make_usage,
)
from nectar_async.sandbox.generator.company_data import CompanyData
from nectar_async.sandbox.generator.meters import make_connections, make_sample_accounts
from nectar_async.sandbox.generator.overlay import Overlay
from nectar_async.sandbox.generator.portal_logins import next_turn, settled

if TYPE_CHECKING:
    from datetime import date

    from nectar_async.sandbox.generator.changes import Changes
    from nectar_async.sandbox.generator.dates import Instant
    from nectar_async.sandbox.generator.entities import (
        AccountRecord,
        CompanyRecord,
        ConnectionRecord,
        UsageRecord,
    )
    from nectar_async.sandbox.generator.ids import Ids

__all__ = ["CompanyGenerator"]


@frozen
class CompanyGenerator:
    """Makes books of one seed."""

    ids: Ids
    seed: int
    last_day: date

    def company_data(self, company: CompanyRecord) -> CompanyData:
        """The book of a company that nobody changed."""
        connections, records = self._generated(company)
        return CompanyData(
            ids=self.ids,
            company=company,
            connections=connections,
            records=records,
            bills=make_bills(self.ids, company, records),
        )

    def changed_book(
        self, company: CompanyRecord, changes: Changes, now: Instant
    ) -> CompanyData:
        """The book of a company with all changes, as it is by now.

        `company` is the one that nobody changed.
        """
        connections, records = self._generated(company)
        bills = make_bills(self.ids, company, records)
        overlay = Overlay(changes, changes.company(company))
        present = []
        for connection in (*connections, *changes.connections):
            current = settled(changes.edited(connection), now)
            due = current.samples_due
            accounts = connection.accounts
            if due is not None and now >= due:
                origin = evolve(company, sites=(*company.sites, *changes.sites))
                accounts, samples = self._samples(origin, connection, due)
                records += samples
                bills += make_bills(self.ids, company, samples)
            present.append(overlay.connection(current, accounts))
        loose_meters = [overlay.meter(meter) for meter in changes.meters]
        turns = (next_turn(connection, now) for connection in present)
        return CompanyData(
            ids=self.ids,
            company=overlay.company,
            connections=tuple(present),
            bills=[overlay.document(bill) for bill in (*bills, *changes.documents)],
            records=overlay.records((*records, *changes.records)),
            loose_meters=loose_meters,
            changes=changes,
            stale_at=min((turn for turn in turns if turn), default=None),
        )

    def _generated(
        self, company: CompanyRecord
    ) -> tuple[tuple[ConnectionRecord, ...], list[UsageRecord]]:
        connections = make_connections(self.ids, self.seed, company, self.last_day)
        return connections, make_usage(
            self.ids, self.seed, company, connections, self.last_day
        )

    def _samples(
        self, company: CompanyRecord, connection: ConnectionRecord, due: Instant
    ) -> tuple[tuple[AccountRecord, ...], list[UsageRecord]]:
        """From sites and commodities as they first were: no change reshuffles them."""
        accounts = make_sample_accounts(self.ids, self.seed, company, connection)
        ready = evolve(connection, accounts=accounts, samples_due=due)
        return accounts, make_sample_usage(
            self.ids, self.seed, company, ready, self.last_day
        )
