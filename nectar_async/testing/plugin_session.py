"""The plugin's state in a pytest session, and the summary of recordings at its end."""

from __future__ import annotations

import os
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Final, Literal

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from attrs import asdict, frozen

from nectar_async._text import make_one_line
from nectar_async.errors import ConfigurationError
from nectar_async.faults import FaultLike
from nectar_async.recording.folder import MANIFEST_NAME
from nectar_async.recording.redaction.redaction import Redaction
from nectar_async.testing.options import TestOptions, find_recording_path
from nectar_async.testing.shared_recorder import SharedRecorder
from nectar_async.testing.tracebacks import TracebackFilter

__all__ = [
    "PluginSession",
    "ReportRow",
    "describe_overlays",
    "format_summary",
    "has_passed",
    "list_exchange_names",
]

_MAX_NAMES: Final = 5


@frozen(kw_only=True)
class ReportRow:
    """One event of the summary: a test and what happened to its recording."""

    test: str
    path: str
    event: Literal[
        "written",
        "unchanged",
        "complete",
        "not_written",
        "not_added",
        "unused",
        "unanswered",
        "unmet",
    ]
    """In mode "new", "complete" means that nothing was missing, and "not_added" that
    the test failed. In other modes these are "unchanged" and "not_written"."""
    names: tuple[str, ...] = ()
    """The names of exchanges that were removed or not requested; or requests without an
    answer; or overlays that matched no request."""
    count: int = 0
    """How many exchanges the recording has now."""


class PluginSession:
    """The state of the plugin in one pytest session, created on first use."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._rows: list[ReportRow] = []
        self._recorders: dict[Path, SharedRecorder] = {}
        self._tests_by_path: Mapping[Path, Sequence[str]] | None = None
        self._stack = ExitStack()
        self._portal: BlockingPortal | None = None
        config.add_cleanup(self._stack.close)

    @classmethod
    def of(cls, config: pytest.Config) -> PluginSession:
        """Return the instance of a session; the first call creates it."""
        session = config.stash.get(_SESSION, None)
        if session is None:
            session = config.stash[_SESSION] = cls(config)
            config.pluginmanager.register(session, "nectar_async_session")
            config.pluginmanager.register(TracebackFilter(), "nectar_async_tracebacks")
        return session

    @property
    def portal(self) -> BlockingPortal:
        """A thread with an event loop that runs until the session ends."""
        if self._portal is None:
            portal = start_blocking_portal(name="nectar-pytest")
            self._portal = self._stack.enter_context(portal)
        return self._portal

    def share_recorder(
        self, item: pytest.Item, options: TestOptions, redaction: Redaction
    ) -> SharedRecorder:
        """Return the recorder of a test, shared with all tests of the same path."""
        path = options.path
        if path not in self._recorders:
            tests = self._list_tests(item.session, path)
            if self._is_worker:
                tests = [item.nodeid]  # the others may run in other processes
            self._recorders[path] = SharedRecorder(
                path, tests, redaction, options.flags
            )
        return self._recorders[path]

    def can_write(self, item: pytest.Item, path: Path, *, is_named: bool) -> bool:
        """Whether a test writes its recording.

        Runs of one test on several backends, or by pytest-repeat, share a recording. In
        processes of pytest-xdist, only the first of them writes it.

        Args:
            item: the test.
            path: the folder of its recording.
            is_named: whether a marker names the recording.

        Raises:
            ConfigurationError: other tests, maybe in another process, also write it.
        """
        tests = self._list_tests(item.session, path)
        if not self._is_worker or len(tests) <= 1:
            return True
        if is_named:
            raise ConfigurationError(
                f"{len(tests)} tests share the recording {self.format_path(path)}, and"
                " processes of pytest-xdist cannot write it together: record without"
                " -n, or with -n 0"
            )
        return item.nodeid == tests[0]

    @property
    def _is_worker(self) -> bool:
        """Whether this is a process of pytest-xdist."""
        return hasattr(self._config, "workerinput")

    def add(self, row: ReportRow) -> None:
        """Add a row to the summary."""
        self._rows.append(row)

    def add_worker_rows(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add the rows that a worker of pytest-xdist sent."""
        self._rows += [ReportRow(**row) for row in rows]

    def _list_tests(self, session: pytest.Session, path: Path) -> Sequence[str]:
        """List the ids of the tests in this session that use a recording."""
        if self._tests_by_path is None:
            self._tests_by_path = _group_by_path(session.items)
        return self._tests_by_path.get(path, ())

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Store whether a test passed, before its fixtures are torn down."""
        report = yield
        if report.when == "call":
            item.stash[_PASSED] = report.passed
        return report

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Report recordings that were not written; send the rows of a worker."""
        for path, recorder in self._recorders.items():
            for test in sorted(recorder.waiting):
                count = len(list_exchange_names(path))
                shown = self.format_path(path)
                self.add(
                    ReportRow(test=test, path=shown, event="not_written", count=count)
                )
        output = getattr(self._config, "workeroutput", None)
        if output is not None:
            # Only plain values can be sent between processes.
            output["nectar"] = [
                {**asdict(row), "names": list(row.names)} for row in self._rows
            ]

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> None:
        """Print what happened to the recordings, if anything did."""
        lines = list(format_summary(self._rows))
        if lines:
            terminalreporter.section("nectar recordings", sep="-")
            for line in lines:
                terminalreporter.line(make_one_line(line))

    def format_path(self, path: Path) -> str:
        """Format a path relative to the folder in which pytest was started."""
        return os.path.relpath(path, self._config.invocation_params.dir)


