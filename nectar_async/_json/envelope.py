"""Read the envelope around a page of a list: its totals and its page numbers.

The envelope decides how many pages are requested, so odd values are not ignored: a
number or a boolean in text is understood, and any other value stays in `Page.extra`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from nectar_async._json.json_text import is_list_of_objects, parse_json, split_object
from nectar_async._json.scalars import MisfitError, describe_json_type
from nectar_async.contract.wire_names import to_wire
from nectar_async.models._extra import Extra
from nectar_async.models.page import Listing, Page

__all__ = ["EnvelopeReader"]

T = TypeVar("T")

_BOOLEANS = {"true": True, "false": False}
_MAX_DIGITS = 18

# The keys of lists that are never the records.
_PROBLEM_LISTS = frozenset({"errors", "warnings"})

_FACTS = ("per_page", "total_pages", "current_page", "has_next", "has_previous")


class EnvelopeReader:
    """Reads one envelope, with the keys that the user corrected.

    `problems` collects the values that strict decoding refuses.
    """

    def __init__(
        self, listing: Listing, keys: Mapping[str, str], *, is_strict: bool
    ) -> None:
        self._values: dict[str, msgspec.Raw] = {}
        self._listing = listing
        self._keys = keys
        self._is_strict = is_strict
        self._extra: dict[str, Any] = {}
        self.problems: list[str] = []
        self.items_key: str = self._to_key(listing.items)
        """The key of the records."""
        self.facts: tuple[str, ...] = tuple(
            self._to_key(fact) for fact in (listing.total, *_FACTS)
        )
        """The other known keys of an envelope."""

    def split(self, body: bytes) -> None:
        """Split the envelope into its values, and find `items_key` among its keys.

        Raises:
            MisfitError: the body is no object.
        """
        self._values = split_object(body)
        self.items_key = self._find_items()

    def take_items(self) -> msgspec.Raw:
        """Remove and return the list of records, which is not parsed yet.

        Raises:
            MisfitError: there is no such key.
        """
        raw = self._values.pop(self.items_key, None)
        if raw is None:
            raise MisfitError("expected a list, got nothing")
        return raw

    @property
    def has_known_keys_only(self) -> bool:
        """Whether the envelope has no unknown keys; call it after `take_items`."""
        return self._values.keys() <= set(self.facts)

    def parse_page(self, items: tuple[T, ...], number: int) -> Page[T]:
        """Parse the other values of the envelope and build the page.

        Raises:
            MisfitError: a value of the envelope is no JSON.
        """
        facts = {key: parse_json(raw) for key, raw in self._values.items()}
        return self.build_page(items, number, facts)

    def build_page(
        self, items: tuple[T, ...], number: int, facts: dict[str, Any]
    ) -> Page[T]:
        """Build the page from the values of the other keys; odd ones go to `extra`."""
        self._extra = facts
        total = self._take_int(self._find_total())
        has_odd_total = self._to_key(self._listing.total) in self._extra
        per_page = self._take_int("per_page")
        total_pages = self._take_int("total_pages")
        current_page = self._take_int("current_page")
        has_next = self._take_bool("has_next")
        if not total_pages:
            # Without a count there is one more page as long as `has_next` is true.
            total_pages = number + 1 if has_next else 1
        has_previous = self._take_bool("has_previous")
        if self._is_strict:
            self.problems += [f"unknown key @ $.{key}" for key in self._extra]
        return Page(
            items=items,
            number=number,
            total=total,
            has_odd_total=has_odd_total,
            per_page=per_page,
            total_pages=total_pages,
            current_page=number if current_page is None else current_page,
            has_next=number < total_pages if has_next is None else has_next,
            has_previous=bool(has_previous),
            extra=Extra(self._extra),
        )

    def _find_items(self) -> str:
        """Return the expected key of the records, or else the key of the first list.

        A list with its own total, such as `providers` with `totalProviders`, comes
        before other lists. An object without any key of an envelope is no envelope but
        an error, even if it has a list.
        """
        expected = self._to_key(self._listing.items)
        if expected in self._values or self._is_strict or not self._is_envelope():
            return expected
        lists = [
            key
            for key, raw in self._values.items()
            if key not in _PROBLEM_LISTS and is_list_of_objects(raw)
        ]
        counted = [key for key in lists if _to_total_key(key) in self._values]
        return next(iter(counted + lists), expected)

    def _is_envelope(self) -> bool:
        facts = ("total_pages", "current_page", "has_next", self._listing.total)
        return any(self._to_key(fact) in self._values for fact in facts) or any(
            key.startswith("total") and bytes(raw).isdigit()
            for key, raw in self._values.items()
        )

    def _find_total(self) -> str:
        """Find the key of the total: the expected one, the list's own, or the first."""
        expected = self._listing.total
        if self._to_key(expected) in self._extra or self._is_strict:
            return expected
        pages = self._to_key("total_pages")
        others = [
            key for key in self._extra if key.startswith("total") and key != pages
        ]
        total_key = _to_total_key(self.items_key)
        return total_key if total_key in others else next(iter(others), expected)

    def _to_key(self, name: str) -> str:
        wire = to_wire(name)
        return self._keys.get(wire, wire)

    def _take_int(self, name: str) -> int | None:
        key = self._to_key(name)
        value = self._extra.get(key)
        if value.__class__ is int:
            return int(self._extra.pop(key))
        if isinstance(value, Decimal) and value == (whole := _to_whole(value)):
            self._add_problem(key, "a whole number", value)
            self._extra.pop(key)
            return whole
        if value.__class__ is str and value.isascii() and value.isdigit():
            self._add_problem(key, "a whole number", value)
            if len(value) <= _MAX_DIGITS:
                return int(self._extra.pop(key))
            return None
        self._leave_in_extra(key, "a whole number")
        return None

    def _take_bool(self, name: str) -> bool | None:
        key = self._to_key(name)
        value = self._extra.get(key)
        if value.__class__ is bool:
            return bool(self._extra.pop(key))
        if value.__class__ is str and value.lower() in _BOOLEANS:
            self._add_problem(key, "a boolean", value)
            return _BOOLEANS[self._extra.pop(key).lower()]
        self._leave_in_extra(key, "a boolean")
        return None

    def _leave_in_extra(self, key: str, expected: str) -> None:
        """Remove a null; leave any other value in `extra` and note the problem."""
        value = self._extra.get(key)
        if value is None:
            self._extra.pop(key, None)
        else:
            self._add_problem(key, expected, value)

    def _add_problem(self, key: str, expected: str, value: object) -> None:
        if self._is_strict:
            self.problems.append(
                f"expected {expected}, got {describe_json_type(value)} @ $.{key}"
            )


def _to_whole(value: Decimal) -> int | None:
    """Convert a number such as 40.0; None if it is no number, or out of bounds."""
    is_bounded = value.is_finite() and value.adjusted() < _MAX_DIGITS
    return int(value) if is_bounded else None


def _to_total_key(key: str) -> str:
    """Return the key of a list's total: `totalProviders` for `providers`."""
    return f"total{key[:1].upper()}{key[1:]}"
