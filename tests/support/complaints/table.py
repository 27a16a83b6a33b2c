"""The table of complaints: what the tests say of themselves, and what the page says.

A test of this folder has a docstring of three paragraphs: the complaint in users'
words, what the package does instead, and the upstream issues that it answers, a link
each line. Only the standard library is needed here: `.ci/complaints` reads it, too.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

__all__ = [
    "FOLDER",
    "PAGE",
    "ROOT",
    "Complaint",
    "complaints",
    "listed",
    "problems",
    "render",
]

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "tests" / "complaints"
PAGE = ROOT / "docs" / "complaints.md"

_ISSUE = re.compile(r"https://github\.com/([\w.-]+/[\w.-]+)/(?:issues|pull)/(\d+)")
_ROW = re.compile(r"^\|.*`(tests/[\w/]+\.py::\w+)` \|$", re.MULTILINE)
_PASSED = "passed"

HEAD = """\
# Complaints

What users of other SDKs complain about, and what this package does instead. Each row is
a test that plays one scenario twice: with the code as it is often written, which stands
beside the test (`tests/complaints/naive_*.py`) and must show the complaint, and with
this package, which must not. `.ci/complaints` runs them, and fails when one is missing
or skipped; it also writes this page, from the tests.

Not among them are complaints about the watermarks and checkpoints of nightly pulls: the
package has none of these yet. Neither is the memory of thousands
of clients in one process: one client, shared, is meant to do.
"""

COLUMNS = (
    "What users complain about",
    "Upstream",
    "What the package does",
    "Test",
)


class Complaint(NamedTuple):
    """A row of the table."""

    area: str
    said: str
    does: str
    links: tuple[str, ...]
    test: str
    """As pytest calls it, without parameters."""

    @property
    def row(self) -> str:
        upstream = ", ".join(_link(link) for link in self.links)
        return f"| {self.said} | {upstream} | {self.does} | `{self.test}` |"


def complaints() -> list[Complaint]:
    """All of them, by file and in the order in which they stand there."""
    return [one for path in sorted(FOLDER.glob("test_*.py")) for one in _of(path)]


def _of(path: Path) -> Iterator[Complaint]:
    module = ast.parse(path.read_text("utf-8"))
    area = _words(ast.get_docstring(module)).removeprefix("Complaints about ")
    name = path.relative_to(ROOT).as_posix()
    for node in module.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if not node.name.startswith("test_"):
                continue
            said, does, links = _paragraphs(node)
            yield Complaint(
                area=area.removesuffix(".").capitalize(),
                said=_words(said),
                does=_words(does),
                links=tuple(links.split()),
                test=f"{name}::{node.name}",
            )


def _paragraphs(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Sequence[str]:
    parts = (ast.get_docstring(node) or "").split("\n\n")
    if len(parts) != len(("said", "does", "links")):
        raise ValueError(f"{node.name} has a docstring of {len(parts)} paragraphs")
    return parts


def _words(text: str | None) -> str:
    return " ".join((text or "").split())


def _link(link: str) -> str:
    found = _ISSUE.fullmatch(link)
    if found is None:
        raise ValueError(f"{link} is no issue of GitHub's")
    return f"[{found[1]}#{found[2]}]({link})"


def render() -> str:
    """The whole page, from the tests."""
    rows = complaints()
    parts = [HEAD]
    for area in dict.fromkeys(one.area for one in rows):
        head = (f"| {' | '.join(COLUMNS)} |", "| --- | --- | --- | --- |")
        lines = (*head, *(one.row for one in rows if one.area == area))
        parts.append(f"## {area}\n\n" + "\n".join(lines) + "\n")
    return "\n".join(parts)


def listed(page: str) -> list[str]:
    """The tests that a page names, one a row."""
    return _ROW.findall(page)


def problems(names: Sequence[str], outcomes: Mapping[str, Sequence[str]]) -> list[str]:
    """What is wrong between a table and a run of its tests; nothing, if it is well.

    Args:
        names: the tests of the table.
        outcomes: of each test that ran, `passed` or another word for each of its
            parameters.
    """
    found = [f"{name} is not there" for name in names if not outcomes.get(name)]
    for name, each in outcomes.items():
        if name not in names:
            found.append(f"{name} is not in the table")
        found += [f"{name} {one}" for one in dict.fromkeys(each) if one != _PASSED]
    return found
