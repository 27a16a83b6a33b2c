"""Trouble on demand: which calls meet it.

A `Fault` matches calls and has an effect. An effect is a frozen value with one method,
`apply`, which may wait, answer by itself, call on with another page, or change how the
answer is delivered; a new kind of trouble is one more class. There are effects

    in `server_faults`    on when and whether anything is answered
    in `answer_faults`    that answer something else
    in `body_faults`      on the JSON of the right answer
    in `page_faults`      on lists, which move and miscount
    in `delivery_faults`  on the way of an answer to the client
    in `file_faults`      on downloads of files
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, Protocol

from attrs import Attribute, field, frozen

from nectar_async.errors import ConfigurationError
from nectar_async.sandbox.calls import Call, Proceed, Reply

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Effect", "Fault", "Faults"]


class Effect(Protocol):
    """What a fault does to a call that it matches."""

    async def apply(self, call: Call, proceed: Proceed, /) -> Reply:
        """The answer; `proceed` gives the one that there would be without the fault."""
        ...


@frozen
class Fault:
    """An effect, and which calls meet it: those for which every given condition holds.

    ```python
    Fault(Answer(status=429, retry_after="1"), page=2, times=1)
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

    @probability.validator
    def _check_probability(self, _: Attribute[Any], value: float | None) -> None:
        if value is not None and not 0 <= value <= 1:
            raise ConfigurationError(f"probability is between 0 and 1, not {value}")

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
