"""What a walk over a list needs, and what it comes to."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Self, TypeVar

from attrs import frozen

__all__ = [
    "Receipt",
    "Verdict",
    "note",
    "sum_known",
    "worst",
]

T = TypeVar("T")


class Verdict(StrEnum):
    """What a walk is worth, from best to worst."""

    COMPLETE = "complete"
    """All envelopes agree on the total, and that many distinct records came."""
    DRIFTED = "drifted"
    """The total changed in mid-walk: the list did, too."""
    SHORT = "short"
    """The envelopes agree on a total, but fewer distinct records came."""
    UNFINISHED = "unfinished"
    """The walk was left early, or failed."""


_RANK = {verdict: rank for rank, verdict in enumerate(Verdict)}


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of them; of none, it is complete."""
    return max(verdicts, key=_RANK.__getitem__, default=Verdict.COMPLETE)


@frozen(kw_only=True)
class Receipt:
    """What came of a walk; it costs no request of its own."""

    total_first: int | None = None
    """The total by the first envelope; None for a bare array, which has none."""
    total_last: int | None = None
    """The total by the last envelope."""
    records: int = 0
    """Records that were given; they count when their page is."""
    distinct: int = 0
    """Distinct ids among all that came."""
    repeats: int = 0
    """Records that came again; they are not given again."""
    pages: int = 0
    """Pages that were read."""
    rewalked: int = 0
    """Pages that were read again because the list had changed."""
    verdict: Verdict = Verdict.UNFINISHED
    """What it is worth."""

    @classmethod
    def sum(cls, receipts: Iterable[Receipt], *, is_finished: bool = True) -> Self:
        """One receipt for many walks; its verdict is the worst among them."""
        parts = tuple(receipts)
        verdicts = [part.verdict for part in parts]
        if not is_finished:
            verdicts.append(Verdict.UNFINISHED)
        return cls(
            total_first=sum_known(part.total_first for part in parts),
            total_last=sum_known(part.total_last for part in parts),
            records=sum(part.records for part in parts),
            distinct=sum(part.distinct for part in parts),
            repeats=sum(part.repeats for part in parts),
            pages=sum(part.pages for part in parts),
            rewalked=sum(part.rewalked for part in parts),
            verdict=worst(verdicts),
        )


def sum_known(totals: Iterable[int | None]) -> int | None:
    """The sum of what is known; None when nothing is."""
    known = [total for total in totals if total is not None]
    return sum(known) if known else None


def note(error: BaseException, others: Iterable[BaseException]) -> None:
    """Write what else went wrong on the error that is raised."""
    for other in others:
        error.add_note(f"also: {type(other).__name__}: {other}")
