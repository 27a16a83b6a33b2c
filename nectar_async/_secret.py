"""Text that must be asked for: masked wherever it could be printed by accident."""

from __future__ import annotations

from typing import final

__all__ = ["Secret"]


@final
class Secret:
    """A value that no `repr`, `str`, log line or traceback shows; `reveal()` gives it.

    It is immutable, compares and hashes by its text, and can be pickled
    (the pickle holds the text: a process that is sent one needs it).
    """

    __slots__ = ("_text",)

    _text: str

    def __init__(self, text: str) -> None:
        object.__setattr__(self, "_text", text)

    def reveal(self) -> str:
        """The text itself. Reading it is a decision: do not log the result."""
        return self._text

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
        return (
            self._text == other._text if isinstance(other, Secret) else NotImplemented
        )

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __reduce__(self) -> tuple[type[Secret], tuple[str]]:
        return Secret, (self._text,)
