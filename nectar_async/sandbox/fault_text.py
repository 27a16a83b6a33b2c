"""Faults as text, for the shell: `answer status=429 retry-after=1 page=2 times=1`.

How they are written is the same for what is laid over recordings; see `effect_text`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from nectar_async.recording.effect_text import Grammar
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
from nectar_async.sandbox.server.certificate import TLS_HELP
from nectar_async.sandbox.server_faults import (
    Crowd,
    Refuse,
    RotateKey,
    RunOutOfTime,
    Stall,
)

__all__ = ["EFFECTS", "fault_help", "read_fault"]

GRAMMAR: Final = Grammar(
    "fault",
    (
        *(Stall, Refuse, Crowd, RunOutOfTime, RotateKey),
        *(Answer, Html, Empty, SendAway, GzipBomb),
        *(SetValue, Nest, Garble, RepeatKeys),
        *(Change, Shuffle, RepeatPage, StandStill, ClampSilently),
        *(PromiseMore, Miscount),
        *(Disconnect, DropBody, Reset, StallBody, Drip, WrongLength, CutGzip),
        *(Endless, CloseIdle),
        *(IgnoreRange, Redirect, ExpireLink, ChangeFile, SetHeader),
    ),
    Fault,
)

EFFECTS: Mapping[str, type[Effect]] = GRAMMAR.effects
"""Every effect by its name in the shell."""


def read_fault(text: str) -> Fault:
    """The fault that a text describes.

    Raises:
        ConfigurationError: it describes none; says what there is.
    """
    return GRAMMAR.read(text)


def fault_help() -> str:
    """A line for each effect: its name, what it takes, and what it does."""
    return "\n".join([*GRAMMAR.help(), TLS_HELP])
