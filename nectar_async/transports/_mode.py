"""What a recorder is to do, and how the environment says so."""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from attrs import field, frozen

from nectar_async.errors import ConfigurationError

__all__ = ["FLAGS", "VARIABLE", "Mode", "Wish", "mode_of", "wished"]

VARIABLE: Final = "NECTAR_RECORD"
FLAGS: Final = ("touch", "keep-failures")
"""What may stand behind the mode in it."""


class Mode(StrEnum):
    """What a recorder does."""

    REPLAY = "replay"
    """Answer from the recording; no request leaves."""
    RECORD = "record"
    """Send everything, and write the recording anew."""
    NEW = "new"
    """Answer from the recording; send and add what is missing."""
    PASSTHROUGH = "passthrough"
    """Send everything, and record nothing."""


@frozen
class Wish:
    """What the environment, or whoever asks it, wants."""

    path: str | os.PathLike[str]
    mode: Mode
    flags: Mapping[str, Any] = field(factory=dict)
    """Arguments of a recorder."""


def wished(path: str | os.PathLike[str] | None) -> Wish:
    """What `NECTAR_RECORD` wants; a path that is given here wins.

    Raises:
        ConfigurationError: there is no such mode or flag, or no path.
    """
    said = os.environ.get(VARIABLE, "")
    words, _, folder = said.partition(":")
    mode, *flags = (word.strip() for word in words.split(","))
    chosen = path if path is not None else folder
    if not chosen and not said:
        return Wish("", Mode.PASSTHROUGH)
    if not chosen:
        raise ConfigurationError(
            f"no path of a recording: pass one, or set {VARIABLE}=record:PATH"
        )
    return Wish(chosen, mode_of(mode or Mode.REPLAY), _arguments(flags))


def mode_of(word: str) -> Mode:
    """A mode by its name.

    Raises:
        ConfigurationError: there is none.
    """
    try:
        return Mode(word)
    except ValueError:
        raise ConfigurationError(
            f"there is no mode {word!r}; there are {', '.join(Mode)}"
        ) from None


def _arguments(flags: list[str]) -> dict[str, Any]:
    for flag in flags:
        if flag not in FLAGS:
            raise ConfigurationError(
                f"{VARIABLE} has {flag!r} behind its mode; there are {', '.join(FLAGS)}"
            )
    return {flag.replace("-", "_"): True for flag in flags}
