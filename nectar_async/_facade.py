"""Lazy re-exports: a name loads its module when it is first asked for (PEP 562)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from sys import modules

__all__ = ["lazy"]


def lazy(
    package: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """The `__getattr__` and `__dir__` of a package.

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
