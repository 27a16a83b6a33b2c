"""A short text that says where in which list a walk stands; it holds no secret.

    usage_list_by_company:9f86d081884c:3
    usage_list_by_site:9f86d081884c:3:2025-01-01..2025-03-31,2025-04-01..2025-06-30

The operation, a fingerprint of the list's owner and filters, the page; and, when the
walk had to halve its window, the windows that are left; the first is under way.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from typing import Any, Self

from attrs import frozen

from nectar_async._http.request import Request
from nectar_async.errors import InvalidArgumentError

__all__ = ["Cursor"]

_CURSOR = re.compile(r"(\w+):([0-9a-f]{12}):([1-9][0-9]{0,17})(?::(.+))?", re.ASCII)
_SHOWN = 80


@frozen
class Cursor:
    """Where a walk can be taken up again."""

    operation: str
    mark: str
    """A fingerprint of the list."""
    page: int
    windows: tuple[tuple[str, str], ...] = ()
    """Bounds as they are on the wire; none for the list as it was asked for."""

    @classmethod
    def of(
        cls, request: Request[Any], windows: tuple[tuple[str, str], ...] = ()
    ) -> Self:
        """The cursor of the page that a request asks for."""
        return cls(request.operation, _mark(request), request.page or 1, windows)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The cursor that a text is.

        Raises:
            InvalidArgumentError: it is none.
        """
        none = InvalidArgumentError(f"cursor is none: {str(text)[:_SHOWN]!r}")
        found = _CURSOR.fullmatch(str(text))
        if found is None:
            raise none
        operation, mark, page, windows = found.groups()
        try:
            bounds = () if windows is None else tuple(map(_window, windows.split(",")))
        except ValueError:
            raise none from None
        return cls(operation, mark, int(page), bounds)

    def check(self, request: Request[Any]) -> None:
        """Refuse a list that is not the cursor's.

        Raises:
            InvalidArgumentError: another operation, owner or filter.
        """
        if (self.operation, self.mark) != (request.operation, _mark(request)):
            raise InvalidArgumentError(
                f"cursor belongs to another list than {request.operation} with these"
                f" filters: {str(self)!r}"
            )

    def __str__(self) -> str:
        text = f"{self.operation}:{self.mark}:{self.page}"
        windows = ",".join(f"{start}..{end}" for start, end in self.windows)
        return f"{text}:{windows}" if windows else text


def _window(text: str) -> tuple[str, str]:
    start, _, end = text.partition("..")
    datetime.fromisoformat(start), datetime.fromisoformat(end)
    return start, end


def _mark(request: Request[Any]) -> str:
    filters = tuple(pair for pair in request.query if pair[0] != "page")
    text = repr((sorted(request.parts.items()), sorted(filters)))
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
