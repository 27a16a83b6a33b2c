"""What stands in a recording in place of what must not: numbered, or named by a place.

One value has one stand-in, wherever and in however many capitals it stands. Which
number it has, is decided when all values are known: what stood at the same place in the
recording before stays, the rest are counted in the order in which they were noted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain
from typing import Final
from urllib.parse import quote

from attrs import define, field

from nectar_async.recording.redaction.kinds import ADDRESS, PERSON, Kind
from nectar_async.recording.redaction.patterns import email_of, is_email, is_link
from nectar_async.recording.redaction.visit import Where, place_of

__all__ = [
    "LINKS",
    "MAIL",
    "PART",
    "Book",
    "folded",
    "form",
    "form_of",
    "is_quotable",
    "linked",
    "placed",
    "shape",
]

LINKS: Final = "https://link.invalid/"
"""Where all stand-ins for links begin."""

PART: Final = "link-part"
"""Stands for what is quoted of a link."""

MAIL: Final = "@example.invalid"
"""Where all stand-ins for e-mail addresses end."""
_SURER: Final = 100
"""What a place that has a name weighs, against one in a list."""

_NUMBER: Final = re.compile(
    rf"(?:{re.escape(LINKS)})?(?P<kind>.+)-(?P<number>[1-9][0-9]*)(?:{MAIL})?"
)
_SAFE: Final = "/$.~-_"


def folded(text: str) -> str:
    """What two spellings of one value have in common."""
    text = text.strip()
    return email_of(text) if is_email(text) else text.lower()


def is_quotable(kind: Kind, text: str) -> bool:
    """Whether a value is known in other texts.

    A street without a number is a word like any other.
    """
    return kind != ADDRESS or not text.strip().isalpha()


def linked(place: str) -> str:
    """The stand-in for a link at a place."""
    return LINKS + quote(place, safe=_SAFE)


def placed(kind: Kind, place: str) -> str:
    """The stand-in for what differs each time and is no link."""
    return f"{kind.name}:{quote(place, safe=_SAFE)}"


def shape(kinds: Iterable[Kind]) -> re.Pattern[str]:
    """What finds stand-ins of these kinds in a text."""
    names = "|".join(sorted({re.escape(one.name) for one in kinds}, reverse=True))
    return re.compile(
        rf"{re.escape(LINKS)}[\w/$.~%-]*|(?<![\w-])(?:{PART}"
        rf"|(?:{names})-[1-9][0-9]*(?:{re.escape(MAIL)})?(?!\w|-\w)"
        rf"|(?:{names}):[\w/$.~%-]+)",
        re.ASCII,
    )


def form(kind: Kind, text: str) -> str:
    """What the stand-ins for such values have in common."""
    return _spelled(_Value(kind, text), 0)


def form_of(standin: str) -> str:
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


class Book:
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
        self._aliases = {folded(text): one for text, one in aliases.items()}
        self._taken: set[tuple[str, int]] = set()
        for one in chain(aliases.values(), *before.values()):
            self.keep(one)

    def note(self, kind: Kind, text: str, where: Where) -> None:
        """There is such a value at a place."""
        name = folded(text)
        value = self._values.get(name)
        if value is None:
            self._values[name] = _Value(kind, text)
        elif self._ranks[kind] < self._ranks[value.kind]:
            value.kind = kind
        self.vote(text, where)

    def vote(self, text: str, where: Where) -> None:
        """A value that was noted stands at another place as well."""
        if not self._before:
            return
        weight = 1 if _is_listed(where) else _SURER
        for candidate in self._before.get(place_of(where), ()):
            self._values[folded(text)].votes[candidate] += weight

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


def _is_listed(where: Where | None) -> bool:
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
        return text + MAIL
    return LINKS + text if is_link(value.text) else text


def _fits(value: _Value, standin: str) -> bool:
    """Whether a stand-in is spelled as that of this value would be."""
    found = _NUMBER.fullmatch(standin)
    return found is not None and _spelled(value, int(found["number"])) == standin
