"""A local Nectar API over real HTTP, with a generated portfolio and faults on demand.

It is for tests, demonstrations and benchmarks. All data is invented, and the same for
the same seed. `python -m nectar_async.sandbox` runs one until it is interrupted.
"""

from __future__ import annotations

from nectar_async.faults import (
    Answer,
    ClampSilently,
    CutGzip,
    DeleteRow,
    Disconnect,
    Drip,
    DropBody,
    Effect,
    Empty,
    ExpireLink,
    Fault,
    Garble,
    GzipBomb,
    Html,
    InsertRow,
    Miscount,
    Nest,
    PromiseMore,
    Refuse,
    RepeatKeys,
    RepeatPage,
    RunOutOfTime,
    SendAway,
    SetHeader,
    SetValue,
    Shuffle,
    Stall,
    StallBody,
    StandStill,
)
from nectar_async.sandbox.generator.portfolio import Portfolio
from nectar_async.sandbox.generator.server_clock import ServerClock as Clock
from nectar_async.sandbox.process import Options, serve
from nectar_async.sandbox.sandbox import API_KEY, Sandbox
from nectar_async.sandbox.server.delivery import (
    CloseIdle,
    Endless,
    Reset,
    WrongLength,
)
from nectar_async.sandbox.server.faults import (
    Change,
    ChangeFile,
    Crowd,
    Faults,
    IgnoreRange,
    Redirect,
    RotateKey,
    fault_help,
    read_fault,
)
from nectar_async.sandbox.server.request_log import Entry, Witness, fingerprint
from nectar_async.sandbox.server.tls import read_certificate

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
    "DeleteRow",
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
    "InsertRow",
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
