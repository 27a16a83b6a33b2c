"""The base class of all models."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

from nectar_async._repr import format_record

__all__ = ["NOT_ON_WIRE", "Model"]

NOT_ON_WIRE: Final[Mapping[str, bool]] = {"is_on_wire": False}
"""The metadata of a field that the API does not have."""


_PYDANTIC_SCHEMA: Final = "nectar_async.tables.pydantic_schema"


class Model:
    """A record of the API: a frozen attrs class with slots and weak references.

    The slot for weak references is in this base class, because `_json.structs` changes
    the class of instances, which requires that a model's own `__slots__` contain only
    fields.
    """

    __slots__ = ("__weakref__",)

    def __init_subclass__(cls) -> None:
        """Show the fields of a model that have a value.

        attrs would generate a `__repr__` of all fields for a class without its own.
        """
        super().__init_subclass__()
        setattr(cls, "__repr__", format_record)  # noqa: B010 - mypy refuses a plain assignment to a method

    # Only pydantic calls these two. The module is far above the models and is found by
    # its name, so that models work without it.

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Build pydantic's schema, so that FastAPI returns and documents records."""
        return import_module(_PYDANTIC_SCHEMA).build_core_schema(cls)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> Any:
        """Build the JSON schema with the docstrings of the fields."""
        return import_module(_PYDANTIC_SCHEMA).build_json_schema(cls)
