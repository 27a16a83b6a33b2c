"""Opening is safe: many clients, loops and threads at once in a fresh process.

Each program runs in a process of its own, in which nothing of the package is loaded,
with threads that switch as often as possible: so they meet in imports.
"""

from __future__ import annotations

import inspect
import json
import os
import pydoc
import subprocess
import sys
import threading
import typing
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from unittest.mock import create_autospec

import attrs
import pytest

import nectar_async
from nectar_async import NectarClient, UsageData, models
from nectar_async.resources import usage

COMPANY = {"id": "c-1", "name": "Acme"}

MEMORY = f"""
from nectar_async import MemoryTransport, NectarClient
def client():
    return NectarClient(transport=MemoryTransport({{"companies_list": [{COMPANY}]}}))
"""

DEFAULT = """
from nectar_async import NectarClient
def client():
    return NectarClient("key-of-the-test")
"""

USE = """
async def use():
    async with client() as nectar:
        (company,) = await nectar.companies.all()
        return company.name
"""

ONE_LOOP = """
import anyio
async def main():
    names = []
    async def one():
        names.append(await use())
    async with anyio.create_task_group() as group:
        for _ in range(12):
            group.start_soon(one)
    assert names == ["Acme"] * 12, names
anyio.run(main)
"""

THREADS = """
import sys, threading
sys.setswitchinterval(1e-6)
barrier = threading.Barrier(8)
failures = []
def run(number):
    try:
        barrier.wait()
        work(number)
    except BaseException as error:
        failures.append(error)
threads = [threading.Thread(target=run, args=[number]) for number in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
if failures:
    raise failures[0]
"""

# The import of anyio is outside, as in a program that runs an event loop already; all
# imports of the package are inside the threads.
LOOPS = """
import anyio
def work(number):
    scope = {{}}
    exec({program!r}, scope)
    assert anyio.run(scope["use"]) == "Acme"
"""

FIRST_USES = """
def work(number):
    import copy, inspect, pickle
    import nectar_async as package
    from nectar_async import errors, models
    uses = [
        lambda: package.UsageData(id="u-1"),
        lambda: package.NotFoundError("no", status=404),
        lambda: inspect.signature(package.Document),
        lambda: pickle.loads(pickle.dumps(package.Company(id="c-1", name="Acme"))),
        lambda: copy.deepcopy(package.Meter(id="m-1")),
        lambda: pickle.loads(pickle.dumps(errors.DecodeError("odd"))),
        lambda: [getattr(models, name) for name in models.__all__],
        lambda: [getattr(package, name) for name in package.__all__],
    ]
    for place in range(8):
        assert uses[(number + place) % 8]() is not None
"""


class Api(BaseHTTPRequestHandler):
    """A server in this process, so that the fresh process has not loaded aiohttp."""

    def do_GET(self) -> None:
        body = json.dumps([COMPANY]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Api) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def run_fresh(program: str, url: str = "") -> None:
    """Run a program in a process of its own."""
    done = subprocess.run(  # noqa: S603  our own program
        [sys.executable, "-W", "error", "-c", program],
        env={**os.environ, "NECTAR_BASE_URL": url},
        check=False,
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("client", [MEMORY, DEFAULT], ids=["memory", "default"])
def test_twelve_clients_open_at_once_on_one_loop(client: str, url: str) -> None:
    run_fresh(client + USE + ONE_LOOP, url)


@pytest.mark.parametrize("client", [MEMORY, DEFAULT], ids=["memory", "default"])
def test_eight_threads_open_a_client_at_once_on_a_loop_each(
    client: str, url: str
) -> None:
    run_fresh(LOOPS.format(program=client + USE) + THREADS, url)


def test_eight_threads_use_models_and_errors_for_the_first_time_at_once() -> None:
    run_fresh(FIRST_USES + THREADS)


# The classes and signatures for `help`, mocks and type checkers.

GROUPS = {
    name: group
    for name in vars(NectarClient)
    if inspect.isclass(group := getattr(NectarClient, name))
}
METHODS = {
    f"{name}.{method}": function
    for name, group in {"client": NectarClient, **GROUPS}.items()
    for method, function in inspect.getmembers(group, inspect.isfunction)
}
RECORDS = {
    name: model for name in models.__all__ if attrs.has(model := getattr(models, name))
}


def test_help_of_a_group_is_that_of_its_class() -> None:
    assert NectarClient.usage is usage.Usage
    text = pydoc.plain(pydoc.render_doc(NectarClient.usage))
    assert "class Usage" in text
    # Python 3.13 writes each parameter on a line of its own, behind a bar.
    _, _, after = text.replace("|", " ").partition("by_company(")
    assert after.split()[:2] == ["self,", "company_id:"]


def test_a_mock_of_the_client_has_its_groups_and_their_signatures() -> None:
    mock = create_autospec(NectarClient, instance=True)
    assert mock.usage.by_company("c-1", start_date=None) is not None
    with pytest.raises(TypeError, match="company_id"):
        mock.usage.by_company()
    with pytest.raises(AttributeError, match="by_nobody"):
        _ = mock.usage.by_nobody
    with pytest.raises(AttributeError, match="usages"):
        _ = mock.usages


def test_the_signature_of_a_model_lists_its_fields() -> None:
    parameters = inspect.signature(UsageData).parameters
    assert [*parameters] == [field.name for field in attrs.fields(UsageData)]
    assert parameters["id"].default is inspect.Parameter.empty
    assert parameters["usage"].default is None


@pytest.mark.parametrize("name", METHODS)
def test_the_hints_of_every_method_can_be_resolved(name: str) -> None:
    hints = typing.get_type_hints(METHODS[name])
    parameters = [*inspect.signature(METHODS[name]).parameters][1:]
    assert {*parameters} <= hints.keys()
    assert "return" in hints


@pytest.mark.parametrize("name", RECORDS)
def test_the_hints_of_every_model_can_be_resolved(name: str) -> None:
    hints = typing.get_type_hints(RECORDS[name])
    assert typing.get_type_hints(RECORDS[name].__init__).keys() <= {*hints, "return"}
    assert inspect.signature(RECORDS[name], eval_str=True).parameters.keys() <= {*hints}
    assert hints.keys() >= {field.name for field in attrs.fields(RECORDS[name])}


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in nectar_async.__all__
        if inspect.isclass(getattr(nectar_async, name))
    ],
)
def test_the_hints_of_every_public_class_can_be_resolved(name: str) -> None:
    assert isinstance(typing.get_type_hints(getattr(nectar_async, name)), dict)
