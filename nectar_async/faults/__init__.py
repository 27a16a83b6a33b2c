"""Faults for tests: effects on answers, and the requests that they apply to.

Recordings take them as overlays, and a sandbox as faults. An effect is a frozen value
with one method, `apply(request, proceed)`, which may wait, answer itself, fail, or
change the right answer:

    in `answers`   answers that replace the right one
    in `bodies`    changes of the right answer's body and headers
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
