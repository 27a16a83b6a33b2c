"""The modes of a recorder, and reading one from the variable `NECTAR_RECORD`.

This is a separate module, because the pytest plugin needs it before any recording is
loaded.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

from attrs import field, frozen

from nectar_async.errors import ConfigurationError

__all__ = ["FLAGS", "VARIABLE", "EnvironmentMode", "Mode", "parse_mode", "read_mode"]

VARIABLE: Final = "NECTAR_RECORD"
FLAGS: Final = ("touch", "keep-failures")
"""The flags that may follow the mode in the variable."""


class Mode(StrEnum):
    """The modes of a recorder: how it handles a request."""

    REPLAY = "replay"
    """Answer from the recording; send nothing."""
    RECORD = "record"
    """Send every request, and write the recording anew."""
    NEW = "new"
    """Answer from the recording; send and add the requests that are missing in it."""
    PASSTHROUGH = "passthrough"
    """Send every request, and record nothing."""


@frozen
class EnvironmentMode:
    """The path, mode and flags that the environment sets for a recorder."""

    path: str | os.PathLike[str]
    mode: Mode
    flags: dict[str, Any] = field(factory=dict)
    """The flags as keyword arguments of `Recorder`, such as `{"touch": True}`."""


def read_mode(path: str | os.PathLike[str] | None) -> EnvironmentMode:
    """Read mode, flags and path from `NECTAR_RECORD`; `path` overrides its path.

    If there is neither a path nor the variable, the mode is "passthrough".

    Raises:
        ConfigurationError: there is no such mode or flag, or no path.
    """
    setting = os.environ.get(VARIABLE, "")
    words, _, folder = setting.partition(":")
    chosen_path = path if path is not None else folder
    if not chosen_path and not setting:
        return EnvironmentMode("", Mode.PASSTHROUGH)
    if not chosen_path:
        raise ConfigurationError(
            f"no path of a recording: pass one, or set {VARIABLE}=record:PATH"
        )
    mode, *flags = (word.strip() for word in words.split(","))
    return EnvironmentMode(
        chosen_path, parse_mode(mode or Mode.REPLAY), _parse_flags(flags)
    )


def parse_mode(word: str) -> Mode:
    """Parse the name of a mode.

    Raises:
        ConfigurationError: there is no such mode.
    """
    try:
        return Mode(word)
    except ValueError:
        raise ConfigurationError(
            f"unknown mode {word!r}; choose one of {', '.join(Mode)}"
        ) from None


def _parse_flags(flags: Sequence[str]) -> dict[str, Any]:
    """Convert the flags after a mode to keyword arguments of a recorder.

    Raises:
        ConfigurationError: there is no such flag.
    """
    for flag in flags:
        if flag not in FLAGS:
            raise ConfigurationError(
                f"{VARIABLE} has the unknown flag {flag!r};"
                f" choose from {', '.join(FLAGS)}"
            )
    return {flag.replace("-", "_"): True for flag in flags}
