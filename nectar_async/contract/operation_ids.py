"""The ids of operations that code names, and the search for a misspelled one."""

from __future__ import annotations

from importlib import import_module

from nectar_async.contract._operation_ids import OPERATIONS

__all__ = ["DOWNLOAD", "OPERATIONS", "find_close_operation"]

DOWNLOAD = "documents_download"
"""The id for the download of a file in recordings, transports and errors; the contract
has no such operation."""

# An unknown name with at least this similarity counts as a typing error.
_MIN_SIMILARITY = 0.85


def find_close_operation(name: str) -> str | None:
    """Return the operation whose id is close to an unknown name; None if none is."""
    if name in OPERATIONS:
        return None
    # Imported late, because only wrong names need it.
    get_close_matches = import_module("difflib").get_close_matches
    matches = get_close_matches(name, OPERATIONS, n=1, cutoff=_MIN_SIMILARITY)
    return next(iter(matches), None)
