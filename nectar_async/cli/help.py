"""The layout of help texts: the same for every command, at most 80 columns wide."""

from __future__ import annotations

from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from nectar_async.cli.output import EXIT_CODES, ExitCode

__all__ = [
    "API_EPILOG",
    "CONTEXT_SETTINGS",
    "EPILOG",
    "HelpCommand",
    "HelpGroup",
    "show_help_without_subcommand",
]

_EXIT_CODES: Final = "; ".join(
    f"{code.value} {meaning}" for code, meaning in EXIT_CODES.items()
)

EPILOG: Final = (
    "Environment: NECTAR_API_KEY is the API key. NECTAR_BASE_URL,"
    " NECTAR_API_VERSION and NECTAR_MAX_CONCURRENCY replace the defaults."
    " NECTAR_RECORD=replay:PATH answers from a recording instead of the API."
    " NECTAR_DEBUG=1 shows tracebacks."
    f"\n\nExit codes: {_EXIT_CODES}."
)
"""The end of the help of `nectar`."""

API_EPILOG: Final = (
    "Needs NECTAR_API_KEY. `nectar --help` lists the environment variables and the exit"
    " codes."
)
"""The end of the help of every command that calls the API."""

CONTEXT_SETTINGS: Final = {"help_option_names": ["-h", "--help"]}


class HelpCommand(TyperCommand):
    """A command whose help has no type markers such as `<bool>` and no braces."""

    def get_help_option(self, ctx: Any) -> Any:
        """Return the help option without a type, which newer versions of typer add."""
        return _remove_type(super().get_help_option(ctx))

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the words of the usage line without the braces of newer versions."""
        pieces = super().collect_usage_pieces(ctx)
        return [piece.replace("{", "").replace("}", "") for piece in pieces]


class HelpGroup(TyperGroup):
    """A group of commands with the same help layout as `HelpCommand`."""

    def get_help_option(self, ctx: Any) -> Any:
        """Return the help option without a type, like the method of `HelpCommand`."""
        return _remove_type(super().get_help_option(ctx))


def show_help_without_subcommand(context: typer.Context) -> None:
    """Show the help of a group and exit with an error if no subcommand was given.

    Raises:
        Exit: no subcommand was given.
    """
    if context.invoked_subcommand is None:
        # With rich installed get_help prints the text itself and returns "".
        if text := context.get_help():
            typer.echo(text)
        raise typer.Exit(ExitCode.USAGE)


def _remove_type(option: Any) -> Any:
    if option is not None:
        option.metavar = ""
    return option
