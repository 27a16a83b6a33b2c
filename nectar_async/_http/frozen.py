"""`attrs.frozen` for classes of which a program uses few: made whole on first use.

attrs writes the source of a class's methods and compiles it: two milliseconds for the
largest model, and there are thirty. So a class is born here with its slots alone, and
with a stand-in for each thing that attrs adds. The first one that is asked for has
attrs make all of them. What the class is then, `attrs.frozen` has made of it; a type
checker sees nothing else. (No method of such a class says `super()`: there it would be
another class.)
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from threading import RLock
from typing import TYPE_CHECKING, Any, Final, TypeVar

import attrs

__all__ = ["changed", "finish_classes", "frozen"]

# What attrs adds to a frozen class, in its oldest version and in its newest.
_ADDED: Final = (
    "__attrs_attrs__",
    "__attrs_props__",
    "__delattr__",
    "__eq__",
    "__getstate__",
    "__hash__",
    "__init__",
    "__match_args__",
    "__ne__",
    "__replace__",
    "__repr__",
    "__setattr__",
    "__setstate__",
)

# One for all classes: to make one is to make its bases.
_MAKING: Final = RLock()

T = TypeVar("T")

_unfinished: dict[type, Callable[[], type]] = {}
"""The classes that are not whole yet, and what makes each of them as attrs does."""


class _StandIn:
    """Stands in a class for one thing that it will have."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __set_name__(self, owner: type, name: str) -> None:
        self._owner = owner

    def __get__(self, instance: object, kind: type) -> Any:
        _make_whole(self._owner)  # which is rid of this stand-in then
        return getattr(kind if instance is None else instance, self._name)


def finish_classes() -> None:
    """Make whole what was loaded so far: for who has time now, and will not later."""
    for kind in tuple(_unfinished):
        _make_whole(kind)


def changed(value: T, **fields: Any) -> T:
    """A copy with other values in some fields, which are put there as they are.

    `attrs.evolve` calls `__init__`, with its converters and validators. Some values are
    copied five times for each request, and that was a quarter of what a request cost.

    Raises:
        TypeError: there is no such field.
    """
    kind: Any = type(value)
    copy: T = object.__new__(kind)
    for name, read, write in _slots_of(kind):
        write(copy, fields.pop(name) if name in fields else read(value))
    if fields:
        raise TypeError(f"{kind.__name__} has no field {', '.join(fields)}")
    return copy


@cache
def _slots_of(kind: Any) -> list[tuple[str, Callable[..., Any], Callable[..., Any]]]:
    """The name of each field, and what reads and writes its slot."""
    names = [field.name for field in attrs.fields(kind)]
    slots = [getattr(kind, name) for name in names]
    return [
        (name, slot.__get__, slot.__set__)
        for name, slot in zip(names, slots, strict=True)
    ]


def _make_whole(kind: type) -> None:
    """Put what attrs makes in the place of the stand-ins, unless that is done."""
    with _MAKING:
        if kind not in _unfinished:
            return
        made = vars(_unfinished[kind]())
        own = {k for k, one in vars(kind).items() if not isinstance(one, _StandIn)}
        for name in made.keys() - own:
            setattr(kind, name, made[name])
        for name in vars(kind).keys() - own - made.keys():
            delattr(kind, name)
        del _unfinished[kind]


def _lazily_frozen(plain: type | None = None, /, **options: Any) -> Any:
    """A class decorator; it takes the options of `attrs.frozen`."""

    def decorate(plain: type) -> type:
        kind = _slotted(plain, has_weakref=options.get("weakref_slot", True))
        _unfinished[kind] = lambda: attrs.frozen(**options)(plain)
        return kind

    return decorate if plain is None else decorate(plain)


def _slotted(plain: type, *, has_weakref: bool) -> type:
    """A class as it was written, with slots for its fields and with stand-ins."""
    fields = plain.__annotations__
    inherited = {
        slot for base in plain.__mro__[1:] for slot in vars(base).get("__slots__", ())
    }
    slots = [name for name in fields if name not in inherited]
    if has_weakref and "__weakref__" not in inherited:
        slots.append("__weakref__")
    lost = {*fields, "__dict__", "__weakref__"}
    body = {name: one for name, one in vars(plain).items() if name not in lost}
    added = {name: _StandIn(name) for name in _ADDED if name not in body}
    body |= added | {"__slots__": tuple(slots), "__qualname__": plain.__qualname__}
    return type(plain)(plain.__name__, plain.__bases__, body)


if TYPE_CHECKING:
    from attrs import frozen
else:
    frozen = _lazily_frozen
