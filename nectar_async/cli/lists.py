"""What comes with the list of companies, told as a walk over all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from nectar_async._paging.fanout import Failure, Progress
from nectar_async._paging.receipt import Receipt, Verdict
from nectar_async.errors import NectarError
from nectar_async.models.company import Company
from nectar_async.models.page import Page

__all__ = ["CompanyWalk"]


class CompanyWalk:
    """A page for each company, of what its own record holds.

    Args:
        companies: whole ones, or ids, each of which is asked for.
        get: fetches a company.
        of_company: what is on its page.
        on_error: is given each failure, and may raise to stop.
    """

    def __init__(
        self,
        companies: Sequence[Company | str],
        get: Callable[[str], Awaitable[Company]],
        of_company: Callable[[Company], Sequence[Any]],
        on_error: Callable[[Failure], None],
    ) -> None:
        self._companies = companies
        self._get = get
        self._of_company = of_company
        self._on_error = on_error
        self._receipts = {_id_of(one): Receipt() for one in companies}
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
        """Nothing runs in the background."""

    async def pages(self) -> AsyncIterator[tuple[str, Page[Any]]]:
        """Company id and page."""
        for one in self._companies:
            company = await self._fetched(one)
            self._done += 1
            if company is not None:
                items = tuple(self._of_company(company))
                self._receipts[_id_of(one)] = _whole(len(items))
                yield company.id, Page(items=items)

    async def _fetched(self, one: Company | str) -> Company | None:
        if isinstance(one, Company):
            return one
        try:
            return await self._get(one)
        except NectarError as error:
            failure = Failure(one, error)
            self._failures.append(failure)
            self._on_error(failure)
            return None

    @property
    def receipts(self) -> Mapping[str, Receipt]:
        """What each company's page is worth."""
        return self._receipts

    @property
    def receipt(self) -> Receipt:
        """All receipts as one."""
        return Receipt.sum(self._receipts.values())

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Companies that could not be had."""
        return tuple(self._failures)

    @property
    def progress(self) -> Progress:
        """How far it is."""
        return Progress(
            companies=len(self._receipts),
            companies_done=self._done,
            pages=self.receipt.pages,
            records=self.receipt.records,
        )


def _id_of(company: Company | str) -> str:
    return company.id if isinstance(company, Company) else company


def _whole(records: int) -> Receipt:
    return Receipt(records=records, distinct=records, pages=1, verdict=Verdict.COMPLETE)
