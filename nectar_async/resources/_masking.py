"""Credentials, masked before a frame holds them.

A traceback may show the locals of its frames, and those of a method are its arguments.
So a method that takes credentials is called with `Secret`s, whatever its caller gave.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from inspect import Parameter, signature
from typing import Any, ParamSpec, TypeVar, cast

from nectar_async._types import UNSET, Secret
from nectar_async.contract.sensitive import SENSITIVE
from nectar_async.contract.wire_names import to_wire
from nectar_async.models.connection import SecurityQuestion

__all__ = ["discreet"]

P = ParamSpec("P")
R = TypeVar("R")


def discreet(*names: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Mask these keywords of a method, and whatever it is given that it does not take.

    The method must be a coroutine: by the time that its body runs, and may fail, the
    frame that saw what was given is gone.
    """

    def decorate(method: Callable[P, R]) -> Callable[P, R]:
        parameters = signature(method).parameters.values()
        known = {one.name for one in parameters} - {*names}
        places = sum(one.kind is not Parameter.KEYWORD_ONLY for one in parameters)

        @wraps(method)
        def masked(*args: Any, **kwargs: Any) -> R:
            # Names that are misspelled, and values in no place, are refused with a
            # traceback that begins here.
            args = (*args[:places], *map(Secret, args[places:]))
            kwargs = {
                name: (_sensitive if name in known else _masked)(kwargs.pop(name))
                for name in [*kwargs]
            }
            return method(*args, **kwargs)

        return cast("Callable[P, R]", masked)

    return decorate


def _masked(value: Any) -> Any:
    """A `Secret`; of a mapping questions, and of a list its items, if they are none."""
    if value is None or value is UNSET or isinstance(value, Secret | SecurityQuestion):
        return value
    if isinstance(value, Mapping):
        return [SecurityQuestion(key=key, value=text) for key, text in value.items()]
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | bytearray):
        return [_masked(one) for one in value]
    return Secret(value)


def _sensitive(value: Any) -> Any:
    """A value with the texts masked that stand under the key of a secret in it."""
    if not isinstance(value, dict):
        return value
    return {
        key: _masked_below(one)
        if isinstance(key, str) and to_wire(key) in SENSITIVE
        else _sensitive(one)
        for key, one in value.items()
    }


def _masked_below(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _masked_below(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_masked_below(one) for one in value]
    return Secret(value) if isinstance(value, str) else value
