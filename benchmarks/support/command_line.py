"""The command line that the programs share."""

from __future__ import annotations

import argparse
import inspect
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from attrs import asdict, evolve, frozen

from benchmarks.support.figures import Figure, table

__all__ = ["Effort", "run"]


@frozen
class Effort:
    """The size of a run: rounds and parts."""

    rounds: int
    is_quick: bool = False
    """Small and fast: checks that nothing is broken; its figures mean nothing."""
    only: tuple[str, ...] = ()
    """The parts to measure; empty for all."""

    def has(self, part: str) -> bool:
        """Whether to measure a part."""
        return not self.only or any(word in part for word in self.only)


def run(measure: Callable[[Effort], Iterable[Figure]], *, rounds: int) -> None:
    """Read the command line, measure, and print.

    Args:
        measure: the program; the docstring of its module is the help.
        rounds: the default number of rounds.
    """
    doc: Any = inspect.getdoc(inspect.getmodule(measure))
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rounds", type=int, nargs="?", help=f"by default {rounds}")
    parser.add_argument("--quick", action="store_true", help="small, for not-broken")
    parser.add_argument("--only", action="append", default=[], help="parts by name")
    parser.add_argument("--json", type=Path, help="write the figures there as well")
    given = parser.parse_args()
    effort = Effort(
        given.rounds or (1 if given.quick else rounds), given.quick, tuple(given.only)
    )
    figures: list[Figure] = []
    for figure in measure(effort):
        print(figure.line(), file=sys.stderr, flush=True)
        figures.append(figure)
    if effort.is_quick:
        figures = [evolve(figure, at_least=None, at_most=None) for figure in figures]
    print(table(figures), flush=True)
    if given.json is not None:
        given.json.write_text(json.dumps([asdict(figure) for figure in figures]))
