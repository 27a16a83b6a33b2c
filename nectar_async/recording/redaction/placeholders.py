"""What stands in a recording in place of what must not: numbered, or named by a place.

One value has one stand-in, wherever and in however many capitals it stands. Which
number it has, is decided when all values are known: what stood at the same place in the
recording before stays, the rest are counted in the order in which they were noted.
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
    "build_form",
    "build_link_placeholder",
    "build_volatile_placeholder",
    "guess_link_placeholder",
    "is_quotable",
    "normalize_value",
    "parse_form",
]

_SURER: Final = 100
"""What a place that has a name weighs, against one in a list."""

_NUMBER: Final = re.compile(
    rf"(?:{re.escape(LINK_PREFIX)})?(?P<kind>.+)-(?P<number>[1-9][0-9]*)(?:{EMAIL_SUFFIX})?"
)
_SAFE: Final = "/$.~-_"


def normalize_value(text: str) -> str:
    """What two spellings of one value have in common."""
    text = text.strip()
    return normalize_email(text) if is_email(text) else text.lower()


def is_quotable(kind: Kind, text: str) -> bool:
    """Whether a value is known in other texts.

    A street without a number is a word like any other.
    """
    return kind != ADDRESS or not text.strip().isalpha()


def build_link_placeholder(place: str) -> str:
    """The stand-in for a link at a place."""
    return LINK_PREFIX + quote(place, safe=_SAFE)


def build_volatile_placeholder(kind: Kind, place: str) -> str:
    """The stand-in for what differs each time and is no link."""
    return f"{kind.name}:{quote(place, safe=_SAFE)}"


def build_form(kind: Kind, text: str) -> str:
    """What the stand-ins for such values have in common."""
    return _spelled(_Value(kind, text), 0)


def parse_form(standin: str) -> str:
    """What a stand-in has in common with others of its kind."""
    found = _NUMBER.fullmatch(standin)
    if found is None:
        return standin
    start, end = found.span("number")
    return f"{standin[:start]}0{standin[end:]}"


@define
class _Value:
    """A value that needs a stand-in."""

    kind: Kind
    text: str
    votes: Counter[str] = field(factory=Counter)


class PlaceholderTable:
    """Which value has which stand-in.

    Args:
        ranks: what a value of several kinds is: the first of these.
        aliases: stand-ins that are given.
        before: stand-ins of an earlier recording, by their places.
    """

    def __init__(
        self,
        ranks: Iterable[Kind],
        aliases: Mapping[str, str],
        before: Mapping[str, Collection[str]],
    ) -> None:
        self._ranks = {kind: at for at, kind in enumerate(ranks)}
        self._values: dict[str, _Value] = {}
        self._before = before
        self._aliases = {normalize_value(text): one for text, one in aliases.items()}
        self._taken: set[tuple[str, int]] = set()
        for one in chain(aliases.values(), *before.values()):
            self.keep(one)

    def note(self, kind: Kind, text: str, where: Location) -> None:
        """There is such a value at a place."""
        name = normalize_value(text)
        value = self._values.get(name)
        if value is None:
            self._values[name] = _Value(kind, text)
        elif self._ranks[kind] < self._ranks[value.kind]:
            value.kind = kind
        self.vote(text, where)

    def vote(self, text: str, where: Location) -> None:
        """A value that was noted stands at another place as well."""
        if not self._before:
            return
        weight = 1 if _is_listed(where) else _SURER
        for candidate in self._before.get(format_location(where), ()):
            self._values[normalize_value(text)].votes[candidate] += weight

    def keep(self, standin: str) -> None:
        """There is a stand-in already, which no other value may have."""
        if found := _NUMBER.fullmatch(standin):
            self._taken.add((found["kind"], int(found["number"])))

    def quotable(self) -> Iterator[str]:
        """The values, folded, that are known where another text quotes them."""
        for name, value in self._values.items():
            if is_quotable(value.kind, name):
                yield name

    def settle(self) -> Mapping[str, str]:
        """The stand-in of every value, by its folded text."""
        given = dict(self._aliases)
        owned = set(given.values())
        votes = sorted(
            (-count, at, len(candidate), candidate, name)
            for at, (name, value) in enumerate(self._values.items())
            for candidate, count in value.votes.items()
            if _fits(value, candidate)
        )
        for *_, candidate, name in votes:
            if name not in given and candidate not in owned:
                given[name] = candidate
                owned.add(candidate)
        numbers: dict[str, int] = {}
        for name, value in self._values.items():
            if name in given:
                continue
            kind = _name(value)
            number = numbers.get(kind, 0) + 1
            while (kind, number) in self._taken:
                number += 1
            numbers[kind] = number
            given[name] = _spelled(value, number)
        return given


def _is_listed(where: Location | None) -> bool:
    """Whether a place is one of a list, where another may stand the next time."""
    while where is not None:
        where, word = where
        if isinstance(word, int):
            return True
    return False


def _name(value: _Value) -> str:
    """What its stand-in begins with: an address is a person's, whatever it is for."""
    is_person = not value.kind.is_rule and is_email(value.text)
    return PERSON.name if is_person else value.kind.name


