"""The options of whatever asks a lot of the API: settings of the client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from nectar_async.settings import RetryPolicy

__all__ = [
    "AttemptTimeout",
    "Attempts",
    "Concurrency",
    "Deadline",
    "Verify",
    "settings_of",
]

# Newer versions of typer name the type of a flag where this is not empty.
_FLAG: Final = ""


def _seconds(text: str | float) -> float:
    try:
        seconds = float(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no number of seconds") from None
    if not seconds > 0:
        raise typer.BadParameter(f"{text} is no number of seconds above 0")
    return seconds


Concurrency = Annotated[
    int,
    typer.Option(
        "--concurrency",
        metavar="N",
        min=1,
        help="Requests at once; the API asks for at most 10 per key.",
    ),
]
Attempts = Annotated[
    int | None,
    typer.Option(
        "--attempts",
        metavar="N",
        min=1,
        help="How often a request is sent at most, the first time included; 4 where"
        " nothing is said, 1 repeats none.",
        show_default=False,
    ),
]
AttemptTimeout = Annotated[
    Any,
    typer.Option(
        "--attempt-timeout",
        metavar="SECONDS",
        parser=_seconds,
        help="How long one attempt may take; 30 where nothing is said.",
        show_default=False,
    ),
]
Deadline = Annotated[
    Any,
    typer.Option(
        "--deadline",
        metavar="SECONDS",
        parser=_seconds,
        help="How long one request may take with its queue, attempts and waits; no"
        " bound where nothing is said. It does not bound the whole pull.",
        show_default=False,
    ),
]
Verify = Annotated[
    bool,
    typer.Option(
        "--verify",
        metavar=_FLAG,
        help="Ask for each first page again at the end: rows that moved and show there"
        " are found, though the totals agree, and the company is read again.",
    ),
]


def settings_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Changes of a client's settings, by a command's arguments; None is no change."""
    attempts = given.get("attempts")
    changes = {
        "max_concurrency": given.get("concurrency"),
        "retry": None if attempts is None else RetryPolicy(attempts=attempts),
        "attempt_timeout": given.get("attempt_timeout"),
        "deadline": given.get("deadline"),
    }
    return {name: value for name, value in changes.items() if value is not None}
