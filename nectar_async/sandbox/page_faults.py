"""Lists that move while they are read, and envelopes that do not tell the truth.

See `faults` for how trouble is ordered. What has no pages is answered as ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from nectar_async.errors import ConfigurationError
from nectar_async.sandbox.envelopes import Envelope
from nectar_async.sandbox.generator.seeded_random import SeededRandom
from nectar_async.sandbox.server.messages import Call, Proceed, Reply

if TYPE_CHECKING:
    import msgspec
    from attrs import Attribute

__all__ = [
    "Change",
    "ClampSilently",
    "Miscount",
    "PromiseMore",
    "RepeatPage",
    "Shuffle",
    "StandStill",
]


@frozen(kw_only=True)
class Change:
    """Just before the answer rows of usage are deleted, and new ones inserted there."""

    insert: int = 0
    delete: int = 0
    at: int | str = field(default="front")
    """Where: `front`, `end`, or the number of a row, from 1. That row and those behind
    it are deleted (at the end, the last ones), and the new ones take their place."""

    @at.validator
    def _check_at(self, _: Attribute[Any], value: object) -> None:
        is_row = isinstance(value, int) and not isinstance(value, bool) and value >= 1
        if not is_row and value not in {"front", "end"}:
            raise ConfigurationError(
                f"at is front, end, or the number of a row from 1, not {value!r}"
            )

    async def apply(self, call: Call, proceed: Proceed, /) -> Reply:
        """The right answer, of a list that has moved."""
        company = call.portfolio.find_company(call.company_id or "")
        if company is not None:
            call.portfolio.change_usage(
                company.index,
                insert=self.insert,
                delete=self.delete,
                at=self.at,
                site_id=call.params.get("site_id"),
            )
        return await proceed(call)


@frozen(kw_only=True)
class Shuffle:
    """The rows of the list are in another order, and so on other pages."""

    seed: int = 1
    """Says which order; the same one for all pages of a list."""

    async def apply(self, call: Call, proceed: Proceed, /) -> Reply:
        """The page of the list as it would be in that order."""
        reply = await proceed(call)
        page = Envelope.of(reply)
        if page is None:
            return reply
        rows: list[msgspec.Raw] = []
        for number in range(1, page.number("totalPages") + 1):
            part = Envelope.of(await proceed(call.with_page(number)))
            rows += () if part is None else part.items
        random = SeededRandom(self.seed, "shuffle")
        order = sorted(rows, key=lambda _: random.below(1 << 52))
        size = page.number("perPage")
        start = (page.number("currentPage") - 1) * size
        return page.changed(**{page.items_key: order[start : start + size]})


@frozen
class ClampSilently:
    """A page past the end is the last one again, but claims the number asked for."""

    async def apply(self, call: Call, proceed: Proceed, /) -> Reply:
        """The right rows under the wrong number."""
        return _edited(await proceed(call), currentPage=call.page)


@frozen
class RepeatPage:
    """Page n brings the rows of page n - 1, and says that there is more."""

    async def apply(self, call: Call, proceed: Proceed, /) -> Reply:
        """The page before, under the number asked for."""
        page = call.page or 1
        reply = await proceed(call.with_page(max(1, page - 1)))
        return _edited(reply, currentPage=page, hasNext=True)


@frozen(kw_only=True)
class StandStill:
    """Whatever page is asked for, the same one comes, and says its own number."""

    at: int = 1

    async def apply(self, call: Call, proceed: Proceed, /) -> Reply:
        """That page."""
        return await proceed(call.with_page(self.at))


@frozen
class PromiseMore:
    """Each page says that there is one more behind it, for ever."""

    async def apply(self, call: Call, proceed: Proceed, /) -> Reply:
        """The right rows, and a promise."""
        page = call.page or 1
        return _edited(
            await proceed(call), currentPage=page, totalPages=page + 1, hasNext=True
        )


@frozen(kw_only=True)
class Miscount:
    """Totals that lie: always by as much, or by another number on each page."""

    by: int = 0
    """How many records more, or fewer, the envelope claims than there are."""
    each_page: int = 0
    """How many more on top, for each page before this one."""
    pages: int = 0
    """How many pages more, or fewer, it claims than there are."""

    async def apply(self, call: Call, proceed: Proceed, /) -> Reply:
        """The right rows, miscounted."""
        reply = await proceed(call)
        envelope = Envelope.of(reply)
        if envelope is None:
            return reply
        before = (call.page or 1) - 1
        total = envelope.total + self.by + self.each_page * before
        pages = envelope.number("totalPages") + self.pages
        values = {envelope.total_key: max(0, total), "totalPages": max(0, pages)}
        return envelope.changed(**values)


def _edited(reply: Reply, **values: int | bool | None) -> Reply:
    envelope = Envelope.of(reply)
    return reply if envelope is None else envelope.changed(**values)
