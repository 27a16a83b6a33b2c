"""Usage that is put into a list at a place, whatever the list is sorted by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from nectar_async.sandbox.generator.dates import Instant

if TYPE_CHECKING:
    from nectar_async.sandbox.generator.changes import Changes
    from nectar_async.sandbox.generator.entities import UsageRecord

__all__ = ["later", "place_of", "put_behind", "put_in_front"]

_SECOND = 1_000_000_000


def place_of(at: int | str, end: int) -> int:
    """How many rows stay in front of a place: `front`, `end`, or a row's number."""
    if isinstance(at, int):
        return at - 1
    return max(0, end) if at == "end" else 0


def later(moment: Instant) -> Instant:
    """A second after it."""
    return Instant.at(moment.nanoseconds + _SECOND)


def put_in_front(
    changes: Changes, like: UsageRecord, some_id: str, moment: Instant
) -> None:
    """A record like another one that came in at that moment, which is the newest."""
    changes.records.append(evolve(like, id=some_id, created=moment, updated=moment))


def put_behind(changes: Changes, record: UsageRecord, some_id: str) -> None:
    """A record like another one, and right behind it, where no date would put it."""
    # What is put there later stands before what was put there earlier.
    changes.places[some_id] = (*changes.place(record), -len(changes.records))
    changes.records.append(evolve(record, id=some_id))
