"""Value types of the whole package: `Secret`, `UNSET`, open enums and flags."""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import Annotated, Final, Generic, Literal, Self, TypeVar, final

__all__ = ["UNSET", "Flag", "OpenEnum", "Secret", "TextFlag", "Unset"]

T = TypeVar("T")


@final
class Secret(Generic[T]):
    """A value that no `repr`, `str`, log line or traceback shows.

    `reveal()` returns the value, which is text in most cases (`Secret[str]`). A secret
    is immutable, and compares and hashes by its value. A pickle of it holds the value,
    so that another process can use it.
    """

    __slots__ = ("_value",)

    _value: T

    def __init__(self, value: T) -> None:
        object.__setattr__(self, "_value", value)

    def reveal(self) -> T:
        """Return the value. Do not log it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('***')"

    def __str__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return format("***", spec)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a Secret is immutable")

    def __delattr__(self, name: str) -> None:
        raise AttributeError("a Secret is immutable")

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
    """The type of `UNSET`. It is an enum, so that type checkers narrow on `is`."""

    UNSET = "UNSET"

    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> Literal[False]:
        return False


UNSET: Final = Unset.UNSET
"""Leaves a field as it is: its key is not sent. `None` clears it, `[]` empties it."""


class OpenEnum(StrEnum):
    """An enum that the API may extend at any time.

    Members are strings: `DatasourceType.GAS == "GAS"`. A value that is not listed
    becomes a new member whose `is_known` is False, so no record is lost to a new value.
    Always keep a default branch when you match on one.
    """

    @property
    def is_known(self) -> bool:
        """Whether this version of the package lists the value."""
        return self._value_ in type(self)._value2member_map_

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        # Not added to the table of the class, which a hostile server could make grow.
        member = str.__new__(cls, value)
        member._name_ = value
        member._value_ = value
        return member

    def __repr__(self) -> str:
        name = self._name_ if self.is_known else "<unknown>"
        return f"<{type(self).__name__}.{name}: {self._value_!r}>"


class TextFlag:
    """Marks a boolean that the API sends as `true` or as `"true"`."""


Flag = Annotated[bool, TextFlag]
"""A boolean that is sent as a boolean, or as `"true"` or `"false"` in any case."""
