"""The value types that everything above shares: secrets, `UNSET`, open enums, flags."""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import Annotated, Final, Generic, Literal, Self, TypeVar, final

__all__ = ["UNSET", "Flag", "OpenEnum", "Secret", "TextFlag", "Unset"]

T = TypeVar("T")


@final
class Secret(Generic[T]):
    """A value that no `repr`, `str`, log line or traceback shows; `reveal()` gives it.

    Most hold text (`Secret[str]`). It is immutable, compares and hashes by its value,
    and can be pickled (the pickle holds the value: a process that is sent one needs
    it).
    """

    __slots__ = ("_value",)

    _value: T

    def __init__(self, value: T) -> None:
        object.__setattr__(self, "_value", value)

    def reveal(self) -> T:
        """The value itself. Reading it is a decision: do not log the result."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('***')"

    def __str__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return format("***", spec)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a Secret does not change")

    def __delattr__(self, name: str) -> None:
        raise AttributeError("a Secret does not change")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        is_equal: bool = self._value == other._value
        return is_equal

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce__(self) -> tuple[type[Secret[T]], tuple[T]]:
        return Secret, (self._value,)


class Unset(Enum):
    """The type of `UNSET`: an enum of one, so that type checkers narrow on `is`."""

    UNSET = "UNSET"

    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> Literal[False]:
        return False


UNSET: Final = Unset.UNSET
"""Leave as it is: the key does not go on the wire. `None` clears, `[]` empties."""


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


class TextFlag:
    """Marks a boolean whose wire value is `true` or `"true"`; the API sends both."""


Flag = Annotated[bool, TextFlag]
"""A boolean in Python; on the wire a boolean, or `"true"` or `"false"` in any case."""
