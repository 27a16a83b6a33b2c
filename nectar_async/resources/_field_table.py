"""Tables of what a query or a body may hold: each name with its check.

The names are those of the method's own keywords. A method hands over its `locals()`, so
that no name stands in three places; what the table does not know is not taken.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import Any

from attrs import frozen

from nectar_async._types import UNSET
from nectar_async.errors import InvalidArgumentError
from nectar_async.resources._checks import Check, Nullable

__all__ = ["Fields", "in_order"]

_LEAVE_OUT = "leave it out (UNSET) instead"


@frozen
class Fields:
    """The keywords of a query or a body, and how each is checked."""

    checks: Mapping[str, Check]
    together: Callable[[Mapping[str, Any]], None] | None = None
    """A check of the values as a whole, for those that are given."""

    def query(self, given: Mapping[str, object]) -> dict[str, object]:
        """The filters that are given; None leaves one out.

        Raises:
            InvalidArgumentError: a value that the API would refuse or misread.
        """
        return self._checked(
            {
                name: given[name]
                for name in self.checks
                if given[name] is not None and given[name] is not UNSET
            }
        )

    def body(
        self,
        given: Mapping[str, object],
        extra: Mapping[str, object] | None = None,
        *,
        required: Container[str] = (),
    ) -> dict[str, object]:
        """The fields that are given; UNSET leaves one out, None is null.

        Args:
            given: values by name; names that are no field are not taken.
            extra: further keys, which are sent as they are.
            required: names that cannot be left out.

        Raises:
            InvalidArgumentError: a value that the API would refuse or misread.
        """
        fields = {name: given[name] for name in self.checks if given[name] is not UNSET}
        for name, value in fields.items():
            if value is None and not isinstance(self.checks[name], Nullable):
                advice = "it is required" if name in required else _LEAVE_OUT
                raise InvalidArgumentError(f"{name} cannot be None; {advice}")
        return {**self._checked(fields), **(extra or {})}

    def _checked(self, given: Mapping[str, object]) -> dict[str, object]:
        values = {name: self.checks[name](name, value) for name, value in given.items()}
        if self.together is not None:
            self.together(values)
        return values


def in_order(values: Mapping[str, Any]) -> None:
    """Refuse a window that ends before it starts."""
    start, end = values.get("start_date"), values.get("end_date")
    if start is not None and end is not None and start > end:
        raise InvalidArgumentError(
            f"start_date {start} is after end_date {end}; both are inclusive"
        )
