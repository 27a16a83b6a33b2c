"""`nectar_async.models` offers every model and loads only what is asked for."""

from __future__ import annotations

import ast
import pickle
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from nectar_async import models

HOME = Path(models.__file__)
SUBMODULES = sorted(
    path.stem for path in HOME.parent.glob("*.py") if not path.stem.startswith("_")
)


def names_that_checkers_see() -> dict[str, str]:
    """Each name of the TYPE_CHECKING block with the module it comes from."""
    (block,) = (
        node
        for node in ast.parse(HOME.read_text("utf-8")).body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    return {
        alias.name: node.module.rpartition(".")[2]
        for node in block.body
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }


def test_all_lists_every_public_name_of_every_submodule() -> None:
    public = [
        name
        for submodule in SUBMODULES
        for name in import_module(f"{models.__name__}.{submodule}").__all__
    ]
    assert sorted(public) == models.__all__


def test_checkers_and_the_interpreter_see_the_same_names() -> None:
    assert names_that_checkers_see() == models._HOMES
    assert sorted(models._HOMES) == models.__all__


@pytest.mark.parametrize("name", models.__all__)
def test_every_name_is_the_class_of_its_home(name: str) -> None:
    cls = getattr(models, name)
    assert cls.__name__ == name
    assert cls.__module__ == f"{models.__name__}.{models._HOMES[name]}"
    assert pickle.loads(pickle.dumps(cls)) is cls  # noqa: S301  our own bytes


def test_an_unknown_name_is_an_attribute_error_that_names_it() -> None:
    with pytest.raises(AttributeError, match=r"models.* has no attribute 'Compny'"):
        _ = models.Compny  # type: ignore[attr-defined]


def test_dir_lists_names_that_were_not_loaded_yet() -> None:
    assert set(models.__all__) <= set(dir(models))


def test_importing_the_package_loads_no_model() -> None:
    code = (
        "import sys, nectar_async.models as models\n"
        "own = models.__name__ + '.'\n"
        "assert not [name for name in sys.modules if name.startswith(own)]\n"
        "models.DatasourceType\n"
        "assert 'nectar_async.models.usage' not in sys.modules\n"
        "assert 'DatasourceType' in vars(models)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=HOME.parents[2])  # noqa: S603  our own code
