"""A local Nectar over real HTTP: generated portfolios, every filter, faults on demand.

It is for tests, demonstrations and benchmarks. What it holds is invented, and the same
for the same seed. `python -m nectar_async.sandbox` runs one until it is interrupted.
"""

from __future__ import annotations

from nectar_async.sandbox.clock import Clock
from nectar_async.sandbox.faults import (
    Answer,
    Change,
    ClampSilently,
    Disconnect,
    DropBody,
    Effect,
    Fault,
    Faults,
    RepeatPage,
    Stall,
)
from nectar_async.sandbox.file_faults import (
    ChangeFile,
    ExpireLink,
    IgnoreRange,
    Redirect,
)
from nectar_async.sandbox.portfolio import Portfolio
from nectar_async.sandbox.server import API_KEY, Sandbox
from nectar_async.sandbox.serving import Options, serve
from nectar_async.sandbox.witness import Entry, Witness, fingerprint

__all__ = [
    "API_KEY",
    "Answer",
    "Change",
    "ChangeFile",
    "ClampSilently",
    "Clock",
    "Disconnect",
    "DropBody",
    "Effect",
    "Entry",
    "ExpireLink",
    "Fault",
    "Faults",
    "IgnoreRange",
    "Options",
    "Portfolio",
    "Redirect",
    "RepeatPage",
    "Sandbox",
    "Stall",
    "Witness",
    "fingerprint",
    "serve",
]
