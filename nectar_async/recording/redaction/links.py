"""Links that open without a key: their stand-ins, and which one a download asked for.

A link is another one each time that it is given, so its stand-in is named by its place:
`https://link.invalid/<id of the document>/url`, whatever list the document stood in.
Where a file's host sends on to is named by where that was said:
`https://link.invalid/<id of the document>/url/location`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

from attrs import frozen

from nectar_async.recording.redaction.patterns import is_signature
from nectar_async.recording.redaction.placeholders import LINKS, PART, linked

__all__ = ["Hop", "Links", "guessed"]

_LONG: Final = 20
_SEGMENT: Final = 10
_UUID: Final = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:\.\w+)?", re.IGNORECASE
)


@frozen
class Hop:
    """A file that was asked for, and where its host sent on to, if it did."""

    url: str
    owner: str
    location: str | None

    @property
    def target(self) -> str | None:
        """The whole address of where it sent on to."""
        return None if self.location is None else joined(self.url, self.location)


class Links:
    """The links of a recording, and their places."""

    def __init__(self) -> None:
        self._places: dict[str, set[str]] = {}
        self._sent: dict[str, set[str]] = {}

    def note(self, link: str, place: str, *, is_sent: bool = False) -> None:
        """There is such a link; one that was only sent counts where nobody gave it."""
        places = self._sent if is_sent else self._places
        places.setdefault(_bare(link), set()).add(place)

    def follow(self, hops: list[Hop]) -> None:
        """Give places to where hosts sent on to, and to links that nobody gave."""
        todo = hops
        while todo:
            rest = [hop for hop in todo if not self._followed(hop)]
            if len(rest) == len(todo):
                ends = {_bare(hop.target) for hop in rest if hop.target is not None}
                first = [hop for hop in rest if _bare(hop.url) not in ends]
                for hop in first or rest[:1]:
                    place = guessed(hop.url, hop.owner).removeprefix(LINKS)
                    self.note(hop.url, unquote(place))
            todo = rest

    def of(self, link: str, owner: str = "") -> str | None:
        """The stand-in for a link; that of its owner, where it has several."""
        if link.startswith(LINKS):
            return link
        return self._of(_bare(link), owner)

    def known(self) -> Mapping[str, str]:
        """What may be quoted of links, and what is to stand there."""
        links = self._sent.keys() | self._places.keys()
        parts = dict.fromkeys((part for one in links for part in _parts(one)), PART)
        return parts | {one: self._of(one, "") or PART for one in links}

    def _of(self, bare: str, owner: str) -> str | None:
        places = self._places.get(bare) or self._sent.get(bare)
        if not places:
            return None
        own = f"{owner}/url"
        return linked(own if own in places else min(places))

    def _followed(self, hop: Hop) -> bool:
        standin = self.of(hop.url, hop.owner)
        if standin is None:
            return False
        target = hop.target
        if target is not None and self.of(target) is None:
            self.note(target, f"{unquote(standin.removeprefix(LINKS))}/location")
        return True


def guessed(url: str, owner: str) -> str:
    """The stand-in for the address of a file whose link nobody gave.

    That of its owner's `url`, or one made of the address without what signs it.
    """
    if url.startswith(LINKS):
        return url
    if owner:
        return linked(f"{owner}/url")
    plain = url.partition("?")[0]
    return linked(f"file/{hashlib.sha256(plain.encode()).hexdigest()[:12]}")


def joined(url: str, location: str) -> str:
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
            if is_signature(key) or (len(text) >= _LONG and _is_random(text)):
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
