"""The naming rule: `start_date` in Python is `startDate` on the wire.

It applies to every field, filter and envelope key, without exceptions.
"""

from __future__ import annotations

import re
from functools import cache

__all__ = ["to_python", "to_wire"]

_CAPITAL = r"(?<!^)(?=[A-Z])"


@cache
def to_wire(name: str) -> str:
    """Convert a Python name to its wire name: `external_id` to `externalId`."""
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def to_python(name: str) -> str:
    """Convert a wire name to its Python name: `externalId` to `external_id`."""
    return re.sub(_CAPITAL, "_", name).lower()
