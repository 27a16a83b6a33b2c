"""A shelf of things that can be made again."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LruCache"]

_T = TypeVar("_T")


class LruCache(Generic[_T]):
    """Keeps what was asked for last, as much as there is room for."""

    def __init__(
        self,
        make: Callable[[int], _T],
        *,
        room: int,
        size: Callable[[_T], int] = lambda _: 1,
    ) -> None:
        self._make = make
        self._room = room
        self._size = size
        self._held: OrderedDict[int, _T] = OrderedDict()
        self._weight = 0

    def __getitem__(self, index: int) -> _T:
        held = self._held.get(index)
        if held is not None:
            self._held.move_to_end(index)
            return held
        made = self._held[index] = self._make(index)
        self._weight += self._size(made)
        while self._weight > self._room and len(self._held) > 1:
            _, oldest = self._held.popitem(last=False)
            self._weight -= self._size(oldest)
        return made

    def forget(self, index: int) -> None:
        """Make it anew when it is asked for next."""
        held = self._held.pop(index, None)
        if held is not None:
            self._weight -= self._size(held)
