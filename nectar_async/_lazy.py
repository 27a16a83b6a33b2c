"""Modules that load when they are first asked for: by a name, or by an attribute."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from sys import modules
from typing import Any

__all__ = ["later", "lazy"]


class _Later:
    """In the place of a module; what was asked for once is an attribute of its own."""

    def __init__(self, name: str) -> None:
        self.__name__ = name

    def __getattr__(self, name: str) -> Any:
        value = getattr(import_module(self.__name__), name)
        setattr(self, name, value)
        return value


def later(name: str) -> Any:
    """A module for its name, imported when something in it is first asked for.

    For what most programs never come to, or not before there is time:

    ```python
    if TYPE_CHECKING:
        import html
    else:
        html = later("html")
    ```
    """
    return _Later(name)


def lazy(
    package: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """The `__getattr__` and `__dir__` of a package that re-exports names (PEP 562).

    Args:
        package: its `__name__`.
        homes: public names, each with the submodule that it lives in, or, with a dot,
            any module.
    """

    def getattr_(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        home = homes[name]
        module = import_module(home if "." in home else f"{package}.{home}")
        value = getattr(module, name)
        setattr(modules[package], name, value)
        return value

    def dir_() -> list[str]:
        return sorted({*vars(modules[package]), *homes})

    return getattr_, dir_
