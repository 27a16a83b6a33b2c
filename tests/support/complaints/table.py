"""Read the table of complaints from the docstrings of its tests, and write its page.

The docstring of each test in `tests/complaints` has three paragraphs: the complaint,
what the package does instead, and links to the upstream issues, one a line. This module
imports the standard library only, because `.ci/complaints` imports it.
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
    "find_problems",
    "find_tests",
    "read_complaints",
    "render_page",
]

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "tests" / "complaints"
PAGE = ROOT / "docs" / "complaints.md"

_ISSUE = re.compile(r"https://github\.com/([\w.-]+/[\w.-]+)/(?:issues|pull)/(\d+)")
_ROW = re.compile(r"^\|.*`(tests/[\w/]+\.py::\w+)` \|$", re.MULTILINE)
_PASSED = "passed"
_PARAGRAPHS = 3

HEAD = """\
# Complaints

This page lists complaints of users about other SDKs, and what this package does
instead. Each row is a test that runs one scenario twice: with code as it is often
written (`tests/support/complaints/flawed_*.py`), which must show the problem, and with
this package, which must not. `.ci/complaints` runs the tests and fails if one is
missing or skipped. It also writes this page from the tests.

The page has no complaints about watermarks and checkpoints of nightly pulls, because
the package has neither yet. It has none about the memory of thousands of clients in one
process either: one shared client is enough.
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
    complaint: str
    answer: str
    links: tuple[str, ...]
    test: str
    """The id that pytest gives the test, without parameters."""

    @property
    def row(self) -> str:
        upstream = ", ".join(_format_link(link) for link in self.links)
        return f"| {self.complaint} | {upstream} | {self.answer} | `{self.test}` |"


def read_complaints() -> list[Complaint]:
    """Read all complaints, by file and in the order of the tests."""
    paths = sorted(FOLDER.glob("test_*.py"))
    return [complaint for path in paths for complaint in _read_file(path)]


def _read_file(path: Path) -> Iterator[Complaint]:
    module = ast.parse(path.read_text("utf-8"))
    area = _unwrap(ast.get_docstring(module)).removeprefix("Complaints about ")
    name = path.relative_to(ROOT).as_posix()
    for node in module.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if not node.name.startswith("test_"):
                continue
            complaint, answer, links = _split_docstring(node)
            yield Complaint(
                area=area.removesuffix(".").capitalize(),
                complaint=_unwrap(complaint),
                answer=_unwrap(answer),
                links=tuple(links.split()),
                test=f"{name}::{node.name}",
            )


def _split_docstring(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Sequence[str]:
    parts = (ast.get_docstring(node) or "").split("\n\n")
    if len(parts) != _PARAGRAPHS:
        raise ValueError(f"{node.name} has a docstring of {len(parts)} paragraphs")
    return parts


def _unwrap(text: str | None) -> str:
    return " ".join((text or "").split())


def _format_link(link: str) -> str:
    match = _ISSUE.fullmatch(link)
    if match is None:
        raise ValueError(f"{link} is not a link to an issue on GitHub")
    return f"[{match[1]}#{match[2]}]({link})"


def render_page() -> str:
    """Render the whole page from the tests."""
    complaints = read_complaints()
    parts = [HEAD]
    for area in dict.fromkeys(complaint.area for complaint in complaints):
        head = (f"| {' | '.join(COLUMNS)} |", "| --- | --- | --- | --- |")
        rows = [complaint.row for complaint in complaints if complaint.area == area]
        lines = (*head, *rows)
        parts.append(f"## {area}\n\n" + "\n".join(lines) + "\n")
    return "\n".join(parts)


def find_tests(page: str) -> list[str]:
    """Find the tests that the rows of a page name."""
    return _ROW.findall(page)


def find_problems(
    names: Sequence[str], outcomes: Mapping[str, Sequence[str]]
) -> list[str]:
    """Compare a table with a run of its tests, and return the problems.

    Args:
        names: the tests of the table.
        outcomes: of each test that ran, by its id; one for each set of parameters,
            `passed` or another word.
    """
    problems = [f"{name} did not run" for name in names if not outcomes.get(name)]
    for name, results in outcomes.items():
        if name not in names:
            problems.append(f"{name} is not in the table")
        failures = [result for result in results if result != _PASSED]
        problems += [f"{name} {failure}" for failure in dict.fromkeys(failures)]
    return problems
