"""How help looks: short enough for a terminal of 80 columns, the same everywhere."""

from __future__ import annotations

from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from nectar_async.cli.output import EXIT_CODES, Exit

__all__ = ["FOOT", "SETTINGS", "SHORT_FOOT", "Command", "Group", "no_command"]

_CODES_IN_WORDS: Final = "; ".join(
    f"{code.value} {said}" for code, said in EXIT_CODES.items()
)

FOOT: Final = (
    "Environment: NECTAR_API_KEY; NECTAR_BASE_URL and NECTAR_API_VERSION where they"
    " differ from the defaults; NECTAR_RECORD=replay:PATH answers from a recording;"
    " NECTAR_DEBUG=1 shows tracebacks."
    f"\n\nExit codes: {_CODES_IN_WORDS}."
)
"""What the help of `nectar` ends with."""

SHORT_FOOT: Final = "Needs NECTAR_API_KEY; `nectar --help` has exit codes and the rest."
"""What the help of a command ends with that asks the API."""

SETTINGS: Final = {"help_option_names": ["-h", "--help"]}


class Command(TyperCommand):
    """A command whose help has no marks that say nothing."""

    def get_help_option(self, ctx: Any) -> Any:
        """The option without a word for its type, which newer versions add."""
        return _plain(super().get_help_option(ctx))

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The words of the first line, without the braces of newer versions."""
        pieces = super().collect_usage_pieces(ctx)
        return [piece.replace("{", "").replace("}", "") for piece in pieces]


class Group(TyperGroup):
    """The same for what has commands below it."""

    def get_help_option(self, ctx: Any) -> Any:
        """As that of a command."""
        return _plain(super().get_help_option(ctx))


def _plain(option: Any) -> Any:
    if option is not None:
        option.metavar = ""
    return option


def no_command(context: typer.Context) -> None:
    """Show the help where a command is missing, which is an error.

    Raises:
        Exit: there is none.
    """
    if context.invoked_subcommand is None:
        # With rich this prints by itself and gives nothing.
        if text := context.get_help():
            typer.echo(text)
        raise typer.Exit(Exit.USAGE)