def _spelled(value: _Value, number: int) -> str:
    text = f"{_name(value)}-{number}"
    if is_email(value.text):
        return text + EMAIL_SUFFIX
    return LINK_PREFIX + text if is_link(value.text) else text


def _fits(value: _Value, standin: str) -> bool:
    """Whether a stand-in is spelled as that of this value would be."""
    found = _NUMBER.fullmatch(standin)
    return found is not None and _spelled(value, int(found["number"])) == standin


_LONG: Final = 20
_SEGMENT: Final = 10
_UUID: Final = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:\.\w+)?", re.IGNORECASE
)


@frozen
class FileRequest:
    """A file that was asked for, and where its host sent on to, if it did."""

    url: str
    owner: str
    location: str | None

    @property
    def target(self) -> str | None:
        """The whole address of where it sent on to."""
        return (
            None if self.location is None else resolve_location(self.url, self.location)
        )


class LinkTable:
    """The links of a recording, and their places."""

    def __init__(self) -> None:
        self._places: dict[str, set[str]] = {}
        self._sent: dict[str, set[str]] = {}

    def note(self, link: str, place: str, *, is_sent: bool = False) -> None:
        """There is such a link; one that was only sent counts where nobody gave it."""
        places = self._sent if is_sent else self._places
        places.setdefault(_bare(link), set()).add(place)

    def follow(self, hops: list[FileRequest]) -> None:
        """Give places to where hosts sent on to, and to links that nobody gave."""
        todo = hops
        while todo:
            rest = [hop for hop in todo if not self._followed(hop)]
            if len(rest) == len(todo):
                ends = {_bare(hop.target) for hop in rest if hop.target is not None}
                first = [hop for hop in rest if _bare(hop.url) not in ends]
                for hop in first or rest[:1]:
                    place = guess_link_placeholder(hop.url, hop.owner).removeprefix(
                        LINK_PREFIX
                    )
                    self.note(hop.url, unquote(place))
            todo = rest

    def of(self, link: str, owner: str = "") -> str | None:
        """The stand-in for a link; that of its owner, where it has several."""
        if link.startswith(LINK_PREFIX):
            return link
        return self._of(_bare(link), owner)

    def known(self) -> Mapping[str, str]:
        """What may be quoted of links, and what is to stand there."""
        links = self._sent.keys() | self._places.keys()
        parts = dict.fromkeys(
            (part for one in links for part in _parts(one)), LINK_PART
        )
        return parts | {one: self._of(one, "") or LINK_PART for one in links}

    def _of(self, bare: str, owner: str) -> str | None:
        places = self._places.get(bare) or self._sent.get(bare)
        if not places:
            return None
        own = f"{owner}/url"
        return build_link_placeholder(own if own in places else min(places))

    def _followed(self, hop: FileRequest) -> bool:
        standin = self.of(hop.url, hop.owner)
        if standin is None:
            return False
        target = hop.target
        if target is not None and self.of(target) is None:
            self.note(target, f"{unquote(standin.removeprefix(LINK_PREFIX))}/location")
        return True


def guess_link_placeholder(url: str, owner: str) -> str:
    """The stand-in for the address of a file whose link nobody gave.

    That of its owner's `url`, or one made of the address without what signs it.
    """
    if url.startswith(LINK_PREFIX):
        return url
    if owner:
        return build_link_placeholder(f"{owner}/url")
    plain = url.partition("?")[0]
    return build_link_placeholder(
        f"file/{hashlib.sha256(plain.encode()).hexdigest()[:12]}"
    )


def resolve_location(url: str, location: str) -> str:
    """Where an answer sends on to; as it stands where it is no address."""
    try:
        return urljoin(url, location)
    except ValueError:
        return location


def _bare(link: str) -> str:
    """A link as it reads, however many of its characters are escaped."""
    return unquote(link.strip())


def _parts(link: str) -> Iterator[str]:
    """What opens a link, by itself."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return
    if parts.query:
        yield parts.query
        for key, text in parse_qsl(parts.query):
            if is_signature_key(key) or (len(text) >= _LONG and _is_random(text)):
                yield text
    if parts.fragment:
        yield parts.fragment
        yield parts.fragment.rpartition("=")[2]
    segments = [one for one in parts.path.split("/") if one]
    if len(segments) > 1:
        yield parts.path
    yield from (one for one in segments if "." not in one and _is_random(one))


def _is_random(text: str) -> bool:
    """Whether a text is nobody's word: letters and digits, and no id or file name."""
    has_both = re.search(r"[A-Za-z]", text) and re.search(r"\d", text)
    return (
        has_both is not None
        and len(text) >= _SEGMENT
        and _UUID.fullmatch(text) is None
        and "/" not in text
    )
