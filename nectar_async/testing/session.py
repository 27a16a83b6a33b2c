"""What the tests of a session share, and what is said of recordings at its end."""

from __future__ import annotations

import os
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Final, Literal

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from attrs import asdict, frozen

from nectar_async.errors import ConfigurationError
from nectar_async.faults import FaultLike
from nectar_async.recording.folder import MANIFEST_NAME
from nectar_async.recording.redaction.redaction import Redaction
from nectar_async.testing.options import TestOptions, find_recording_path
from nectar_async.testing.shared_recorder import SharedRecorder

__all__ = [
    "PluginSession",
    "ReportRow",
    "describe_overlays",
    "format_summary",
    "has_passed",
    "list_exchange_names",
]

_SHOWN: Final = 5


@frozen(kw_only=True)
class ReportRow:
    """What is to be said of a test and its recording."""

    test: str
    path: str
    what: Literal[
        "written", "unchanged", "complete", "kept", "left", "asked", "missed", "unmet"
    ]
    """In mode "new", a test for which nothing was missing is "complete", and one that
    failed is "left"; elsewhere they are "unchanged" and "kept"."""
    names: tuple[str, ...] = ()
    """Of exchanges: those that were written before and are not any more; those that
    were not asked for. Or requests that had no answer, or overlays that hit none."""
    count: int = 0
    """How many exchanges are there now."""


class PluginSession:
    """The part of the plugin that comes to life when a test uses a fixture of it."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._rows: list[ReportRow] = []
        self._tapes: dict[Path, SharedRecorder] = {}
        self._sharing: Mapping[Path, Sequence[str]] | None = None
        self._stack = ExitStack()
        self._portal: BlockingPortal | None = None
        config.add_cleanup(self._stack.close)

    @classmethod
    def of(cls, config: pytest.Config) -> PluginSession:
        """The one of a session; made when it is first asked for."""
        suite = config.stash.get(_SUITE, None)
        if suite is None:
            suite = config.stash[_SUITE] = cls(config)
            config.pluginmanager.register(suite, "nectar_async_suite")
        return suite

    @property
    def portal(self) -> BlockingPortal:
        """A thread with an event loop that runs until the session is over."""
        if self._portal is None:
            portal = start_blocking_portal(name="nectar-pytest")
            self._portal = self._stack.enter_context(portal)
        return self._portal

    def tape(
        self, item: pytest.Item, terms: TestOptions, redaction: Redaction
    ) -> SharedRecorder:
        """Where a test records anew, together with those that share the path."""
        path = terms.path
        if path not in self._tapes:
            tests = self._sharers(item.session, path)
            self._tapes[path] = SharedRecorder(path, tests, redaction, terms.flags)
        return self._tapes[path]

    def check_alone(self, item: pytest.Item, path: Path) -> None:
        """Hold that no other process writes the recording that a test writes.

        Raises:
            ConfigurationError: one might.
        """
        sharers = self._sharers(item.session, path)
        if hasattr(self._config, "workerinput") and len(sharers) > 1:
            raise ConfigurationError(
                f"{len(sharers)} tests share the recording {self.shown(path)}, and"
                " processes of pytest-xdist cannot write it together: record without"
                " -n, or with -n 0"
            )

    def add(self, row: ReportRow) -> None:
        """Have something said at the end."""
        self._rows.append(row)

    def take(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Have said what a worker of pytest-xdist sent."""
        self._rows += [ReportRow(**row) for row in rows]

    def _sharers(self, session: pytest.Session, path: Path) -> Sequence[str]:
        """The ids of the tests of this session that have a recording."""
        if self._sharing is None:
            self._sharing = _shared(session.items)
        return self._sharing.get(path, ())

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Note whether a test passed, before its fixtures are torn down."""
        report = yield
        if report.when == "call":
            item.stash[_PASSED] = report.passed
        return report

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Hand on what is to be said, from a worker to where it is said."""
        for path, tape in self._tapes.items():
            for test in sorted(tape.waiting):
                count = len(list_exchange_names(path))
                self.add(
                    ReportRow(
                        test=test, path=self.shown(path), what="kept", count=count
                    )
                )
        output = getattr(self._config, "workeroutput", None)
        if output is not None:
            # Plain values are all that gets from process to process.
            output["nectar"] = [
                {**asdict(row), "names": list(row.names)} for row in self._rows
            ]

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> None:
        """Say what was recorded, what was not, and what nobody asked for."""
        lines = list(format_summary(self._rows))
        if lines:
            terminalreporter.section("nectar recordings", sep="-")
            for line in lines:
                terminalreporter.line(line)

    def shown(self, path: Path) -> str:
        """A path as people see it: from where pytest was started."""
        return os.path.relpath(path, self._config.invocation_params.dir)


