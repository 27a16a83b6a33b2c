"""The commands."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Annotated, Any

import anyio
import typer
from rich.console import Console

from nectar_async._version import __version__
from nectar_async.cli import options
from nectar_async.cli.child import Portfolio
from nectar_async.cli.demo import default_out, run_demo
from nectar_async.cli.outcome import (
    EXIT_CODES,
    Exit,
    StoppedError,
    complain,
    guarded,
)
from nectar_async.cli.progress import shown
from nectar_async.cli.pull import Pull, Query, Watch
from nectar_async.cli.report import Bound, Report
from nectar_async.cli.sink import STDOUT, LineFile
from nectar_async.client import NectarClient
from nectar_async.errors import NectarError
from nectar_async.settings import Settings

__all__ = ["run"]

_CODES = "; ".join(f"{code.value} {words}" for code, words in EXIT_CODES.items())
_FOOT = (
    "Environment: NECTAR_API_KEY; NECTAR_BASE_URL and NECTAR_API_VERSION where they"
    " differ from the defaults; NECTAR_DEBUG=1 shows tracebacks."
    f"\n\nExit codes: {_CODES}."
)

app = typer.Typer(
    name="nectar",
    epilog=_FOOT,
    add_completion=False,
    rich_markup_mode="markdown",  # which fills paragraphs
    # A traceback with local variables would show the key.
    pretty_exceptions_enable=False,
)
pull_app = typer.Typer(epilog=_FOOT, rich_markup_mode="markdown")
app.add_typer(pull_app, name="pull")

# typer may carry a click of its own, so click's classes are reached through typer.
_UsageError: Any = typer.BadParameter.__mro__[1]


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command line, by default that of the process; gives the exit code."""
    try:
        code = app(arguments, prog_name="nectar", standalone_mode=False)
    except _UsageError as error:
        where = "nectar" if error.ctx is None else error.ctx.command_path
        complain(error.format_message(), f"{where} --help")
        return Exit.USAGE
    return int(code or Exit.OK)


def _say_version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(f"nectar {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def nectar(
    context: typer.Context,
    *,
    version: Annotated[  # noqa: ARG001 - its callback answers
        bool,
        typer.Option(
            "--version", help="Say the version.", is_eager=True, callback=_say_version
        ),
    ] = False,
) -> None:
    """Nectar's utility data on the command line. Try `nectar demo`: it needs no key."""
    _help_alone(context)


@pull_app.callback(invoke_without_command=True)
def pull(context: typer.Context) -> None:
    """Pull records into a file."""
    _help_alone(context)


def _help_alone(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command(epilog=_FOOT)
def ping() -> int:
    """Test the key and the connection.

    Example: nectar ping
    """

    async def work() -> tuple[str, float]:
        async with NectarClient() as client:
            started = time.perf_counter()
            return await client.ping(), time.perf_counter() - started

    def say() -> int:
        answer, seconds = anyio.run(work)
        url = Settings.from_env().base_url
        typer.echo(f"{answer} from {url} in {1000 * seconds:.0f} ms")
        return Exit.OK

    return guarded(say)


@pull_app.command("usage", epilog=_FOOT)
def pull_usage(
    *,
    out: options.Out,
    start: options.Start = None,
    end: options.End = None,
    date_type: options.DateTypeOption = None,
    datasource_type: options.DatasourceTypes = None,
    identifier: options.Identifier = None,
    company: options.CompanyIds = None,
    include_secrets: options.IncludeSecrets = False,
    concurrency: options.Concurrency = 10,
    as_json: options.AsJson = False,
) -> int:
    """Pull usage of all companies into a file of JSON lines.

    A line is a record as the API writes it, with its companyId in front; amounts are in
    the record's own usageUnits. Companies that fail are listed at the end, and the rest
    is pulled. What is in the file is whole lines, however the pull ends; the file is
    replaced when the first page comes.

    Example: nectar pull usage --out usage.jsonl --start 2025-01-01 --end 2025-12-31
    """
    if start is not None and end is not None and start > end:
        raise typer.BadParameter(f"--start {start} is after --end {end}")
    query = Query(
        companies=company or (),
        start_date=start,
        end_date=end,
        date_type=date_type,
        datasource_types=datasource_type or (),
        identifier=identifier,
        with_secrets=include_secrets,
    )
    job = Pull(query, LineFile(out))

    async def work(on_first: Watch | None) -> None:
        settings = Settings.from_env(max_concurrency=concurrency)
        async with NectarClient(settings=settings) as client:
            await job.run(client, on_first)

    return guarded(partial(_conduct, job, work, as_json=as_json))


@app.command(epilog=_FOOT)
def demo(
    *,
    companies: options.CompanyCount = 50,
    seed: options.Seed = 7,
    latency: options.Latency = 0.05,
    out: options.DemoOut = None,
    include_secrets: options.IncludeSecrets = False,
    as_json: options.AsJson = False,
) -> int:
    """Watch a real pull: no key needed.

    Starts a sandbox beside itself, pulls all of its (invented) usage over HTTP into a
    file of JSON lines, and says how close to the best possible time that was: the
    bound is an ideal schedule of the requests that the server counted, each taking the
    latency, ten at once, after the list of companies.

    Example: nectar demo --companies 200 --latency 0.1
    """
    job = Pull(Query(with_secrets=include_secrets), LineFile(out or default_out()))
    portfolio = Portfolio(companies=companies, seed=seed, latency=latency)

    async def work(on_first: Watch | None) -> Bound:
        return await run_demo(portfolio, job, on_first)

    return guarded(partial(_conduct, job, work, as_json=as_json))


@app.command(epilog=_FOOT)
def sandbox(
    *,
    port: options.Port = 8080,
    companies: options.CompanyCount = 20,
    seed: options.Seed = 7,
    latency: options.Latency = 0.05,
) -> int:
    """Serve a local Nectar with invented data until Ctrl-C.

    What to export so that clients find it is printed on stdout.

    Example: nectar sandbox --port 8080 --companies 200
    """
    # The server is not needed, and its imports are not paid for, by other commands.
    from nectar_async.sandbox import Options, serve  # noqa: PLC0415 - see above

    def say(announcement: str) -> None:
        where = json.loads(announcement)
        typer.echo(f"export NECTAR_BASE_URL={where['url']}")
        typer.echo(f"export NECTAR_API_KEY={where['api_key']}")
        typer.echo(f"{companies:,} companies are served until Ctrl-C", err=True)
        sys.stdout.flush()

    def work() -> int:
        served = Options(
            port=port, companies=companies, seed=seed, latency=latency, as_json=True
        )
        anyio.run(serve, served, say)
        return Exit.OK

    return guarded(work)


def _conduct(
    job: Pull, work: Callable[[Watch | None], Awaitable[Bound | None]], *, as_json: bool
) -> int:
    """Run a pull with its display, and report on it."""
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
