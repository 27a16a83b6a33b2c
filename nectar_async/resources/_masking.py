"""Mask the credentials among a method's arguments before the method is called.

A traceback may show the local variables of its frames, and so the arguments of a
method. A decorated method therefore receives `Secret`s, also for plain text.
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

__all__ = ["mask_arguments"]

P = ParamSpec("P")
R = TypeVar("R")


def mask_arguments(*names: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Build a decorator that masks these keywords, and unexpected arguments as well.

    The method must be a coroutine function: its body runs, and may fail, after the
    frame that saw the plain values has returned.
    """

    def decorate(method: Callable[P, R]) -> Callable[P, R]:
        parameters = signature(method).parameters.values()
        plain_names = {parameter.name for parameter in parameters} - {*names}
        positions = sum(
            parameter.kind is not Parameter.KEYWORD_ONLY for parameter in parameters
        )

        @wraps(method)
        def call_masked(*args: Any, **kwargs: Any) -> R:
            # A misspelled keyword or an extra positional value may be a credential, and
            # the TypeError about it has a traceback that begins in this frame.
            args = (*args[:positions], *map(Secret, args[positions:]))
            kwargs = {
                name: (_mask_sensitive_keys if name in plain_names else _mask)(
                    kwargs.pop(name)
                )
                for name in [*kwargs]
            }
            return method(*args, **kwargs)

        return cast("Callable[P, R]", call_masked)

    return decorate


def _mask(value: Any) -> Any:
    """Mask a value; a mapping or a list becomes a list of masked questions or items."""
    if value is None or value is UNSET or isinstance(value, Secret | SecurityQuestion):
        return value
    if isinstance(value, Mapping):
        return [SecurityQuestion(key=key, value=text) for key, text in value.items()]
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | bytearray):
        return [_mask(item) for item in value]
    return Secret(value)


def _mask_sensitive_keys(value: Any) -> Any:
    """Mask the texts in a dict that are under a sensitive key; return other values."""
    if not isinstance(value, dict):
        return value
    return {
        key: _mask_texts(item)
        if isinstance(key, str) and to_wire(key) in SENSITIVE
        else _mask_sensitive_keys(item)
        for key, item in value.items()
    }


def _mask_texts(value: Any) -> Any:
    """Mask every text in a JSON value."""
    if isinstance(value, Mapping):
        return {key: _mask_texts(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_mask_texts(item) for item in value]
    return Secret(value) if isinstance(value, str) else value
