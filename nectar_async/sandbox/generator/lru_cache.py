"""A cache bounded by the weight of its values, which drops the least recently used."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

__all__ = ["LruCache"]

_KeyT = TypeVar("_KeyT", bound="Hashable")
_T = TypeVar("_T")


class LruCache(Generic[_KeyT, _T]):
    """Computes values by key, and keeps the most recently used ones.

    Args:
        compute: Computes the value of a key.
        max_weight: The total weight of the values that are kept. One value is always
            kept, however heavy.
        weigh: Computes the weight of a value; by default it is 1.
    """

    def __init__(
        self,
        compute: Callable[[_KeyT], _T],
        *,
        max_weight: int,
        weigh: Callable[[_T], int] = lambda _: 1,
    ) -> None:
        self._compute = compute
        self._max_weight = max_weight
        self._weigh = weigh
        self._values: OrderedDict[_KeyT, _T] = OrderedDict()
        self._weight = 0

    def __getitem__(self, key: _KeyT) -> _T:
        cached = self._values.get(key)
        if cached is not None:
            self._values.move_to_end(key)
            return cached
        value = self._values[key] = self._compute(key)
        self._weight += self._weigh(value)
        while self._weight > self._max_weight and len(self._values) > 1:
            _, oldest = self._values.popitem(last=False)
            self._weight -= self._weigh(oldest)
        return value

    def discard(self, key: _KeyT) -> None:
        """Remove the value of a key, so that the next use computes it again."""
        value = self._values.pop(key, None)
        if value is not None:
            self._weight -= self._weigh(value)
