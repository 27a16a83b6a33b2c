"""The repository agrees with itself: paths exist, and the drawing of layers is true."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
CONFIG: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
# Recordings of a user's own tests, in examples.
OF_USERS = "tests/recordings/"
PAGES = sorted(
    [
        # The changelog names files of earlier versions.
        *(page for page in ROOT.glob("*.md") if page.name != "CHANGELOG.md"),
        *(ROOT / "docs").glob("*.md"),
        *ROOT.glob("benchmarks/*.md"),
    ]
)
PROGRAMS = sorted(
    path
    for path in [*(ROOT / ".ci").iterdir(), *(ROOT / ".github").rglob("*.yml")]
    if path.is_file() and path.suffix not in {".txt", ".pyc"}
)
# A path below one of the folders of the repository.
PATH = re.compile(
    r"(?<![\w./-])((?:nectar_async|tests|docs|examples|benchmarks|\.ci|\.github)"
    r"/[\w./*-]*[\w*])"
)


def paths_in_config() -> list[str]:
    """List the paths that pyproject.toml names."""
    tool = CONFIG["tool"]
    return [
        tool["hatch"]["version"]["path"],
        *tool["hatch"]["build"]["targets"]["sdist"]["include"],
        *tool["hatch"]["build"]["targets"]["wheel"]["packages"],
        *tool["ruff"]["extend-include"],
        *tool["ruff"]["lint"]["per-file-ignores"],
        *tool["mypy"]["files"],
        *tool["mypy"]["mypy_path"].split(":"),
        *tool["pyright"]["include"],
        *tool["pytest"]["ini_options"]["testpaths"],
        *tool["pytest"]["ini_options"]["pythonpath"],
        *(f"{source}/" for source in tool["coverage"]["run"]["source"]),
        CONFIG["project"]["readme"],
        *CONFIG["project"]["license-files"],
    ]


def is_there(pattern: str) -> bool:
    """Whether a path or a pattern names at least one file of the repository."""
    pattern = pattern.strip("/").removesuffix("/**")
    return any(True for _ in ROOT.glob(pattern)) if pattern else False


@pytest.mark.parametrize("path", paths_in_config())
def test_every_path_of_pyproject_exists(path: str) -> None:
    assert is_there(path)


@pytest.mark.parametrize(
    "page", [*PAGES, *PROGRAMS], ids=lambda page: str(page.relative_to(ROOT))
)
def test_every_path_that_a_page_or_a_program_names_exists(page: Path) -> None:
    text = page.read_text("utf-8")
    names = {name for name in PATH.findall(text) if not name.startswith(OF_USERS)}
    assert [name for name in sorted(names) if not is_there(name)] == []


def test_no_option_of_pytest_leaves_out_a_path() -> None:
    # pytest accepts `--ignore` of a path that is gone; a marker cannot go unnoticed.
    options = CONFIG["tool"]["pytest"]["ini_options"]["addopts"]
    texts = [path.read_text("utf-8") for path in PROGRAMS]
    assert not any("--ignore=" in text or "--deselect" in text for text in texts)
    assert not any(option.startswith(("--ignore", "--deselect")) for option in options)


def test_the_entry_points_can_be_imported() -> None:
    project = CONFIG["project"]
    targets = [
        *project["scripts"].values(),
        *project["entry-points"]["pytest11"].values(),
    ]
    for target in targets:
        module = ROOT.joinpath(*target.partition(":")[0].split("."))
        assert module.with_suffix(".py").exists() or (module / "__init__.py").exists()


def test_the_drawing_of_layers_is_the_contract_of_import_linter() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    drawing = page.partition("<!-- layers -->\n```\n")[2].partition("\n```")[0]
    (contract,) = (
        contract
        for contract in CONFIG["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    )
    assert drawing.splitlines() == contract["layers"]


def test_the_architecture_names_every_part_of_the_package() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    tree = page.partition("```\nnectar_async/\n")[2].partition("\n```")[0]
    drawn = {line.split()[0].rstrip("/") for line in tree.splitlines()}
    parts = {
        path.name
        for path in (ROOT / "nectar_async").iterdir()
        if (path.suffix == ".py" or (path / "__init__.py").exists())
        and path.name not in {"__init__.py", "_version.py"}
    }
    assert parts == drawn
