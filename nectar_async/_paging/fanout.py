"""Fan-out: the lists of many companies, read at the same time.

Only the client's limiter bounds the requests in flight; the next page to request is
chosen among all companies (see `page_queue`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import contextmanager, nullcontext
from types import MappingProxyType, TracebackType
from typing import Any, ClassVar, Final, Generic, Literal, Self, TypeVar

from attrs import evolve, frozen

from nectar_async._hints import Hinted
from nectar_async._http.callbacks import run_callback
from nectar_async._http.executor import PageSource
from nectar_async._http.request import Request
from nectar_async._paging.list_hints import build_list_hints
from nectar_async._paging.prefetch import NOT_ENTERED, PageResult, PageScheduler
from nectar_async._paging.progress_bar import Draw, open_bar
from nectar_async._paging.receipt import Receipt, describe_counts, find_worst
from nectar_async._paging.records import Failure, Records, check_limit, collect_pages
from nectar_async._paging.traversal import MAX_REWALKS, Traversal
from nectar_async.errors import NectarError
from nectar_async.models.page import Page

__all__ = ["FanOut", "OnError", "Progress"]

T = TypeVar("T")


OnError = Literal["raise", "collect"] | Callable[[Failure], object]
"""`raise` stops at the first failure; `collect` keeps failures and goes on; a function
(plain or async) is called with each failure, which is kept too. It may raise to stop,
and no timeout ends it."""


@frozen(kw_only=True)
class Progress:
    """How far a fan-out has come."""

    companies: int
    """The number of companies."""
    companies_done: int
    """Companies that were read to their end, or failed."""
    pages: int
    """Pages that were delivered."""
    records: int
    """Records that were delivered."""


@frozen
class CompanyList:
    """The companies of a fan-out, and how complete their list is."""

    ids: Sequence[str]
    receipt: Receipt | None = None
    """The receipt of the list; None if the caller named the companies."""
    error: NectarError | None = None
    """The error that names items of the list that cannot be read."""


_CALL: Final = "nectar.repository.usage(...)"
_LOOP: Final = (
    f"`async with {_CALL} as records:` and in that block `async for record in records:`"
)


class FanOut(Hinted, Generic[T]):
    """The records of many companies, page by page, in the order of their arrival.

    `await` collects all records; `collect(limit=...)` and `first()` request less.

    ```python
    async with nectar.repository.usage(start_date=date(2025, 1, 1)) as records:
        async for record in records:
            ...
    print(records.receipt, records.failures)
    ```

    The pages of one company are in order; there is no order between companies. A
    company whose list changed while it was read is read again, at most twice, and its
    new records are delivered; `receipts` has the verdict of each company.

    Args:
        list_companies: returns the companies.
        build_request: builds the request for a company's list.
        source: sends requests and decodes responses.
        on_error: what happens when a company fails; see `OnError`.
        look_ahead: how many pages may be requested and not delivered.
        verify: whether to request the first page of each list again at its end.
        convert: converts each page that was read to the page that is delivered.
        model: the model of the records that are delivered.
    """

    _HINTS: ClassVar[Mapping[str, str]] = {
        **build_list_hints(_CALL, _LOOP),
        **dict.fromkeys(
            ("__enter__", "__exit__"), f"a fan-out is async: write {_LOOP}"
        ),
    }

    def __init__(
        self,
        list_companies: Callable[[], Awaitable[CompanyList]],
        build_request: Callable[[str], Request[Page[Any]]],
        source: PageSource[Any],
        *,
        on_error: OnError = "raise",
        look_ahead: int | None = None,
        verify: bool = False,
        convert: Callable[[Page[Any]], Page[T]] | None = None,
        model: type[T] | None = None,
    ) -> None:
        self._list_companies = list_companies
        self._build_request = build_request
        self._source = source
        self._on_error = on_error
        self._look_ahead = look_ahead
        self._verify = verify
        self._convert = convert
        self._model = model
        self._is_entered = False
        self._scheduler: PageScheduler[Any] | None = None
        self._traversals: dict[str, Traversal[Any]] = {}
        self._companies = CompanyList(())
        self._failures: list[Failure] = []
        self._unreadable: deque[tuple[str, NectarError]] = deque()
        """Errors about items that were left out, by company, not yet handled."""
        self._done = 0
        self._pages = 0
        self._records = 0
        self._totals: dict[str, int] = {}
        """The totals of the companies' lists, as far as they are known."""
        self._announced = 0
        """Their sum."""
        self._items: deque[T] = deque()
        self._draw: Draw | None = None
        # The workers keep the requests, so a request must not refer to this object.
        self._queue_key = object()

    def __repr__(self) -> str:
        kind = f" of {self._model.__name__}" if self._model is not None else ""
        failed = f", failures: {len(self._failures):,}" if self._failures else ""
        return (
            f"<FanOut{kind}: {self._done:,} of {len(self._traversals):,} companies,"
            f" {self._describe()}, {self.receipt.verdict.value}{failed}>"
        )

    def _describe(self) -> str:
        total = self._announced if self._totals else None
        return describe_counts(self._pages, self._records, total)

    async def __aenter__(self) -> Self:
        if self._is_entered:
            raise RuntimeError("a fan-out can be entered only once; create a new one")
        self._is_entered = True
        self._companies = await self._list_companies()
        if self._companies.error is not None:
            self._unreadable.append(("", self._companies.error))
        # A company that is named twice is read once. All requests are built before any
        # is sent, so that an invalid id raises an error here.
        self._traversals = {
            company_id: self._build_traversal(company_id)
            for company_id in self._companies.ids
        }
        self._scheduler = PageScheduler(
            self._traversals.items(), self._source, look_ahead=self._look_ahead
        )
        self._scheduler.start()
        return self

    def _build_traversal(self, company_id: str) -> Traversal[Any]:
        """Build the traversal of a company; they all share a queue of the limiter."""
        return Traversal(
            self._build_request(company_id),
            max_rewalks=MAX_REWALKS,
            verify=self._verify,
            queue_key=self._queue_key,
        )

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._items.clear()  # reading on after the block raises an error at once
        if self._scheduler is not None:
            await self._scheduler.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while not self._items:
            _, page = await self.next_page()
            self._items.extend(page.items)
        return self._items.popleft()

    def pages(self) -> AsyncIterator[tuple[str, Page[T]]]:
        """Iterate over pairs of a company id and a page of that company."""
        return _CompanyPages(self.next_page)

    @property
    def receipt(self) -> Receipt:
        """The sum of all companies' receipts; its verdict is the worst of them."""
        has_begun = self._scheduler is not None
        total = Receipt.sum(self.receipts.values(), is_finished=has_begun)
        listed = self._companies.receipt
        if listed is None:
            return total
        return evolve(
            total,
            verdict=find_worst((total.verdict, listed.verdict)),
            unreadable=total.unreadable + listed.unreadable,
            losses=total.losses + listed.losses,
            problems=total.problems or listed.problems,
        )

    @property
    def receipts(self) -> Mapping[str, Receipt]:
        """The receipt of each company, by company id."""
        return MappingProxyType(
            {
                company_id: traversal.build_receipt()
                for company_id, traversal in self._traversals.items()
            }
        )

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Companies that were not read to their end, or have unreadable items."""
        return tuple(self._failures)

    @property
    def progress(self) -> Progress:
        """How many companies, pages and records were read so far."""
        return Progress(
            companies=len(self._traversals),
            companies_done=self._done,
            pages=self._pages,
            records=self._records,
        )

    def __await__(self) -> Generator[Any, None, Records[T]]:
        """Collect all records: `records = await nectar.repository.usage()`."""
        return self.collect().__await__()

    async def collect(
        self, limit: int | None = None, *, progress: bool = False
    ) -> Records[T]:
        """Collect the records in memory, all or the first ones to arrive.

        Args:
            limit: how many records to collect at most.
            progress: whether to show a bar; see `show_progress`.

        Raises:
            InvalidArgumentError: `limit` is below 1.
        """
        check_limit(limit)
        with self.show_progress() if progress else nullcontext():
            return await self._collect(limit)

    async def _collect(self, limit: int | None) -> Records[T]:
        async with self:
            items = await collect_pages(
                self.pages(),
                lambda company_page: company_page[1].items,
                lambda: self._announced,
                limit,
            )
            return Records(items, self.receipt, self.failures, self._model)

    @contextmanager
    def show_progress(self) -> Iterator[Self]:
        """Show a bar of the companies on standard error while they are read in a block.

        ```python
        async with nectar.repository.usage() as records:
            with records.show_progress():
                async for record in records:
                    ...
        ```

        See `Pager.show_progress`.

        Raises:
            ConfigurationError: neither rich nor tqdm is installed.
        """
        kind = "records" if self._model is None else self._model.__name__
        try:
            with open_bar(kind, "companies") as self._draw:
                yield self
        finally:
            self._draw = None

    def _draw_progress(self) -> None:
        if self._draw is not None:
            self._draw(self._done, len(self._traversals), self._describe())

    async def first(self) -> T | None:
        """Return the first record to arrive; None if there is none."""
        async with self:
            async for record in self:
                return record
        return None

    async def next_page(self) -> tuple[str, Page[T]]:
        """Get the next page, after the id of its company.

        Raises:
            StopAsyncIteration: there is none left.
        """
        if self._scheduler is None:
            raise RuntimeError(NOT_ENTERED)
        while True:
            result = await self._next_result(self._scheduler)
            self._done += result.is_last
            if result.error is not None:
                self._draw_progress()
                await self._handle_failure(result.name, result.error)
            elif result.page is not None:
                page = result.page
                if self._convert is not None:
                    page = self._convert(page)
                self._pages += 1
                self._add_total(result.name, result.page)
                self._records += len(page.items)
                self._draw_progress()
                return result.name, page

    def _add_total(self, company_id: str, page: Page[Any]) -> None:
        total = page.total or 0
        self._announced += total - self._totals.get(company_id, 0)
        self._totals[company_id] = total

    async def _next_result(self, scheduler: PageScheduler[Any]) -> PageResult[Any]:
        """Get the next result, and handle errors about items that were left out.

        With `on_error="raise"`, they are raised after the last record of all companies.
        """
        while self._unreadable and self._on_error != "raise":
            await self._handle_failure(*self._unreadable.popleft())
        try:
            result = await anext(scheduler)
        except StopAsyncIteration:
            if self._unreadable:
                await self._handle_failure(*self._unreadable.popleft())
            raise
        if result.is_last and result.error is None:
            error = self._traversals[result.name].build_unreadable_error()
            if error is not None:
                self._unreadable.append((result.name, error))
        return result

    async def _handle_failure(self, company_id: str, error: Exception) -> None:
        """Keep a failure, and raise it unless `on_error` says to go on."""
        if not isinstance(error, NectarError):
            raise error
        failure = Failure(company_id, error)
        self._failures.append(failure)
        if self._on_error == "raise":
            raise error
        if callable(self._on_error):
            with self._source.open_call():
                await run_callback(self._on_error, failure)


class _CompanyPages(Generic[T]):
    """Iterates over pairs of a company id and a page."""

    def __init__(self, next_page: Callable[[], Awaitable[tuple[str, Page[T]]]]) -> None:
        self._next_page = next_page

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> tuple[str, Page[T]]:
        return await self._next_page()
