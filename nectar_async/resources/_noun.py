"""A noun of a client, loaded when it is first asked for.

All of them with their models take longer than the rest of a client, and a program uses
two or three.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

__all__ = ["noun"]

_HERE: Final = __name__.rpartition(".")[0]

# Where a client has what its nouns ask through.
_CORE: Final = "_core"


class _Noun:
    """The attribute of a client, in its class; it lives in the module of its name."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, client: Any, owner: type) -> Any:
        if client is None:
            return self
        kind = getattr(import_module(f"{_HERE}.{self._name}"), self._kind)
        made = kind(getattr(client, _CORE))
        # Of two threads one gives both what it made; then nobody comes by here again.
        return vars(client).setdefault(self._name, made)

    def __repr__(self) -> str:
        return f"<{_HERE}.{self._name}.{self._kind}>"


def noun(kind: str) -> Any:
    """A noun of that class; its type is in the annotation, as with `attrs.field`."""
    return _Noun(kind)
