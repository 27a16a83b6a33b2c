"""A local Nectar over real HTTP: generated portfolios, every filter, faults on demand.

It is for tests, demonstrations and benchmarks. What it holds is invented, and the same
for the same seed. `python -m nectar_async.sandbox` runs one until it is interrupted.
"""

from __future__ import annotations

from nectar_async.sandbox.answer_faults import (
    Answer,
    Empty,
    GzipBomb,
    Html,
    SendAway,
)
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
from nectar_async.sandbox.fault_text import fault_help, read_fault
from nectar_async.sandbox.faults import Effect, Fault
from nectar_async.sandbox.file_faults import (
    ChangeFile,
    ExpireLink,
    IgnoreRange,
    Redirect,
    SetHeader,
)
from nectar_async.sandbox.generator.clock import Clock
from nectar_async.sandbox.generator.portfolio import Portfolio
from nectar_async.sandbox.in_force import Faults
from nectar_async.sandbox.page_faults import (
    Change,
    ClampSilently,
    Miscount,
    PromiseMore,
    RepeatPage,
    Shuffle,
    StandStill,
)
from nectar_async.sandbox.process import Options, serve
from nectar_async.sandbox.sandbox import API_KEY, Sandbox
from nectar_async.sandbox.server.certificate import read_certificate
from nectar_async.sandbox.server.request_log import Entry, Witness, fingerprint
from nectar_async.sandbox.server_faults import (
    Crowd,
    Refuse,
    RotateKey,
    RunOutOfTime,
    Stall,
)

__all__ = [
    "API_KEY",
    "Answer",
    "Change",
    "ChangeFile",
    "ClampSilently",
    "Clock",
    "CloseIdle",
    "Crowd",
    "CutGzip",
    "Disconnect",
    "Drip",
    "DropBody",
    "Effect",
    "Empty",
    "Endless",
    "Entry",
    "ExpireLink",
    "Fault",
    "Faults",
    "Garble",
    "GzipBomb",
    "Html",
    "IgnoreRange",
    "Miscount",
    "Nest",
    "Options",
    "Portfolio",
    "PromiseMore",
    "Redirect",
    "Refuse",
    "RepeatKeys",
    "RepeatPage",
    "Reset",
    "RotateKey",
    "RunOutOfTime",
    "Sandbox",
    "SendAway",
    "SetHeader",
    "SetValue",
    "Shuffle",
    "Stall",
    "StallBody",
    "StandStill",
    "Witness",
    "WrongLength",
    "fault_help",
    "fingerprint",
    "read_certificate",
    "read_fault",
    "serve",
]
