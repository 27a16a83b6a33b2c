"""What is shown of the keys that this version does not know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["Extra", "names_of"]


class Extra(dict[str, Any]):
    """An `extra` that came from a server: printed, it shows its names alone.

    What is under one is there for who asks for it by its name.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return names_of(self)


def names_of(extra: Mapping[str, Any]) -> str:
    """The `repr` of an `extra`: its keys alone, for a value may be anybody's secret."""
    return f"{{{', '.join(f'{key!r}: ...' for key in extra)}}}"
