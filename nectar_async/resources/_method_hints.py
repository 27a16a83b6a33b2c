"""The right calls for wrong guesses at the methods of a resource."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

__all__ = ["build_method_hints"]

_LISTS: Final = ("all", "search", "by_company", "by_connection", "usage")
_GUESSES: Final[Mapping[tuple[str, ...], tuple[str, ...]]] = {
    (
        *("all", "by_company", "fetch_all", "find", "get_all", "index", "iter", "list"),
        *("list_all", "paginate", "query", "search"),
    ): _LISTS,
    ("details", "fetch", "get", "get_by_id", "read", "retrieve"): ("get",),
    ("add", "create", "insert", "new", "post", "upload"): (
        "create",
        "submit_document",
    ),
    ("edit", "modify", "patch", "put", "update"): ("update",),
    ("destroy", "remove", "revoke"): ("delete", "revoke"),
}
"""Names that people try, and the methods of a resource that do it."""

_REPOSITORY: Final = ("accounts", "connections", "documents", "meters", "usage")
"""The nouns that have a list over all companies."""


def build_method_hints(resource: type) -> dict[str, str]:
    """Build the hints of a resource from the methods that it has."""
    noun = resource.__module__.rpartition(".")[2]
    return {
        guess: f"write {' or '.join(calls)}"
        for guesses, methods in _GUESSES.items()
        for guess in guesses
        if not hasattr(resource, guess)
        and (calls := [*_list_calls(resource, noun, methods)])
    }


def _list_calls(resource: type, noun: str, methods: tuple[str, ...]) -> Iterator[str]:
    """List the call of the first of some methods that a resource has."""
    for method in methods:
        if hasattr(resource, method):
            yield f"`await nectar.{noun}.{method}({'' if method == 'all' else '...'})`"
            break
    if methods is _LISTS and noun in _REPOSITORY:
        yield f"`await nectar.repository.{noun}()`"
