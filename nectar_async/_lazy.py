"""The lazy façade of the package root (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module

__all__ = ["attach_stub"]


def attach_stub(
    package: str, file: str
) -> tuple[Callable[[str], object], Callable[[], list[str]], list[str]]:
    """Read the names that a package's stub imports, to import each on first use.

    The stub is the `.pyi` file beside the package's `__init__.py`. Type checkers read
    the same file, so they cannot see other names than the interpreter.

    Args:
        package: the package's `__name__`.
        file: the package's `__file__`.

    Returns:
        `__getattr__`, `__dir__` and `__all__` for the package.
    """
    homes = _homes(file + "i")
    names = sorted({*homes, "__version__"})

    def getattr_(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        # Not from `sys.modules`: there a module may be half made by another thread.
        value = getattr(import_module(homes[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    def dir_() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes})

    return getattr_, dir_, names


def _homes(stub: str) -> dict[str, str]:
    """Map each name to its module, for a stub of `from module import name as name`.

    The file is read line by line: the `ast` module takes longer to load than all of
    this package's root.
    """
    homes: dict[str, str] = {}
    module = ""
    with open(stub, encoding="utf-8") as lines:  # noqa: PTH123  pathlib takes 5 ms
        for line in lines:
            if line.startswith("from "):
                module = line.split()[1]
            for name in line.split(" as ")[1:]:
                homes[name.partition(",")[0].strip()] = module
    return homes
