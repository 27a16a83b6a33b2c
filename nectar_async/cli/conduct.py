"""A pull from its first request to its report."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import typer
from rich.console import Console

from nectar_async.cli.json_lines import STDOUT
from nectar_async.cli.output import Ending, StoppedError, complain, guarded, notes_of
from nectar_async.cli.progress import shown
from nectar_async.cli.pull_run import Pull, Watch
from nectar_async.cli.report import Bound, Report
from nectar_async.errors import NectarError
from nectar_async.sandbox.loop import run_loop

__all__ = ["conduct"]

_NONE: Final[Mapping[str, Any]] = MappingProxyType({})


def conduct(
    job: Pull,
    work: Callable[[Watch | None], Awaitable[Bound | None]],
    facts: Mapping[str, Any] = _NONE,
    *,
    as_json: bool,
) -> int:
    """Run a pull with its display, and report on it; gives the exit code.

    Args:
        job: what is pulled, and where to.
        work: pulls it.
        facts: what else the report has as JSON.
        as_json: whether the report is that.
    """
    is_to_stderr = job.sink.path == STDOUT
    ending = Ending(as_json=as_json, is_to_stderr=is_to_stderr)

    def pull() -> int:
        bound = _run(job, work, is_shown=not as_json)
        report = Report.of(job, bound)
        if as_json:
            typer.echo(json.dumps({**report.as_json(), **facts}), err=is_to_stderr)
        else:
            report.print_on(Console(stderr=is_to_stderr))
        if report.failures and not (as_json and is_to_stderr):
            complain(report.first_failure, notes=notes_of(report.failures[0].error))
        return report.exit_code

    return guarded(pull, ending)


def _run(
    job: Pull,
    work: Callable[[Watch | None], Awaitable[Bound | None]],
    *,
    is_shown: bool,
) -> Bound | None:
    """The pull itself; what ends it early tells what is done.

    Raises:
        StoppedError: it ended early.
    """
    try:
        with (
            job.sink,
            shown(job, Console(stderr=True), is_wanted=is_shown) as on_first,
        ):
            return run_loop(work, on_first)
    except (KeyboardInterrupt, NectarError, OSError) as error:
        report = Report.of(job, is_stopped=True)
        raise StoppedError(job.account(), report.as_json()) from error
