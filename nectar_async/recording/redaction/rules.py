"""What a user wants to have redacted besides, and how that stands in a manifest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from attrs import field, frozen

from nectar_async.errors import InvalidArgumentError, RecordingError
from nectar_async.recording.redaction.sensitive_fields import Kind

__all__ = ["Rule", "encode_rules", "parse_rules"]

_KIND = re.compile(r"[a-z][a-z0-9-]*")


def _keys(keys: Iterable[str]) -> tuple[str, ...]:
    if isinstance(keys, str):
        raise InvalidArgumentError(f"keys is one text, {keys!r}; pass a tuple of them")
    return tuple(keys)


@frozen(kw_only=True)
class Rule:
    """What is replaced besides what the contract and common sense call for.

    All that stands below one of the keys is, and whatever the pattern matches.

    Raises:
        InvalidArgumentError: it has neither, or one of them is none.
    """

    kind: str
    """Names the stand-ins: of a `tenant` the first is `tenant-1`."""
    keys: tuple[str, ...] = field(default=(), converter=_keys)
    """Of JSON bodies, queries and forms, as the wire or as Python spells them."""
    pattern: str = ""
    """A regular expression over every text that is no id."""
    is_volatile: bool = False
    """Whether it differs each time: the stand-in is named by its place."""

    def __attrs_post_init__(self) -> None:
        if _KIND.fullmatch(self.kind) is None:
            raise InvalidArgumentError(
                f"kind is {self.kind!r}; small letters, digits and dashes begin a"
                " stand-in, as in 'tenant'"
            )
        if not self.keys and not self.pattern:
            raise InvalidArgumentError(
                f"the rule for {self.kind!r} has neither keys nor a pattern"
            )
        try:
            is_empty = bool(self.pattern) and re.search(self.pattern, "") is not None
        except re.error as error:
            raise InvalidArgumentError(
                f"the pattern of the rule for {self.kind!r} is no regular expression:"
                f" {error}"
            ) from None
        if is_empty:
            raise InvalidArgumentError(
                f"the pattern of the rule for {self.kind!r} matches nothing at all, and"
                " so it would be everywhere; write what it has to have, as '.+@acme'"
            )

    @property
    def as_kind(self) -> Kind:
        """The kind that it makes."""
        return Kind(
            self.kind, is_secret=True, is_volatile=self.is_volatile, is_rule=True
        )


def encode_rules(rules: Iterable[Rule]) -> dict[str, Any]:
    """Rules as they stand in a manifest; nothing for none."""
    found = [dict(_fields(rule)) for rule in rules]
    return {"rules": found} if found else {}


def parse_rules(manifest: Mapping[str, Any]) -> tuple[Rule, ...]:
    """The rules of a manifest.

    Raises:
        RecordingError: it has something else in their place.
    """
    try:
        return tuple(
            Rule(
                kind=rule["kind"],
                keys=tuple(rule.get("keys", ())),
                pattern=rule.get("pattern", ""),
                is_volatile=rule.get("isVolatile", False),
            )
            for rule in manifest.get("rules", ())
        )
    except (AttributeError, KeyError, TypeError, InvalidArgumentError) as error:
        raise RecordingError(
            f"the manifest has rules for redaction that are none: {error!r}"
        ) from None


def _fields(rule: Rule) -> Iterator[tuple[str, Any]]:
    yield "kind", rule.kind
    if rule.keys:
        yield "keys", list(rule.keys)
    if rule.pattern:
        yield "pattern", rule.pattern
    if rule.is_volatile:
        yield "isVolatile", True
