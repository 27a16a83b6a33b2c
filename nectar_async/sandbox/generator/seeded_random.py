"""Random draws that are the same on every machine and every version of Python."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["SeededRandom"]

_T = TypeVar("_T")


class SeededRandom:
    """Draws from one seeded stream.

    Only `Random.random` is used. Python guarantees that its sequence never changes, and
    does not guarantee it for `choice` or `sample`.
    """

    __slots__ = ("_random",)

    def __init__(self, *seed: object) -> None:
        self._random = Random("/".join(map(str, seed))).random

    def below(self, bound: int) -> int:
        """Draw a whole number from 0 to `bound - 1`."""
        return int(self._random() * bound)

    def between(self, low: int, high: int) -> int:
        """Draw a whole number from `low` to `high`, both included."""
        return low + int(self._random() * (high - low + 1))

    def chance(self, per_mille: int) -> bool:
        """Draw True with a probability of `per_mille` in a thousand."""
        return self._random() * 1000 < per_mille

    def pick(self, choices: Sequence[_T]) -> _T:
        """Draw one of `choices`."""
        return choices[int(self._random() * len(choices))]

    def digits(self, count: int) -> str:
        """Draw `count` decimal digits, leading zeros included."""
        return f"{int(self._random() * 10**count):0{count}d}"
