"""Build RESULTS.md: every figure of one run, with the versions used."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from inspect import cleandoc
from pathlib import Path

from attrs import field, frozen

from benchmarks.support.figures import Figure

__all__ = ["Section", "build_results"]

PACKAGES = (
    *("nectar-async", "aiohttp", "anyio", "attrs", "cattrs", "msgspec"),
    *("uvloop", "isal", "httpx", "pydantic", "orjson", "vcrpy", "aioresponses"),
)
_ABOUT = """\
Written by `python -m benchmarks`; [README.md](README.md) explains the questions.
Figures without a unit are ratios, taken inside a round: what other processes do to the
machine affects both sides."""


@frozen
class Section:
    """The results of one program."""

    name: str
    text: str
    figures: Sequence[Figure] = field(factory=tuple)
    seconds: float = 0.0
    """Seconds that the program took."""


def build_results(sections: Iterable[Section]) -> str:
    """Build the text of the file."""
    sections = list(sections)
    figures = [figure for section in sections for figure in section.figures]
    missed = [figure.question for figure in figures if figure.is_met is False]
    wanted = sum(figure.is_met is not None for figure in figures)
    parts = [
        "# Results",
        _ABOUT,
        _machine(),
        f"{wanted - len(missed)} of {wanted} bounds are met."
        + "".join(f"\n- missed: {question}" for question in missed),
    ]
    parts += [
        f"## {section.name}\n\n{_question(section.name)}"
        f" ({section.seconds:.0f} s)\n\n{section.text}"
        for section in sections
    ]
    return "\n\n".join(parts) + "\n"


def _machine() -> str:
    load = " ".join(f"{load_average:.1f}" for load_average in os.getloadavg())
    facts = {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "command": "`python -m benchmarks`",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores,"
        f" load at the end {load}",
        "versions": ", ".join(_versions()),
    }
    return "\n".join(f"- {name}: {value}" for name, value in facts.items())


def _versions() -> Iterable[str]:
    for name in PACKAGES:
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            yield f"no {name}"


def _question(name: str) -> str:
    """Read the first line of a program's docstring."""
    spec = find_spec(f"benchmarks.{name}")
    if spec is None or spec.origin is None:
        sys.exit(f"there is no benchmarks.{name}")
    text = Path(spec.origin).read_text(encoding="utf-8")
    return cleandoc(text.split('"""')[1]).partition("\n")[0]
