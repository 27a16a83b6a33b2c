"""Inject faults into requests, and count how often each fault hit one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Iterable, Iterator
from random import Random
from typing import Any

from nectar_async._http.clock import Clock
from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async._http.transport import Send
from nectar_async.errors import ConfigurationError
from nectar_async.faults.fault import Effect, Fault, Proceed, find_page
from nectar_async.faults.vocabulary import VOCABULARY, FaultLike, Vocabulary

__all__ = ["FaultInjector", "Interpret"]

Interpret = Callable[[Effect, Request[Any], Proceed], Awaitable[Response]]
"""Applies an effect to a request, and returns the response.

The `Proceed` gets the response that the request would have without the effect.
"""


async def _apply(effect: Effect, request: Request[Any], proceed: Proceed) -> Response:
    """Apply an effect by its own method; the default of `interpret`."""
    return await effect.apply(request, proceed)


class FaultInjector:
    """Applies faults to requests; those that were added first are applied first.

    Args:
        faults: each a `Fault`, an effect for every request, or the text of a fault.
        seed: decides which requests a fault with a `probability` hits.
        argument: the name of this argument in error messages.

    Raises:
        ConfigurationError: a value is not a fault; the message shows valid ones.
    """

    vocabulary: Vocabulary = VOCABULARY

    def __init__(
        self,
        faults: Iterable[FaultLike] = (),
        *,
        seed: int = 7,
        argument: str = "faults",
    ) -> None:
        if isinstance(faults, str) or not isinstance(faults, Iterable):
            raise ConfigurationError(
                f"{argument} must be a list: write {argument}=[{faults!r}]"
            )
        self._faults: list[_CountedFault] = []
        self._random = Random(f"{seed}/faults")  # noqa: S311 - not used for security
        self._delivered: Counter[tuple[Hashable, int]] = Counter()
        """How often each page of each list was delivered."""
        self._lists: set[Hashable] = set()
        """The lists of which a fault hit a page."""
        self.add(*faults)

    def __bool__(self) -> bool:
        """Whether any fault is active."""
        return bool(self._faults)

    def add(self, *faults: FaultLike) -> None:
        """Add faults behind those that are active.

        Raises:
            ConfigurationError: a value is not a fault; then no fault is added.
        """
        to_fault = self.vocabulary.to_fault
        self._faults += [_CountedFault(to_fault(value), value) for value in faults]

    def clear(self) -> None:
        """Remove all faults."""
        self._faults.clear()

    @property
    def unmet(self) -> tuple[FaultLike, ...]:
        """The faults that have hit no request so far, as the caller passed them."""
        return tuple(fault.source for fault in self._faults if not fault.hits)

    def has_hit_list(self, request: Request[Any]) -> bool:
        """Whether a fault has hit any page of the requested list."""
        return (
            find_page(request) is not None and _build_list_key(request) in self._lists
        )

    async def apply(
        self,
        request: Request[Any],
        send: Send,
        *,
        clock: Clock,
        company: str | None = None,
        interpret: Interpret = _apply,
    ) -> Response:
        """Respond to a request, with the effects of all faults that hit it.

        Args:
            request: the request, with its `url`.
            send: sends the request, or one that an effect changed.
            clock: the clock that effects wait by.
            company: the company whose data is requested; None for the one in the path.
            interpret: applies an effect. Defaults to the `apply` method of the effect.
        """
        effects = [
            *self._find_effects(request, company or request.parts.get("company_id"))
        ]
        page = find_page(request)
        list_key = None if page is None else _build_list_key(request)
        if effects and page is not None:
            self._lists.add(list_key)

        def count_deliveries(number: int) -> int:
            return self._delivered[list_key, number]

        for effect in reversed(effects):
            send = _bind_effect(
                interpret, effect, Proceed(send, clock, count_deliveries)
            )
        response = await send(request)
        if page is not None and response.is_success:
            self._delivered[list_key, page] += 1
        return response

    def _find_effects(
        self, request: Request[Any], company: str | None
    ) -> Iterator[Effect]:
        """Find the effects of the faults that hit a request, and count the hits."""
        for counted in self._faults:
            fault = counted.fault
            if fault.matches(request, company) and counted.hits_next(self._random):
                yield fault.effect


class _CountedFault:
    """A fault, and how many requests it has matched and hit so far."""

    def __init__(self, fault: Fault, source: FaultLike) -> None:
        self.fault = fault
        self.source = source
        self.hits = 0
        self._matches = 0

    def hits_next(self, random: Random) -> bool:
        """Count a matching request, and return whether the fault hits it."""
        fault = self.fault
        self._matches += 1
        if self._matches <= fault.skip:
            return False
        if fault.times is not None and self.hits >= fault.times:
            return False
        if fault.probability is not None and random.random() >= fault.probability:
            return False
        self.hits += 1
        return True


def _bind_effect(interpret: Interpret, effect: Effect, proceed: Proceed) -> Send:
    """Build a function that sends a request with the effect applied to it."""

    async def send(request: Request[Any]) -> Response:
        return await interpret(effect, request, proceed)

    return send


def _build_list_key(request: Request[Any]) -> Hashable:
    """Build a key that is the same for all pages of a list."""
    filters = sorted(pair for pair in request.query if pair[0] != request.page_key)
    return request.operation, tuple(sorted(request.parts.items())), tuple(filters)
