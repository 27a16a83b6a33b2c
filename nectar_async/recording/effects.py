"""Everything that can be laid over a replay with `Overlay`.

```python
from nectar_async.recording import Overlay, effects

RecordedTransport(path, overlays=[Overlay(effects.Answer(429), page=2, times=1)])
```

They are called as the sandbox's faults are, where they mean the same.
"""

from __future__ import annotations

from typing import Final

from nectar_async.recording.effect_text import Grammar
from nectar_async.recording.overlay_answers import Answer, Empty, Html
from nectar_async.recording.overlay_delivery import (
    CutGzip,
    Disconnect,
    Drip,
    DropBody,
    Refuse,
    Stall,
    StallBody,
)
from nectar_async.recording.overlay_lists import (
    ClampSilently,
    DeleteRow,
    InsertRow,
    Miscount,
    RepeatPage,
    Shuffle,
)
from nectar_async.recording.scene import Overlay

__all__ = [
    "GRAMMAR",
    "Answer",
    "ClampSilently",
    "CutGzip",
    "DeleteRow",
    "Disconnect",
    "Drip",
    "DropBody",
    "Empty",
    "Html",
    "InsertRow",
    "Miscount",
    "Refuse",
    "RepeatPage",
    "Shuffle",
    "Stall",
    "StallBody",
]

GRAMMAR: Final = Grammar(
    "overlay",
    (
        *(Answer, Html, Empty),
        *(Refuse, Disconnect, DropBody, StallBody, Stall, Drip, CutGzip),
        *(InsertRow, DeleteRow, Shuffle, RepeatPage, ClampSilently, Miscount),
    ),
    Overlay,
)
"""How overlays are written as text: `GRAMMAR.read("stall-body page=2 times=1")`."""
