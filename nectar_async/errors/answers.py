"""Answers that do not mean what they should, and things that do not come."""

from __future__ import annotations

from typing import Any, Self

import attrs

from nectar_async._types import Secret
from nectar_async.errors.root import NectarError

__all__ = [
    "DecodeError",
    "DownloadError",
    "PaginationError",
    "WaitTimeoutError",
]

# Problems that a message lists; all of them are in `problems`.
_SHOWN = 5


class DecodeError(NectarError):
    """The answer does not fit its model; each problem is named by its path.

    It holds no part of the answer's values: those may be anybody's secrets.
    """

    def __init__(self, message: str = "", *, problems: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems
        """One line each, as `expected a decimal, got text @ $.usageData[3].usage`."""

    @classmethod
    def of(cls, what: str, problems: tuple[str, ...]) -> Self:
        """An error that says what was expected and lists up to five problems."""
        shown, rest = "; ".join(problems[:_SHOWN]), len(problems) - _SHOWN
        more = f"; and {rest} more" if rest > 0 else ""
        return cls(f"the answer is no {what}: {shown}{more}", problems=problems)


class PaginationError(NectarError):
    """The pages of a list do not advance; what was read before was given already."""


class WaitTimeoutError(NectarError, TimeoutError):
    """What was waited for did not come in time; it goes on: wait for it again."""

    def __init__(self, message: str = "", *, last: Any = None) -> None:
        super().__init__(message)
        self.last = last
        """The value that was seen last, as a `Job`. A pickle has it without secrets."""

    def __reduce__(self) -> tuple[Any, ...]:
        rebuild, kind, state = super().__reduce__()
        return rebuild, kind, {**state, "last": _bare(self.last)}


def _bare(value: Any) -> Any:
    """A model without its secrets, and without what nobody knows of."""
    if not attrs.has(type(value)):
        return value
    parts = {one.name: getattr(value, one.name) for one in attrs.fields(type(value))}
    secrets = [name for name, part in parts.items() if isinstance(part, Secret)]
    return attrs.evolve(value, **dict.fromkeys(secrets), extra={})


class DownloadError(NectarError):
    """The file of a document cannot be had as it should be; the message says why.

    Its link opens the bill without a key, so the link is never in it, nor is anything
    that the file host said.
    """
