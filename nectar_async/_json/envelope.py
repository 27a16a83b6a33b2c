"""The envelope around a page of a list: counts and claims, read with care.

What it says decides how far a walk goes, so nothing is misread in silence: a number or
a boolean that comes as text is understood, and what is neither stays in `Page.extra`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from nectar_async._json.json import is_list_of_objects, parse_json, split_object
from nectar_async._json.scalars import MisfitError, describe_json_type
from nectar_async.contract.wire_names import to_wire
from nectar_async.models._extra import Extra
from nectar_async.models.page import Listing, Page

__all__ = ["EnvelopeReader"]

T = TypeVar("T")

_CLAIMS = {"true": True, "false": False}
_MOST_DIGITS = 18

# Lists that are no records, wherever they stand.
_COMPLAINTS = frozenset({"errors", "warnings"})


_FACTS = ("per_page", "total_pages", "current_page", "has_next", "has_previous")


class EnvelopeReader:
    """The keys of one envelope, by their spelling after the user's corrections.

    `problems` collects what a strict reader refuses.
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
        self.items_key: str = self._spelled(listing.items)
        """The key of the records."""
        self.facts: tuple[str, ...] = tuple(
            self._spelled(fact) for fact in (listing.total, *_FACTS)
        )
        """The other keys that an envelope has, as far as is known."""

    def split(self, body: bytes) -> None:
        """Look at its keys; one of them is `items_key` then.

        Raises:
            MisfitError: it is no object.
        """
        self._values = split_object(body)
        self.items_key = self._find_items()

    def take_items(self) -> msgspec.Raw:
        """The list of records, still text.

        Raises:
            MisfitError: there is none.
        """
        raw = self._values.pop(self.items_key, None)
        if raw is None:
            raise MisfitError("expected a list, got nothing")
        return raw

    @property
    def is_plain(self) -> bool:
        """Whether it has no keys but the known ones; the records were taken."""
        return self._values.keys() <= set(self.facts)

    def page(self, items: tuple[T, ...], number: int) -> Page[T]:
        """The page, with what the other keys say.

        Raises:
            MisfitError: a value of the envelope is no JSON.
        """
        facts = {key: parse_json(raw) for key, raw in self._values.items()}
        return self.page_of(items, number, facts)

    def page_of(
        self, items: tuple[T, ...], number: int, facts: dict[str, Any]
    ) -> Page[T]:
        """The page, with the values of the other keys; those that mean nothing stay."""
        self._extra = facts
        total = self._count(self._find_total())
        per_page = self._count("per_page")
        total_pages = self._count("total_pages")
        current_page = self._count("current_page")
        has_next = self._claim("has_next")
        if not total_pages:
            # Nobody counted them: there is one more as long as it says so.
            total_pages = number + 1 if has_next else 1
        has_previous = self._claim("has_previous")
        if self._is_strict:
            self.problems += [f"unknown key @ $.{key}" for key in self._extra]
        return Page(
            items=items,
            number=number,
            total=total,
            per_page=per_page,
            total_pages=total_pages,
            current_page=number if current_page is None else current_page,
            has_next=number < total_pages if has_next is None else has_next,
            has_previous=bool(has_previous),
            extra=Extra(self._extra),
        )

    def _find_items(self) -> str:
        """The key of the records: the expected one, or else that of the first list.

        A list that has a total of its own, as `providers` with `totalProviders`, comes
        before all others. An object without a single key of an envelope is an error in
        disguise, whatever list it holds.
        """
        expected = self._spelled(self._listing.items)
        if expected in self._values or self._is_strict or not self._is_envelope():
            return expected
        lists = [
            key
            for key, raw in self._values.items()
            if key not in _COMPLAINTS and is_list_of_objects(raw)
        ]
        counted = [key for key in lists if _total_of(key) in self._values]
        return next(iter(counted + lists), expected)

    def _is_envelope(self) -> bool:
        facts = ("total_pages", "current_page", "has_next", self._listing.total)
        return any(self._spelled(fact) in self._values for fact in facts) or any(
            key.startswith("total") and bytes(raw).isdigit()
            for key, raw in self._values.items()
        )

    def _find_total(self) -> str:
        """The key of the total: the expected one, that of the list, or the first."""
        expected = self._listing.total
        if self._spelled(expected) in self._extra or self._is_strict:
            return expected
        pages = self._spelled("total_pages")
        others = [
            key for key in self._extra if key.startswith("total") and key != pages
        ]
        own = [key for key in others if key == _total_of(self.items_key)]
        return next(iter(own + others), expected)

    def _spelled(self, name: str) -> str:
        wire = to_wire(name)
        return self._keys.get(wire, wire)

    def _count(self, name: str) -> int | None:
        key = self._spelled(name)
        value = self._extra.get(key)
        if value.__class__ is int:
            return int(self._extra.pop(key))
        if value.__class__ is str and value.isascii() and value.isdigit():
            self._mind(key, "a whole number", value)
            if len(value) <= _MOST_DIGITS:
                return int(self._extra.pop(key))
            return None
        self._leave(key, "a whole number")
        return None

    def _claim(self, name: str) -> bool | None:
        key = self._spelled(name)
        value = self._extra.get(key)
        if value.__class__ is bool:
            return bool(self._extra.pop(key))
        if value.__class__ is str and value.lower() in _CLAIMS:
            self._mind(key, "a boolean", value)
            return _CLAIMS[self._extra.pop(key).lower()]
        self._leave(key, "a boolean")
        return None

    def _leave(self, key: str, expected: str) -> None:
        """Null and absence say nothing; anything else is kept where it is."""
        value = self._extra.get(key)
        if value is None:
            self._extra.pop(key, None)
        else:
            self._mind(key, expected, value)

    def _mind(self, key: str, expected: str, value: object) -> None:
        if self._is_strict:
            self.problems.append(
                f"expected {expected}, got {describe_json_type(value)} @ $.{key}"
            )


def _total_of(key: str) -> str:
    """What the total of a list is called: `totalProviders` for `providers`."""
    return f"total{key[:1].upper()}{key[1:]}"
