"""A server that is slow, too busy, away, or has another key than before.

See `faults` for how trouble is ordered.
"""

from __future__ import annotations

import asyncio
import math
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from attrs import frozen

from nectar_async.sandbox.answer_faults import Answer, Html
from nectar_async.sandbox.delivery_faults import deliver_nothing
from nectar_async.sandbox.envelopes import count_of
from nectar_async.sandbox.server.messages import Call, Proceed, RefusalError, Reply

if TYPE_CHECKING:
    from nectar_async.sandbox.server.queries import Query

__all__ = ["Crowd", "Refuse", "RotateKey", "RunOutOfTime", "Stall"]

_TOO_MANY = 429
_BAD_GATEWAY = 502
_UNAUTHORIZED = 401
_DAY = timedelta(days=1)
# Both bounds of these are days that count; all others end at a moment.
_BY_DAYS = frozenset({"BILL_DATE", "USAGE_PERIOD"})


@frozen
class Stall:
    """Silence before the first byte, in seconds."""

    seconds: float

    async def apply(self, call: Call, proceed: Proceed, /) -> Reply:
        """The right answer, late."""
        await asyncio.sleep(self.seconds)
        return await proceed(call)


@frozen
class Refuse:
    """The server goes away, and for so many seconds nobody gets a connection.

    The call that meets it is not done and not answered, idle connections close, and
    calls that are served already are served to their end. Then it is there again, at
    the same port.
    """

    seconds: float

    async def apply(self, call: Call, _proceed: Proceed, /) -> Reply:
        """No answer."""
        call.listener.refuse(self.seconds)
        return Reply(deliver=deliver_nothing)


@frozen(kw_only=True)
class Crowd:
    """Too many at once: 429 for a request that finds more than `limit` in flight.

    It counts itself; downloads of files and requests that are refused count, too.
    """

    limit: int
    retry_after: str | None = None
    """As in `Answer`."""

    async def apply(self, call: Call, proceed: Proceed, /) -> Reply:
        """The right answer, or 429."""
        if call.in_flight <= self.limit:
            return await proceed(call)
        refusal = Answer(status=_TOO_MANY, retry_after=self.retry_after)
        return await refusal.apply(call, proceed)


@frozen(kw_only=True)
class RunOutOfTime:
    """Lists that are too long take longer than 10 seconds: 502, a page of HTML.

    How long a list is depends on its filters and not on the page. Without one of its
    dates a list covers all days there are.
    """

    above: int | None = None
    """The most records that a list can have, on all its pages together."""
    days: float | None = None
    """The most days that a list can cover."""

    async def apply(self, call: Call, proceed: Proceed, /) -> Reply:
        """The right answer, or 502; what is no list is answered."""
        reply = await proceed(call)
        count = count_of(reply)
        if count is None:
            return reply
        too_many = self.above is not None and count > self.above
        too_long = self.days is not None and _days(call.query) > self.days
        if too_many or too_long:
            return await Html(status=_BAD_GATEWAY).apply(call, proceed)
        return reply


@frozen(kw_only=True)
class RotateKey:
    """From this call on another key opens the sandbox, and no other one."""

    key: str

    async def apply(self, call: Call, proceed: Proceed, /) -> Reply:
        """401, unless the call has the new key."""
        call.listener.rotate(self.key)
        if not call.listener.knows(call.headers.get("X-API-Key", "")):
            raise RefusalError(_UNAUTHORIZED, "Invalid or missing API key.")
        return await proceed(call)


def _days(query: Query) -> float:
    """How many days a query covers."""
    texts = [query[key][-1] for key in ("startDate", "endDate") if key in query]
    try:
        start, end = (_moment(text) for text in texts)
    except ValueError:  # one is missing, or is none
        return math.inf
    kind = query.get("dateType", ("BILL_DATE",))[-1]
    is_days = "T" not in texts[0] and kind in _BY_DAYS
    return (end - start) / _DAY + is_days


def _moment(text: str) -> datetime:
    if "T" not in text:
        day = date.fromisoformat(text)
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
