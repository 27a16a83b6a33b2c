"""The table of complaints and the tests that it names agree, without running them."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from complaints.table import FOLDER, PAGE, ROOT, complaints, listed, problems, render

FILES = sorted(FOLDER.glob("test_*.py"))


def naive_names(module: ast.Module) -> set[str]:
    """What a file imports of the naive variants beside it."""
    return {
        alias.name
        for node in module.body
        if isinstance(node, ast.ImportFrom) and node.module is not None
        for alias in node.names
        if node.module.startswith("complaints.naive_")
    }


def test_the_page_says_what_the_tests_say_of_themselves() -> None:
    assert PAGE.read_text("utf-8") == render(), "run .ci/complaints --write"


def test_each_test_is_one_row_and_each_row_is_collected() -> None:
    done = subprocess.run(  # noqa: S603  our own tests
        [
            *(sys.executable, "-m", "pytest", "--collect-only", "-q", str(FOLDER)),
            *("-m", "", "-p", "anyio.pytest_plugin", "-p", "pytest_asyncio.plugin"),
            *("-p", "pytest_timeout", "-p", "no:cacheprovider"),
        ],
        cwd=ROOT,
        # Other plugins cost more than all the rest of it.
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        check=True,
        capture_output=True,
        text=True,
    )
    lines = [line for line in done.stdout.splitlines() if "::" in line]
    collected = {line.partition("[")[0] for line in lines}
    names = listed(PAGE.read_text("utf-8"))
    assert len(names) == len(set(names)) == len(complaints())
    assert set(names) == collected


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_complaint_is_shown_on_a_naive_variant(path: Path) -> None:
    module = ast.parse(path.read_text("utf-8"))
    imported = naive_names(module)
    # A script that a test gives to another process names its variant, too.
    scripts = {
        target.id
        for node in module.body
        if isinstance(node, ast.Assign)
        and "complaints.naive_" in ast.unparse(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in module.body:
        name = getattr(node, "name", "")
        if name.startswith("test_"):
            used = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
            assert used & (imported | scripts), f"{name} has no counter-example"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_complaint_is_skipped(path: Path) -> None:
    assert not re.findall(
        r"\b(?:pytest|mark)\.(?:skip\w*|xfail|importorskip)\b", path.read_text("utf-8")
    )


@pytest.mark.parametrize(
    ("outcomes", "problem"),
    [
        ({}, "a::b is not there"),
        ({"a::b": ["passed", "was skipped"]}, "a::b was skipped"),
        ({"a::b": ["failed"]}, "a::b failed"),
        ({"a::b": ["passed"], "a::c": ["passed"]}, "a::c is not in the table"),
    ],
    ids=["missing", "skipped", "failed", "stray"],
)
def test_what_is_wrong_is_told(outcomes: dict[str, list[str]], problem: str) -> None:
    assert problems(["a::b"], outcomes) == [problem]
    assert problems(["a::b"], {"a::b": ["passed", "passed"]}) == []


def test_rows_are_found_in_a_page() -> None:
    page = "| said | [o/r#1](https://x) | does `it` | `tests/x/test_y.py::test_z` |"
    assert listed(f"# Head\n\n{page}\n") == ["tests/x/test_y.py::test_z"]
