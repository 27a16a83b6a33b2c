"""Booleans that the API also spells as text."""

from __future__ import annotations

from typing import Annotated

__all__ = ["Flag", "TextFlag"]


class TextFlag:
    """Marks a boolean whose wire value is `true` or `"true"`; the API sends both."""


Flag = Annotated[bool, TextFlag]
"""A boolean in Python; on the wire a boolean, or `"true"` or `"false"` in any case."""
