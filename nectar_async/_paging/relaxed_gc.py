"""The garbage collector, kept from looking at the same records again and again.

Python's collector looks for cycles among all that was made since it last looked, and
from time to time among all there is, while nothing else runs. Records are in no cycles,
so that is time lost: with 200,000 of them kept, most of a second at once.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final

__all__ = ["relaxed_gc"]

# It looks that often, and no longer than at so many: measured, a few milliseconds.
# More at once is a longer stop, and fewer is more stops (700 is Python 3.11's own).
_NEW_AT_ONCE: Final = 5_000
_NEVER: Final = 1_000_000


class _Thresholds:
    """Those of the process, which all who are inside have in common."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._inside = 0
        self._before = gc.get_threshold()

    def relax(self) -> None:
        """Raise them for the first who comes."""
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._before = young, *_ = gc.get_threshold()
                if young:  # 0 is how one turns the collector off
                    gc.set_threshold(max(young, _NEW_AT_ONCE), _NEVER, _NEVER)

    def restore(self) -> None:
        """Put them back for the last who goes."""
        with self._lock:
            self._inside -= 1
            if self._inside:
                return
            # What is there is old by now. Were it young, it would all be looked at
            # right away. Not where somebody has frozen objects: they would thaw.
            if not gc.get_freeze_count():
                gc.freeze()
                gc.unfreeze()
            gc.set_threshold(*self._before)


_thresholds = _Thresholds()


@contextmanager
def relaxed_gc() -> Iterator[None]:
    """Have the garbage collector look at new objects alone, for a long pull.

    Its stops become short, however many records are kept. Garbage in cycles that is
    not found while it is new waits until the block is left; all else is freed at once,
    as always. The thresholds are those of the whole process: when the last block is
    left, in whatever thread or task, they are what they were when the first was
    entered. Calls of the package never do this by themselves; the `nectar` command
    does.

    ```python
    with relaxed_gc():
        async with nectar.repository.usage() as records:
            kept = [record async for record in records]
    ```
    """
    _thresholds.relax()
    try:
        yield
    finally:
        _thresholds.restore()
