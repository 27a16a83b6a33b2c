"""What is in a recording: its operations, and its stand-ins by kind."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from attrs import frozen

from nectar_async.recording.exchange import Exchange
from nectar_async.recording.folder import Recording
from nectar_async.recording.format import encode_exchange
from nectar_async.recording.redaction.patterns import (
    LINK_PART,
    LINK_PREFIX,
    build_placeholder_regex,
)
from nectar_async.recording.redaction.redaction import Redaction
from nectar_async.recording.redaction.sensitive_fields import LINK, list_kinds

__all__ = [
    "OperationContents",
    "PlaceholderContents",
    "build_placeholder_pattern",
    "summarize_operations",
    "summarize_placeholders",
]

_KIND: Final = re.compile(r"(?P<kind>.+?)(?:-[1-9][0-9]*(?:@.*)?|:.*)")


@frozen(kw_only=True)
class OperationContents:
    """What is recorded of one operation."""

    operation: str
    exchanges: int
    owners: int
    """How many companies, sites, ... it was asked about."""
    statuses: Mapping[int, int]
    """How many answers have which status."""
    size: int
    """Bytes, of what lies beside the exchanges as well."""


@frozen(kw_only=True)
class PlaceholderContents:
    """What stands in for one kind of value."""

    kind: str
    values: int
    """How many different ones."""
    places: int
    """How often they stand there."""


def summarize_operations(recording: Recording) -> Sequence[OperationContents]:
    """What is recorded, by operation id."""
    found: dict[str, list[Exchange]] = {}
    for one in recording.exchanges:
        found.setdefault(one.question.operation, []).append(one)
    return [_operation(name, found[name]) for name in sorted(found)]


def build_placeholder_pattern(*recordings: Recording) -> re.Pattern[str]:
    """What finds the stand-ins of recordings in a text."""
    rules = [rule for one in recordings for rule in Redaction.of(one.redaction).rules]
    return build_placeholder_regex((*(rule.made for rule in rules), *list_kinds()))


def summarize_placeholders(recording: Recording) -> Sequence[PlaceholderContents]:
    """What was replaced, by kind. Values never show: nobody knows them any more."""
    known = build_placeholder_pattern(recording)
    found: Counter[str] = Counter()
    for one in recording.exchanges:
        found.update(known.findall(encode_exchange(one).decode()))
    found.pop(LINK_PART, None)
    by_kind: dict[str, list[int]] = {}
    for standin, count in found.items():
        by_kind.setdefault(_kind(standin), []).append(count)
    return [
        PlaceholderContents(kind=name, values=len(counts), places=sum(counts))
        for name, counts in sorted(by_kind.items())
    ]


def _operation(name: str, exchanges: Sequence[Exchange]) -> OperationContents:
    blobs = {blob.name: len(blob.content) for one in exchanges for blob in one.blobs}
    return OperationContents(
        operation=name,
        exchanges=len(exchanges),
        owners=len({one.question.owner for one in exchanges} - {""}),
        statuses=dict(sorted(Counter(one.answer.status for one in exchanges).items())),
        size=sum(len(encode_exchange(one)) for one in exchanges) + sum(blobs.values()),
    )


def _kind(standin: str) -> str:
    rest = standin.removeprefix(LINK_PREFIX)
    found = _KIND.fullmatch(rest)
    if rest != standin and (found is None or "/" in found["kind"]):
        return LINK.name
    return rest if found is None else found["kind"]
