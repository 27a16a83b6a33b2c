"""A list of the API as an async iterable of its records.

Plain iteration (see `sequential`) runs nothing in the background; background fetching
(see `prefetch`) needs `async with pager.prefetch()`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any, ClassVar, Final, Generic, Self, TypeVar, get_args

from nectar_async._hints import Hinted
from nectar_async._http.executor import PageSource
from nectar_async._http.request import Request
from nectar_async._paging.cursor import Cursor
from nectar_async._paging.list_hints import build_list_hints
from nectar_async._paging.prefetch import Prefetch
from nectar_async._paging.progress_bar import Draw, open_bar
from nectar_async._paging.receipt import Receipt
from nectar_async._paging.records import Records, check_limit, collect_pages
from nectar_async._paging.sequential import PageIterator, RecordIterator
from nectar_async._paging.traversal import Traversal
from nectar_async.errors import InvalidArgumentError
from nectar_async.models.page import Page

__all__ = ["Pager"]

T = TypeVar("T")


_ENTER_HINT: Final = (
    "a pager needs no block: write `async for record in pager`; to fetch pages in the"
    " background write `async with pager.prefetch() as records`"
)


class Pager(Hinted, Generic[T]):
    """A list that is fetched a few pages at a time while it is read.

    ```python
    async for record in nectar.usage.by_site(site_id):
        ...
    ```

    `await` collects all records; `collect(limit=...)` and `first()` request less.

    Each `async for` starts again at the first page. Each record is delivered once, also
    when rows move between pages meanwhile. A record that changes meanwhile is delivered
    again if it is read again. `receipt` says afterwards whether all were read. If the
    server runs out of time, the range of dates is split in two and read in halves.
    """

    _HINTS: ClassVar[Mapping[str, str]] = {
        **build_list_hints("pager", "`async for record in pager`"),
        **dict.fromkeys(("__aenter__", "__aexit__"), _ENTER_HINT),
    }

    def __init__(
        self,
        request: Request[Page[T]],
        source: PageSource[T],
        *,
        verify: bool = False,
        cursor: Cursor | None = None,
    ) -> None:
        self._request = request
        self._source = source
        self._verify = verify
        self._cursor = cursor
        self._draw: Draw | None = None
        self._traversal = self._begin()

    def __repr__(self) -> str:
        # A traceback may show a pager whose cursor was refused.
        traversal = vars(self).get("_traversal")
        return f"<Pager {'not built' if traversal is None else traversal.describe()}>"

    def __aiter__(self) -> AsyncIterator[T]:
        return RecordIterator(self.pages())

    def pages(self) -> AsyncIterator[Page[T]]:
        """Iterate over the pages; each holds only records that were not on one before.

        This too starts again at the first page.
        """
        return PageIterator(self._begin(), self._source)

    def prefetch(self, *, look_ahead: int | None = None) -> Prefetch[T]:
        """Read the list while its next pages are fetched in the background.

        Records are delivered in order.

        Args:
            look_ahead: how many pages may be requested and not yet delivered; by
                default 4 for each request that the client may have in flight.

        Raises:
            InvalidArgumentError: `look_ahead` is below 1.
        """
        if look_ahead is not None and look_ahead < 1:
            raise InvalidArgumentError(
                f"look_ahead must be at least 1, not {look_ahead}"
            )
        return Prefetch(self._begin(), self._source, look_ahead)

    def __await__(self) -> Generator[Any, None, Records[T]]:
        """Collect all records: `records = await nectar.usage.by_site(site_id)`."""
        return self.collect().__await__()

    async def collect(
        self, limit: int | None = None, *, progress: bool = False
    ) -> Records[T]:
        """Collect the records in memory, all or the first ones.

        Args:
            limit: how many records to collect at most; only their pages are requested.
            progress: whether to show a bar; see `show_progress`.

        Raises:
            InvalidArgumentError: `limit` is below 1.
        """
        check_limit(limit)
        with self.show_progress() if progress else nullcontext():
            if limit is None:
                async with self.prefetch() as fetched:
                    items = await self._collect(fetched.pages(), None)
            else:
                items = await self._collect(self.pages(), limit)
        (model,) = get_args(self._request.returns)
        return Records(items, self.receipt, model=model)

    @contextmanager
    def show_progress(self) -> Iterator[Self]:
        """Show a bar on standard error while the list is read in a block.

        ```python
        with pager.show_progress():
            async for record in pager:
                ...
        ```

        Where standard error is no terminal, a line with the counts is written at the
        end. A notebook needs tqdm or rich; a terminal needs rich or tqdm.

        Raises:
            ConfigurationError: neither of them is installed.
        """
        try:
            with open_bar(self._traversal.title, "records") as self._draw:
                yield self
        finally:
            self._draw = None

    async def first(self) -> T | None:
        """Return the first record; None if the list is empty."""
        async for record in self:
            return record
        return None

    def resume(self, cursor: str) -> Pager[T]:
        """Build a pager that begins where the `cursor` of an error points.

        Raises:
            InvalidArgumentError: the cursor belongs to another list.
        """
        return Pager(
            self._request,
            self._source,
            verify=self._verify,
            cursor=Cursor.parse(cursor),
        )

    @property
    def receipt(self) -> Receipt:
        """Counts and verdict of the last traversal; `unfinished` before the first."""
        return self._traversal.build_receipt()

    async def _collect(
        self, pages: AsyncIterator[Page[T]], limit: int | None
    ) -> tuple[T, ...]:
        return await collect_pages(
            pages,
            lambda page: page.items,
            lambda: self.receipt.total_last or 0,
            limit,
        )

    def _begin(self) -> Traversal[T]:
        self._traversal = Traversal(
            self._request,
            verify=self._verify,
            cursor=self._cursor,
            draw=self._draw,
        )
        return self._traversal
