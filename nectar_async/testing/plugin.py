"""The pytest plugin: clients on a test's own recording, or on a sandbox.

    async def test_the_report(nectar):
        assert await nectar.companies.all()

`pytest --nectar-record=record` asks the API and writes down what it says, once; from
then on the test runs without a network or a key. Every suite on the machine loads this
module, so it holds the names and nothing else: the work is done by `_testing`, which is
imported for the first test that uses a fixture.
"""

from __future__ import annotations

import os
from argparse import ArgumentTypeError
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from nectar_async.client import NectarClient
    from nectar_async.testing.fixtures import NectarRecording
    from nectar_async.testing.sandbox_fixture import NectarSandbox

__all__ = ["NectarRecording", "NectarSandbox"]

_VARIABLE: Final = "NECTAR_RECORD"
_WORK: Final = "nectar_async.testing"
_HOMES: Final = {"NectarRecording": "fixtures", "NectarSandbox": "sandbox_fixture"}

MODES: Final = ("replay", "record", "new", "passthrough")
FLAGS: Final = ("touch", "keep-failures")

_MARKER: Final = (
    "nectar(*, recording, overlay, repeat, redaction, unused, max_age, settings,"
    " sandbox): how the nectar fixtures of a test replay, record and redact; on a"
    " function, class or module, and the closest wins"
)


def _mode(text: str) -> str:
    """A mode and its flags; what is none is refused before anything runs."""
    mode, *flags = (word.strip() for word in text.split(","))
    if mode not in MODES or not {*flags} <= {*FLAGS}:
        raise ArgumentTypeError(
            f"{text!r} is none of {', '.join(MODES)}, with or without"
            f" {' and '.join(f',{flag}' for flag in FLAGS)} behind it"
        )
    return text


def pytest_addoption(parser: pytest.Parser) -> None:
    """The flags and the settings of a suite."""
    group = parser.getgroup("nectar", "recordings of the Nectar API (nectar-async)")
    group.addoption(
        "--nectar-record",
        metavar="MODE",
        type=_mode,
        help="replay: answer from recordings, without a network (default, unless the"
        " variable NECTAR_RECORD says otherwise); record: ask the API and write the"
        " recordings of these tests anew (record,touch: of today also if nothing"
        " changed; record,keep-failures: with 429s and 5xxs that passed); new: ask for"
        " what is missing in them, and add it; passthrough: ask the API and write"
        " nothing. All but replay need NECTAR_API_KEY, or --nectar-sandbox",
    )
    group.addoption(
        "--nectar-sandbox",
        action="store_true",
        help="have the nectar fixture talk to a sandbox of the test's own in place of"
        " its recording; with --nectar-record=record, record from the sandbox",
    )
    parser.addini(
        "nectar_recordings",
        "name of the folder beside a test file that has its recordings",
        default="recordings",
    )
    parser.addini(
        "nectar_unused",
        "what exchanges are that a test did not ask for: report (a line at the end),"
        " warn, error or ignore",
        default="report",
    )
    parser.addini(
        "nectar_max_age",
        "days after which a recording is stale; empty for no bound",
        default="",
    )
    parser.addini(
        "nectar_on_stale",
        "what a stale recording is: ignore, warn or error",
        default="warn",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known, for --strict-markers and --markers.

    Raises:
        UsageError: NECTAR_RECORD, which counts where the flag is not given, is no mode.
    """
    config.addinivalue_line("markers", _MARKER)
    if config.getoption("nectar_record") is None:
        # A path is refused where a test has a recording: others may want one.
        mode = os.environ.get(_VARIABLE, "").partition(":")[0].strip()
        try:
            _mode(mode or "replay")
        except ArgumentTypeError as error:
            raise pytest.UsageError(f"{_VARIABLE}: {error}") from None


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a worker of pytest-xdist has to say at the end."""
    rows = getattr(node, "workeroutput", {}).get("nectar")
    if rows:
        import_module(f"{_WORK}.session").PluginSession.of(node.config).take(rows)


@pytest.fixture(scope="session")
def nectar_defaults() -> Mapping[str, Any]:
    """What holds for a whole suite where no marker says otherwise; yours to override.

    It gives keywords of `@pytest.mark.nectar`, as `{"redaction": Redaction(...)}`.
    """
    return {}


@pytest.fixture
def nectar_recording(
    request: pytest.FixtureRequest, nectar_defaults: Mapping[str, Any]
) -> Iterator[NectarRecording]:
    """The recording of this test: its path, mode, clock and witness, and clients on it.

    Where `@pytest.mark.nectar(recording=...)` names none, it is a folder of the test's
    own: `recordings/<module>/<test>` beside the test file.
    """
    yield from import_module(f"{_WORK}.fixtures").run_recording(
        request, nectar_defaults
    )


@pytest.fixture
def nectar(nectar_recording: NectarRecording) -> NectarClient:
    """A client on the recording of this test; it is opened by its first request."""
    return nectar_recording.client()


@pytest.fixture
def nectar_sandbox(
    request: pytest.FixtureRequest, nectar_defaults: Mapping[str, Any]
) -> Iterator[NectarSandbox]:
    """A sandbox of this test's own: url, key, faults, witness, and clients on it.

    `@pytest.mark.nectar(sandbox={"companies": 20})` has another one made than that of
    three companies.
    """
    yield from import_module(f"{_WORK}.sandbox_fixture").run_sandbox(
        request, nectar_defaults
    )


if not TYPE_CHECKING:  # a checker that saw this would accept every name

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{_WORK}.{_HOMES[name]}"), name)
