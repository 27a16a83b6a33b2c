"""The base class of all models."""

from __future__ import annotations

__all__ = ["Model"]


class Model:
    """A record of the API: a frozen attrs class with slots and weak references.

    The slot for weak references is in this base class, because `_json.structs` changes
    the class of instances, which requires that a model's own `__slots__` contain only
    fields.
    """

    __slots__ = ("__weakref__",)
