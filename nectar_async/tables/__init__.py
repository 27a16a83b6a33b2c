"""Records as dicts, JSON and tables, and back."""

from nectar_async.tables.frames import from_arrow, schema

__all__ = ["from_arrow", "schema"]
