"""A pull: the records of a view in a file, with progress and receipts at any moment."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Self

from attrs import evolve, field, frozen

from nectar_async._paging.fanout import FanOut, Progress
from nectar_async._paging.receipt import Receipt, Verdict
from nectar_async._paging.records import Failure
from nectar_async._paging.relaxed_gc import relaxed_gc
from nectar_async.cli.output import count_noun
from nectar_async.cli.output_file import OutputFile
from nectar_async.cli.record_writers import FORMATS, Format, Group, RecordWriter
from nectar_async.cli.views import VIEWS, View, ViewTotals
from nectar_async.client import NectarClient
from nectar_async.errors import (
    AuthenticationError,
    ClientClosedError,
    ConfigurationError,
    ConnectionFailedError,
    InvalidArgumentError,
    MaintenanceError,
    NectarError,
    RateLimitedError,
    RedirectedError,
    WrongLoopError,
)
from nectar_async.models.company import Company
from nectar_async.models.page import Page
from nectar_async.tables.columns import find_model

__all__ = ["FirstRecord", "PullQuery", "PullRun", "PullStatus", "RequestCounts"]

# An error of these classes for one company would repeat for every other one.
_FATAL_ERRORS: Final = (
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

_COMPANY_KEY: Final = "companyId"

FirstRecord = Callable[[str, Any], None]
"""Called with the company id and the record when the first record arrives."""


@frozen(kw_only=True)
class PullQuery:
    """The view, companies and filters of a pull, and whether it writes secrets."""

    view: View = VIEWS["usage"]
    companies: Sequence[str] = ()
    """Company ids; empty for all companies."""
    filters: Mapping[str, object] = field(factory=dict)
    """Arguments for the view's `Repository` method."""
    with_secrets: bool = False


@frozen(kw_only=True)
class RequestCounts:
    """How many requests the client sent for a pull."""

    requests: int = 0
    retries: int = 0
    rate_limited: int = 0
    in_flight: int = 0
    peak_in_flight: int = 0
    limit: int = 0


@frozen(kw_only=True)
class PullStatus:
    """The state of a pull at one moment."""

    progress: Progress
    requests: RequestCounts
    seconds: float


@frozen
class _StartCounts:
    """The clock and the counters of the client when the pull began."""

    time: float
    attempts: int
    retries: int
    rate_limited: int


