"""The faults of a sandbox: however each was ordered, and how often it hit."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import TYPE_CHECKING, TypeAlias

from nectar_async.errors import ConfigurationError
from nectar_async.sandbox.fault_text import read_fault
from nectar_async.sandbox.faults import Effect, Fault, is_effect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nectar_async.sandbox.server.messages import Call, Proceed, Reply

__all__ = ["Faults", "Order"]

Order: TypeAlias = Fault | Effect | str
"""A fault; an effect, for every call; or either as text (see `fault_text`)."""

_FORMS = "Fault(Html(status=502), times=1), Html(status=502) or 'html status=502'"


class Faults:
    """The faults in force, and how often each was met.

    Raises:
        ConfigurationError: what is ordered is no fault; says how one is written.
    """

    def __init__(self, faults: Iterable[Order] = (), *, seed: int = 7) -> None:
        if isinstance(faults, str) or not isinstance(faults, Iterable):
            raise ConfigurationError(f"faults are a list: write faults=[{faults!r}]")
        self._faults: list[_Counted] = []
        self._random = Random(f"{seed}/faults")
        self.add(*faults)

    def add(self, *faults: Order) -> None:
        """Put more faults in force; the ones added first are met first.

        Raises:
            ConfigurationError: one of them is no fault, and none was added.
        """
        self._faults += [_Counted(_fault(order)) for order in faults]

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


def _fault(order: object) -> Fault:
    if isinstance(order, Fault):
        return order
    if isinstance(order, str):
        return read_fault(order)
    if is_effect(order):
        return Fault(order)
    raise ConfigurationError(f"a fault is written as {_FORMS}, not {order!r}")


def _around(effect: Effect, proceed: Proceed) -> Proceed:
    async def apply(call: Call) -> Reply:
        return await effect.apply(call, proceed)

    return apply
