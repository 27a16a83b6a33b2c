"""The one sentinel: `UNSET` leaves a field as it is, `None` clears it."""

from __future__ import annotations

from enum import Enum
from typing import Final, Literal

__all__ = ["UNSET", "Unset"]


class Unset(Enum):
    """The type of `UNSET`: an enum of one, so that type checkers narrow on `is`."""

    UNSET = "UNSET"

    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> Literal[False]:
        return False


UNSET: Final = Unset.UNSET
"""Leave as it is: the key does not go on the wire. `None` clears, `[]` empties."""
