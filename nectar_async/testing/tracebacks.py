"""Shorten the tracebacks of requests without a recorded answer.

Such an error is about the test and its recording, so the report shows the test's own
lines and the message, and leaves out the frames of this package.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final

import pytest

from nectar_async.errors import UnmatchedRequestError

__all__ = ["TracebackFilter", "shorten_tracebacks"]

_HIDDEN: Final = frozenset({"nectar_async", "anyio", "asyncio", "contextlib", "trio"})


class TracebackFilter:
    """A pytest plugin that shortens tracebacks, unless `--full-trace` is given."""

    # Not a wrapper: for a unittest.TestCase, pytest replaces `call.excinfo` first.
    @pytest.hookimpl
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[Any]
    ) -> None:
        """Shorten the traceback of a test that requested what is not recorded."""
        if call.excinfo is None or item.config.getoption("fulltrace"):
            return
        error = call.excinfo.value
        if shorten_tracebacks(error):
            call.excinfo = pytest.ExceptionInfo.from_exception(error)


def shorten_tracebacks(error: BaseException) -> bool:
    """Remove frames of this package and the event loop from an error's tracebacks.

    Returns:
        Whether the error is about a request without an answer. Others are unchanged.
    """
    errors = [*_list_errors(error)]
    if not any(isinstance(each, UnmatchedRequestError) for each in errors):
        return False
    for each in errors:
        each.__traceback__ = _remove_hidden(each.__traceback__)
    return True


def _list_errors(error: BaseException) -> Iterator[BaseException]:
    """List an error with its causes, contexts and members, each once."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        current = waiting.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        waiting += [current.__cause__, current.__context__]
        if isinstance(current, BaseExceptionGroup):
            waiting += current.exceptions


def _remove_hidden(traceback: TracebackType | None) -> TracebackType | None:
    kept: list[TracebackType] = []
    while traceback is not None:
        module = str(traceback.tb_frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] not in _HIDDEN:
            kept.append(traceback)
        traceback = traceback.tb_next
    shortened: TracebackType | None = None
    for entry in reversed(kept):
        shortened = TracebackType(
            shortened, entry.tb_frame, entry.tb_lasti, entry.tb_lineno
        )
    return shortened
