"""The commands of `nectar recording`: looking at recordings, and mending them."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import typer

from nectar_async.cli import options, recording_options, tapes
from nectar_async.cli.help import Command, Group, no_command
from nectar_async.cli.output import Ending, Exit, guarded

__all__ = ["recording_app"]

_CHECK_CODES: Final = "Exit codes: 0 all are sound; 1 one is not, or is none."
_DIFF_CODES: Final = (
    "Exit codes: 0 nothing changed; 1 something did; 2 a recording cannot be read."
)

recording_app: typer.Typer = typer.Typer(cls=Group, rich_markup_mode="markdown")


@recording_app.callback(invoke_without_command=True)
def recording(context: typer.Context) -> None:
    """Look at recordings of the API, compare and mend them; `nectar record` makes them.

    None of this asks the API.
    """
    no_command(context)


@recording_app.command(cls=Command)
def show(path: recording_options.One, *, as_json: options.AsJson = False) -> int:
    """Say what is in a recording.

    Operations, of how many companies, sites, ... (owners), and how many secrets and
    persons were replaced by stand-ins, by kind.

    Example: nectar recording show tests/recordings/usage
    """
    return guarded(lambda: tapes.show(path, as_json=as_json), Ending(as_json=as_json))


@recording_app.command(cls=Command, epilog=_CHECK_CODES)
def check(
    path: recording_options.Several,
    *,
    max_age: recording_options.MaxAge = None,
    as_json: options.AsJson = False,
) -> int:
    """Say whether recordings are sound.

    They are whole (every file, every page of a list), named as they should be, hold
    nothing that redaction would replace, and the models can read them. What is new to
    the models, or to the contract, is a note.

    Example: nectar recording check tests/recordings/* --max-age 90
    """
    bound = None if max_age is None else timedelta(days=max_age)
    return guarded(
        lambda: tapes.check_all(path, bound, as_json=as_json), Ending(as_json=as_json)
    )


@recording_app.command(cls=Command, epilog=_DIFF_CODES)
def diff(
    old: recording_options.Old,
    new: recording_options.New,
    *,
    as_json: options.AsJson = False,
) -> int:
    """Say what changed in the API between two recordings.

    Exchanges that came, went or have another status; keys of answers that came and
    went, or are not always there any more; types; values of enums. What the data says
    is not compared: `git diff` does that.

    Example: nectar recording diff tests/recordings/usage /tmp/usage-today
    """
    told: list[bool] = []

    def work() -> int:
        told.append(tapes.diff(old, new, as_json=as_json))
        return Exit.OK if told[0] else Exit.FAILED

    code = guarded(work, Ending(as_json=as_json))
    return code if told or code != Exit.FAILED else Exit.USAGE


@recording_app.command(cls=Command)
def redact(
    path: recording_options.One,
    *,
    rule: recording_options.Rules = None,
    pattern: recording_options.Patterns = None,
    dry_run: recording_options.DryRun = False,
    as_json: options.AsJson = False,
) -> int:
    """Replace what is secret or personal in a recording, in place and all at once.

    Rules are kept in it, so that a replay and the next recording know them. What is
    replaced already stays as it is.

    Example: nectar recording redact recordings/usage --rule tenant=externalId
    """
    return guarded(
        lambda: tapes.redact(
            path, rule or (), pattern or (), is_dry=dry_run, as_json=as_json
        ),
        Ending(as_json=as_json),
    )


@recording_app.command("import", cls=Command)
def import_(
    file: recording_options.Traffic,
    path: recording_options.One,
    *,
    kind: recording_options.Format = None,
    base_url: recording_options.BaseUrl = None,
    rule: recording_options.Rules = None,
    pattern: recording_options.Patterns = None,
    as_json: options.AsJson = False,
) -> int:
    """Make a recording of a HAR file or of a cassette of vcrpy.

    What is not Nectar's is left out, keys and other headers stay behind, and secrets
    and persons are replaced. A recording that is there is written anew.

    Example: nectar recording import traffic.har tests/recordings/traffic
    """
    return guarded(
        lambda: tapes.import_traffic(
            file,
            path,
            kind=kind,
            base_url=base_url,
            rules=rule or (),
            patterns=pattern or (),
            as_json=as_json,
        ),
        Ending(as_json=as_json),
    )


@recording_app.command(cls=Command)
def export(
    path: recording_options.One,
    file: recording_options.Har,
    *,
    base_url: recording_options.HarUrl = None,
) -> int:
    """Write a recording as a HAR file, for browsers' tools and proxies to look at.

    Its stand-ins are exported as they are. Importing it gives the same exchanges.

    Example: nectar recording export tests/recordings/usage usage.har
    """
    return guarded(lambda: tapes.export_har(path, file, base_url=base_url))
