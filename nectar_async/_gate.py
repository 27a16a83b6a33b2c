"""The one bound on requests in flight, shared by everything that a client does.

A permit covers one attempt: from before the first byte goes out to after the last one
came in. Nobody holds one while sleeping, decoding, or giving a record to the caller,
and nobody asks for a second one while holding the first, so no nesting can deadlock.
"""

from __future__ import annotations

from collections import deque
from types import TracebackType

import anyio
import anyio.lowlevel

__all__ = ["Gate"]


class _Waiter:
    __slots__ = ("event", "is_granted")

    def __init__(self) -> None:
        self.event = anyio.Event()
        self.is_granted = False


class Gate:
    """At most `limit` holders at a time, first come, first served.

    ```python
    async with gate:
        response = await send(request)
    ```
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        """Permits that exist."""
        self.in_flight: int = 0
        """Permits that are held right now."""
        self.peak_in_flight: int = 0
        """The most that were ever held at once."""
        self._queue: deque[_Waiter] = deque()

    @property
    def waiting(self) -> int:
        """How many are in the queue."""
        return len(self._queue)

    async def __aenter__(self) -> None:
        await anyio.lowlevel.checkpoint_if_cancelled()
        if self.in_flight < self.limit and not self._queue:
            self._take()
            return
        waiter = _Waiter()
        self._queue.append(waiter)
        try:
            await waiter.event.wait()
        except BaseException:
            # Cancelled in the queue; a permit may have come at that very moment.
            if waiter.is_granted:
                self._give_back()
            else:
                self._queue.remove(waiter)
            raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Nothing here may wait: a permit comes back whatever happens.
        self._give_back()

    def _take(self) -> None:
        self.in_flight += 1
        self.peak_in_flight = max(self.peak_in_flight, self.in_flight)

    def _give_back(self) -> None:
        self.in_flight -= 1
        while self._queue and self.in_flight < self.limit:
            waiter = self._queue.popleft()
            # Taken on the waiter's behalf at once, so that nobody slips in between.
            self._take()
            waiter.is_granted = True
            waiter.event.set()