class PullRun:
    """One pull. Its properties can be read from any thread, also after its end.

    Args:
        query: the view, the companies and the filters.
        file: the output file. It is committed if no company fails.
        file_format: the format of the file.
    """

    def __init__(
        self,
        query: PullQuery,
        file: OutputFile,
        file_format: Format = FORMATS["jsonl"],
    ) -> None:
        self.query = query
        self.file = file
        self.file_format = file_format
        self.totals: ViewTotals = ViewTotals(query.view)
        self.company_names: Mapping[str, str] = {}
        """Names by company id, as far as they are known."""
        self.records: int = 0
        """Number of records in the file."""
        self._writer: RecordWriter | None = None
        self._written_records: Counter[str] = Counter()
        """Number of records in the file by company id."""
        self._list_failures: list[Failure] = []
        """The failure to read items of the list of companies, if there is one."""
        self._pages: FanOut[Any] | _CompanyRecords | None = None
        self._client: NectarClient | None = None
        self._start: _StartCounts | None = None
        self._seconds: float | None = None

    async def run(
        self, client: NectarClient, on_first: FirstRecord | None = None
    ) -> None:
        """Pull everything.

        A company that cannot be read is added to `failures`, and the pull goes on.

        Args:
            client: sends the requests.
            on_first: called when the first record arrives.

        Raises:
            NectarError: an error that would occur for every company.
            OSError: the file cannot be written.
        """
        before = client.statistics()
        self._client = client
        self._start = _StartCounts(
            time.perf_counter(), before.attempts, before.retries, before.rate_limited
        )
        self._writer = writer = self.file_format.build_writer(
            self.file, find_model(self.query.view.name), self.query.with_secrets
        )
        try:
            with relaxed_gc():
                await self._pull(client, on_first)
            if self.records or not self.failures:
                writer.finish()
            if not self.failures:
                self.file.commit()
        except BaseException:
            # Not swallowed: the part that was pulled gets its end, so that it can be
            # read, and the first error is raised.
            if self.records:
                with suppress(OSError):
                    writer.finish()
            raise
        finally:
            self._seconds = time.perf_counter() - self._start.time

    async def _pull(self, client: NectarClient, on_first: FirstRecord | None) -> None:
        companies: Sequence[Company | str] = self.query.companies
        if not companies:
            listed = await client.companies.all(on_error=self._list_failures.append)
            self.company_names = {
                company.id: company.name or company.id for company in listed
            }
            companies = listed
        fan_out = self._open_pages(client, companies)
        async with fan_out:
            self._pages = fan_out
            async for company_id, page in fan_out.pages():
                records = self._write(company_id, page.items)
                if on_first is not None and records:
                    on_first(company_id, records[0])
                    on_first = None

    def _open_pages(
        self, client: NectarClient, companies: Sequence[Company | str]
    ) -> FanOut[Any] | _CompanyRecords:
        view = self.query.view
        if view.fan_out is None:
            get = client.companies.get
            return _CompanyRecords(companies, get, view.read_company, _stop_if_fatal)
        return view.fan_out(
            client.repository,
            companies=companies,
            on_error=_stop_if_fatal,
            **self.query.filters,
        )

    def _write(self, company_id: str, items: Sequence[Any]) -> Sequence[Any]:
        """Write the records of a page and return them."""
        prefix = {_COMPANY_KEY: company_id}
        groups: list[Group] = [(prefix, items)]
        view = self.query.view
        if view.read_parts is not None:
            groups = [
                ({**prefix, view.parent_key: item.id}, view.read_parts(item))
                for item in items
            ]
        # Not in a worker thread: on Ctrl-C the file would be closed and counted while
        # the thread still writes to it.
        if self._writer is not None:
            self._writer.write(groups)
        records = [record for _, group in groups for record in group]
        self.totals.add(records)
        self.records += len(records)
        if records:
            self._written_records[company_id] += len(records)
        return records

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Companies that could not be read to their end."""
        pages = () if self._pages is None else self._pages.failures
        return (*self._list_failures, *pages)

    @property
    def receipts(self) -> Mapping[str, Receipt]:
        """The receipt of each company, by company id."""
        receipts = {} if self._pages is None else self._pages.receipts
        if self.query.view.read_parts is None:
            return receipts
        return {
            company_id: _count_parts(receipt, self._written_records[company_id])
            for company_id, receipt in receipts.items()
        }

    @property
    def receipt(self) -> Receipt:
        """The sum of all receipts."""
        receipt = Receipt() if self._pages is None else self._pages.receipt
        is_whole = self.query.view.read_parts is None
        return receipt if is_whole else _count_parts(receipt, self.records)

    @property
    def status(self) -> PullStatus:
        """The state of the pull now."""
        seconds = self._seconds
        if seconds is None:
            started = self._start
            seconds = 0.0 if started is None else time.perf_counter() - started.time
        return PullStatus(
            progress=_NO_PROGRESS if self._pages is None else self._pages.progress,
            requests=self._count_requests(),
            seconds=seconds,
        )

    def _count_requests(self) -> RequestCounts:
        client, start = self._client, self._start
        if client is None or start is None:
            return RequestCounts()
        now = client.statistics()
        return RequestCounts(
            requests=now.attempts - start.attempts,
            retries=now.retries - start.retries,
            rate_limited=now.rate_limited - start.rate_limited,
            in_flight=now.in_flight,
            peak_in_flight=now.peak_in_flight,
            limit=now.limit,
        )

    def summarize_file(self) -> str:
        """Describe the content of the file after an early stop; empty without one."""
        if not self.records:
            return ""
        receipts = self.receipts
        complete = sum(
            receipt.verdict is not Verdict.UNFINISHED for receipt in receipts.values()
        )
        written = count_noun(len(self._written_records), "company", "companies")
        companies = count_noun(len(receipts), "company", "companies")
        return (
            f"{count_noun(self.records, 'record')} of {written} in"
            f" {self.file.partial or self.file.name} ({self.file_format.title});"
            f" {complete:,} of {companies} {'is' if complete == 1 else 'are'} complete"
            f"{'' if self.file.partial is None else f'; {self.file.name} is unchanged'}"
        )


class _CompanyRecords:
    """The pages of a view whose records come with the companies.

    Each company is one page. It has the part of the interface of `FanOut` that a pull
    needs.

    Args:
        companies: companies or their ids; an id is fetched first.
        get: fetches a company.
        read_records: reads the records out of a company.
        on_error: called with each failure; stops the pull by raising.
    """

    def __init__(
        self,
        companies: Sequence[Company | str],
        get: Callable[[str], Awaitable[Company]],
        read_records: Callable[[Company], Sequence[Any]],
        on_error: Callable[[Failure], None],
    ) -> None:
        self._companies = companies
        self._get = get
        self._read_records = read_records
        self._on_error = on_error
        self._receipts = {_read_id(company): Receipt() for company in companies}
        self._failures: list[Failure] = []
        self._done = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Do nothing: no task runs in the background."""

    async def pages(self) -> AsyncIterator[tuple[str, Page[Any]]]:
        """Iterate over company ids and pages."""
        for company in self._companies:
            fetched = await self._fetch(company)
            self._done += 1
            if fetched is not None:
                items = tuple(self._read_records(fetched))
                self._receipts[_read_id(company)] = Receipt(
                    records=len(items),
                    distinct=len(items),
                    pages=1,
                    verdict=Verdict.COMPLETE,
                )
                yield fetched.id, Page(items=items)

    async def _fetch(self, company: Company | str) -> Company | None:
        if isinstance(company, Company):
            return company
        try:
            return await self._get(company)
        except NectarError as error:
            failure = Failure(company, error)
            self._failures.append(failure)
            self._on_error(failure)
            return None

    @property
    def receipts(self) -> Mapping[str, Receipt]:
        """The receipt of each company, by company id."""
        return self._receipts

    @property
    def receipt(self) -> Receipt:
        """The sum of all receipts."""
        return Receipt.sum(self._receipts.values())

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Companies that could not be fetched."""
        return tuple(self._failures)

    @property
    def progress(self) -> Progress:
        """The progress so far."""
        receipt = self.receipt
        return Progress(
            companies=len(self._receipts),
            companies_done=self._done,
            pages=receipt.pages,
            records=receipt.records,
        )


_NO_PROGRESS: Final = Progress(companies=0, companies_done=0, pages=0, records=0)


def _count_parts(receipt: Receipt, count: int) -> Receipt:
    """Return the receipt of a list of connections as one of their accounts."""
    return evolve(
        receipt, records=count, distinct=count, total_first=None, total_last=None
    )


def _read_id(company: Company | str) -> str:
    return company.id if isinstance(company, Company) else company


def _stop_if_fatal(failure: Failure) -> None:
    if isinstance(failure.error, _FATAL_ERRORS):
        raise failure.error
