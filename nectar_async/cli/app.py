"""The `nectar` command with all of its commands."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

import anyio
import typer

from nectar_async._version import __version__
from nectar_async.cli import options
from nectar_async.cli.child import Portfolio
from nectar_async.cli.conduct import conduct
from nectar_async.cli.demo import default_out, run_demo
from nectar_async.cli.outcome import FOOT, Exit, complain, guarded
from nectar_async.cli.pull import Pull, Query, Watch
from nectar_async.cli.pulls import pull_app
from nectar_async.cli.report import Bound
from nectar_async.cli.sink import LineFile
from nectar_async.cli.transfer import download, upload
from nectar_async.client import NectarClient
from nectar_async.settings import Settings

__all__ = ["run"]

app: typer.Typer = typer.Typer(
    name="nectar",
    epilog=FOOT,
    add_completion=False,
    rich_markup_mode="markdown",  # which fills paragraphs
    # A traceback with local variables would show the key.
    pretty_exceptions_enable=False,
)
app.add_typer(pull_app, name="pull")
app.command(epilog=FOOT)(download)
app.command(epilog=FOOT)(upload)

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
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command(epilog=FOOT)
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


@app.command(epilog=FOOT)
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

    return guarded(partial(conduct, job, work, as_json=as_json))


@app.command(epilog=FOOT)
def sandbox(
    *,
    port: options.Port = 8080,
    companies: options.CompanyCount = 20,
    seed: options.Seed = 7,
    latency: options.Latency = 0.05,
    clock_speed: options.ClockSpeed = 1.0,
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
            port=port,
            companies=companies,
            seed=seed,
            latency=latency,
            clock_speed=clock_speed,
            as_json=True,
        )
        anyio.run(serve, served, say)
        return Exit.OK

    return guarded(work)
