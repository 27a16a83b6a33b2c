"""The pytest plugin in suites of users: every async style and every mode."""

from __future__ import annotations

import inspect
import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import pytest
from anyio.from_thread import start_blocking_portal

from nectar_async.sandbox import Sandbox
from nectar_async.testing import plugin as pytest_plugin
from nectar_async.testing.live import RealClock, SandboxClock, ShortWaitClock
from nectar_async.testing.options import SANDBOX_ARGUMENTS, find_recording_path
from nectar_async.transports import Mode, _mode

pytest_plugins = ["pytester"]

RECORD = ("--nectar-record=record", "--nectar-sandbox")

# The configuration of a user's suite; replay must not use the network.
INI = """
[pytest]
asyncio_default_fixture_loop_scope = function
asyncio_mode = {mode}
addopts = --strict-markers -p no:cacheprovider
filterwarnings = error
"""
OFFLINE = """
import socket
import pytest

@pytest.fixture(autouse=True)
def offline(request, monkeypatch):
    if request.config.getoption("nectar_record") or request.config.getoption(
        "nectar_sandbox"
    ):
        return
    def connect(*_):
        raise AssertionError("the network was used")
    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket.socket, "connect_ex", connect)
"""


class User:
    """The test suite of a user, in a temporary folder."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.folder = pytester.path
        self.write("pytest.ini", INI.format(mode="strict"))
        self.write("conftest.py", OFFLINE)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def run(self, *arguments: str, **outcomes: int) -> str:
        """Run pytest, check its outcomes and return its output."""
        result = self.pytester.runpytest_inprocess(*arguments)
        output = "\n".join([*result.outlines, *result.errlines])
        assert result.parseoutcomes() == outcomes, output
        return output

    def files(self) -> dict[str, bytes]:
        """Read all files of all recordings."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in sorted(self.folder.glob("recordings/**/*"))
            if path.is_file()
        }

    def names(self, recording: str) -> list[str]:
        """List the operations of a recording, in order."""
        folder = self.folder / "recordings" / recording
        names = sorted(path.name for path in folder.iterdir())
        return [name.split(".")[0] for name in names if name != "recording.json"]


