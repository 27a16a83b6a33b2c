"""The options that several commands share, and the checks of their values."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Annotated, Final, TypeVar

import typer

from nectar_async._types import OpenEnum

__all__ = [
    "NO_TYPE",
    "AsJson",
    "CompanyCount",
    "IncludeSecrets",
    "Latency",
    "RecordingPath",
    "Seed",
    "build_choice_parser",
    "parse_day",
    "parse_path",
    "parse_seconds",
    "parse_text",
]

E = TypeVar("E", bound=OpenEnum)

NO_TYPE: Final = ""
"""The metavar of a flag: newer versions of typer show `<bool>` without one."""

# `date.fromisoformat` would also accept 20250101 and week dates.
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def parse_day(text: str | date) -> date:
    """Parse a day written as YYYY-MM-DD."""
    if isinstance(text, date):
        return text
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a day: {error}") from None
    raise typer.BadParameter(f"{text!r} is not a day; write it as 2025-01-31")


def parse_seconds(text: str | float) -> float:
    """Parse a number of seconds above 0."""
    try:
        seconds = float(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a number of seconds") from None
    if not seconds > 0:
        raise typer.BadParameter(f"{text} is not a number of seconds above 0")
    return seconds


def parse_text(text: str) -> str:
    """Return a text that is not empty.

    An empty variable of a script would otherwise mean no filter at all.
    """
    if not text.strip():
        raise typer.BadParameter("it is empty")
    return text


def parse_path(text: str | Path) -> Path:
    """Parse the path of a file; `-` stands for standard output."""
    if isinstance(text, str):
        parse_text(text)
    return Path(text)


def build_choice_parser(enum: type[E]) -> Callable[[str], E]:
    """Build a parser of the known members of an enum, in any case, with `-` or `_`."""

    def parse_choice(text: str) -> E:
        member = enum(text.strip().upper().replace("-", "_"))
        if not member.is_known:
            raise typer.BadParameter(f"{text!r} is not one of {', '.join(enum)}")
        return member

    return parse_choice


AsJson = Annotated[
    bool,
    typer.Option(
        "--json",
        metavar=NO_TYPE,
        help="Print one JSON object on stdout, also for an error.",
    ),
]
IncludeSecrets = Annotated[
    bool,
    typer.Option(
        "--include-secrets",
        metavar=NO_TYPE,
        help="Include passwords and signed links. Only its owner can then read the"
        " file.",
    ),
]
CompanyCount = Annotated[
    int,
    typer.Option(
        "--companies", metavar="N", min=1, help="Number of invented companies."
    ),
]
Seed = Annotated[
    int,
    typer.Option(
        "--seed",
        metavar="N",
        help="Seed of the data. The same seed gives the same data.",
    ),
]
Latency = Annotated[
    float,
    typer.Option(
        "--latency", metavar="SECONDS", min=0, help="Time that each answer takes."
    ),
]
RecordingPath = Annotated[
    Path, typer.Argument(metavar="PATH", help="Folder of the recording.")
]
