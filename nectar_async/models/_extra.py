"""The `extra` of models, which never prints its values."""

from __future__ import annotations

from typing import Any, NoReturn

from nectar_async._repr import format_keys

__all__ = ["NO_EXTRA", "Extra", "format_keys"]


class Extra(dict[str, Any]):
    """The `extra` of a record from a server; its `repr` shows the keys only."""

    __slots__ = ()

    def __repr__(self) -> str:
        return format_keys(self)


class _EmptyExtra(dict[str, Any]):
    """A read-only empty dict, which many records share.

    A copy or a pickle of it is an ordinary dict.
    """

    __slots__ = ()

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("extra is read-only; attrs.evolve makes a changed copy")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[()]]:
        return dict, ()


NO_EXTRA = _EmptyExtra()
"""The `extra` of records without unknown keys."""
