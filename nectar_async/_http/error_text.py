"""The words of an error, wherever the framework behind a server put them."""

from __future__ import annotations

import html
import re
from typing import Any, Final

import msgspec

__all__ = ["words_of"]

# What frameworks call the words of an error, the field that they are about, and an
# object or a list around both.
_MESSAGES: Final = ("detail", "message", "msg")
_FIELDS: Final = ("field", "loc")
_WRAPPERS: Final = frozenset({"error", "errors", "non_field_errors"})
_DEEPEST: Final = 6

# More than that is no message, but a page for people or a log.
_MOST_PLAIN: Final = 500
# A page's title, unless it is no more than the status again.
_TITLE = r"<title[^>]{0,99}>\s*(?!\d{3}\b)([^<]{1,200})"


def words_of(text: str, content_type: str) -> str | None:
    """What a server says is wrong: from JSON, plain text, or the title of a page.

    None when it says nothing. Plain text must be said to be that, and is cut.
    """
    try:
        return _words(msgspec.json.decode(text)) or None
    except (msgspec.DecodeError, RecursionError):
        pass
    if (title := re.search(_TITLE, text, re.IGNORECASE)) is not None:
        return _on_one_line(html.unescape(title[1])) or None
    is_plain = content_type.lower().startswith("text/plain")
    if not is_plain or text.lstrip().startswith("<"):
        return None
    return _on_one_line(text)[:_MOST_PLAIN] or None


def _words(said: Any, levels: int = _DEEPEST) -> str:
    """The words in a value; empty where there are none.

    A message speaks for the object that it stands in, with a list of errors beside it,
    behind the field that it is about. In any other object each key is a field.
    """
    if isinstance(said, str):
        return said
    if levels == 0 or not isinstance(said, dict | list):
        return ""
    if isinstance(said, list):
        parts = [_words(one, levels - 1) for one in said]
        between = " " if all(isinstance(one, str) for one in said) else "; "
        return between.join(filter(None, parts))
    fields = {name: _words(one, levels - 1) for name, one in said.items()}
    for name in _MESSAGES:
        if fields.get(name):
            words = "; ".join(filter(None, (fields[name], fields.get("errors"))))
            return f"{where}: {words}" if (where := _field_of(said)) else words
    return "; ".join(
        words if name in _WRAPPERS else f"{name}: {words}"
        for name, words in fields.items()
        if words
    )


def _field_of(said: dict[str, Any]) -> str | None:
    """The field that a message is about: its name, or the last part of its path."""
    named = next((said[name] for name in _FIELDS if said.get(name)), None)
    field = named[-1] if isinstance(named, list) else named
    return field if isinstance(field, str) else None


def _on_one_line(text: str) -> str:
    return " ".join(text.split())
