"""The page of complaints agrees with its tests, without running them."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from complaints.table import (
    FOLDER,
    PAGE,
    ROOT,
    find_problems,
    find_tests,
    read_complaints,
    render_page,
)

FILES = sorted(FOLDER.glob("test_*.py"))


def find_flawed_imports(module: ast.Module) -> set[str]:
    """Find the names that a file imports from the flawed variants."""
    return {
        alias.name
        for node in module.body
        if isinstance(node, ast.ImportFrom) and node.module is not None
        for alias in node.names
        if node.module.startswith("complaints.flawed_")
    }


def test_the_page_is_up_to_date_with_the_docstrings_of_the_tests() -> None:
    assert PAGE.read_text("utf-8") == render_page(), "run .ci/complaints --write"


@pytest.mark.slow
def test_each_test_is_one_row_and_each_row_is_collected() -> None:
    done = subprocess.run(  # noqa: S603  our own tests
        [
            *(sys.executable, "-m", "pytest", "--collect-only", "-q", str(FOLDER)),
            *("-m", "", "-p", "anyio.pytest_plugin", "-p", "pytest_asyncio.plugin"),
            *("-p", "pytest_timeout", "-p", "no:cacheprovider"),
        ],
        cwd=ROOT,
        # Loading all plugins would take most of the time.
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        check=True,
        capture_output=True,
        text=True,
    )
    lines = [line for line in done.stdout.splitlines() if "::" in line]
    collected = {line.partition("[")[0] for line in lines}
    names = find_tests(PAGE.read_text("utf-8"))
    assert len(names) == len(set(names)) == len(read_complaints())
    assert set(names) == collected


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_test_uses_a_flawed_variant(path: Path) -> None:
    module = ast.parse(path.read_text("utf-8"))
    imported = find_flawed_imports(module)
    # Scripts that a test runs in another process also import flawed variants.
    scripts = {
        target.id
        for node in module.body
        if isinstance(node, ast.Assign)
        and "complaints.flawed_" in ast.unparse(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in module.body:
        name = getattr(node, "name", "")
        if name.startswith("test_"):
            used = {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}
            assert used & (imported | scripts), f"{name} uses no flawed variant"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_complaint_is_skipped(path: Path) -> None:
    assert not re.findall(
        r"\b(?:pytest|mark)\.(?:skip\w*|xfail|importorskip)\b", path.read_text("utf-8")
    )


@pytest.mark.parametrize(
    ("outcomes", "problem"),
    [
        ({}, "a::b did not run"),
        ({"a::b": ["passed", "was skipped"]}, "a::b was skipped"),
        ({"a::b": ["failed"]}, "a::b failed"),
        ({"a::b": ["passed"], "a::c": ["passed"]}, "a::c is not in the table"),
    ],
    ids=["missing", "skipped", "failed", "unlisted"],
)
def test_problems_of_a_run_are_found(
    outcomes: dict[str, list[str]], problem: str
) -> None:
    assert find_problems(["a::b"], outcomes) == [problem]
    assert find_problems(["a::b"], {"a::b": ["passed", "passed"]}) == []


def test_rows_are_found_in_a_page() -> None:
    page = "| complaint | [o/r#1](https://x) | `answer` | `tests/x/test_y.py::test_z` |"
    assert find_tests(f"# Head\n\n{page}\n") == ["tests/x/test_y.py::test_z"]
