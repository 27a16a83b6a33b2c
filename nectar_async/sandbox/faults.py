"""Trouble on demand: which calls meet it, and what it does to them.

A `Fault` matches calls and has an effect. An effect is a frozen value with one method,
`apply`, which may wait, answer by itself, call on with another page, or change how the
answer is delivered; a new kind of trouble is one more class.
"""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, Protocol

import msgspec
from aiohttp import web
from attrs import evolve, field, frozen

from nectar_async.sandbox.calls import Call, Proceed, Reply
from nectar_async.sandbox.wire import encode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = [
    "Answer",
    "Change",
    "ClampSilently",
    "Disconnect",
    "DropBody",
    "Effect",
    "Fault",
    "Faults",
    "RepeatPage",
    "Stall",
]


class Effect(Protocol):
    """What a fault does to a call that it matches."""

    async def apply(self, call: Call, proceed: Proceed, /) -> Reply:
        """The answer; `proceed` gives the one that there would be without the fault."""
        ...


@frozen
class Fault:
    """An effect, and which calls meet it: those for which every given condition holds.

    ```python
    Fault(Answer(status=429, headers={"Retry-After": "1"}), page=2, times=1)
    ```
    """

    effect: Effect
    operation: str | None = field(default=None, kw_only=True)
    page: int | None = field(default=None, kw_only=True)
    company: str | None = field(default=None, kw_only=True)
    """A company's id; its sites' calls match as well."""
    skip: int = field(default=0, kw_only=True)
    """How many matching calls pass unharmed first."""
    times: int | None = field(default=None, kw_only=True)
    """How many matching calls are hit after that; None for all."""
    probability: float | None = field(default=None, kw_only=True)
    """Share of the matching calls that are hit, drawn from the sandbox's seed."""

    def matches(self, call: Call) -> bool:
        """Whether the call is of the kind that this fault is for."""
        return (
            (self.operation is None or call.operation == self.operation)
            and (self.page is None or call.page == self.page)
            and (self.company is None or call.company_id == self.company)
        )


class Faults:
    """The faults in force, and how often each was met."""

    def __init__(self, faults: Sequence[Fault] = (), *, seed: int = 7) -> None:
        self._faults: list[_Counted] = []
        self._random = Random(f"{seed}/faults")
        self.add(*faults)

    def add(self, *faults: Fault) -> None:
        """Put more faults in force; the ones added first are met first."""
        self._faults += [_Counted(fault) for fault in faults]

    def clear(self) -> None:
        """No more trouble."""
        self._faults.clear()

    async def apply(self, call: Call, proceed: Proceed, /) -> Reply:
        """Send a call through every fault that hits it, and then on."""
        for effect in reversed(list(self._hits(call))):
            proceed = _around(effect, proceed)
        return await proceed(call)

    def _hits(self, call: Call) -> Iterator[Effect]:
        for counted in self._faults:
            if counted.fault.matches(call) and counted.is_due(self._random):
                yield counted.fault.effect


class _Counted:
    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self._met = 0
        self._hit = 0

    def is_due(self, random: Random) -> bool:
        fault = self.fault
        self._met += 1
        if self._met <= fault.skip:
            return False
        if fault.times is not None and self._hit >= fault.times:
            return False
        if fault.probability is not None and random.random() >= fault.probability:
            return False
        self._hit += 1
        return True


def _around(effect: Effect, proceed: Proceed) -> Proceed:
    async def apply(call: Call) -> Reply:
        return await effect.apply(call, proceed)

    return apply


@frozen(kw_only=True)
class Answer:
    """Another answer than the API's: a status, a redirect, a page of HTML."""

    status: int
    headers: Mapping[str, str] = field(factory=dict)
    body: bytes | None = None
    """None for the contract's `detail` object."""

    async def apply(self, _call: Call, _proceed: Proceed, /) -> Reply:
        """The answer given, whatever was asked."""
        body = encode({"detail": f"Scripted answer {self.status}."})
        headers = {"Content-Type": "application/json", **self.headers}
        return Reply(
            status=self.status,
            headers=headers,
            body=body if self.body is None else self.body,
        )


@frozen
class Stall:
    """Silence before the first byte, in seconds."""

    seconds: float

    async def apply(self, call: Call, proceed: Proceed, /) -> Reply:
        """The right answer, late."""
        await asyncio.sleep(self.seconds)
        return await proceed(call)


@frozen
class Disconnect:
    """The connection breaks before any byte of the answer."""

    async def apply(self, call: Call, proceed: Proceed, /) -> Reply:
        """The right answer, never sent."""
        return evolve(await proceed(call), deliver=_deliver_nothing)


@frozen
class DropBody:
    """The connection breaks in the middle of the body."""

    async def apply(self, call: Call, proceed: Proceed, /) -> Reply:
        """The right answer, half of it."""
        return evolve(await proceed(call), deliver=_deliver_half)


@frozen(kw_only=True)
class Change:
    """Just before the answer the first rows are deleted, and new ones come in front."""

    insert: int = 0
    delete: int = 0

    async def apply(self, call: Call, proceed: Proceed, /) -> Reply:
        """The right answer, of a list that has moved."""
        company = call.portfolio.find_company(call.company_id or "")
        if company is not None:
            call.portfolio.change_usage(
                company.index,
                insert=self.insert,
                delete=self.delete,
                site_id=call.params.get("site_id"),
            )
        return await proceed(call)


@frozen
class ClampSilently:
    """A page past the end is the last one again, but claims the number asked for."""

    async def apply(self, call: Call, proceed: Proceed, /) -> Reply:
        """The right rows under the wrong number."""
        return _edit(await proceed(call), currentPage=call.page)


@frozen
class RepeatPage:
    """Page n brings the rows of page n - 1, and says that there is more."""

    async def apply(self, call: Call, proceed: Proceed, /) -> Reply:
        """The page before, under the number asked for."""
        page = call.page or 1
        reply = await proceed(call.with_page(max(1, page - 1)))
        return _edit(reply, currentPage=page, hasNext=True)


def _edit(reply: Reply, **values: int | bool | None) -> Reply:
    """The same envelope with some values changed; other answers stay as they are."""
    try:
        envelope = msgspec.json.decode(reply.body, type=dict[str, msgspec.Raw])
    except msgspec.DecodeError:
        return reply
    if not envelope.keys() >= values.keys():
        return reply
    return evolve(reply, body=encode({**envelope, **values}))


async def _deliver_nothing(
    request: web.BaseRequest, _reply: Reply
) -> web.StreamResponse:
    _break(request)
    return web.Response()


async def _deliver_half(request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    response = web.StreamResponse(status=reply.status, headers=reply.headers)
    response.content_length = len(reply.body)
    await response.prepare(request)
    await response.write(reply.body[: len(reply.body) // 2])
    _break(request)
    return response


def _break(request: web.BaseRequest) -> None:
    if request.transport is not None:
        # An ordinary close: what was written still arrives, and then nothing more.
        request.transport.close()
