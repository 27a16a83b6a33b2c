"""Open enums: a value that this version does not know stays a member."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

__all__ = ["OpenEnum"]


class OpenEnum(StrEnum):
    """An enum that the API may extend at any time.

    Members are strings: `DatasourceType.GAS == "GAS"`. A value that is not listed
    becomes a member of its own, whose `is_known` is False, so a new value never costs
    a record. Always keep a default branch when you match on one.
    """

    @property
    def is_known(self) -> bool:
        """Whether this version of the package lists the value."""
        return self._value_ in type(self)._value2member_map_

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        # Not entered in the class's own table: a hostile server must not make it grow.
        member = str.__new__(cls, value)
        member._name_ = value
        member._value_ = value
        return member

    def __repr__(self) -> str:
        name = self._name_ if self.is_known else "<unknown>"
        return f"<{type(self).__name__}.{name}: {self._value_!r}>"
