"""Each module can be imported alone, and nothing is imported before it is needed."""

from __future__ import annotations

import ast
import pkgutil
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import nectar_async

pytestmark = pytest.mark.without_coverage

PACKAGE = Path(nectar_async.__file__).parent
ROOT = PACKAGE.parent
MODULES = [
    module.name
    for module in pkgutil.walk_packages(nectar_async.__path__, "nectar_async.")
    if not module.name.endswith("__main__")
]
SOURCES = sorted(PACKAGE.rglob("*.py"))

# Libraries that no client in memory or on a recording needs.
HEAVY = ("aiohttp", "yarl", "multidict", "typer", "rich", "pyarrow", "duckdb")

# Prints the loaded modules that start with one of the words, one a line.
SHOW = """
import sys
for name in sorted(sys.modules):
    if name.split(".")[0] in {words!r} or name.startswith({prefix!r}):
        print(name)
"""

# Imports each module in a process of its own, where the libraries and the layers below
# are loaded already: import-linter holds that no layer imports a higher one.
ALONE = """
import os, sys
import aiohttp, aiohttp.web, anyio, attrs, cattrs, msgspec, pytest, rich, typer
failed = False
for layer in {layers!r}:
    for package in {{name.rpartition(".")[0] for name in layer}}:
        __import__(package)  # as Python does before anything in it
    for name in layer:
        child = os.fork()
        if not child:
            try:
                __import__(name)
            except BaseException as error:
                print(name, repr(error), file=sys.stderr, flush=True)
                os._exit(1)
            os._exit(0)
        failed |= os.waitpid(child, 0)[1] != 0
    for name in () if failed else layer:
        __import__(name)
sys.exit(failed)
"""


def layers() -> list[list[str]]:
    """List the modules of each layer of import-linter's contract, from the bottom."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contract = config["tool"]["importlinter"]["contracts"][0]
    groups = [set(re.findall(r"\w+", layer)) for layer in contract["layers"]]
    modules = [
        [module for module in MODULES if module.split(".")[1] in group]
        for group in reversed(groups)
    ]
    assert sum(map(len, modules)) == len(MODULES)
    return modules


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  our own code
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )


def loaded(code: str, *words: str, prefix: str = "-") -> list[str]:
    """List the modules among `words` that are loaded after `code`."""
    done = run(code + SHOW.format(words=words, prefix=prefix))
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def run_time_imports(tree: ast.AST) -> Iterator[str]:
    """Find what a module imports when it runs, in functions too."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for other in node.orelse:
                yield from run_time_imports(other)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "nectar_async":
            for alias in node.names:  # a subpackage, or a name of the root
                module = f"nectar_async.{alias.name}"
                yield module if module in MODULES else "nectar_async"
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
        else:
            yield from run_time_imports(node)


@pytest.mark.slow
def test_every_module_can_be_imported_alone() -> None:
    done = run(ALONE.format(layers=layers()))
    assert done.returncode == 0, done.stderr


def test_the_root_loads_no_library_and_no_module_of_its_own() -> None:
    heavy = ("aiohttp", "anyio", "asyncio", "attr", "attrs", "cattrs", "msgspec")
    extras = ("typer", "rich", "trio", "yaml")
    assert loaded("import nectar_async", *heavy, *extras) == []
    own = loaded("import nectar_async", "nectar_async")
    assert own == ["nectar_async", "nectar_async._lazy", "nectar_async._version"]


def test_a_client_on_a_memory_transport_never_loads_aiohttp() -> None:
    code = """
import anyio
from nectar_async import MemoryTransport, NectarClient, Settings, UsageData
async def main():
    transport = MemoryTransport({"ping_get": "pong v2.2"})
    async with NectarClient(transport=transport, settings=Settings()) as nectar:
        assert await nectar.ping() == "pong v2.2"
anyio.run(main)
"""
    assert loaded(code, "aiohttp", "yarl", "multidict", "typer", "rich") == []
    assert loaded(code, prefix="nectar_async.sandbox") == []
    assert loaded(code, prefix="nectar_async.transports.aiohttp") == []


def test_a_client_without_async_with_loads_what_it_needs() -> None:
    code = """
import anyio
from nectar_async import MemoryTransport, NectarClient
async def main():
    nectar = NectarClient(transport=MemoryTransport({"ping_get": "pong v2.2"}))
    assert await nectar.ping() == "pong v2.2"
    await nectar.aclose()
anyio.run(main)
"""
    assert loaded(code, *HEAVY) == []


def test_a_client_on_a_recording_never_loads_aiohttp() -> None:
    code = """
import anyio, tempfile
from nectar_async import MemoryTransport, NectarClient
from nectar_async.transports import RecordedTransport, Recorder
async def main():
    with tempfile.TemporaryDirectory() as folder:
        live = MemoryTransport({"ping_get": "pong v2.2"})
        recorder = Recorder(f"{folder}/ping", mode="record")
        async with NectarClient(transport=live, recorder=recorder) as nectar:
            await nectar.ping()
        replay = RecordedTransport(f"{folder}/ping")
        async with NectarClient(transport=replay) as nectar:
            assert await nectar.ping() == "pong v2.2"
anyio.run(main)
"""
    assert loaded(code, *HEAVY) == []


def test_on_trio_not_even_asyncio_is_loaded_by_the_package() -> None:
    code = """
import trio
from nectar_async import MemoryTransport, NectarClient
async def main():
    transport = MemoryTransport({"companies_list": []})
    async with NectarClient(transport=transport) as nectar:
        assert await nectar.companies.all() == []
trio.run(main)
"""
    assert loaded(code, "aiohttp") == []


def test_libraries_and_the_root_are_imported_where_they_may_be() -> None:
    # Import-linter checks the imports of aiohttp, asyncio and trio.
    wrong: list[str] = []
    for source in SOURCES:
        name = source.relative_to(PACKAGE).as_posix()
        imports = set(run_time_imports(ast.parse(source.read_text("utf-8"))))
        tops = {module.partition(".")[0] for module in imports}
        if not name.startswith(("transports/aiohttp", "sandbox/")) and "yarl" in tops:
            wrong.append(f"{name} imports yarl")
        if not name.startswith(("sandbox/", "cli/")) and "nectar_async" in imports:
            wrong.append(f"{name} imports the package root")
        if not name.startswith("cli/") and tops & {"typer", "rich"}:
            wrong.append(f"{name} imports a library of the command line")
    assert wrong == []
