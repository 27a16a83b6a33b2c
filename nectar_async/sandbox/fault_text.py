"""Faults as text, for the shell: `answer status=429 retry-after=1 page=2 times=1`.

First the effect's name, then what it takes and which calls meet it, each as key=value;
quotes keep a value together. All of it follows from the fields of the effects.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import attrs
import msgspec

from nectar_async import _operations
from nectar_async.errors import ConfigurationError
from nectar_async.sandbox import files
from nectar_async.sandbox.answer_faults import Answer, Empty, GzipBomb, Html, SendAway
from nectar_async.sandbox.body_faults import Garble, Nest, RepeatKeys, SetValue
from nectar_async.sandbox.delivery_faults import (
    CloseIdle,
    CutGzip,
    Disconnect,
    Drip,
    DropBody,
    Endless,
    Reset,
    StallBody,
    WrongLength,
)
from nectar_async.sandbox.faults import Effect, Fault
from nectar_async.sandbox.file_faults import (
    ChangeFile,
    ExpireLink,
    IgnoreRange,
    Redirect,
    SetHeader,
)
from nectar_async.sandbox.page_faults import (
    Change,
    ClampSilently,
    Miscount,
    PromiseMore,
    RepeatPage,
    Shuffle,
    StandStill,
)
from nectar_async.sandbox.server_faults import (
    Crowd,
    Refuse,
    RotateKey,
    RunOutOfTime,
    Stall,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["EFFECTS", "fault_help", "read_fault"]

_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


def _kebab(name: str) -> str:
    return _CAPITAL.sub("-", name).lower()


EFFECTS: Mapping[str, type[Effect]] = {
    _kebab(kind.__name__): kind
    for kind in (
        *(Stall, Refuse, Crowd, RunOutOfTime, RotateKey),
        *(Answer, Html, Empty, SendAway, GzipBomb),
        *(SetValue, Nest, Garble, RepeatKeys),
        *(Change, Shuffle, RepeatPage, StandStill, ClampSilently),
        *(PromiseMore, Miscount),
        *(Disconnect, DropBody, Reset, StallBody, Drip, WrongLength, CutGzip),
        *(Endless, CloseIdle),
        *(IgnoreRange, Redirect, ExpireLink, ChangeFile, SetHeader),
    )
}
"""Every effect by its name in the shell."""


def read_fault(text: str) -> Fault:
    """The fault that a text describes.

    Raises:
        ConfigurationError: it describes none; says what there is.
    """
    try:
        name, *pairs = shlex.split(text) or [""]
    except ValueError as error:
        raise ConfigurationError(f"fault {text!r}: {error}") from None
    kind = EFFECTS.get(name)
    if kind is None:
        raise ConfigurationError(
            f"there is no effect {name!r}; there are {', '.join(EFFECTS)}"
        )
    fields, conditions = _fields(kind), _conditions()
    given: dict[str, Any] = {}
    for pair in pairs:
        key, is_pair, value = pair.partition("=")
        attribute = {**fields, **conditions}.get(key)
        if attribute is None or not is_pair:
            takes = ", ".join(f"{one}=" for one in (*fields, *conditions))
            raise ConfigurationError(f"{name} has no {pair!r}; it takes {takes}")
        given[attribute.name] = _value(key, value, attribute)
    missing = [key for key, one in fields.items() if one.name not in given]
    missing = [key for key in missing if fields[key].default is attrs.NOTHING]
    if missing:
        raise ConfigurationError(f"{name} needs {missing[0]}=")
    own = {
        one.name: given.pop(one.name) for one in fields.values() if one.name in given
    }
    return Fault(kind(**own), **given)


def fault_help() -> str:
    """A line for each effect: its name, what it takes, and what it does."""
    lines = ["effects:"]
    for name, kind in EFFECTS.items():
        takes = "".join(_shown(key, one) for key, one in _fields(kind).items())
        lines += [f"  {name}{takes}", f"      {_first_line(kind)}"]
    conditions = ", ".join(f"{key}=" for key in _conditions())
    return "\n".join([*lines, f"each takes as well: {conditions}"])


def _shown(key: str, attribute: attrs.Attribute[Any]) -> str:
    if attribute.default is attrs.NOTHING:
        return f" {key}="
    default = attribute.default
    is_plain = isinstance(default, str | int | float)
    return f" [{key}={default if is_plain else ''}]"


def _first_line(kind: type[Effect]) -> str:
    return (kind.__doc__ or "").partition("\n")[0]


_Fields = Mapping[str, "attrs.Attribute[Any]"]


def _fields(kind: type[Any]) -> _Fields:
    return {one.name.replace("_", "-"): one for one in attrs.fields(kind)}


def _conditions() -> _Fields:
    return {key: one for key, one in _fields(Fault).items() if key != "effect"}


def _value(key: str, text: str, attribute: attrs.Attribute[Any]) -> Any:
    # Annotations are text here, so a table of texts tells what they mean.
    kind = str(attribute.type).removesuffix(" | None")
    read, what = _READERS[kind]
    try:
        value = read(text)
    except (ValueError, msgspec.DecodeError):
        raise ConfigurationError(f"{key} is {what}, not {text!r}") from None
    if key == "operation":
        _check_operation(text)
    return value


def _check_operation(name: str) -> None:
    if name in _operations.OPERATIONS or name == files.OPERATION:
        return
    close = _operations.meant(name)
    hint = f"did you mean {close!r}?" if close else f"there are {_every_operation()}"
    raise ConfigurationError(f"there is no operation {name!r}; {hint}")


def _every_operation() -> str:
    names: Sequence[str] = (*_operations.OPERATIONS, files.OPERATION)
    return ", ".join(names)


def _number(text: str) -> float:
    value = float(text)
    if not value >= 0:
        raise ValueError(text)
    return value


def _texts(text: str) -> Mapping[str, str]:
    return msgspec.json.decode(text, type=dict[str, str])


_READERS: Mapping[str, tuple[Callable[[str], Any], str]] = {
    "int": (int, "a whole number"),
    "float": (_number, "a number from 0"),
    "str": (str, "text"),
    "bytes": (str.encode, "text"),
    "Mapping[str, str]": (_texts, 'an object of texts, as {"Retry-After": "1"}'),
}
