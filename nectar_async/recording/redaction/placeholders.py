"""Placeholders: which text replaces which value in a recording.

A value has one placeholder wherever it occurs, in any case: `account-1`, `account-2`.
The numbers are assigned after all values are known. A value keeps the placeholder that
an earlier recording has in its place; the others are numbered in order of occurrence.

Links differ each time they are requested, so their placeholders are named by place:
`https://link.invalid/<id of the document>/url`. The target of a redirect is named by
the link that leads to it: `https://link.invalid/<id of the document>/url/location`.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urljoin, urlsplit

from attrs import define, field, frozen

from nectar_async.recording.redaction.patterns import (
    EMAIL_SUFFIX,
    LINK_PART,
    LINK_PREFIX,
    is_email,
    is_link,
    is_signature_key,
    normalize_email,
)
from nectar_async.recording.redaction.sensitive_fields import ADDRESS, PERSON, Kind
from nectar_async.recording.redaction.walk import Location, format_location

__all__ = [
    "FileRequest",
    "LinkTable",
    "PlaceholderTable",
    "build_link_placeholder",
    "build_pattern",
    "build_volatile_placeholder",
    "guess_link_placeholder",
    "is_quotable",
    "normalize_value",
    "resolve_location",
    "strip_number",
]

_NAMED_PLACE_WEIGHT: Final = 100
"""The weight of a place outside of lists; a place in a list weighs 1."""

_NUMBERED: Final = re.compile(
    rf"(?:{re.escape(LINK_PREFIX)})?(?P<kind>.+)-(?P<number>[1-9][0-9]*)"
    rf"(?:{EMAIL_SUFFIX})?"
)
_SAFE: Final = "/$.~-_"

_MIN_RANDOM_PARAMETER: Final = 20
_MIN_RANDOM_SEGMENT: Final = 10
_UUID: Final = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:\.\w+)?", re.IGNORECASE
)


def normalize_value(text: str) -> str:
    """Convert a value to a form that all of its spellings have in common."""
    text = text.strip()
    return normalize_email(text) if is_email(text) else text.lower()


def is_quotable(kind: Kind, text: str) -> bool:
    """Whether a value is replaced where other texts quote it.

    A street without a number is not replaced there: it may be an ordinary word.
    """
    return kind != ADDRESS or not text.strip().isalpha()


def build_link_placeholder(place: str) -> str:
    """Build the placeholder of the link at a place."""
    return LINK_PREFIX + quote(place, safe=_SAFE)


def build_volatile_placeholder(kind: Kind, place: str) -> str:
    """Build the placeholder of a volatile value that is not a link."""
    return f"{kind.name}:{quote(place, safe=_SAFE)}"


def build_pattern(kind: Kind, text: str) -> str:
    """Build the placeholder of a value with 0 for its number."""
    return _build_placeholder(_Value(kind, text), 0)


def strip_number(placeholder: str) -> str:
    """Replace the number of a placeholder by 0; others are returned unchanged."""
    match = _NUMBERED.fullmatch(placeholder)
    if match is None:
        return placeholder
    start, end = match.span("number")
    return f"{placeholder[:start]}0{placeholder[end:]}"


@define
class _Value:
    """A value that needs a placeholder."""

    kind: Kind
    text: str
    votes: Counter[str] = field(factory=Counter)
    """The placeholders that an earlier recording has in its places, by weight."""


class PlaceholderTable:
    """Assigns placeholders to values.

    Args:
        kinds: in order of priority; a value of several kinds gets the first.
        aliases: the placeholders that the user chose, by value.
        before: the placeholders of an earlier recording, by place.
    """

    def __init__(
        self,
        kinds: Iterable[Kind],
        aliases: Mapping[str, str],
        before: Mapping[str, Collection[str]],
    ) -> None:
        self._priorities = {kind: index for index, kind in enumerate(kinds)}
        self._values: dict[str, _Value] = {}
        self._before = before
        self._aliases = {
            normalize_value(text): alias for text, alias in aliases.items()
        }
        self._reserved: set[tuple[str, int]] = set()
        for placeholder in chain(aliases.values(), *before.values()):
            self.reserve(placeholder)

    def add(self, kind: Kind, text: str, location: Location) -> None:
        """Add a value that occurs at a location."""
        name = normalize_value(text)
        value = self._values.get(name)
        if value is None:
            self._values[name] = _Value(kind, text)
        elif self._priorities[kind] < self._priorities[value.kind]:
            value.kind = kind
        self.vote(text, location)

    def vote(self, text: str, location: Location) -> None:
        """Count the earlier placeholders of a location as candidates for a value."""
        if not self._before:
            return
        weight = 1 if _is_in_list(location) else _NAMED_PLACE_WEIGHT
        for candidate in self._before.get(format_location(location), ()):
            self._values[normalize_value(text)].votes[candidate] += weight

    def reserve(self, placeholder: str) -> None:
        """Reserve the number of a placeholder that exists already."""
        if match := _NUMBERED.fullmatch(placeholder):
            self._reserved.add((match["kind"], int(match["number"])))

    def list_quotable(self) -> Iterator[str]:
        """List the normalized values that are replaced in other texts as well."""
        for name, value in self._values.items():
            if is_quotable(value.kind, name):
                yield name

    def assign(self) -> Mapping[str, str]:
        """Assign a placeholder to every value, by its normalized text."""
        assigned = dict(self._aliases)
        used = set(assigned.values())
        votes = sorted(
            (-weight, index, len(candidate), candidate, name)
            for index, (name, value) in enumerate(self._values.items())
            for candidate, weight in value.votes.items()
            if _fits(value, candidate)
        )
        for *_, candidate, name in votes:
            if name not in assigned and candidate not in used:
                assigned[name] = candidate
                used.add(candidate)
        numbers: dict[str, int] = {}
        for name, value in self._values.items():
            if name in assigned:
                continue
            prefix = _choose_prefix(value)
            number = numbers.get(prefix, 0) + 1
            while (prefix, number) in self._reserved:
                number += 1
            numbers[prefix] = number
            assigned[name] = _build_placeholder(value, number)
        return assigned


def _is_in_list(location: Location | None) -> bool:
    """Whether a location is inside a list, whose items may move."""
    while location is not None:
        location, key = location
        if isinstance(key, int):
            return True
    return False


def _choose_prefix(value: _Value) -> str:
    """Choose the prefix of a placeholder: e-mail addresses are always persons."""
    is_person = not value.kind.is_rule and is_email(value.text)
    return PERSON.name if is_person else value.kind.name


def _build_placeholder(value: _Value, number: int) -> str:
    text = f"{_choose_prefix(value)}-{number}"
    if is_email(value.text):
        return text + EMAIL_SUFFIX
    return LINK_PREFIX + text if is_link(value.text) else text


def _fits(value: _Value, placeholder: str) -> bool:
    """Whether a placeholder has the form that this value requires."""
    match = _NUMBERED.fullmatch(placeholder)
    if match is None:
        return False
    return _build_placeholder(value, int(match["number"])) == placeholder


@frozen
class FileRequest:
    """The request for a file, and the target if its host redirected it."""

    url: str
    owner: str
    location: str | None

    @property
    def target(self) -> str | None:
        """The absolute URL of the redirect."""
        if self.location is None:
            return None
        return resolve_location(self.url, self.location)


class LinkTable:
    """The links of a recording with their places, and their placeholders."""

    def __init__(self) -> None:
        self._received: dict[str, set[str]] = {}
        self._sent: dict[str, set[str]] = {}

    def add(self, link: str, place: str, *, is_sent: bool = False) -> None:
        """Add a link that occurs at a place.

        A place in a request counts only if no answer contains the link.
        """
        places = self._sent if is_sent else self._received
        places.setdefault(_unescape_link(link), set()).add(place)

    def follow(self, requests: list[FileRequest]) -> None:
        """Name targets of redirects, and requested links that no answer contains."""
        waiting = requests
        while waiting:
            unnamed = [request for request in waiting if not self._name_target(request)]
            if len(unnamed) == len(waiting):
                targets = {
                    _unescape_link(request.target)
                    for request in unnamed
                    if request.target is not None
                }
                first = [
                    request
                    for request in unnamed
                    if _unescape_link(request.url) not in targets
                ]
                for request in first or unnamed[:1]:
                    placeholder = guess_link_placeholder(request.url, request.owner)
                    place = unquote(placeholder.removeprefix(LINK_PREFIX))
                    self.add(request.url, place)
            waiting = unnamed

    def find(self, link: str, owner: str = "") -> str | None:
        """Find the placeholder of a link; if it has several, the one of the owner."""
        if link.startswith(LINK_PREFIX):
            return link
        return self._find(_unescape_link(link), owner)

    def list_quotable(self) -> Mapping[str, str]:
        """List links and their secret parts, each with its placeholder."""
        links = self._sent.keys() | self._received.keys()
        parts = (part for link in links for part in _list_secret_parts(link))
        return dict.fromkeys(parts, LINK_PART) | {
            link: self._find(link, "") or LINK_PART for link in links
        }

    def _find(self, link: str, owner: str) -> str | None:
        places = self._received.get(link) or self._sent.get(link)
        if not places:
            return None
        place = f"{owner}/url"
        return build_link_placeholder(place if place in places else min(places))

    def _name_target(self, request: FileRequest) -> bool:
        """Add the redirect target of a request; False if its link has no place yet."""
        placeholder = self.find(request.url, request.owner)
        if placeholder is None:
            return False
        target = request.target
        if target is not None and self.find(target) is None:
            self.add(
                target, f"{unquote(placeholder.removeprefix(LINK_PREFIX))}/location"
            )
        return True


def guess_link_placeholder(url: str, owner: str) -> str:
    """Build the placeholder of a requested link that no answer contains.

    It is the placeholder of its owner's `url` field. Without an owner, it holds a
    digest of the URL without its query.
    """
    if url.startswith(LINK_PREFIX):
        return url
    if owner:
        return build_link_placeholder(f"{owner}/url")
    digest = hashlib.sha256(url.partition("?")[0].encode()).hexdigest()
    return build_link_placeholder(f"file/{digest[:12]}")


def resolve_location(url: str, location: str) -> str:
    """Resolve a `Location` header; returned unchanged if it is not a URL."""
    try:
        return urljoin(url, location)
    except ValueError:
        return location


def _unescape_link(link: str) -> str:
    """Resolve percent escapes, so that all spellings of a link are equal."""
    return unquote(link.strip())


def _list_secret_parts(link: str) -> Iterator[str]:
    """List the parts of a link that grant access to it."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return
    if parts.query:
        yield parts.query
        for key, text in parse_qsl(parts.query):
            is_long = len(text) >= _MIN_RANDOM_PARAMETER
            if is_signature_key(key) or (is_long and _is_random(text)):
                yield text
    if parts.fragment:
        yield parts.fragment
        yield parts.fragment.rpartition("=")[2]
    segments = [segment for segment in parts.path.split("/") if segment]
    if len(segments) > 1:
        yield parts.path
    yield from (
        segment for segment in segments if "." not in segment and _is_random(segment)
    )


def _is_random(text: str) -> bool:
    """Whether a text has letters and digits and is neither an id nor a path."""
    has_both = re.search(r"[A-Za-z]", text) and re.search(r"\d", text)
    return (
        has_both is not None
        and len(text) >= _MIN_RANDOM_SEGMENT
        and _UUID.fullmatch(text) is None
        and "/" not in text
    )
