"""Faults as text, for the shell and for markers: `answer status=429 page=2 times=1`.

A text is the name of an effect, then the effect's fields and the fault's conditions as
`key=value`. Put a value with spaces in quotes.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import attrs
import msgspec

from nectar_async.errors import ConfigurationError
from nectar_async.faults.answers import (
    Answer,
    Empty,
    ExpireLink,
    GzipBomb,
    Html,
    SendAway,
)
from nectar_async.faults.bodies import Garble, Nest, RepeatKeys, SetHeader, SetValue
from nectar_async.faults.delivery import (
    CutGzip,
    Disconnect,
    Drip,
    DropBody,
    Refuse,
    Stall,
    StallBody,
)
from nectar_async.faults.fault import Effect, Fault, check_operation, is_effect
from nectar_async.faults.lists import (
    ClampSilently,
    DeleteRow,
    InsertRow,
    Miscount,
    PromiseMore,
    RepeatPage,
    RunOutOfTime,
    Shuffle,
    StandStill,
)

__all__ = ["VOCABULARY", "FaultLike", "Vocabulary"]

FaultLike: TypeAlias = Fault | Effect | str
"""A fault; an effect, for every request; or the text of a fault: `html status=502`."""

_Fields = Mapping[str, "attrs.Attribute[Any]"]

_CAPITAL: Final = re.compile(r"(?<!^)(?=[A-Z])")
_EXAMPLES: Final = (
    "Fault(Html(status=502), times=1), Html(status=502) or 'html status=502'"
)


def _read_seconds(text: str) -> float:
    value = float(text)
    if not value >= 0:
        raise ValueError(text)
    return value


def _read_row(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


def _read_texts(text: str) -> Mapping[str, str]:
    return msgspec.json.decode(text, type=dict[str, str])


def _read_object(text: str) -> Mapping[str, Any]:
    return msgspec.json.decode(text, type=dict[str, Any])


# Maps the annotation of a field, which is a string in these modules.
_READERS: Final[Mapping[str, tuple[Callable[[str], Any], str]]] = {
    "int": (int, "a whole number"),
    "int | str": (_read_row, "a whole number, or text"),
    "float": (_read_seconds, "a number from 0"),
    "str": (str, "text"),
    "float | str | datetime": (str, "text"),
    "bytes": (str.encode, "text"),
    "Mapping[str, str]": (
        _read_texts,
        'a JSON object of strings, such as {"Retry-After": "1"}',
    ),
    "Mapping[str, Any]": (_read_object, 'a JSON object, such as {"id": "a1"}'),
}


class Vocabulary:
    """The effects that can be written as text.

    Args:
        effects: attrs classes, each with a method `apply`.
    """

    def __init__(self, effects: Iterable[type[Any]]) -> None:
        self.effects: Mapping[str, type[Any]] = {
            _CAPITAL.sub("-", kind.__name__).lower(): kind for kind in effects
        }
        """The effects by their names in a text."""
        fields = _list_fields(Fault)
        self._conditions = {key: fields[key] for key in fields if key != "effect"}

    def extend(self, effects: Iterable[type[Any]]) -> Vocabulary:
        """Build a vocabulary with more effects."""
        return Vocabulary((*self.effects.values(), *effects))

    def to_fault(self, value: object) -> Fault:
        """Convert a fault, an effect or a text to a fault.

        Raises:
            ConfigurationError: the value is none of these; the message shows examples.
        """
        if isinstance(value, Fault):
            return value
        if isinstance(value, str):
            return self.parse(value)
        if is_effect(value):
            return Fault(value)
        raise ConfigurationError(f"a fault is written as {_EXAMPLES}, not {value!r}")

    def parse(self, text: str) -> Fault:
        """Parse the text of a fault.

        Raises:
            ConfigurationError: an effect, a key or a value is invalid; the message
                says what is allowed.
        """
        try:
            name, *pairs = shlex.split(text) or [""]
        except ValueError as error:
            raise ConfigurationError(f"fault {text!r}: {error}") from None
        kind = self.effects.get(name)
        if kind is None:
            raise ConfigurationError(
                f"there is no effect {name!r}; there are {', '.join(self.effects)}"
            )
        fields = _list_fields(kind)
        values = _read_pairs(name, pairs, {**fields, **self._conditions})
        for key, attribute in fields.items():
            if attribute.default is attrs.NOTHING and attribute.name not in values:
                raise ConfigurationError(f"{name} needs {key}=")
        effect_values = {
            attribute.name: values.pop(attribute.name)
            for attribute in fields.values()
            if attribute.name in values
        }
        return Fault(kind(**effect_values), **values)

    def help(self) -> Sequence[str]:
        """List all effects with their fields, and then the conditions, as lines."""
        lines = ["effects:"]
        for name, kind in self.effects.items():
            fields = _list_fields(kind).items()
            lines.append(f"  {name}{''.join(_format_field(*pair) for pair in fields)}")
            lines.append(f"      {(kind.__doc__ or '').partition(chr(10))[0]}")
        conditions = ", ".join(f"{key}=" for key in self._conditions)
        return [*lines, f"all effects also take: {conditions}"]


def _list_fields(kind: type[Any]) -> _Fields:
    """List the fields of a class by their keys in a text."""
    return {field.name.replace("_", "-"): field for field in attrs.fields(kind)}


def _format_field(key: str, attribute: attrs.Attribute[Any]) -> str:
    default = attribute.default
    if default is attrs.NOTHING:
        return f" {key}="
    is_plain = isinstance(default, str | int | float)
    return f" [{key}={default if is_plain else ''}]"


def _read_pairs(name: str, pairs: Iterable[str], fields: _Fields) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for pair in pairs:
        key, is_pair, text = pair.partition("=")
        attribute = fields.get(key)
        if attribute is None or not is_pair:
            keys = ", ".join(f"{key}=" for key in fields)
            raise ConfigurationError(
                f"{name} does not accept {pair!r}; write one of {keys}"
            )
        values[attribute.name] = _read_value(key, text, attribute)
    return values


def _read_value(key: str, text: str, attribute: attrs.Attribute[Any]) -> Any:
    read, kind = _READERS[str(attribute.type).removesuffix(" | None")]
    try:
        value = read(text)
    except (ValueError, msgspec.DecodeError):
        raise ConfigurationError(f"{key} must be {kind}, not {text!r}") from None
    if key == "operation":
        check_operation(text)
    return value


VOCABULARY: Final = Vocabulary(
    (
        *(Stall, Refuse, RunOutOfTime),
        *(Answer, Html, Empty, SendAway, GzipBomb, ExpireLink),
        *(SetValue, Nest, Garble, RepeatKeys, SetHeader),
        *(InsertRow, DeleteRow, Shuffle, RepeatPage, StandStill, ClampSilently),
        *(PromiseMore, Miscount),
        *(Disconnect, DropBody, StallBody, Drip, CutGzip),
    )
)
"""The effects that work both on a recording and in a sandbox."""
