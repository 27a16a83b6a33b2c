"""Parts that the records of one list have in common, made once.

A site or a bill comes again with each of its records. Where it is the same to the last
digit, the records have one model of it in common: it is frozen, and has nothing in its
`.extra`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

__all__ = ["is_text", "share_lines"]

# Of more texts a key costs as much as the part itself.
_MOST_TEXTS = 4


def is_text(types: Mapping[str, Any]) -> bool:
    """Whether a part is a few texts: its struct is the key under which it is kept."""
    return set(types.values()) == {str} and len(types) <= _MOST_TEXTS


def share_lines(
    types: Mapping[str, Any], learned: Iterable[str] = ()
) -> tuple[list[str], list[str]] | None:
    """What a copier does before and after its work; None for what is not shared.

    `o` is the struct, which is frozen if the part `is_text`, `s` what is made of it,
    and `parts` what was made in this list. The scope has `NO_EXTRA` and `UNSET`.

    Args:
        types: what the struct takes for each field, by name; None for one that holds
            what can be changed, or another struct.
        learned: further fields, which may hold anything, also what has no hash.
    """
    if None in types.values():
        return None
    if is_text(types):
        plain = "".join(f"o.{name} is UNSET and " for name in learned)
        return (
            [f"  if {plain}(s := parts.get(o)) is not None: return s"],
            ["  if extra is NO_EXTRA: parts[o] = s"],
        )
    if "id" not in types:
        return None
    # Decimals are equal when their digits are not: 1.5 and 1.50 are both kept.
    digits = [name for name, kind in types.items() if kind is Decimal]
    same = [f"((a := p.{one}) is (b := o.{one}) or str(a) == str(b))" for one in digits]
    return (
        [
            "  if (hit := parts.get(o.id)) is not None:",
            "    p, s = hit",
            f"    if {' and '.join(['p == o', *same])}: return s",
        ],
        ["  if extra is NO_EXTRA: parts[o.id] = o, s"],
    )
