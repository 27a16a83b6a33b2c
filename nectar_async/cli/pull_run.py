"""Pulling a view into a file, and knowing at any moment how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from attrs import field, frozen

from nectar_async._json.converter import converter
from nectar_async._paging.fanout import Failure, FanOut, Progress
from nectar_async._paging.receipt import Receipt, Verdict
from nectar_async._paging.relaxed_gc import relaxed_gc
from nectar_async.cli.json_lines import LineFile
from nectar_async.cli.lists import CompanyWalk
from nectar_async.cli.totals import Totals
from nectar_async.cli.views import VIEWS, View
from nectar_async.cli.words import counted
from nectar_async.client import NectarClient
from nectar_async.errors import (
    AuthenticationError,
    ClientClosedError,
    ConfigurationError,
    ConnectionFailedError,
    InvalidArgumentError,
    MaintenanceError,
    RateLimitedError,
    RedirectedError,
    WrongLoopError,
)
from nectar_async.models.company import Company

__all__ = ["Pull", "Query"]

# What meets one company would meet them all: going on only multiplies it.
_HOPELESS = (
    AuthenticationError,
    ClientClosedError,
    ConfigurationError,
    ConnectionFailedError,
    InvalidArgumentError,
    MaintenanceError,
    RateLimitedError,
    RedirectedError,
    WrongLoopError,
)

_OWNER = "companyId"

Watch = Callable[[str, Any], None]


@frozen(kw_only=True)
class Query:
    """What to pull, and what to leave out of the file."""

    view: View = VIEWS["usage"]
    companies: Sequence[str] = ()
    """Ids; none of them means all companies."""
    filters: Mapping[str, object] = field(factory=dict)
    """Keywords of the view's method."""
    with_secrets: bool = False


@frozen(kw_only=True)
class Traffic:
    """What the client sent."""

    requests: int = 0
    retries: int = 0
    rate_limited: int = 0
    in_flight: int = 0
    peak_in_flight: int = 0
    limit: int = 0


@frozen(kw_only=True)
class Status:
    """How far a pull is."""

    progress: Progress
    traffic: Traffic
    seconds: float


@frozen
class _Start:
    """Where the clock and the client's counters stood when the pull began."""

    time: float
    attempts: int
    retries: int
    rate_limited: int


class Pull:
    """One pull. It may be asked how far it is from any thread, and after its end."""

    def __init__(self, query: Query, sink: LineFile) -> None:
        self.query = query
        self.sink = sink
        self.totals: Totals = Totals(query.view)
        self.names: Mapping[str, str] = {}
        """Companies' names by id, where they are known."""
        self.records: int = 0
        """Records that are in the file."""
        self._written: set[str] = set()
        self._walk: FanOut[Any] | CompanyWalk | None = None
        self._client: NectarClient | None = None
        self._start: _Start | None = None
        self._seconds: float | None = None

    async def run(self, client: NectarClient, on_first: Watch | None = None) -> None:
        """Pull everything; `on_first` is given the first company id and record.

        A company that cannot be read is left among `failures`.

        Raises:
            NectarError: what would meet every company.
            OSError: the file cannot be written.
        """
        counted = client.statistics()
        self._client = client
        self._start = _Start(
            time.perf_counter(), counted.attempts, counted.retries, counted.rate_limited
        )
        try:
            with relaxed_gc():
                await self._pull(client, on_first)
        finally:
            self._seconds = time.perf_counter() - self._start.time

    async def _pull(self, client: NectarClient, on_first: Watch | None) -> None:
        query = self.query
        companies: Sequence[Company | str] = query.companies
        if not companies:
            companies = await client.companies.all()
            self.names = {company.id: company.name for company in companies}
        walk = self._walk_over(client, companies)
        async with walk:
            self._walk = walk
            async for company_id, page in walk.pages():
                records = self._write(company_id, page.items)
                if on_first is not None and records:
                    on_first(company_id, records[0])
                    on_first = None
        if not walk.failures:
            self.sink.begin()  # that there is no record is an answer, too

    def _walk_over(
        self, client: NectarClient, companies: Sequence[Company | str]
    ) -> FanOut[Any] | CompanyWalk:
        view = self.query.view
        if view.walk is None:
            get = client.companies.get
            return CompanyWalk(companies, get, view.of_company, _give_up_early)
        return view.walk(
            client.repository,
            companies=companies,
            on_error=_give_up_early,
            **self.query.filters,
        )

    def _write(self, company_id: str, items: Sequence[Any]) -> Sequence[Any]:
        """Write a page; gives the records that were on it."""
        head = {_OWNER: company_id}
        groups = [(head, items)]
        view = self.query.view
        if view.parts is not None:
            groups = [({**head, view.whole: one.id}, view.parts(one)) for one in items]
        lines = partial(
            converter(is_strict=False).encode_lines,
            with_secrets=self.query.with_secrets,
        )
        # Not in a thread: Ctrl-C cancels the wait for it, and the file would be closed
        # and counted while it is still being written.
        self.sink.write(b"".join([lines(some, owners) for owners, some in groups]))
        records = [record for _, some in groups for record in some]
        self.totals.add(records)
        self.records += len(records)
        if records:
            self._written.add(company_id)
        return records

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Companies that could not be read to their end."""
        return () if self._walk is None else self._walk.failures

    @property
    def receipts(self) -> Mapping[str, Receipt]:
        """What each company's walk is worth, by company id."""
        return {} if self._walk is None else self._walk.receipts

    @property
    def receipt(self) -> Receipt:
        """All receipts as one."""
        return Receipt() if self._walk is None else self._walk.receipt

    @property
    def status(self) -> Status:
        """How far it is."""
        seconds = self._seconds
        if seconds is None:
            started = self._start
            seconds = 0.0 if started is None else time.perf_counter() - started.time
        return Status(
            progress=_NOTHING if self._walk is None else self._walk.progress,
            traffic=self._traffic(),
            seconds=seconds,
        )

    def _traffic(self) -> Traffic:
        client, start = self._client, self._start
        if client is None or start is None:
            return Traffic()
        now = client.statistics()
        return Traffic(
            requests=now.attempts - start.attempts,
            retries=now.retries - start.retries,
            rate_limited=now.rate_limited - start.rate_limited,
            in_flight=now.in_flight,
            peak_in_flight=now.peak_in_flight,
            limit=now.limit,
        )

    def account(self) -> str:
        """What is in the file, for whoever stopped early; empty if it is nothing."""
        if not self.records:
            return ""
        receipts = self.receipts
        whole = sum(one.verdict is not Verdict.UNFINISHED for one in receipts.values())
        companies = counted(len(receipts), "company", "companies")
        return (
            f"{counted(self.records, 'record')} of"
            f" {counted(len(self._written), 'company', 'companies')} in"
            f" {self.sink.name} (JSON lines, complete to the last line);"
            f" {whole:,} of {companies} {'is' if whole == 1 else 'are'} complete"
        )


_NOTHING = Progress(companies=0, companies_done=0, pages=0, records=0)


def _give_up_early(failure: Failure) -> None:
    if isinstance(failure.error, _HOPELESS):
        raise failure.error
