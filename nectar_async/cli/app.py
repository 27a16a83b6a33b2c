"""The `nectar` command with all of its commands."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from nectar_async._version import __version__
from nectar_async.cli import options, sandbox_options
from nectar_async.cli.commands.demo import default_out, run_demo
from nectar_async.cli.commands.ping import ping
from nectar_async.cli.commands.pull import pull_app
from nectar_async.cli.commands.record import Record, record
from nectar_async.cli.commands.recording import recording_app
from nectar_async.cli.commands.transfer import download, job, upload
from nectar_async.cli.conduct import conduct
from nectar_async.cli.help import (
    FOOT,
    SETTINGS,
    SHORT_FOOT,
    Command,
    Group,
    no_command,
)
from nectar_async.cli.json_lines import LineFile
from nectar_async.cli.output import Exit, complain, guarded
from nectar_async.cli.pull_run import Pull, Query, Watch
from nectar_async.cli.report import Bound
from nectar_async.cli.sandbox_process import Portfolio
from nectar_async.cli.words import counted
from nectar_async.sandbox.loop import run_loop

__all__ = ["run"]

app: typer.Typer = typer.Typer(
    name="nectar",
    cls=Group,
    epilog=FOOT,
    context_settings=SETTINGS,
    add_completion=False,
    rich_markup_mode="markdown",  # which fills paragraphs
    # A traceback with local variables would show the key.
    pretty_exceptions_enable=False,
)
app.command(cls=Command, epilog=SHORT_FOOT)(ping)
app.add_typer(pull_app, name="pull")
app.add_typer(recording_app, name="recording")
app.command(cls=Command, epilog=SHORT_FOOT)(download)
app.command(cls=Command, epilog=SHORT_FOOT)(upload)
app.command(cls=Command, epilog=SHORT_FOOT)(job)
app.command(cls=Record)(record)

# typer may carry a click of its own, so click's classes are reached through typer.
_UsageError: Any = typer.BadParameter.__mro__[1]


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command line, by default that of the process; gives the exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        code = app(given, prog_name="nectar", standalone_mode=False)
    except _UsageError as error:
        where = "nectar" if error.ctx is None else error.ctx.command_path
        problem = error.format_message()
        complain(problem, f"{where} --help")
        if "--json" in given:
            typer.echo(json.dumps({"error": {"type": "Usage", "message": problem}}))
        return Exit.USAGE
    except typer.Abort:  # what typer makes of Ctrl-C
        raise KeyboardInterrupt from None
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
            "--version",
            metavar="",
            help="Say the version.",
            is_eager=True,
            callback=_say_version,
        ),
    ] = False,
) -> None:
    """Nectar's utility data on the command line. Try `nectar demo`: it needs no key."""
    no_command(context)


@app.command(cls=Command)
def demo(
    *,
    companies: sandbox_options.CompanyCount = 50,
    seed: sandbox_options.Seed = 7,
    latency: sandbox_options.Latency = 0.05,
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
    file = LineFile(out or default_out(), is_private=include_secrets)
    pulled = Pull(Query(with_secrets=include_secrets), file)
    portfolio = Portfolio(companies=companies, seed=seed, latency=latency)

    async def work(on_first: Watch | None) -> Bound:
        return await run_demo(portfolio, pulled, on_first)

    return conduct(pulled, work, as_json=as_json)


@app.command(cls=Command)
def sandbox(
    *,
    port: sandbox_options.Port = 8080,
    companies: sandbox_options.CompanyCount = 20,
    seed: sandbox_options.Seed = 7,
    latency: sandbox_options.Latency = 0.05,
    clock_speed: sandbox_options.ClockSpeed = 1.0,
    fault: sandbox_options.Faults = None,
    tls_cert: sandbox_options.TlsCert = None,
    tls_key: sandbox_options.TlsKey = None,
) -> int:
    """Serve a local Nectar with invented data until Ctrl-C.

    What to export so that clients find it is printed on stdout.

    Example: nectar sandbox --port 8080 --companies 200
    """
    # The server is not needed, and its imports are not paid for, by other commands.
    from nectar_async.sandbox import (  # noqa: PLC0415 - as said
        Options,
        fault_help,
        read_certificate,
        read_fault,
        serve,
    )

    def say(announcement: str) -> None:
        where = json.loads(announcement)
        typer.echo(f"export NECTAR_BASE_URL={where['url']}")
        typer.echo(f"export NECTAR_API_KEY={where['api_key']}")
        served = counted(companies, "company is", "companies are")
        typer.echo(f"{served} served until Ctrl-C", err=True)
        sys.stdout.flush()

    def work() -> int:
        if fault and "help" in fault:
            typer.echo(fault_help())
            return Exit.OK
        served = Options(
            port=port,
            companies=companies,
            seed=seed,
            latency=latency,
            clock_speed=clock_speed,
            faults=tuple(map(read_fault, fault or ())),
            ssl_context=read_certificate(tls_cert, tls_key),
            as_json=True,
        )
        run_loop(serve, served, say)
        return Exit.OK

    return guarded(work)
