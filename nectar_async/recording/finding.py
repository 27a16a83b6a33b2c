"""One thing that there is to say about a recording."""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen

__all__ = ["Finding", "Severity"]


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"
    """The recording is not sound."""
    NOTE = "note"
    """It is good to know."""


@frozen(kw_only=True)
class Finding:
    """Something about a recording."""

    severity: Severity = Severity.ERROR
    file: str = ""
    """The name of a file in it; empty for the whole."""
    place: str = ""
    """Where in that file; empty for all of it."""
    words: str
    """What it is, and what to do about it. Never a value of the recording."""
