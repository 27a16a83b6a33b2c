"""What is imported when: each module alone, and nothing that is not needed."""

from __future__ import annotations

import ast
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import nectar_async

PACKAGE = Path(nectar_async.__file__).parent
ROOT = PACKAGE.parent
MODULES = [
    module.name
    for module in pkgutil.walk_packages(nectar_async.__path__, "nectar_async.")
    if not module.name.endswith("__main__")
]
SOURCES = sorted(PACKAGE.rglob("*.py"))
MAY_KNOW_AIOHTTP = ("transports/aiohttp.py", "transports/_aiohttp_pool.py", "sandbox/")

# What no client in memory or on a recording has anything to do with.
HEAVY = ("aiohttp", "yarl", "multidict", "typer", "rich", "pyarrow", "duckdb")

# Loaded modules that start with one of the words are printed, one a line.
SHOW = """
import sys
for name in sorted(sys.modules):
    if name.split(".")[0] in {words!r} or name.startswith({prefix!r}):
        print(name)
"""

# From the bottom of the house to its top: a storey never imports one above, so the ones
# below may be there already.
STOREYS = (
    *("models", "contract", "", "resources", "transports", "sandbox", "testing"),
    "cli",
)

# Each module in a process of its own, in which the libraries are there already, and
# what is below its storey.
ALONE = """
import os, sys
import aiohttp, aiohttp.web, anyio, attrs, cattrs, msgspec, pytest, rich, typer
failed = False
for storey in {storeys!r}:
  for package in {{name.rpartition(".")[0] for name in storey}}:
    __import__(package)  # as Python does before anything in it
  for name in storey:
    child = os.fork()
    if not child:
        try:
            __import__(name)
        except BaseException as error:
            print(name, repr(error), file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    failed |= os.waitpid(child, 0)[1] != 0
  for name in () if failed else storey:
    __import__(name)
sys.exit(failed)
"""


def storey(package: str) -> list[str]:
    """The modules of a package of ours; those at the root for no name."""
    parts = [module.split(".") for module in MODULES]
    packages = {module[1] for module in parts if len(module) > 2}
    return [
        ".".join(module)
        for module in parts
        if (module[1] if module[1] in packages else "") == package
    ]


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  our own code
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )


def loaded(code: str, *words: str, prefix: str = "-") -> list[str]:
    """The modules among `words` that are there after `code`."""
    done = run(code + SHOW.format(words=words, prefix=prefix))
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def run_time_imports(tree: ast.AST) -> Iterator[str]:
    """What a module imports when it runs, in functions too."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for other in node.orelse:
                yield from run_time_imports(other)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
        else:
            yield from run_time_imports(node)


def test_every_module_can_be_imported_alone() -> None:
    done = run(ALONE.format(storeys=[storey(name) for name in STOREYS]))
    assert done.returncode == 0, done.stderr


def test_the_root_loads_nothing_heavy_and_nothing_of_its_own() -> None:
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


def test_a_client_that_nobody_opens_loads_what_it_needs_as_well() -> None:
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


@pytest.mark.parametrize(
    "source", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_only_the_live_transport_and_the_sandbox_know_aiohttp_and_asyncio(
    source: Path,
) -> None:
    place = source.relative_to(PACKAGE).as_posix()
    imports = set(run_time_imports(ast.parse(source.read_text("utf-8"))))
    tops = {name.partition(".")[0] for name in imports}
    if not place.startswith(MAY_KNOW_AIOHTTP):
        assert not tops & {"aiohttp", "asyncio", "trio", "yarl"}
    if not place.startswith(("sandbox/", "cli/")):
        assert "nectar_async" not in imports, "nothing below imports the root"
    if not place.startswith("cli"):
        assert not tops & {"typer", "rich"}
