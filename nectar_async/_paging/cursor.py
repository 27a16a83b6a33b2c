"""Cursors: short texts that say where to continue a traversal; they hold no secret.

    usage_list_by_company:9f86d081884c:3
    usage_list_by_site:9f86d081884c:3:2025-01-01..2025-03-31,2025-04-01..2025-06-30

A cursor has the operation, a fingerprint of the path and filters of the list, and the
page. If the traversal has split its window, the windows that are left follow, and the
page belongs to the first of them.
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
_MAX_SHOWN = 80


@frozen
class Cursor:
    """The place where a traversal can be continued."""

    operation: str
    fingerprint: str
    """A hash of the path and filters of the list."""
    page: int
    windows: tuple[tuple[str, str], ...] = ()
    """The windows that are left, as on the wire; empty if the window was not split."""

    @classmethod
    def from_request(
        cls, request: Request[Any], windows: tuple[tuple[str, str], ...] = ()
    ) -> Self:
        """Build the cursor of the page that a request asks for."""
        return cls(request.operation, _fingerprint(request), request.page or 1, windows)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse the text of a cursor.

        Raises:
            InvalidArgumentError: the text is no cursor.
        """
        invalid = InvalidArgumentError(
            f"cursor is not valid: {str(text)[:_MAX_SHOWN]!r}"
        )
        match = _CURSOR.fullmatch(str(text))
        if match is None:
            raise invalid
        operation, fingerprint, page, texts = match.groups()
        try:
            windows = (
                () if texts is None else tuple(map(_parse_window, texts.split(",")))
            )
        except ValueError:
            raise invalid from None
        return cls(operation, fingerprint, int(page), windows)

    def check(self, request: Request[Any]) -> None:
        """Refuse a request for another list than the cursor's.

        Raises:
            InvalidArgumentError: the operation, the path or a filter differs.
        """
        expected = request.operation, _fingerprint(request)
        if (self.operation, self.fingerprint) != expected:
            raise InvalidArgumentError(
                f"cursor belongs to another list than {request.operation} with these"
                f" filters: {str(self)!r}"
            )

    def __str__(self) -> str:
        text = f"{self.operation}:{self.fingerprint}:{self.page}"
        windows = ",".join(f"{start}..{end}" for start, end in self.windows)
        return f"{text}:{windows}" if windows else text


def _parse_window(text: str) -> tuple[str, str]:
    start, _, end = text.partition("..")
    datetime.fromisoformat(start), datetime.fromisoformat(end)
    return start, end


def _fingerprint(request: Request[Any]) -> str:
    filters = tuple(pair for pair in request.query if pair[0] != "page")
    text = repr((sorted(request.parts.items()), sorted(filters)))
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