_SUITE: Final = pytest.StashKey[PluginSession]()
_PASSED: Final = pytest.StashKey[bool]()


def has_passed(item: pytest.Item) -> bool:
    """Whether a test ran to its end, and well; known when its fixtures end."""
    return item.stash.get(_PASSED, False)


def _shared(items: Iterable[pytest.Item]) -> Mapping[Path, Sequence[str]]:
    """The paths of recordings, each with the tests that have it."""
    sharing: dict[Path, list[str]] = {}
    for item in items:
        if "nectar_recording" not in getattr(item, "fixturenames", ()):
            continue
        with suppress(ConfigurationError):  # told where that test is set up
            sharing.setdefault(find_recording_path(item), []).append(item.nodeid)
    return sharing


_NO_CHANGE: Final = {
    "unchanged": "recorded anew without any change",
    "complete": "nothing was missing",
}


def describe_overlays(orders: Iterable[FaultLike]) -> tuple[str, ...]:
    """Overlays as their test writes them."""
    return tuple(one if isinstance(one, str) else repr(one) for one in orders)


def list_exchange_names(path: Path) -> Collection[str]:
    """The names of the exchanges that a folder has."""
    return {one.stem for one in path.glob("*.json") if one.name != MANIFEST_NAME}


def format_summary(rows: Sequence[ReportRow]) -> Iterator[str]:
    """The lines of the summary."""
    written = {row.path: row for row in rows if row.what == "written"}
    for row in written.values():
        gone = f", no longer: {_listed(row.names)}" if row.names else ""
        yield f"recorded {row.path} (exchanges: {row.count}{gone})"
    for what, words in _NO_CHANGE.items():
        if same := {row.path for row in rows if row.what == what} - set(written):
            yield f"{words}: {len(same)}"
    for row in rows:
        if row.what in {"kept", "left"}:
            yield f"{_kept(row, is_there=row.path in written)}: {row.test} did not pass"
        if row.what == "missed":
            yield from (f"{row.test} asked in vain: {name}" for name in row.names)
        if row.what == "unmet":
            overlays = ", ".join(row.names)
            yield f"laid over nothing: overlay {overlays} of {row.test}"
    for path, names in _unused(rows).items():
        yield f"not asked for in {path}: {_listed(names)}"


def _kept(row: ReportRow, *, is_there: bool) -> str:
    if not row.count and not is_there:
        return f"not written: {row.path}"
    if row.what == "left":
        return f"nothing added to {row.path} by this one"
    return f"kept {row.path} as it was"


def _unused(rows: Iterable[ReportRow]) -> Mapping[str, Sequence[str]]:
    """What none of the tests that share a recording asked for, by its path."""
    found: dict[str, list[str]] = {}
    for row in rows:
        if row.what == "asked":
            names = found.setdefault(row.path, list(row.names))
            names[:] = [name for name in names if name in row.names]
    return {path: names for path, names in sorted(found.items()) if names}


def _listed(names: Sequence[str]) -> str:
    rest = len(names) - _SHOWN
    more = [f"and {rest} more"] if rest > 0 else []
    return ", ".join([*names[:_SHOWN], *more])