@pytest.fixture
def user(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> User:
    monkeypatch.delenv("NECTAR_RECORD", raising=False)
    # `pytester` runs in this process, where the clean-up of plugins is watched closely.
    return User(pytester)


STYLES = """
import asyncio
import pytest

async def read(nectar):
    companies = await nectar.companies.all()
    async for record in nectar.usage.by_company(companies[0].id):
        return record.id  # and leave the walk, and the client, as they are

@pytest.mark.asyncio
async def test_asyncio(nectar):
    assert await read(nectar)

@pytest.mark.anyio
async def test_anyio(nectar):
    assert await read(nectar)

def test_run(nectar):
    assert asyncio.run(read(nectar))

@pytest.mark.asyncio
@pytest.mark.parametrize("way", ["async with", "a/b"])
async def test_closed(nectar, nectar_recording, way):
    async with nectar:
        assert await read(nectar)
    async with nectar_recording.client(max_concurrency=1) as other:
        assert await other.companies.all()
    assert nectar_recording.witness.by_operation["companies_list"] == 2
"""
AUTO = """
async def test_auto(nectar):
    assert await read(nectar)
"""


@pytest.mark.parametrize(
    "mode", ["strict", pytest.param("auto", marks=pytest.mark.slow)]
)
def test_every_async_style_replays_what_it_recorded(user: User, mode: str) -> None:
    text = STYLES + (AUTO if mode == "auto" else "")
    user.write("test_styles.py", text)
    user.write("pytest.ini", INI.format(mode=mode))
    count = 6 + (mode == "auto")
    output = user.run(*RECORD, passed=count)
    assert "recorded recordings/test_styles/test_anyio (exchanges: 5)" in output
    recorded = user.files()
    # A walk that was left is read to its end, when the test's own loop is over.
    pages = [name for name in recorded if "test_run/usage_list_by_company" in name]
    assert len(pages) == 4

    assert "nectar recordings" not in user.run(passed=count)
    output = user.run(*RECORD, passed=count)
    assert f"recorded again without any change: {count - 1}" in output
    assert user.files() == recorded


REPEAT = """
def pytest_generate_tests(metafunc):
    # As pytest-repeat does.
    metafunc.fixturenames.append("__pytest_repeat_step_number")
    metafunc.parametrize(
        "__pytest_repeat_step_number", range(2), indirect=True, ids=["1-2", "2-2"]
    )

def pytest_collection_modifyitems(items):
    # As pytest-xdist does with --dist=loadgroup.
    for item in items:
        item._nodeid = f"{item.nodeid}@group"

import pytest
@pytest.fixture
def __pytest_repeat_step_number(request):
    return request.param
"""
RUNS = """
import unittest
import pytest

@pytest.fixture(params=["one", pytest.param(("asyncio", {}), id="b-c")])
def anyio_backend(request):
    return "asyncio" if request.param == "one" else request.param

class TestShop:
    @pytest.mark.anyio
    @pytest.mark.parametrize(("a", "b"), [(1, 2), (3, "1-2")])
    @pytest.mark.parametrize("c", ["x"])
    async def test_months(self, nectar, a, b, c):
        assert await nectar.companies.all()

class TestCase(unittest.IsolatedAsyncioTestCase):
    @pytest.fixture(autouse=True)
    def take(self, nectar):
        self.nectar = nectar

    async def test_months(self):
        assert await self.nectar.companies.all()
"""


@pytest.mark.slow
def test_all_runs_of_a_test_share_one_recording(user: User) -> None:
    user.write("test_runs.py", RUNS)
    user.run(*RECORD, passed=5)
    recorded = user.files()
    folders = sorted(path.name for path in user.folder.glob("recordings/test_runs/*"))
    assert folders == [
        "TestCase.test_months",
        "TestShop.test_months.x-1-2",
        "TestShop.test_months.x-3-1-2",
    ]
    user.write("conftest.py", OFFLINE + REPEAT)
    user.run(passed=9)
    user.run(*RECORD, passed=9)
    assert user.files() == recorded


def test_a_recording_that_is_named_after_its_backend_is_found(user: User) -> None:
    user.write("test_styles.py", STYLES)
    anyio_only = ("test_styles.py::test_anyio",)
    user.run(*RECORD, *anyio_only, passed=2)
    folder = user.folder / "recordings/test_styles"
    shutil.copytree(folder / "test_anyio", folder / "test_anyio.asyncio")
    (folder / "test_anyio").rename(folder / "test_anyio.trio")
    user.run(*anyio_only, passed=2)


UNMATCHED = """
import unittest
import pytest

async def read(nectar):
    return [r async for r in nectar.usage.by_company("c1", prefetch=2)]

@pytest.mark.anyio
async def test_plain(nectar):
    await nectar.team.get()

@pytest.mark.anyio
async def test_walk(nectar):
    await read(nectar)

class TestCase(unittest.IsolatedAsyncioTestCase):
    @pytest.fixture(autouse=True)
    def take(self, nectar):
        self.nectar = nectar

    async def test_plain(self):
        await self.nectar.team.get()
"""


def test_a_request_without_an_answer_prints_only_lines_of_the_test(user: User) -> None:
    user.write("test_walk.py", UNMATCHED.replace("await ", "pass  # await "))
    user.run(*RECORD, passed=5)
    user.write("test_walk.py", UNMATCHED)
    output = user.run(failed=5)
    assert "nectar_async/" not in output
    assert "await nectar.team.get()" in output
    assert "no answer to GET /team is recorded" in output
    assert "await self.nectar.team.get()" in output
    failures = output.partition("= FAILURES =")[2].partition("nectar recordings")[0]
    assert len(failures.splitlines()) <= 20 * 5
    assert "nectar_async/" in user.run("--full-trace", failed=5)


def test_the_same_tests_run_against_a_sandbox_by_one_flag(user: User) -> None:
    user.write("test_styles.py", STYLES)
    user.run("--nectar-sandbox", passed=6)
    assert user.files() == {}


ONE = """
import asyncio

def test_it(nectar):
    assert len(asyncio.run(nectar.companies.all())) == 3
"""
TWO = """
import asyncio
import pytest

pytestmark = pytest.mark.nectar(recording="shop")

def test_list(nectar):
    assert len(asyncio.run(nectar.companies.all())) == 3

def test_one(nectar):
    async def main():
        company, *_ = await nectar.companies.all()
        return await nectar.companies.get(company.id)
    assert asyncio.run(main()).name
"""


@pytest.mark.slow
def test_tests_that_share_a_recording_record_each_request_once(user: User) -> None:
    user.write("test_two.py", TWO)
    output = user.run(*RECORD, passed=2)
    assert "recorded recordings/shop (exchanges: 2)" in output
    assert user.names("shop") == ["companies_get", "companies_list"]
    recorded = user.files()
    assert "nectar recordings" not in user.run(passed=2)
    assert "again without any change: 1" in user.run(*RECORD, passed=2)
    assert user.files() == recorded


def test_exchanges_are_unused_only_if_no_sharing_test_requests_them(
    user: User,
) -> None:
    user.write("test_two.py", TWO)
    user.run(*RECORD, passed=2)
    output = user.run("-k", "test_list", passed=1, deselected=1)
    assert "not requested in recordings/shop: companies_get." in output
    user.run("-k", "test_list", "-o", "nectar_unused=error", passed=1, deselected=1)


def test_a_failing_test_keeps_a_shared_recording_as_it_was(user: User) -> None:
    user.write("test_two.py", TWO)
    user.run(*RECORD, passed=2)
    recorded = user.files()
    user.write("test_two.py", TWO.replace("== 3", "== 4"))
    output = user.run(*RECORD, passed=1, failed=1)
    assert (
        "kept recordings/shop as it was: test_two.py::test_list did not pass" in output
    )
    output = user.run("-x", *RECORD, failed=1)
    assert "test_two.py::test_one did not pass" in output
    assert user.files() == recorded


@pytest.mark.slow
def test_workers_of_xdist_record_replay_and_report(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    user.write("test_one.py", ONE)
    user.write("test_two.py", TWO)
    # Other plugins take seconds to load in each worker.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    user.write("pytest.ini", "[pytest]\nfilterwarnings = error\n")
    plugins = ("-p", "nectar_async", "-p", "xdist", "-n2")
    output = user.run(*plugins, *RECORD, passed=1, errors=2)
    assert "recorded recordings/test_one/test_it (exchanges: 1)" in output
    assert "2 tests share the recording recordings/shop" in output
    assert "record without -n" in output
    assert "another exception" not in output
    user.run(*plugins, *RECORD, "-n0", passed=3)
    recorded = user.folder / "recordings/test_one/test_it"
    extra = next(recorded.glob("companies_list.*.json"))
    shutil.copy(extra, extra.with_suffix(".2.json"))
    output = user.run(*plugins, passed=3)
    assert "not requested in recordings/test_one/test_it: companies_list" in output


def test_tests_that_share_a_recording_share_its_redaction(user: User) -> None:
    marker = (
        "@pytest.mark.nectar(redaction=Redaction(rules=(Rule(kind='k', keys=('a',)),)))"
    )
    user.write(
        "test_two.py",
        "from nectar_async.recording.redaction.redaction import Redaction, Rule\n"
        + TWO.replace("def test_one", f"{marker}\ndef test_one"),
    )
    assert "different redactions" in user.run(*RECORD, passed=1, errors=1)
    assert user.files() == {}


def test_a_failing_test_keeps_its_old_recording(user: User) -> None:
    user.write("test_one.py", ONE)
    user.run(*RECORD, passed=1)
    recorded = user.files()
    user.write(
        "test_one.py", ONE.replace("all())) == 3", "all())) == 3; assert not nectar")
    )
    output = user.run(*RECORD, failed=1)
    assert "kept recordings/test_one/test_it as it was" in output
    user.run("--nectar-record=new", "--nectar-sandbox", failed=1)
    assert user.files() == recorded


@pytest.mark.slow
def test_new_adds_what_is_missing_and_changes_nothing_else(user: User) -> None:
    user.write("test_one.py", ONE)
    new = ("--nectar-record=new", "--nectar-sandbox")
    assert "(exchanges: 1)" in user.run(*new, passed=1)
    recorded = user.files()
    assert "nothing was missing: 1" in user.run(*new, passed=1)
    assert user.files() == recorded
    user.write(
        "test_one.py",
        ONE.replace("(nectar)", "(nectar_recording)").replace(
            "nectar.companies", "nectar_recording.client().companies"
        )
        + "    assert asyncio.run(nectar_recording.client().team.get())\n",
    )
    assert "(exchanges: 2)" in user.run(*new, passed=1)
    assert user.names("test_one/test_it") == ["companies_list", "team_get"]
    user.run(passed=1)


@pytest.mark.slow
def test_a_failing_test_in_mode_new_is_reported_and_others_are_written(
    user: User,
) -> None:
    new = ("--nectar-record=new", "--nectar-sandbox")
    failing = TWO.replace("== 3", "== 4")
    user.write("test_two.py", failing)
    output = user.run("-k", "test_list", *new, failed=1, deselected=1)
    assert "not written: recordings/shop: test_two.py::test_list did" in output
    output = user.run("-k", "test_list", *RECORD, failed=1, deselected=1)
    assert "not written: recordings/shop: test_two.py::test_list did" in output
    output = user.run(*new, passed=1, failed=1)
    assert "recorded recordings/shop (exchanges: 2)" in output
    assert "nothing added to recordings/shop by this test: test_two.py" in output
    assert "kept" not in output


# Against the API itself, which here is a server of its own.


@asynccontextmanager
async def serving() -> AsyncIterator[Sandbox]:
    async with Sandbox(companies=3, api_key="a-key-of-the-api") as sandbox:
        yield sandbox


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(serving()) as sandbox,
    ):
        monkeypatch.setenv("NECTAR_BASE_URL", sandbox.url)
        yield sandbox


@pytest.mark.parametrize(
    "way", ["flag", pytest.param("variable", marks=pytest.mark.slow)]
)
def test_the_api_is_recorded_with_a_key_that_stays_outside(
    user: User, api: Sandbox, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    user.write("test_styles.py", STYLES)
    output = user.run("--nectar-record=record", errors=6)
    assert "set NECTAR_API_KEY, or add --nectar-sandbox" in output
    monkeypatch.setenv("NECTAR_API_KEY", api.api_key)
    if way == "variable":
        user.write("conftest.py", "")
        monkeypatch.setenv("NECTAR_RECORD", "record")
        user.run(passed=6)
        monkeypatch.delenv("NECTAR_RECORD")
    else:
        user.run("--nectar-record=record", passed=6)
    assert not any(api.api_key.encode() in data for data in user.files().values())
    monkeypatch.setenv("NECTAR_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.delenv("NECTAR_API_KEY")
    api.witness.reset()
    user.run(passed=6)
    assert api.witness.requests == 0


def test_passthrough_asks_the_api_and_writes_nothing(
    user: User, api: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NECTAR_API_KEY", api.api_key)
    user.write("test_one.py", ONE)
    user.run("--nectar-record=passthrough", passed=1)
    assert api.witness.by_operation["companies_list"] == 1
    assert user.files() == {}


# Error messages.


def test_a_missing_recording_is_an_error_with_the_command_that_makes_it(
    user: User,
) -> None:
    user.write("test_one.py", ONE)
    output = user.run(errors=1)
    assert (
        "test_one.py::test_it has no recording at recordings/test_one/test_it; make it"
        " with: pytest test_one.py::test_it --nectar-record=record"
    ) in output
    assert "Traceback" not in output


@pytest.mark.parametrize(
    ("marker", "words"),
    [
        pytest.param(
            "recordin='x'",
            "has no keyword 'recordin'; it has recording, overlay, repeat, redaction,",
            id="unknown",
        ),
        pytest.param("'x'", "takes keywords only: recording,", id="positional"),
        pytest.param("recording=3", "recording=3; it is the name of", id="type"),
        pytest.param("recording=''", "is not a folder within recordings/", id="empty"),
        pytest.param("recording='../x'", "is not a folder within", id="outside"),
        pytest.param("max_age='30'", "it is a number of days, as 30", id="max_age"),
        pytest.param("settings={}", "it is nectar_async.Settings,", id="settings"),
        pytest.param("redaction='x'", "it is a Redaction, of", id="redaction"),
        pytest.param("unused='x'", "unused is one of report, warn,", id="unused"),
        pytest.param("repeat='x'", "repeat is one of never, last", id="repeat"),
        pytest.param(
            "sandbox={'companis': 1}",
            "a Sandbox has no 'companis'; it has companies,",
            id="sandbox",
        ),
    ],
)
def test_an_invalid_marker_is_an_error(user: User, marker: str, words: str) -> None:
    marked = ONE.replace(
        "\ndef", f"\nimport pytest\n@pytest.mark.nectar({marker})\ndef"
    )
    user.write("test_one.py", marked)
    output = user.run(errors=1)
    assert words in output
    assert "Traceback" not in output


def test_a_named_recording_is_not_nested_with_others(user: User) -> None:
    user.write("test_two.py", TWO.replace('"shop"', '"bills/shop"'))
    user.run(*RECORD, passed=2)
    for name, words in {
        "bills": "bills is a folder of recordings and not a recording: it has shop",
        "bills/shop/a": "would be inside the recording bills/shop",
    }.items():
        user.write("test_two.py", TWO.replace('"shop"', f'"{name}"'))
        assert words in user.run(*RECORD, errors=2)
    user.write("test_two.py", TWO.replace('"shop"', '"Shop"'))
    assert "at recordings/Shop (there is bills/shop); make it" in user.run(errors=2)


def test_the_marker_accepts_the_arguments_of_a_sandbox() -> None:
    assert tuple(inspect.signature(Sandbox).parameters) == SANDBOX_ARGUMENTS


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        pytest.param(
            "nectar_recordings=a/b", "must be the name of a folder", id="recordings"
        ),
        pytest.param(
            "nectar_unused=often", "nectar_unused is one of report", id="unused"
        ),
        pytest.param("nectar_max_age=old", "max_age is a number of days", id="max_age"),
        pytest.param("nectar_on_stale=x", "on_stale is one of ignore", id="on_stale"),
    ],
)
def test_an_invalid_setting_is_an_error(user: User, setting: str, words: str) -> None:
    user.write("test_one.py", ONE)
    assert words in user.run("-o", setting, errors=1)


def test_the_variable_contains_a_mode_only(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    user.write("test_one.py", ONE)
    monkeypatch.setenv("NECTAR_RECORD", "often")
    result = user.pytester.runpytest_inprocess()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (output,) = filter(None, result.errlines)
    assert output.startswith(
        "ERROR: NECTAR_RECORD: 'often' is not one of replay, record,"
    )
    monkeypatch.setenv("NECTAR_RECORD", "new:somewhere")
    assert "each test has a recording of its own" in user.run(errors=1)
    monkeypatch.setenv("NECTAR_RECORD", "passthrough")
    user.run(*RECORD, passed=1)  # the flag wins
    assert user.files()


# Markers, defaults, ages.

LAYERS = """
import asyncio
import pytest

pytestmark = pytest.mark.nectar(recording="module", sandbox={"companies": 1})

def count(nectar):
    return len(asyncio.run(nectar.companies.all()))

def test_module(nectar, nectar_recording):
    assert (nectar_recording.path.name, count(nectar)) == ("module", 1)

@pytest.mark.nectar(recording="class", sandbox={"companies": 2})
class TestLayers:
    def test_class(self, nectar, nectar_recording):
        assert (nectar_recording.path.name, count(nectar)) == ("class", 2)

    @pytest.mark.nectar(recording="else/where")
    def test_function(self, nectar, nectar_recording):
        assert (nectar_recording.path.name, count(nectar)) == ("where", 2)

    def test_settings(self, nectar, nectar_recording):
        assert nectar.settings.max_concurrency == 4
        assert nectar_recording.client(deadline=3).settings.deadline == 3
"""
DEFAULTS = """
import pytest
from nectar_async import Settings

@pytest.fixture(scope="session")
def nectar_defaults():
    return {"settings": Settings(max_concurrency=4), "sandbox": {"companies": 9}}
"""


def test_the_closest_marker_wins_each_keyword(user: User) -> None:
    user.write("test_layers.py", LAYERS)
    user.write("conftest.py", OFFLINE + DEFAULTS)
    user.run(*RECORD, passed=4)
    assert (user.folder / "recordings/else/where/recording.json").exists()
    user.run(passed=4)


@pytest.mark.slow
def test_defaults_name_no_recording(user: User) -> None:
    user.write("test_one.py", ONE)
    user.write(
        "conftest.py",
        DEFAULTS.replace('"sandbox": {"companies": 9}', '"recording": "x"'),
    )
    assert "which would apply to every test" in user.run(errors=1)


@pytest.mark.parametrize(
    ("level", "outcomes", "words"),
    [
        pytest.param("report", {"passed": 1}, "not requested in rec", id="report"),
        pytest.param("ignore", {"passed": 1}, "", id="ignore"),
        pytest.param(
            "error", {"passed": 1, "errors": 1}, "did not request 1 of the", id="error"
        ),
        pytest.param(
            "warn", {"passed": 1, "warnings": 1}, "did not request 1 of", id="warn"
        ),
    ],
)
def test_the_setting_decides_about_unused_exchanges(
    user: User, level: str, outcomes: dict[str, int], words: str
) -> None:
    user.write("test_one.py", ONE)
    user.run(*RECORD, passed=1)
    user.write("test_one.py", "def test_it(nectar): pass\n")
    output = user.run("-o", f"nectar_unused={level}", "-W", "default", **outcomes)
    assert words in output
    assert ("not requested in" in output) == (level == "report")


def test_unused_exchanges_of_a_failing_test_are_not_reported(user: User) -> None:
    user.write("test_one.py", ONE)
    user.run(*RECORD, passed=1)
    user.write("test_one.py", "def test_it(nectar): assert not nectar\n")
    output = user.run("-o", "nectar_unused=error", failed=1)
    assert "not ask" not in output


def test_a_request_without_an_answer_is_reported_even_if_the_error_is_caught(
    user: User,
) -> None:
    user.write("test_one.py", ONE)
    user.run(*RECORD, passed=1)
    text = (
        ONE
        + """
    with contextlib.suppress(RecordingError):
        asyncio.run(nectar_recording.client().team.get())
"""
    )
    user.write(
        "test_one.py",
        "import contextlib\nfrom nectar_async import RecordingError\n"
        + text.replace("(nectar)", "(nectar, nectar_recording)"),
    )
    output = user.run(passed=1)
    assert "test_one.py::test_it got no answer: no answer to GET /team" in output


@pytest.mark.slow
def test_the_setting_decides_about_stale_recordings(user: User) -> None:
    user.write("test_one.py", ONE)
    user.run(*RECORD, passed=1)
    path = user.folder / "recordings/test_one/test_it/recording.json"
    manifest = json.loads(path.read_bytes())
    path.write_text(json.dumps({**manifest, "recordedAt": "2025-01-01T00:00:00+00:00"}))
    age = ("-o", "nectar_max_age=30")
    output = user.run(*age, "-o", "nectar_on_stale=error", errors=1)
    assert "days old" in output
    assert "--nectar-record=record,touch" in output
    assert "days old" in user.run(*age, "-W", "default", passed=1, warnings=1)
    user.run(*age, "-o", "nectar_on_stale=ignore", passed=1)
    marked = ONE.replace(
        "\ndef", "\nimport pytest\n@pytest.mark.nectar(max_age=1e5)\ndef"
    )
    user.write("test_one.py", marked)
    user.run(*age, "-o", "nectar_on_stale=error", passed=1)
    # An unchanged recording keeps its date when recorded again, except with `touch`.
    user.write("test_one.py", ONE)
    assert "without any change" in user.run(*RECORD, passed=1)
    user.run("--nectar-record=record,touch", "--nectar-sandbox", passed=1)
    user.run(*age, "-o", "nectar_on_stale=error", passed=1)


# Trouble on top of a recording, or of a server.

TROUBLE = """
import asyncio
import pytest
from nectar_async import RateLimitedError, Response

class Busy:
    async def apply(self, scene, proceed):
        return Response(429, {"retry-after": "40"}, b"{}")

async def ask(nectar):
    with pytest.raises(RateLimitedError):
        await nectar.companies.all()

@pytest.mark.nectar(overlay=Busy())
def test_it(nectar, nectar_recording):
    asyncio.run(ask(nectar))
    assert nectar_recording.clock.sleeps == [40.0] * 3
    assert nectar_recording.witness.by_operation["companies_list"] == 4
    assert nectar_recording.witness.in_flight == 0
"""


def test_overlays_take_no_time_and_are_not_recorded(user: User) -> None:
    user.write("test_one.py", TROUBLE)
    user.run(*RECORD, passed=1)
    assert user.names("test_one/test_it") == []
    user.run(passed=1)
    user.run("--nectar-sandbox", passed=1)


MOVED = """
import asyncio
import pytest
from nectar_async import faults
from nectar_async.recording import Overlay

async def walk(nectar):
    company = (await nectar.companies.all())[0].id
    usage = nectar.usage.by_company(company)
    ids = [record.id async for record in usage]
    return ids, usage.receipt

@pytest.mark.nectar(overlay=[
    "cut-gzip operation=usage_list_by_company page=2 times=1",
    Overlay(faults.InsertRow(), operation="usage_list_by_company"),
])
def test_it(nectar, nectar_recording):
    ids, receipt = asyncio.run(walk(nectar))
    assert len({*ids}) == 338
    assert (receipt.total_first, receipt.total_last) == (338, 339)
    assert (receipt.repeats, receipt.verdict) == (1, "drifted")
    assert nectar_recording.witness.by_operation["usage_list_by_company"] == 5
"""


@pytest.mark.slow
def test_a_list_changes_in_replay_as_on_a_server(user: User) -> None:
    user.write("test_one.py", MOVED)
    user.run("--nectar-sandbox", passed=1)
    user.run(*RECORD, passed=1)
    recorded = user.files()
    assert user.names("test_one/test_it") == [
        "companies_list",
        *["usage_list_by_company"] * 4,
    ]
    assert "nectar recordings" not in user.run(passed=1)
    user.run(*RECORD, passed=1)
    assert user.files() == recorded


WAITS = """
import asyncio
import pytest
from nectar_async import faults
from nectar_async.recording import Overlay

busy = faults.Answer(429, retry_after="in 5 seconds")

@pytest.mark.nectar(overlay=[Overlay(busy, page=2, times=1)])
def test_it(nectar, nectar_recording):
    async def main():
        company = (await nectar.companies.all())[0].id
        return [record async for record in nectar.usage.by_company(company)]
    asyncio.run(main())
    assert nectar_recording.clock.sleeps == [5.0]
    assert nectar_recording.clock.monotonic() == 5.0
"""


@pytest.mark.slow
def test_waits_are_the_same_on_the_api_on_a_sandbox_and_in_replay(
    user: User, api: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    user.write("test_one.py", WAITS)
    user.run("--nectar-sandbox", passed=1)
    monkeypatch.setenv("NECTAR_API_KEY", api.api_key)
    user.run("--nectar-record=record", passed=1)
    user.run("--nectar-record=new", passed=1)
    user.run(passed=1)


NOTHING = """
import asyncio
import pytest

@pytest.mark.nectar(overlay=["html status=502 page=9"])
def test_it(nectar):
    asyncio.run(nectar.companies.all())
"""


def test_an_overlay_that_matched_no_request_is_reported(user: User) -> None:
    user.write("test_one.py", NOTHING)
    words = (
        "no request matched the overlays of test_one.py::test_it: html status=502"
        " page=9"
    )
    assert words in user.run(*RECORD, passed=1)
    assert words in user.run(passed=1)
    output = user.run("-o", "nectar_unused=error", passed=1, errors=1)
    assert "has overlays that match no request: html status=502 page=9" in output
    assert "nectar recordings" not in user.run("-o", "nectar_unused=ignore", passed=1)


def test_exchanges_that_an_overlay_answers_are_not_unused(user: User) -> None:
    user.write("test_one.py", ONE)
    user.run(*RECORD, passed=1)
    user.write("test_one.py", TROUBLE)
    user.run("-o", "nectar_unused=error", passed=1)


ELSEWHERE = """
import asyncio
import pytest

@pytest.mark.nectar(overlay="answer status=503 operation=team_get times=2")
def test_it(nectar, nectar_recording):
    async def main():
        assert await nectar.companies.all() == await nectar.companies.all()
        assert await nectar.team.get()
    asyncio.run(main())
    assert nectar_recording.witness.by_operation["team_get"] == 3
"""


def test_requests_without_a_matching_overlay_are_recorded_each_time(user: User) -> None:
    user.write("test_one.py", ELSEWHERE)
    user.run(*RECORD, passed=1)
    assert user.names("test_one/test_it") == [*["companies_list"] * 2, "team_get"]
    assert "nectar recordings" not in user.run(passed=1)


SANDBOXES = """
import pytest
from nectar_async import AttemptTimeoutError, RetryPolicy

@pytest.mark.anyio
@pytest.mark.parametrize("turn", [1, 2])
async def test_alone(nectar_sandbox, turn):
    nectar_sandbox.faults.add("answer status=429 retry-after=0 times=1")
    nectar = nectar_sandbox.client(max_concurrency=2)
    await nectar.companies.create("Ash Grove")
    assert len(await nectar.companies.all()) == 4
    assert nectar_sandbox.witness.by_operation["companies_create"] == 2
    assert nectar_sandbox.url == nectar.settings.base_url

@pytest.mark.anyio
async def test_stalls(nectar_sandbox):
    nectar_sandbox.faults.add("stall seconds=60")
    nectar = nectar_sandbox.client(attempt_timeout=0.05, retry=RetryPolicy(attempts=1))
    with pytest.raises(AttemptTimeoutError):
        await nectar.companies.all()

@pytest.mark.nectar(sandbox={"api_key": "another", "companies": 1})
def test_key(nectar_sandbox):
    assert nectar_sandbox.api_key == "another"
    assert nectar_sandbox.settings.base_url == nectar_sandbox.url
"""


@pytest.mark.slow
def test_each_test_has_a_sandbox_of_its_own(user: User) -> None:
    user.write("test_boxes.py", SANDBOXES)
    user.write("conftest.py", "")
    user.run(passed=7)


# Clocks of tests that are not replayed.


@pytest.mark.anyio
async def test_a_short_wait_clock_waits_up_to_its_maximum() -> None:
    clock = ShortWaitClock(0.01)
    began, since = anyio.current_time(), clock.now()
    async with anyio.create_task_group() as group:
        group.start_soon(clock.sleep, 60)
        group.start_soon(clock.sleep, 60)
    assert anyio.current_time() - began >= 0.01
    assert clock.monotonic() == 60
    assert (clock.now() - since).total_seconds() == 60
    assert clock.sleeps == [60, 60]
    real = RealClock()
    before = real.monotonic()
    await real.sleep(0.001)
    assert real.monotonic() - before >= 0.001
    assert real.sleeps == [0.001]


@pytest.mark.anyio
async def test_the_clock_of_a_sandbox_advances_by_the_waits_of_its_clients() -> None:
    moved: list[float] = []
    clock = SandboxClock(moved.append)
    async with anyio.create_task_group() as group:
        group.start_soon(clock.sleep, 60)
        group.start_soon(clock.sleep, 60)
    await clock.sleep(30)
    assert sum(moved) == 90


# Names of folders.


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("test_a", "test_a"),
        ("TestA::test_a", "TestA.test_a"),
        ("test_a[2025-01]", "test_a.2025-01"),
        ("test_a[kwh]", "test_a.kwh"),
        ("test_a[a::b]", "test_a.a-b.c30612"),
        ("test_a[KWH]", "test_a.KWH.99fa68"),
        ("test_a[a/b]", "test_a.a-b.30c131"),
        ("test_a[a b]", "test_a.a-b.49f3fb"),
        ("test_a[.]", "test_a.93e04e"),
        ("test_ä", "test_.40b8fe"),
        (f"test_a[{'long' * 40}]", f"test_a.{'long' * 40}"[:80] + ".8a562c"),
    ],
)
def test_each_test_has_a_folder_name_that_is_valid_on_every_file_system(
    name: str, folder: str, request: pytest.FixtureRequest
) -> None:
    item = Named(request.node, name)
    path = find_recording_path(item)  # type: ignore[arg-type]
    assert path == Path("/suite/tests/recordings/test_shop") / folder


class Named:
    """A test item with another name."""

    path = Path("/suite/tests/test_shop.py")

    def __init__(self, item: pytest.Item, name: str) -> None:
        self.config = item.config
        self.nodeid = f"tests/test_shop.py::{name}"
        test, bracket, parameters = name.partition("[")
        *outer, last = test.split("::")
        self._names = [*outer, f"{last}{bracket}{parameters}"]

    def listchain(self) -> list[Any]:
        return [SimpleNamespace(name=name) for name in self._names]

    def iter_markers(self, name: str) -> list[Any]:
        return []


# The cost for a suite that does not use the plugin.


def python(*arguments: str, cwd: Path) -> str:
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


IDLE = """
import sys

def test_idle():
    ours = {name for name in sys.modules if name.startswith("nectar_async")}
    assert ours == {
        "nectar_async",
        "nectar_async._lazy",
        "nectar_async._version",
        "nectar_async.testing",
        "nectar_async.testing.plugin",
    }
    assert not {"attrs", "msgspec", "cattrs", "aiohttp"} & {*sys.modules}
"""
BUSY = """
import asyncio, sys

def test_replay_loads_no_server(nectar):
    assert asyncio.run(nectar.companies.all())
    assert "aiohttp" not in sys.modules
"""


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """Build the arguments that run pytest with this plugin only."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    return ("-m", "pytest", "-q", "-p", "nectar_async")


def test_a_suite_that_does_not_use_it_loads_only_the_plugin_module(
    tmp_path: Path, alone: tuple[str, ...]
) -> None:
    (tmp_path / "test_idle.py").write_text(IDLE)
    assert "1 passed" in python(*alone, cwd=tmp_path)


@pytest.mark.slow
def test_a_replay_loads_no_aiohttp(tmp_path: Path, alone: tuple[str, ...]) -> None:
    path = tmp_path / "test_busy.py"
    path.write_text(BUSY.replace("not in", "in"))
    assert "1 passed" in python(*alone, *RECORD, cwd=tmp_path)
    path.write_text(BUSY)
    assert "1 passed" in python(*alone, cwd=tmp_path)


def test_it_can_be_turned_off(user: User) -> None:
    user.write("test_one.py", ONE)
    user.write("conftest.py", "")
    output = user.run("-p", "no:nectar_async", errors=1)
    assert "fixture 'nectar' not found" in output


def test_the_help_names_every_mode_and_setting(user: User) -> None:
    output = " ".join(user.pytester.runpytest_inprocess("--help").stdout.str().split())
    for mode in Mode:
        assert f"{mode}: " in output
    for name in ("recordings", "unused", "max_age", "on_stale"):
        assert f"nectar_{name} (string)" in output
    output = user.pytester.runpytest_inprocess("--markers").stdout.str()
    assert "@pytest.mark.nectar(*, recording, overlay, repeat" in output


def test_the_modes_of_the_flag_are_those_of_a_recorder(user: User) -> None:
    assert tuple(Mode) == pytest_plugin.MODES
    assert _mode.FLAGS == pytest_plugin.FLAGS
    result = user.pytester.runpytest_inprocess("--nectar-record=record,often")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "'record,often' is not one of replay, record, new" in result.stderr.str()


def test_the_types_of_the_fixtures_are_public() -> None:
    for name in pytest_plugin.__all__:
        assert getattr(pytest_plugin, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'Nectr'"):
        _ = pytest_plugin.Nectr  # type: ignore[attr-defined]
