"""The `nectar` command: its groups, and the errors of its command line."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from nectar_async._version import __version__
from nectar_async.cli.commands.demo import demo
from nectar_async.cli.commands.ping import ping
from nectar_async.cli.commands.pull import pull_app
from nectar_async.cli.commands.record import RecordCommand, record
from nectar_async.cli.commands.recording import recording_app
from nectar_async.cli.commands.sandbox import sandbox
from nectar_async.cli.commands.transfer import download, job, upload
from nectar_async.cli.help import (
    API_EPILOG,
    CONTEXT_SETTINGS,
    EPILOG,
    HelpCommand,
    HelpGroup,
    show_help_without_subcommand,
)
from nectar_async.cli.output import (
    ExitCode,
    print_error,
    print_error_facts,
    run_guarded,
)
from nectar_async.cli.terminal import echo

__all__ = ["run"]

app: typer.Typer = typer.Typer(
    name="nectar",
    cls=HelpGroup,
    epilog=EPILOG,
    context_settings=CONTEXT_SETTINGS,
    add_completion=False,
    rich_markup_mode="markdown",  # Markdown joins the lines of a paragraph
    # A traceback with local variables would show the key.
    pretty_exceptions_enable=False,
)
app.command(cls=HelpCommand, epilog=API_EPILOG)(ping)
app.command(cls=HelpCommand)(demo)
app.command(cls=HelpCommand)(sandbox)
app.add_typer(pull_app, name="pull")
app.command(cls=HelpCommand, epilog=API_EPILOG)(download)
app.command(cls=HelpCommand, epilog=API_EPILOG)(upload)
app.command(cls=HelpCommand, epilog=API_EPILOG)(job)
app.command(cls=RecordCommand)(record)
app.add_typer(recording_app, name="recording")

# typer may contain a copy of click, so its classes are reached through typer.
_UsageError: Any = typer.BadParameter.__mro__[1]


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return the exit code.

    Args:
        arguments: by default those of the process.
    """
    words = sys.argv[1:] if arguments is None else arguments
    # Each command guards its work. The rest, such as the help, may fail too.
    return run_guarded(lambda: _run_words(words))


def _run_words(words: Sequence[str]) -> int:
    try:
        code = app(words, prog_name="nectar", standalone_mode=False)
    except _UsageError as error:
        command = "nectar" if error.ctx is None else error.ctx.command_path
        problem = error.format_message()
        print_error(problem, f"{command} --help")
        if "--json" in words:
            facts = {"error": {"type": "Usage", "message": problem}}
            return print_error_facts(facts, ExitCode.USAGE)
        return ExitCode.USAGE
    except typer.Abort:  # typer raises it for Ctrl-C
        raise KeyboardInterrupt from None
    except SystemExit as exit_:
        # click exits with 1 where the reader of a help page is gone.
        if not isinstance(exit_.__context__, BrokenPipeError):
            raise
        return ExitCode.PIPE_CLOSED
    return int(code or ExitCode.OK)


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        echo(f"nectar {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def nectar(
    context: typer.Context,
    *,
    version: Annotated[  # noqa: ARG001 - its callback prints it
        bool,
        typer.Option(
            "--version",
            metavar="",
            help="Show the version and exit.",
            is_eager=True,
            callback=_print_version,
        ),
    ] = False,
) -> None:
    """Pull utility data from the Nectar API. Try `nectar demo`: it needs no API key."""
    show_help_without_subcommand(context)
