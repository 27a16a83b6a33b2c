"""The public surface: literal, sorted, loaded when asked for, and documented."""

from __future__ import annotations

import ast
import inspect
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import FunctionType

import pytest

import nectar_async

STUB = Path(nectar_async.__file__).with_suffix(".pyi")
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(nectar_async.__path__, "nectar_async.")
    if not module.name.endswith("__main__")
)


def stub_imports() -> dict[str, str]:
    """Each name that the stub imports, with the module it comes from."""
    return {
        alias.asname or alias.name: node.module or ""
        for node in ast.parse(STUB.read_text("utf-8")).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def public_things() -> Iterator[tuple[str, object]]:
    """Every public class and function of every module, and the methods it defines."""
    for name in MODULES:
        module = import_module(name)
        for public in getattr(module, "__all__", ()):
            thing = getattr(module, public)
            if getattr(thing, "__module__", None) != name:
                continue
            if inspect.isclass(thing) or inspect.isfunction(thing):
                yield f"{name}.{public}", thing
            if inspect.isclass(thing):
                yield from members(f"{name}.{public}", thing)


def members(owner: str, cls: type) -> Iterator[tuple[str, object]]:
    for name, member in vars(cls).items():
        inner = getattr(member, "__func__", member)
        if not name.startswith("_") and isinstance(inner, FunctionType | property):
            yield f"{owner}.{name}", inner


@pytest.mark.parametrize("name", nectar_async.__all__)
def test_every_name_is_there(name: str) -> None:
    assert getattr(nectar_async, name) is not None


def test_checkers_and_the_interpreter_see_the_same_names() -> None:
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


@pytest.mark.parametrize("name", MODULES)
def test_every_module_says_what_it_is_for(name: str) -> None:
    assert (import_module(name).__doc__ or "").strip()


@pytest.mark.parametrize("name", MODULES)
def test_every_name_that_a_module_lists_is_there(name: str) -> None:
    module = import_module(name)
    for public in getattr(module, "__all__", ()):
        assert hasattr(module, public)


@pytest.mark.parametrize(
    "thing", [pytest.param(thing, id=name) for name, thing in public_things()]
)
def test_everything_public_has_a_docstring_of_its_own(thing: object) -> None:
    words = (thing.__doc__ or "").strip()
    assert words
    if inspect.isclass(thing):
        assert "__doc__" in vars(thing)
        assert not words.startswith(f"{thing.__name__}(")
