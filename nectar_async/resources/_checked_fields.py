"""Tables of the fields of a query or a body, each with its check.

The names in a table are those of the method's own keywords. A method passes its
`locals()`, so that no name is written a third time; names that are not in the table are
ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import Any

from attrs import frozen

from nectar_async._types import UNSET
from nectar_async.errors import InvalidArgumentError
from nectar_async.resources._checks import Check, Nullable

__all__ = ["FieldTable", "check_dates"]


@frozen
class FieldTable:
    """The fields of one query or body by name, each with its check."""

    checks: Mapping[str, Check]
    check_together: Callable[[Mapping[str, Any]], None] | None = None
    """A check of the checked values as a whole, called after their own checks."""

    def build_query(self, arguments: Mapping[str, object]) -> dict[str, object]:
        """Return the checked filters; a filter that is None or UNSET is left out.

        Raises:
            InvalidArgumentError: a value that the API would refuse or misread.
        """
        return self._check(
            {
                name: arguments[name]
                for name in self.checks
                if arguments[name] is not None and arguments[name] is not UNSET
            }
        )

    def build_body(
        self,
        arguments: Mapping[str, object],
        extra: Mapping[str, object] | None = None,
        *,
        required: Container[str] = (),
    ) -> dict[str, object]:
        """Return the checked fields; UNSET leaves a field out, None sends null.

        Args:
            arguments: values by name.
            extra: further keys, which are sent as they are.
            required: names of fields that cannot be left out, for the error's advice.

        Raises:
            InvalidArgumentError: a value that the API would refuse or misread.
        """
        fields = {
            name: arguments[name]
            for name in self.checks
            if arguments[name] is not UNSET
        }
        for name, value in fields.items():
            if value is None and not isinstance(self.checks[name], Nullable):
                is_required = name in required
                advice = "it is required" if is_required else "leave it out (UNSET)"
                raise InvalidArgumentError(f"{name} cannot be None; {advice}")
        return {**self._check(fields), **(extra or {})}

    def _check(self, fields: Mapping[str, object]) -> dict[str, object]:
        values = {
            name: self.checks[name](name, value) for name, value in fields.items()
        }
        if self.check_together is not None:
            self.check_together(values)
        return values


def check_dates(values: Mapping[str, Any]) -> None:
    """Refuse a window that ends before it starts, and `UPDATED_DATE` without dates."""
    start, end = values.get("start_date"), values.get("end_date")
    if start is not None and end is not None and start > end:
        raise InvalidArgumentError(
            f"start_date {start} is after end_date {end}; both are inclusive"
        )
    if start is end is None and values.get("date_type") == "UPDATED_DATE":
        raise InvalidArgumentError(
            "date_type UPDATED_DATE selects nothing without dates; pass start_date, for"
            " example the day before your last pull"
        )
