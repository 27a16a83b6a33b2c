"""Errors that answer a wrong name with the right line of code.

A class lists likely wrong guesses in one table, `_HINTS`. Type checkers know nothing of
it, so they still report each wrong name.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Self

__all__ = ["Hinted", "HintedKeywords", "WrongOperatorError", "find_similar"]


def find_similar(name: str, names: Iterable[str]) -> str:
    """Return a question that names the most similar name; empty if none is similar."""
    # Imported late, because only wrong names need it.
    get_close_matches = import_module("difflib").get_close_matches
    matches = get_close_matches(name, names, n=1)
    return f"did you mean {matches[0]!r}?" if matches else ""


class WrongOperatorError(AttributeError, TypeError):
    """An operator that a class does not have, such as `len`.

    It is an `AttributeError` too, because `hasattr(x, "__len__")` has to be False.
    """


class Hinted:
    """The base of a class that answers wrong attributes and operators with a hint.

    The errors are an `AttributeError` and a `TypeError` as usual, so `hasattr`, `copy`,
    `pickle` and the completion of names work as usual.
    """

    __slots__ = ()

    _HINTS: ClassVar[Mapping[str, str]] = {}
    """What to write instead, for each wrong attribute and for the method of each wrong
    operator, such as `__len__`."""

    def __init_subclass__(cls) -> None:
        """Let each operator of the table raise its hint."""
        super().__init_subclass__()
        methods: dict[str, object] = {
            name: _WrongOperator(hint)
            for name, hint in vars(cls).get("_HINTS", {}).items()
            if name.startswith("__")
        }
        if "__len__" in methods:
            # Without it, `if pager:` would ask for the length.
            methods["__bool__"] = lambda _: True
        for name, method in methods.items():
            setattr(cls, name, method)

    def __dir__(self) -> Iterable[str]:
        """List the names that can be read."""
        return [name for name in super().__dir__() if not _is_wrong(type(self), name)]

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            hint = self._HINTS.get(name)
            if hint is None or name.startswith("__"):
                return object.__getattribute__(self, name)  # raises Python's own error
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute {name!r}; {hint}",
                name=name,
                obj=self,
            )


class _WrongOperator:
    """The method of an operator that a class does not have.

    To read it from an object is an error, and so is the operator.
    """

    def __init__(self, hint: str) -> None:
        self._hint = hint

    def __get__(self, instance: object, owner: type) -> Self:
        if instance is None:
            return self
        raise WrongOperatorError(self._hint)


def _is_wrong(owner: type, name: str) -> bool:
    return isinstance(getattr(owner, name, None), _WrongOperator)


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
