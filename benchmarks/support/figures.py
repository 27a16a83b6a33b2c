"""Figures of a benchmark: the question, measured values, bounds, values of peers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from attrs import field, frozen

__all__ = ["Figure", "from_json", "ratios", "table"]


@frozen(kw_only=True)
class Figure:
    """One figure of one run: a value for each round."""

    question: str
    values: Sequence[float]
    unit: str = ""
    """Empty for a ratio."""
    at_least: float | None = None
    at_most: float | None = None
    peers: Mapping[str, Sequence[float]] = field(factory=dict)
    """The values of competitors for the same question, in the same unit."""
    note: str = ""

    @property
    def is_met(self) -> bool | None:
        """Whether the median is within the bound; None without a bound."""
        middle = median(self.values)
        if self.at_least is not None:
            return middle >= self.at_least
        if self.at_most is not None:
            return middle <= self.at_most
        return None

    @property
    def wanted(self) -> str:
        """The bound as text."""
        if self.at_least is not None:
            return f"at least {self.at_least:g}"
        return "" if self.at_most is None else f"at most {self.at_most:g}"

    def line(self) -> str:
        """The figure in one line, printed as soon as it is measured."""
        return f"{self.question}: {self.row()[1]}"

    def row(self) -> tuple[str, str, str, str]:
        """The row of the table."""
        verdict = {True: "met", False: "**missed**", None: ""}[self.is_met]
        unit = f" {self.unit}" if self.unit else ""
        return self.question, _format_values(self.values) + unit, self.wanted, verdict

    def beside(self) -> str:
        """The peers measured in the same rounds, as text; empty without any."""
        peers = [
            f"{name} {_format_values(values)}" for name, values in self.peers.items()
        ]
        words = "; ".join([*peers, *([self.note] if self.note else [])])
        return f"- {self.question}: {words}" if words else ""


HEAD = ("question", "median (min to max)", "wanted", "")


def _format_values(values: Sequence[float]) -> str:
    """Format the median and the spread."""
    middle, least, most = (_number(value) for value in (median(values), *_ends(values)))
    return middle if len(values) == 1 else f"{middle} ({least} to {most})"


def _ends(values: Sequence[float]) -> tuple[float, float]:
    return min(values), max(values)


def _number(value: float) -> str:
    """Format a number with three significant digits."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Divide ours by theirs, round by round, so that noise affects both."""
    return [own / other for own, other in zip(ours, theirs, strict=True)]


def table(figures: Iterable[Figure]) -> str:
    """Build a table in Markdown, with the values of peers below it."""
    figures = list(figures)
    lines = [HEAD, *(figure.row() for figure in figures)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(HEAD))]
    lines.insert(
        1, ("-" * widths[0], "-" * widths[1], "-" * widths[2], "-" * widths[3])
    )
    rows = [
        " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    ]
    beside = [words for figure in figures if (words := figure.beside())]
    return "\n".join([*(f"| {row} |" for row in rows), "", *beside]).rstrip()


def from_json(figures: Iterable[Mapping[str, Any]]) -> list[Figure]:
    """Read figures as a program wrote them."""
    return [Figure(**figure) for figure in figures]
