"""The one naming rule: `start_date` in Python is `startDate` on the wire.

Every field, filter and envelope key goes through it; there are no hand-made pairs.
"""

from __future__ import annotations

import re
from functools import cache

__all__ = ["to_python", "to_wire"]

_CAPITAL = r"(?<!^)(?=[A-Z])"


@cache
def to_wire(name: str) -> str:
    """The wire spelling of a Python name: `external_id` is `externalId`."""
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def to_python(name: str) -> str:
    """The Python spelling of a wire name: `externalId` is `external_id`."""
    return re.sub(_CAPITAL, "_", name).lower()
