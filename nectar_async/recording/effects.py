"""The effects that an overlay can inject into a replay.

```python
from nectar_async.recording import Overlay, effects

RecordedTransport(path, overlays=[Overlay(effects.Answer(429), page=2, times=1)])
```

`nectar_async.faults` defines them; a sandbox injects the same effects.
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
    Empty,
    ExpireLink,
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

__all__ = [
    "Answer",
    "ClampSilently",
    "CutGzip",
    "DeleteRow",
    "Disconnect",
    "Drip",
    "DropBody",
    "Empty",
    "ExpireLink",
    "Garble",
    "GzipBomb",
    "Html",
    "InsertRow",
    "Miscount",
    "Nest",
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
]
