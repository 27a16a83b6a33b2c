"""A log of the requests that went through a recorded transport, for assertions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from nectar_async.recording.exchange import Question

__all__ = ["RequestLog"]


class RequestLog:
    """Logs the requests that pass a recorded transport; counts those in flight.

    ```python
    assert transport.witness.peak_in_flight <= 10
    assert transport.witness.by_operation["usage_list_by_company"] == 4
    assert transport.witness.in_flight == 0  # no request was left behind
    ```
    """

    def __init__(self) -> None:
        self.peak_in_flight: int = 0
        """The highest number of requests that were in flight at the same time."""
        self._questions: list[Question] = []
        self._running: set[int] = set()
        self._counts: Counter[str] = Counter()

    @property
    def in_flight(self) -> int:
        """How many requests are neither answered nor cancelled yet."""
        return len(self._running)

    @property
    def requests(self) -> tuple[Question, ...]:
        """Every request, in order of arrival."""
        return tuple(self._questions)

    @property
    def by_operation(self) -> Mapping[str, int]:
        """How many requests arrived, by operation id; 0 for all other keys."""
        return MappingProxyType(self._counts)

    @property
    def unfinished(self) -> tuple[str, ...]:
        """The requests that are in flight, as text."""
        return tuple(str(self._questions[number]) for number in sorted(self._running))

    @contextmanager
    def watch(self, question: Question) -> Iterator[None]:
        """Log a request; it counts as in flight inside the `with` block."""
        number = len(self._questions)
        self._questions.append(question)
        self._counts[question.operation] += 1
        self._running.add(number)
        self.peak_in_flight = max(self.peak_in_flight, self.in_flight)
        try:
            yield
        finally:
            self._running.discard(number)
