"""What is shown of the keys that this version does not know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

__all__ = ["NO_EXTRA", "Extra", "names_of"]


class Extra(dict[str, Any]):
    """An `extra` that came from a server: printed, it shows its names alone.

    What is under one is there for who asks for it by its name.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return names_of(self)


class _Nothing(dict[str, Any]):
    """An empty dict that stays empty, as many values have it in common.

    A copy or a pickle of it is an ordinary dict.
    """

    __slots__ = ()

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("extra is read-only; attrs.evolve makes a changed copy")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[()]]:
        return dict, ()


NO_EXTRA = _Nothing()
"""The `extra` of what came without any."""


def names_of(extra: Mapping[str, Any]) -> str:
    """The `repr` of an `extra`: its keys alone, for a value may be anybody's secret."""
    return f"{{{', '.join(f'{key!r}: ...' for key in extra)}}}"
