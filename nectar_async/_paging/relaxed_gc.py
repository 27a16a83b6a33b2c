"""Keep the garbage collector from traversing the same records again and again.

Python's cyclic collector traverses the objects that were created since its last run,
and now and then all objects, while nothing else runs. Records are in no reference
cycles, so that time is lost: most of a second at once when 200,000 records are kept.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final

__all__ = ["relaxed_gc"]

# New objects between two collections; Python 3.11 has 700. As measured, a collection of
# 5,000 takes some milliseconds. A higher number makes pauses longer, a lower one more
# frequent.
_NEW_AT_ONCE: Final = 5_000
_NEVER: Final = 1_000_000

# Python 3.12 starts with some hundred frozen objects of its own.
_FROZEN_BY_PYTHON: Final = 1_000


class _Thresholds:
    """The thresholds of the process, and how many blocks have relaxed them."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._entered = 0
        self._before = gc.get_threshold()

    def relax(self) -> None:
        """Raise the thresholds when the first block is entered."""
        with self._lock:
            self._entered += 1
            if self._entered == 1:
                self._before = young, *_ = gc.get_threshold()
                if young:  # 0 means that the collector is turned off
                    gc.set_threshold(max(young, _NEW_AT_ONCE), _NEVER, _NEVER)

    def restore(self) -> None:
        """Restore the thresholds when the last block is left."""
        with self._lock:
            self._entered -= 1
            if self._entered:
                return
            # Move all objects to the oldest generation; otherwise the next collection
            # would traverse them all. If the application has frozen objects, this is
            # skipped, because it would unfreeze them.
            if gc.get_freeze_count() <= _FROZEN_BY_PYTHON:
                gc.freeze()
                gc.unfreeze()
            gc.set_threshold(*self._before)


_thresholds = _Thresholds()


@contextmanager
def relaxed_gc() -> Iterator[None]:
    """Let the garbage collector traverse new objects only, while much data is pulled.

    Its pauses become short, however many records are kept. A reference cycle that
    survives its first collection is not freed before the block is left; all other
    objects are freed at once, as always. The thresholds belong to the whole process:
    they are restored when the last block is left, in any thread or task. The
    package never does this by itself; the `nectar` command does.

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
