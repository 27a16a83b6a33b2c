"""What a transport saw: how many requests at once, which, and in which order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from nectar_async.recording.exchange import Question

__all__ = ["RequestLog"]


class RequestLog:
    """What went through a recorded transport, for assertions.

    ```python
    assert transport.witness.peak_in_flight <= 10
    assert transport.witness.by_operation["usage_list_by_company"] == 4
    assert transport.witness.in_flight == 0  # no request was left behind
    ```
    """

    def __init__(self) -> None:
        self.peak_in_flight: int = 0
        """The most requests that were ever underway at once."""
        self._order: list[Question] = []
        self._inside: Counter[int] = Counter()
        self._counts: Counter[str] = Counter()

    @property
    def in_flight(self) -> int:
        """Requests that came and were not answered, nor given up, yet."""
        return sum(self._inside.values())

    @property
    def requests(self) -> tuple[Question, ...]:
        """Every request, in the order in which they came."""
        return tuple(self._order)

    @property
    def by_operation(self) -> Mapping[str, int]:
        """How many requests came, by operation id; 0 for those that did not."""
        return MappingProxyType(self._counts)

    @property
    def unfinished(self) -> tuple[str, ...]:
        """Requests that are underway, in words."""
        return tuple(str(self._order[at]) for at in sorted(+self._inside))

    @contextmanager
    def watch(self, question: Question) -> Iterator[None]:
        """Write a request down, for as long as it takes."""
        at = len(self._order)
        self._order.append(question)
        self._counts[question.operation] += 1
        self._inside[at] = 1
        self.peak_in_flight = max(self.peak_in_flight, self.in_flight)
        try:
            yield
        finally:
            del self._inside[at]
