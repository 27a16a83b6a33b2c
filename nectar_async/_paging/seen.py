"""Which records came, for lists of any length: some ten bytes for each.

A record is known by 64 bits, the hash of its id. A few thousand are kept in a set,
which is quickest. A set of a million takes 70 MB, so more of them lie sorted on shelves
of a few dozen, which split one at a time as their number grows (linear hashing): there
is no moment at which everything moves.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Final

__all__ = ["Seen"]

_FEW: Final = 4_096
_ON_A_SHELF: Final = 64
_FIRST_LEVEL: Final = 6  # so many shelves, to the power of two, hold those few


class Seen:
    """A set of whole numbers of 64 bits with their sign."""

    def __init__(self) -> None:
        self._few: set[int] = set()
        self._shelves: list[array[int]] = []
        # The numbers on a shelf have their last `_level` bits in common; on those below
        # `_split`, and on those that were split off them, one bit more.
        self._level = 0
        self._split = 0
        self._shelved = 0

    def __len__(self) -> int:
        return len(self._few) + self._shelved

    def __iter__(self) -> Iterator[int]:
        yield from self._few
        for shelf in self._shelves:
            yield from shelf

    def enter(self, numbers: Sequence[int]) -> list[bool]:
        """Take numbers in; for each whether it is new."""
        if self._shelves:
            return self._shelve(numbers)
        few = self._few
        before = len(few)
        if few.isdisjoint(numbers):
            few.update(numbers)
            are_new = [True] * len(numbers)
            if len(few) - before != len(numbers):
                seen: set[int] = set()
                are_new = [_add(seen, number) for number in numbers]
        else:
            are_new = [_add(few, number) for number in numbers]
        if len(few) > _FEW:
            self._put_on_shelves()
        return are_new

    def shared(self, other: Seen) -> int:
        """How many numbers both have."""
        return sum(number in self for number in other)

    def __contains__(self, number: int) -> bool:
        if not self._shelves:
            return number in self._few
        at = number & ((1 << self._level) - 1)
        if at < self._split:
            at = number & ((2 << self._level) - 1)
        shelf = self._shelves[at]
        place = bisect_left(shelf, number)
        return place < len(shelf) and shelf[place] == number

    def _shelve(self, numbers: Sequence[int]) -> list[bool]:
        # In line what `__contains__` does, for this is done for every record.
        shelves, split = self._shelves, self._split
        low, high = (1 << self._level) - 1, (2 << self._level) - 1
        are_new = []
        for number in numbers:
            at = number & low
            if at < split:
                at = number & high
            shelf = shelves[at]
            place = bisect_left(shelf, number)
            is_new = place == len(shelf) or shelf[place] != number
            if is_new:
                shelf.insert(place, number)
            are_new.append(is_new)
        self._shelved += sum(are_new)
        while self._shelved > _ON_A_SHELF * len(shelves):
            self._split_one()
        return are_new

    def _put_on_shelves(self) -> None:
        shelves: list[list[int]] = [[] for _ in range(1 << _FIRST_LEVEL)]
        for number in self._few:
            shelves[number & (len(shelves) - 1)].append(number)
        self._shelves = [array("q", sorted(shelf)) for shelf in shelves]
        self._level, self._shelved, self._few = _FIRST_LEVEL, len(self._few), set()

    def _split_one(self) -> None:
        """Make two of the shelf whose turn it is, by one bit more."""
        bit = 1 << self._level
        shelf = self._shelves[self._split]
        self._shelves[self._split] = array("q", [one for one in shelf if not one & bit])
        self._shelves.append(array("q", [one for one in shelf if one & bit]))
        self._split += 1
        if self._split == bit:
            self._level, self._split = self._level + 1, 0


def _add(numbers: set[int], number: int) -> bool:
    """Whether it was not there."""
    if number in numbers:
        return False
    numbers.add(number)
    return True
