"""The options of the commands that look at recordings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

__all__ = [
    "BaseUrl",
    "DryRun",
    "Format",
    "Har",
    "HarUrl",
    "MaxAge",
    "New",
    "Old",
    "One",
    "Patterns",
    "Rules",
    "Several",
    "Traffic",
]

# Newer versions of typer name the type of a flag where this is not empty.
_FLAG: Final = ""

One = Annotated[
    Path, typer.Argument(metavar="PATH", help="The folder of the recording.")
]
Several = Annotated[
    list[Path], typer.Argument(metavar="PATH", help="The folders of recordings.")
]
Old = Annotated[Path, typer.Argument(metavar="OLD", help="The recording as it was.")]
New = Annotated[Path, typer.Argument(metavar="NEW", help="The recording as it is.")]
Traffic = Annotated[
    Path, typer.Argument(metavar="FILE", help="What another tool wrote down.")
]
Har = Annotated[Path, typer.Argument(metavar="FILE", help="Where to.")]
MaxAge = Annotated[
    float | None,
    typer.Option(
        "--max-age",
        metavar="DAYS",
        min=0,
        help="How old it may be; as old as it likes where nothing is said.",
        show_default=False,
    ),
]
Rules = Annotated[
    list[str] | None,
    typer.Option(
        "--rule",
        metavar="KIND=KEY,KEY",
        help="Replace what stands below these keys as well, by KIND-1, KIND-2, ...;"
        " may be given several times.",
    ),
]
Patterns = Annotated[
    list[str] | None,
    typer.Option(
        "--pattern",
        metavar="KIND=REGEX",
        help="The same for what a regular expression finds in any text.",
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run", metavar=_FLAG, help="Say what would be replaced; write nothing."
    ),
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="har, or cassette (of vcrpy); by the file's name where nothing is said.",
        show_default=False,
    ),
]
BaseUrl = Annotated[
    str | None,
    typer.Option(
        "--base-url",
        metavar="URL",
        help="Where Nectar was; what has a version and a path of the contract, where"
        " nothing is said.",
        show_default=False,
    ),
]
HarUrl = Annotated[
    str | None,
    typer.Option(
        "--base-url",
        metavar="URL",
        help="Where its addresses begin; Nectar's own where nothing is said.",
        show_default=False,
    ),
]
