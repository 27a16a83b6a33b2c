"""The public names: sorted, loaded on first use, the same for checkers and Python."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import pytest

import nectar_async

STUB = Path(nectar_async.__file__).with_suffix(".pyi")


def stub_imports() -> dict[str, str]:
    """Map each name that the stub imports to its module."""
    return {
        alias.asname or alias.name: node.module or ""
        for node in ast.parse(STUB.read_text("utf-8")).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def test_the_stub_and_the_interpreter_have_the_same_names() -> None:
    assert sorted({*stub_imports(), "__version__"}) == nectar_async.__all__
    for name, module in stub_imports().items():
        assert getattr(nectar_async, name) is getattr(import_module(module), name)


def test_dir_lists_every_name() -> None:
    assert set(nectar_async.__all__) <= set(dir(nectar_async))
    assert dir(nectar_async) == sorted(dir(nectar_async))


def test_a_star_import_gives_every_name() -> None:
    scope: dict[str, object] = {}
    exec("from nectar_async import *", scope)  # noqa: S102  our own words
    assert set(nectar_async.__all__) <= scope.keys()


def test_an_unknown_name_is_an_attribute_error_that_names_it() -> None:
    with pytest.raises(AttributeError, match="'nectar_async' has no attribute 'Nectr'"):
        _ = nectar_async.Nectr  # type: ignore[attr-defined]
    with pytest.raises(ImportError, match="Nectr"):
        exec("from nectar_async import Nectr")  # noqa: S102  our own words


def test_every_error_and_model_is_at_the_root() -> None:
    for package in ("nectar_async.errors", "nectar_async.models"):
        missing = set(import_module(package).__all__) - set(nectar_async.__all__)
        assert missing == set(), f"{package}: not in nectar_async/__init__.pyi"