_SESSION: Final = pytest.StashKey[PluginSession]()
_PASSED: Final = pytest.StashKey[bool]()


def has_passed(item: pytest.Item) -> bool:
    """Whether a test ran to its end and passed. Call it in the teardown of fixtures."""
    return item.stash.get(_PASSED, False)


def _group_by_path(items: Iterable[pytest.Item]) -> Mapping[Path, Sequence[str]]:
    """Group the ids of tests with a recording by its path."""
    grouped: dict[Path, list[str]] = {}
    for item in items:
        if "nectar_recording" not in getattr(item, "fixturenames", ()):
            continue
        with suppress(ConfigurationError):  # raised again when that test is set up
            grouped.setdefault(find_recording_path(item), []).append(item.nodeid)
    return grouped


def describe_overlays(overlays: Iterable[FaultLike]) -> tuple[str, ...]:
    """Convert overlays to text, as the test wrote them."""
    return tuple(
        overlay if isinstance(overlay, str) else repr(overlay) for overlay in overlays
    )


def list_exchange_names(path: Path) -> Collection[str]:
    """List the names of the exchanges in a folder."""
    return {file.stem for file in path.glob("*.json") if file.name != MANIFEST_NAME}


_UNCHANGED: Final = {
    "unchanged": "recorded again without any change",
    "complete": "nothing was missing",
}


def format_summary(rows: Sequence[ReportRow]) -> Iterator[str]:
    """Build the lines of the summary at the end of the session."""
    written = {row.path: row for row in rows if row.event == "written"}
    for row in written.values():
        gone = f", no longer: {_format_names(row.names)}" if row.names else ""
        yield f"recorded {row.path} (exchanges: {row.count}{gone})"
    for event, text in _UNCHANGED.items():
        paths = {row.path for row in rows if row.event == event} - set(written)
        if paths:
            yield f"{text}: {len(paths)}"
    for row in rows:
        if row.event in {"not_written", "not_added"}:
            consequence = _format_failed(row, is_written=row.path in written)
            yield f"{consequence}: {row.test} did not pass"
        if row.event == "unanswered":
            yield from (f"{row.test} got no answer: {name}" for name in row.names)
        if row.event == "unmet":
            overlays = ", ".join(row.names)
            yield f"no request matched the overlays of {row.test}: {overlays}"
    for path, names in _list_unused(rows).items():
        yield f"not requested in {path}: {_format_names(names)}"


def _format_failed(row: ReportRow, *, is_written: bool) -> str:
    """Format the consequence of a failed test for its recording."""
    if not row.count and not is_written:
        return f"not written: {row.path}"
    if row.event == "not_added":
        return f"nothing added to {row.path} by this test"
    return f"kept {row.path} as it was"


def _list_unused(rows: Iterable[ReportRow]) -> Mapping[str, Sequence[str]]:
    """List, by path, the exchanges that no test of a recording requested."""
    unused: dict[str, list[str]] = {}
    for row in rows:
        if row.event == "unused":
            names = unused.setdefault(row.path, list(row.names))
            names[:] = [name for name in names if name in row.names]
    return {path: names for path, names in sorted(unused.items()) if names}


def _format_names(names: Sequence[str]) -> str:
    """Join the first five names by commas; of the others, give only the number."""
    rest = len(names) - _MAX_NAMES
    more = [f"and {rest} more"] if rest > 0 else []
    return ", ".join([*names[:_MAX_NAMES], *more])
