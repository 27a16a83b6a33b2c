"""Trouble as text, for the shell and for markers: `answer status=429 page=2 times=1`.

First the effect's name, then what it takes and which requests meet it, each as
key=value; quotes keep a value together. All of it follows from the fields of the
effects.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar

import attrs
import msgspec

from nectar_async.contract.operation_ids import DOWNLOAD, OPERATIONS, meant
from nectar_async.errors import ConfigurationError

__all__ = ["Grammar", "check_operation"]

T = TypeVar("T")

_Fields = Mapping[str, "attrs.Attribute[Any]"]

_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")

# The one operation that is none of the contract's: files lie at other hosts.


def check_operation(name: str) -> None:
    """Hold that there is such an operation.

    Raises:
        ConfigurationError: there is none; says which was meant, or which there are.
    """
    if name in OPERATIONS or name == DOWNLOAD:
        return
    close = meant(name)
    every = ", ".join((*OPERATIONS, DOWNLOAD))
    hint = f"did you mean {close!r}?" if close else f"there are {every}"
    raise ConfigurationError(f"there is no operation {name!r}; {hint}")


class Grammar(Generic[T]):
    """How effects of one family are written.

    Args:
        noun: what a text is, for errors: `fault`.
        kinds: the effects.
        order: what a text makes: a class of attrs whose field `effect` is the effect,
            and whose other fields are the conditions.
    """

    def __init__(
        self, noun: str, kinds: Iterable[type[Any]], order: Callable[..., T]
    ) -> None:
        self._noun = noun
        self._order = order
        self.effects: Mapping[str, type[Any]] = {
            _CAPITAL.sub("-", kind.__name__).lower(): kind for kind in kinds
        }
        """Every effect by its name in a text."""
        self._conditions: _Fields = {
            key: one for key, one in _fields(order).items() if key != "effect"
        }

    def read(self, text: str) -> T:
        """What a text describes.

        Raises:
            ConfigurationError: it describes nothing; says what there is.
        """
        try:
            name, *pairs = shlex.split(text) or [""]
        except ValueError as error:
            raise ConfigurationError(f"{self._noun} {text!r}: {error}") from None
        kind = self.effects.get(name)
        if kind is None:
            raise ConfigurationError(
                f"there is no effect {name!r}; there are {', '.join(self.effects)}"
            )
        fields = _fields(kind)
        given = self._given(name, pairs, fields)
        missing = [key for key, one in fields.items() if one.name not in given]
        missing = [key for key in missing if fields[key].default is attrs.NOTHING]
        if missing:
            raise ConfigurationError(f"{name} needs {missing[0]}=")
        own = {
            one.name: given.pop(one.name)
            for one in fields.values()
            if one.name in given
        }
        return self._order(kind(**own), **given)

    def help(self) -> Iterator[str]:
        """Lines: each effect with what it takes and does, and then the conditions."""
        yield "effects:"
        for name, kind in self.effects.items():
            takes = "".join(_shown(key, one) for key, one in _fields(kind).items())
            yield f"  {name}{takes}"
            yield f"      {(kind.__doc__ or '').partition(chr(10))[0]}"
        conditions = ", ".join(f"{key}=" for key in self._conditions)
        yield f"each takes as well: {conditions}"

    def _given(
        self, name: str, pairs: Iterable[str], fields: _Fields
    ) -> dict[str, Any]:
        known = {**fields, **self._conditions}
        given: dict[str, Any] = {}
        for pair in pairs:
            key, is_pair, value = pair.partition("=")
            attribute = known.get(key)
            if attribute is None or not is_pair:
                takes = ", ".join(f"{one}=" for one in known)
                raise ConfigurationError(f"{name} has no {pair!r}; it takes {takes}")
            given[attribute.name] = _value(key, value, attribute)
        return given


def _shown(key: str, attribute: attrs.Attribute[Any]) -> str:
    if attribute.default is attrs.NOTHING:
        return f" {key}="
    default = attribute.default
    is_plain = isinstance(default, str | int | float)
    return f" [{key}={default if is_plain else ''}]"


def _fields(kind: Any) -> _Fields:
    return {one.name.replace("_", "-"): one for one in attrs.fields(kind)}


def _value(key: str, text: str, attribute: attrs.Attribute[Any]) -> Any:
    # Annotations are text here, so a table of texts tells what they mean.
    kind = str(attribute.type).removesuffix(" | None")
    read, what = _READERS[kind]
    try:
        value = read(text)
    except (ValueError, msgspec.DecodeError):
        raise ConfigurationError(f"{key} is {what}, not {text!r}") from None
    if key == "operation":
        check_operation(text)
    return value


def _number(text: str) -> float:
    value = float(text)
    if not value >= 0:
        raise ValueError(text)
    return value


def _place(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


def _texts(text: str) -> Mapping[str, str]:
    return msgspec.json.decode(text, type=dict[str, str])


def _object(text: str) -> Mapping[str, Any]:
    return msgspec.json.decode(text, type=dict[str, Any])


_READERS: Mapping[str, tuple[Callable[[str], Any], str]] = {
    "int": (int, "a whole number"),
    "int | str": (_place, "a whole number, or text"),
    "float": (_number, "a number from 0"),
    "str": (str, "text"),
    "float | str | datetime": (str, "text"),
    "bytes": (str.encode, "text"),
    "Mapping[str, str]": (_texts, 'an object of texts, as {"Retry-After": "1"}'),
    "Mapping[str, Any]": (_object, 'an object, as {"id": "a1"}'),
}
