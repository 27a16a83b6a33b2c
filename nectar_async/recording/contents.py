"""Summarize a recording: its operations, and its placeholders by kind."""

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
    """The exchanges of one operation, in numbers."""

    operation: str
    exchanges: int
    owners: int
    """How many companies, sites or other resources were asked about."""
    statuses: Mapping[int, int]
    """How many answers have each status."""
    size: int
    """Bytes of all files, including binary bodies."""


@frozen(kw_only=True)
class PlaceholderContents:
    """The placeholders of one kind, in numbers."""

    kind: str
    values: int
    """How many different placeholders of the kind occur."""
    places: int
    """How often placeholders of the kind occur in all files together."""


def summarize_operations(recording: Recording) -> Sequence[OperationContents]:
    """Count the exchanges of a recording, by operation id."""
    by_operation: dict[str, list[Exchange]] = {}
    for exchange in recording.exchanges:
        by_operation.setdefault(exchange.question.operation, []).append(exchange)
    return [_summarize(name, by_operation[name]) for name in sorted(by_operation)]


def build_placeholder_pattern(*recordings: Recording) -> re.Pattern[str]:
    """Build a pattern that finds the placeholders of recordings in a text."""
    rules = [
        rule
        for recording in recordings
        for rule in Redaction.of(recording.redaction).rules
    ]
    return build_placeholder_regex((*(rule.as_kind for rule in rules), *list_kinds()))


def summarize_placeholders(recording: Recording) -> Sequence[PlaceholderContents]:
    """Count the placeholders of a recording, by kind."""
    pattern = build_placeholder_pattern(recording)
    counts: Counter[str] = Counter()
    for exchange in recording.exchanges:
        counts.update(pattern.findall(encode_exchange(exchange).decode()))
    counts.pop(LINK_PART, None)
    by_kind: dict[str, list[int]] = {}
    for placeholder, count in counts.items():
        by_kind.setdefault(_parse_kind(placeholder), []).append(count)
    return [
        PlaceholderContents(kind=name, values=len(numbers), places=sum(numbers))
        for name, numbers in sorted(by_kind.items())
    ]


def _summarize(name: str, exchanges: Sequence[Exchange]) -> OperationContents:
    """Count the exchanges of the operation called `name`."""
    blobs = {
        blob.name: len(blob.content)
        for exchange in exchanges
        for blob in exchange.blobs
    }
    statuses = Counter(exchange.answer.status for exchange in exchanges)
    size = sum(len(encode_exchange(exchange)) for exchange in exchanges)
    return OperationContents(
        operation=name,
        exchanges=len(exchanges),
        owners=len({exchange.question.owner for exchange in exchanges} - {""}),
        statuses=dict(sorted(statuses.items())),
        size=size + sum(blobs.values()),
    )


def _parse_kind(placeholder: str) -> str:
    """Read the kind of a placeholder, such as `email`, from its text."""
    text = placeholder.removeprefix(LINK_PREFIX)
    match = _KIND.fullmatch(text)
    if text != placeholder and (match is None or "/" in match["kind"]):
        return LINK.name
    return text if match is None else match["kind"]
