"""The base class of all models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["NOT_ON_WIRE", "Model"]

NOT_ON_WIRE: Final[Mapping[str, bool]] = {"is_on_wire": False}
"""The metadata of a field that the API does not have."""


class Model:
    """A record of the API: a frozen attrs class with slots and weak references.

    The slot for weak references is in this base class, because `_json.structs` changes
    the class of instances, which requires that a model's own `__slots__` contain only
    fields.
    """

    __slots__ = ("__weakref__",)
