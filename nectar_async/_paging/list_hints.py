"""The right lines of code for wrong guesses at a list that was not read yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["build_list_hints"]

_ALL: Final = (
    *("all", "execute", "fetch", "fetch_all", "get", "get_all", "items", "list"),
    *("read", "records", "results", "to_list", "tolist"),
)
_COUNTS: Final = ("count", "size", "total", "total_count")
_LIMITS: Final = ("head", "limit", "take")
_TABLES: Final = (
    *("df", "to_arrow", "to_csv", "to_df", "to_dicts", "to_pandas", "to_polars"),
)


def build_list_hints(name: str, loop: str) -> Mapping[str, str]:
    """Build the hints of a list.

    Args:
        name: the word for the list in the lines of code.
        loop: the line or lines that read it record by record.
    """
    collect = f"write `records = await {name}`"
    absent = f"the list is not in memory: {collect}"
    return {
        **dict.fromkeys(_ALL, f"{collect}, or {loop}"),
        **dict.fromkeys(_COUNTS, f"{collect}, then `len(records)`"),
        **dict.fromkeys(_LIMITS, f"write `records = await {name}.collect(limit=10)`"),
        **dict.fromkeys(_TABLES, f"{collect}, then `records.to_pandas()`"),
        "next": f"write `record = await {name}.first()`",
        # A loop without `async`, too, asks for the first item.
        "__getitem__": f"{absent}, then `records[0]`; or {loop}",
        "__len__": f"{absent}, then `len(records)`",
    }
