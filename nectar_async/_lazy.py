"""Load the public names of the package root on first use (PEP 562)."""

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
    modules = _read_stub(file + "i")
    names = sorted({*modules, "__version__"})

    def getattr_(name: str) -> object:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        # `import_module` waits for a module that another thread is importing;
        # `sys.modules` may have it half loaded.
        value = getattr(import_module(modules[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    def dir_() -> list[str]:
        return sorted({*vars(sys.modules[package]), *modules})

    return getattr_, dir_, names


def _read_stub(stub: str) -> dict[str, str]:
    """Map each name to its module, for a stub of `from module import name as name`.

    The file is read line by line: the `ast` module takes longer to load than all of
    this package's root.
    """
    modules: dict[str, str] = {}
    module = ""
    with open(stub, encoding="utf-8") as lines:  # noqa: PTH123  pathlib takes 5 ms
        for line in lines:
            if line.startswith("from "):
                module = line.split()[1]
            for name in line.split(" as ")[1:]:
                modules[name.partition(",")[0].strip()] = module
    return modules
