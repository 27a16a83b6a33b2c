"""Faults for tests: effects on responses, and the requests that they apply to.

A recording takes them as overlays, and a sandbox as faults. An effect is a frozen value
with one method, `apply(request, proceed)`, which may wait, answer by itself, fail, or
change the normal response:

    in `answers`   responses that replace the normal one
    in `bodies`    changes to the body and the headers of the normal response
    in `lists`     lists that move, repeat pages or count wrong
    in `delivery`  connections that break, stall or are slow
"""

from __future__ import annotations

from nectar_async.faults.active_faults import FaultInjector
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
from nectar_async.faults.fault import Effect, Fault, Proceed
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
from nectar_async.faults.vocabulary import VOCABULARY, FaultLike, Vocabulary

__all__ = [
    "VOCABULARY",
    "Answer",
    "ClampSilently",
    "CutGzip",
    "DeleteRow",
    "Disconnect",
    "Drip",
    "DropBody",
    "Effect",
    "Empty",
    "ExpireLink",
    "Fault",
    "FaultInjector",
    "FaultLike",
    "Garble",
    "GzipBomb",
    "Html",
    "InsertRow",
    "Miscount",
    "Nest",
    "Proceed",
    "PromiseMore",
    "Refuse",
    "RepeatKeys",
    "RepeatPage",
    "RunOutOfTime",
    "SendAway",
    "SetHeader",
    "SetValue",
    "Shuffle",
    "Stall",
    "StallBody",
    "StandStill",
    "Vocabulary",
]
