"""Errors that answer a wrong name with the right line of code.

A class lists likely wrong guesses in one table, `_HINTS`. Type checkers know nothing of
it, so they still report each wrong name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

__all__ = ["Hinted", "HintedKeywords", "find_similar"]


def find_similar(name: str, names: Iterable[str]) -> str:
    """Return a question that names the most similar name; empty if none is similar."""
    # Imported late, because only wrong names need it.
    get_close_matches = import_module("difflib").get_close_matches
    matches = get_close_matches(name, names, n=1)
    return f"did you mean {matches[0]!r}?" if matches else ""


class Hinted:
    """The base of a class that answers wrong attributes and operators with a hint.

    They stay an `AttributeError` and a `TypeError`, so `hasattr`, `copy`, `pickle` and
    the completion of names work as usual.
    """

    __slots__ = ()

    _HINTS: ClassVar[Mapping[str, str]] = {}
    """What to write instead, for each wrong attribute or the method of an operator,
    such as `__len__`."""

    def __init_subclass__(cls) -> None:
        """Add a method for each operator of the table; it raises the hint."""
        super().__init_subclass__()
        hints = vars(cls).get("_HINTS", {})
        for name in hints:
            if name.startswith("__"):
                setattr(cls, name, _build_refusal(hints[name]))
        if "__len__" in hints:
            # Without it, `if pager:` would ask for the length.
            cls.__bool__ = lambda _: True  # type: ignore[attr-defined]

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            hint = self._HINTS.get(name)
            if hint is None:
                return object.__getattribute__(self, name)  # raises Python's own error
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute {name!r}; {hint}",
                name=name,
                obj=self,
            )


def _build_refusal(hint: str) -> Callable[..., NoReturn]:
    def refuse(*_: object) -> NoReturn:
        raise TypeError(hint)

    return refuse


class _InitSignature:
    """The `__signature__` of a class: that of its `__init__`, which `__new__` hides."""

    def __get__(self, instance: object, owner: Any) -> inspect.Signature:
        signature = inspect.signature(owner.__init__)
        _self, *parameters = signature.parameters.values()
        return signature.replace(parameters=parameters)


class HintedKeywords(Hinted):
    """The base of a class that answers wrong keyword arguments, too, with a hint."""

    __slots__ = ()

    if not TYPE_CHECKING:
        __signature__ = _InitSignature()

        def __new__(cls, *arguments: Any, **keywords: Any) -> Any:
            names = _list_parameters(cls.__init__)
            wrong = [name for name in keywords if names and name not in names]
            # One of them may be a key, and a traceback may show the locals of a frame.
            del arguments, keywords
            if wrong:
                hint = cls._HINTS.get(wrong[0]) or find_similar(wrong[0], names)
                raise TypeError(
                    f"{cls.__name__} has no argument {wrong[0]!r}"
                    f"{'; ' if hint else ''}{hint}"
                )
            return super().__new__(cls)


def _list_parameters(function: Any) -> tuple[str, ...]:
    """List the names of a function's parameters; none if it takes any keyword."""
    code = getattr(function, "__code__", None)
    if code is None or code.co_flags & inspect.CO_VARKEYWORDS:
        return ()
    count = code.co_argcount + code.co_kwonlyargcount
    return tuple(code.co_varnames[1:count])
