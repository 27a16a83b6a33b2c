"""The base class of all models."""

from __future__ import annotations

__all__ = ["Model"]


class Model:
    """A record of the API: a frozen attrs class with slots and weak references.

    The slot for weak references is here and not in each model, because an instance can
    change its class only between classes whose own slots are all fields
    (`_json.structs` relies on it).
    """

    __slots__ = ("__weakref__",)
