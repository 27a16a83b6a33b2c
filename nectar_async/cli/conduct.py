"""A pull from its first request to its report."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

import anyio
import typer
from rich.console import Console

from nectar_async.cli.outcome import StoppedError, complain
from nectar_async.cli.progress import shown
from nectar_async.cli.pull import Pull, Watch
from nectar_async.cli.report import Bound, Report
from nectar_async.cli.sink import STDOUT
from nectar_async.errors import NectarError

__all__ = ["conduct"]


def conduct(
    job: Pull, work: Callable[[Watch | None], Awaitable[Bound | None]], *, as_json: bool
) -> int:
    """Run a pull with its display, and report on it; gives the exit code.

    Raises:
        StoppedError: it ended early.
    """
    console = Console(stderr=True)
    try:
        with job.sink, shown(job, console, is_wanted=not as_json) as on_first:
            bound = anyio.run(work, on_first)
    except (KeyboardInterrupt, NectarError, OSError) as error:
        raise StoppedError(job.account()) from error
    report = Report.of(job, bound)
    is_to_stderr = job.sink.path == STDOUT
    if as_json:
        typer.echo(json.dumps(report.as_json()), err=is_to_stderr)
    else:
        report.print_on(Console(stderr=is_to_stderr))
    if report.failures:
        complain(report.first_failure)
    return report.exit_code
