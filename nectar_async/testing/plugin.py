"""The pytest plugin: clients on a test's own recording, or on a sandbox.

    async def test_the_report(nectar):
        assert await nectar.companies.all()

`pytest --nectar-record=record` calls the API once and stores its answers. After that
the test runs without a network or a key. Every pytest run on the machine loads
this module, so it only defines options and fixtures. The other modules of
`nectar_async.testing` are imported for the first test that uses a fixture.
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
    from nectar_async.testing.recording_fixture import NectarRecording
    from nectar_async.testing.sandbox_fixture import NectarSandbox

__all__ = ["NectarRecording", "NectarSandbox"]

_VARIABLE: Final = "NECTAR_RECORD"
_PACKAGE: Final = "nectar_async.testing"
_MODULES: Final = {
    "NectarRecording": "recording_fixture",
    "NectarSandbox": "sandbox_fixture",
}

MODES: Final = ("replay", "record", "new", "passthrough")
FLAGS: Final = ("touch", "keep-failures")

_MARKER: Final = (
    "nectar(*, recording, overlay, repeat, redaction, unused, max_age, settings,"
    " sandbox): how the nectar fixtures of a test replay, record and redact; on a"
    " function, class or module, and the closest wins"
)


def _parse_mode(text: str) -> str:
    """Validate a mode and its flags, before any test runs."""
    mode, *flags = (word.strip() for word in text.split(","))
    if mode not in MODES or not {*flags} <= {*FLAGS}:
        raise ArgumentTypeError(
            f"{text!r} is not one of {', '.join(MODES)}, optionally followed by"
            f" {' and '.join(f',{flag}' for flag in FLAGS)}"
        )
    return text


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the command-line flags and the settings of a suite."""
    group = parser.getgroup("nectar", "recordings of the Nectar API (nectar-async)")
    group.addoption(
        "--nectar-record",
        metavar="MODE",
        type=_parse_mode,
        help="replay: answer from recordings, without a network; record: send all"
        " requests to the API and replace the recordings of these tests"
        " (record,touch: update their dates even if nothing else changed;"
        " record,keep-failures: record 429 and 5xx answers even if a retry succeeded);"
        " new: send only requests that the recordings lack, and add them; passthrough:"
        " send all requests and record nothing. Defaults to the mode in the variable"
        " NECTAR_RECORD, or else to replay. All modes but replay need NECTAR_API_KEY or"
        " --nectar-sandbox",
    )
    group.addoption(
        "--nectar-sandbox",
        action="store_true",
        help="use one sandbox per test in the nectar fixture instead of a recording;"
        " with --nectar-record=record, record from the sandbox",
    )
    parser.addini(
        "nectar_recordings",
        "name of the folder next to a test file that contains its recordings",
        default="recordings",
    )
    parser.addini(
        "nectar_unused",
        "what to do about exchanges that a test did not request: report (a line at the"
        " end), warn, error or ignore",
        default="report",
    )
    parser.addini(
        "nectar_max_age",
        "days after which a recording is stale; empty for no limit",
        default="",
    )
    parser.addini(
        "nectar_on_stale",
        "what to do about a stale recording: ignore, warn or error",
        default="warn",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and validate NECTAR_RECORD if the flag is not given.

    Raises:
        UsageError: NECTAR_RECORD is not a valid mode.
    """
    config.addinivalue_line("markers", _MARKER)
    if config.getoption("nectar_record") is None:
        # The variable may have a path, for other programs. A test that uses a recording
        # refuses it later.
        mode = os.environ.get(_VARIABLE, "").partition(":")[0].strip()
        try:
            _parse_mode(mode or "replay")
        except ArgumentTypeError as error:
            raise pytest.UsageError(f"{_VARIABLE}: {error}") from None


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Receive the summary rows of a worker of pytest-xdist."""
    rows = getattr(node, "workeroutput", {}).get("nectar")
    if rows:
        import_module(f"{_PACKAGE}.plugin_session").PluginSession.of(
            node.config
        ).add_worker_rows(rows)


@pytest.fixture(scope="session")
def nectar_defaults() -> Mapping[str, Any]:
    """Defaults for the keywords of `@pytest.mark.nectar`; override it in a conftest.

    For example, return `{"redaction": Redaction(...)}`.
    """
    return {}


@pytest.fixture
def nectar_recording(
    request: pytest.FixtureRequest, nectar_defaults: Mapping[str, Any]
) -> Iterator[NectarRecording]:
    """The recording of this test: path, mode, clock, request log, and clients.

    Unless `@pytest.mark.nectar(recording=...)` names a folder, it is
    `recordings/<module>/<test>` next to the test file.
    """
    yield from import_module(f"{_PACKAGE}.recording_fixture").run_recording(
        request, nectar_defaults
    )


@pytest.fixture
def nectar(nectar_recording: NectarRecording) -> NectarClient:
    """A client that uses the recording of this test; its first request opens it."""
    return nectar_recording.client()


@pytest.fixture
def nectar_sandbox(
    request: pytest.FixtureRequest, nectar_defaults: Mapping[str, Any]
) -> Iterator[NectarSandbox]:
    """A sandbox for this test: URL, key, faults, request log, and clients.

    It has three companies. `@pytest.mark.nectar(sandbox={"companies": 20})` changes its
    arguments.
    """
    yield from import_module(f"{_PACKAGE}.sandbox_fixture").run_sandbox(
        request, nectar_defaults
    )


if not TYPE_CHECKING:  # with `__getattr__`, it accepts every name

    def __getattr__(name: str) -> object:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{_PACKAGE}.{_MODULES[name]}"), name)
