"""The user's own redaction rules, and their encoding in a manifest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from attrs import field, frozen

from nectar_async.errors import InvalidArgumentError, RecordingError
from nectar_async.recording.redaction.sensitive_fields import Kind

__all__ = ["Rule", "encode_rules", "parse_rules"]

_KIND = re.compile(r"[a-z][a-z0-9-]*")


def _convert_keys(keys: Iterable[str]) -> tuple[str, ...]:
    if isinstance(keys, str):
        raise InvalidArgumentError(f"keys is one text, {keys!r}; pass a tuple of them")
    return tuple(keys)


@frozen(kw_only=True)
class Rule:
    """A redaction rule in addition to the built-in ones.

    It replaces everything below its keys, and everything that its pattern matches.

    Raises:
        InvalidArgumentError: the rule has neither keys nor pattern, or one of its
            values is invalid.
    """

    kind: str
    """The prefix of the placeholders: of a `tenant` the first is `tenant-1`."""
    keys: tuple[str, ...] = field(default=(), converter=_convert_keys)
    """Keys of JSON bodies, queries and forms, in wire or in Python spelling."""
    pattern: str = ""
    """A regular expression, applied to every text except ids."""
    is_volatile: bool = False
    """Whether the value differs in every answer; then its place names the placeholder.
    """

    def __attrs_post_init__(self) -> None:
        if _KIND.fullmatch(self.kind) is None:
            raise InvalidArgumentError(
                f"kind is {self.kind!r}; it starts with a lower-case letter and has"
                " lower-case letters, digits and dashes, as 'tenant'"
            )
        if not self.keys and not self.pattern:
            raise InvalidArgumentError(
                f"the rule for {self.kind!r} has neither keys nor a pattern"
            )
        try:
            is_empty = bool(self.pattern) and re.search(self.pattern, "") is not None
        except re.error as error:
            raise InvalidArgumentError(
                f"the pattern of the rule for {self.kind!r} is not a regular"
                f" expression: {error}"
            ) from None
        if is_empty:
            raise InvalidArgumentError(
                f"the pattern of the rule for {self.kind!r} matches the empty text, so"
                " it would match everywhere; require a character, as '.+@acme'"
            )

    @property
    def as_kind(self) -> Kind:
        """The kind of the values that the rule replaces."""
        return Kind(
            self.kind, is_secret=True, is_volatile=self.is_volatile, is_rule=True
        )


def encode_rules(rules: Iterable[Rule]) -> dict[str, Any]:
    """Encode rules for a manifest; an empty object if there are none."""
    encoded = [dict(_list_fields(rule)) for rule in rules]
    return {"rules": encoded} if encoded else {}


def parse_rules(manifest: Mapping[str, Any]) -> tuple[Rule, ...]:
    """Parse the rules of a manifest.

    Raises:
        RecordingError: the manifest has invalid rules.
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
            f"the manifest has invalid redaction rules: {error!r}"
        ) from None


def _list_fields(rule: Rule) -> Iterator[tuple[str, Any]]:
    yield "kind", rule.kind
    if rule.keys:
        yield "keys", list(rule.keys)
    if rule.pattern:
        yield "pattern", rule.pattern
    if rule.is_volatile:
        yield "isVolatile", True
