"""One list a company, all of them at once: records as they come.

The permits of the client's gate are the only bound on how many requests are under way;
which page goes next is decided over all companies together (`_schedule`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType, TracebackType
from typing import Any, Generic, Literal, Self, TypeVar

from attrs import frozen

from nectar_async._http.executor import PageSource
from nectar_async._http.request import Request
from nectar_async._paging.prefetch import NOT_ENTERED, Schedule
from nectar_async._paging.receipt import Receipt
from nectar_async._paging.traversal import REWALKS, Course
from nectar_async.errors import NectarError
from nectar_async.models.page import Page

__all__ = ["Failure", "FanOut", "OnError", "Progress"]

T = TypeVar("T")


@frozen
class Failure:
    """A company whose list could not be read to its end."""

    company_id: str
    error: NectarError
    """Why; its `cursor` says where to go on."""


OnError = Literal["raise", "collect"] | Callable[[Failure], None]
"""`raise` stops at the first failure, `collect` keeps it and goes on; a function is
given each failure, which is kept too, and stops the walk by raising."""


@frozen(kw_only=True)
class Progress:
    """How far a fan-out is."""

    companies: int
    """Companies in all."""
    companies_done: int
    """Companies that were read to their end, or failed."""
    pages: int
    """Pages that were given."""
    records: int
    """Records that were given."""


class FanOut(Generic[T]):
    """The records of many companies, page by page, as they come.

    ```python
    async with nectar.repository.usage(start_date=date(2025, 1, 1)) as records:
        async for record in records:
            ...
    print(records.receipt, records.failures)
    ```

    The pages of one company come in order; between companies there is no order. A
    company whose rows moved in mid-walk is read again, at most twice, and gives what
    did not come before; its receipt tells. `give` makes of each page that was read the
    page that is given.
    """

    def __init__(
        self,
        companies: Callable[[], Awaitable[Sequence[str]]],
        request: Callable[[str], Request[Page[Any]]],
        source: PageSource[Any],
        *,
        on_error: OnError = "raise",
        look_ahead: int | None = None,
        verify: bool = False,
        give: Callable[[Page[Any]], Page[T]] | None = None,
    ) -> None:
        self._companies = companies
        self._request = request
        self._source = source
        self._on_error = on_error
        self._look_ahead = look_ahead
        self._verify = verify
        self._give = give
        self._schedule: Schedule[Any] | None = None
        self._courses: dict[str, Course[Any]] = {}
        self._failures: list[Failure] = []
        self._done = 0
        self._pages = 0
        self._records = 0
        self._items: deque[T] = deque()

    async def __aenter__(self) -> Self:
        if self._schedule is not None:
            raise RuntimeError("it can be entered once; make another one")
        ids = await self._companies()
        # A company that is named twice is read once. All are made before anything is
        # sent: an id that cannot be is an error right here.
        self._courses = {company_id: self._course(company_id) for company_id in ids}
        schedule = Schedule(
            self._courses.items(), self._source, look_ahead=self._look_ahead
        )
        self._schedule = await schedule.__aenter__()
        return self

    def _course(self, company_id: str) -> Course[Any]:
        """The walk over one company; all of them are one walk to the gate."""
        return Course(
            self._request(company_id),
            rewalks=REWALKS,
            verify=self._verify,
            queue_key=self,
        )

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        if self._schedule is None:
            return None
        self._items.clear()  # whoever reads on after the end is told, not given a few
        return await self._schedule.__aexit__(kind, error, trace)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while not self._items:
            _, page = await self.next_page()
            self._items.extend(page.items)
        return self._items.popleft()

    def pages(self) -> AsyncIterator[tuple[str, Page[T]]]:
        """Company id and page, for whoever needs to know which company it is."""
        return _CompanyPages(self.next_page)

    @property
    def receipt(self) -> Receipt:
        """All companies' receipts as one; its verdict is the worst among them."""
        has_begun = self._schedule is not None
        return Receipt.sum(self.receipts.values(), is_finished=has_begun)

    @property
    def receipts(self) -> Mapping[str, Receipt]:
        """What each company's walk is worth, by company id."""
        return MappingProxyType(
            {company: course.receipt() for company, course in self._courses.items()}
        )

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Companies that could not be read to their end."""
        return tuple(self._failures)

    @property
    def progress(self) -> Progress:
        """How far it is."""
        return Progress(
            companies=len(self._courses),
            companies_done=self._done,
            pages=self._pages,
            records=self._records,
        )

    async def next_page(self) -> tuple[str, Page[T]]:
        """The next company id and page.

        Raises:
            StopAsyncIteration: there is none.
        """
        if self._schedule is None:
            raise RuntimeError(NOT_ENTERED)
        while True:
            delivery = await anext(self._schedule)
            self._done += delivery.is_last
            if delivery.error is not None:
                self._fail(delivery.owner.key, delivery.error)
            elif delivery.page is not None:
                page = delivery.page
                if self._give is not None:
                    page = self._give(page)
                self._pages += 1
                self._records += len(page.items)
                return delivery.owner.key, page

    def _fail(self, company_id: str, error: Exception) -> None:
        """Keep a failure; raise it unless the caller wants to go on."""
        if not isinstance(error, NectarError):
            raise error
        failure = Failure(company_id, error)
        self._failures.append(failure)
        if self._on_error == "raise":
            raise error
        if callable(self._on_error):
            self._on_error(failure)


class _CompanyPages(Generic[T]):
    def __init__(self, next_page: Callable[[], Awaitable[tuple[str, Page[T]]]]) -> None:
        self._next_page = next_page

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> tuple[str, Page[T]]:
        return await self._next_page()
