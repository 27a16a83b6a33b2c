"""What it takes to see all texts of a recording: a visitor, and places for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from nectar_async.recording.redaction.kinds import Kind
from nectar_async.recording.redaction.sensitive_fields import Spot

__all__ = ["Keys", "Visitor", "Where", "place_of"]

Where = tuple[Any, Any]
"""Where something stands: where the thing around it does, and its key in that. The
outermost has None and the id of an object, or the name of an exchange."""


class Visitor(Protocol):
    """What is done with the texts."""

    def own(self, kind: Kind, text: str, where: Where, /) -> str:
        """What stands for a text that is of a kind by its place; never a blank one."""
        ...

    def free(self, text: str, where: Where, /) -> str:
        """What stands for any other text."""
        ...

    def part(self, text: str, /) -> str:
        """What stands for a part of a path, which is an id or a fixed word."""
        ...


def place_of(where: Where) -> str:
    """A place in words: `3b1e…/identifiers/0/value`."""
    words: list[str] = []
    inner: Any = where
    while inner is not None:
        inner, word = inner
        words.append(str(word))
    return "/".join(reversed(words))


Keys = Mapping[str, Spot]
"""The places of the keys of an object."""
