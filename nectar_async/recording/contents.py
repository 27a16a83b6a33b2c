"""What is in a recording: its operations, and its stand-ins by kind."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from attrs import frozen

from nectar_async.recording.exchange import Exchange
from nectar_async.recording.folder import Recording
from nectar_async.recording.format import written
from nectar_async.recording.redaction.kinds import LINK
from nectar_async.recording.redaction.placeholders import LINKS, PART, shape
from nectar_async.recording.redaction.redaction import Redaction
from nectar_async.recording.redaction.sensitive_fields import kinds

__all__ = [
    "OperationContents",
    "StandinContents",
    "operations_in",
    "standin_shape",
    "standins_in",
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
class StandinContents:
    """What stands in for one kind of value."""

    kind: str
    values: int
    """How many different ones."""
    places: int
    """How often they stand there."""


def operations_in(recording: Recording) -> Sequence[OperationContents]:
    """What is recorded, by operation id."""
    found: dict[str, list[Exchange]] = {}
    for one in recording.exchanges:
        found.setdefault(one.question.operation, []).append(one)
    return [_operation(name, found[name]) for name in sorted(found)]


def standin_shape(*recordings: Recording) -> re.Pattern[str]:
    """What finds the stand-ins of recordings in a text."""
    rules = [rule for one in recordings for rule in Redaction.of(one.redaction).rules]
    return shape((*(rule.made for rule in rules), *kinds()))


def standins_in(recording: Recording) -> Sequence[StandinContents]:
    """What was replaced, by kind. Values never show: nobody knows them any more."""
    known = standin_shape(recording)
    found: Counter[str] = Counter()
    for one in recording.exchanges:
        found.update(known.findall(written(one).decode()))
    found.pop(PART, None)
    by_kind: dict[str, list[int]] = {}
    for standin, count in found.items():
        by_kind.setdefault(_kind(standin), []).append(count)
    return [
        StandinContents(kind=name, values=len(counts), places=sum(counts))
        for name, counts in sorted(by_kind.items())
    ]


def _operation(name: str, exchanges: Sequence[Exchange]) -> OperationContents:
    blobs = {blob.name: len(blob.content) for one in exchanges for blob in one.blobs}
    return OperationContents(
        operation=name,
        exchanges=len(exchanges),
        owners=len({one.question.owner for one in exchanges} - {""}),
        statuses=dict(sorted(Counter(one.answer.status for one in exchanges).items())),
        size=sum(len(written(one)) for one in exchanges) + sum(blobs.values()),
    )


def _kind(standin: str) -> str:
    rest = standin.removeprefix(LINKS)
    found = _KIND.fullmatch(rest)
    if rest != standin and (found is None or "/" in found["kind"]):
        return LINK.name
    return rest if found is None else found["kind"]
