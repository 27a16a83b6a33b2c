"""Values that must be asked for: masked wherever they could be printed by accident."""

from __future__ import annotations

from typing import Generic, TypeVar, final

__all__ = ["Secret"]

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
