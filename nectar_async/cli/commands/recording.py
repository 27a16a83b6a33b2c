"""`nectar recording`: show, check, compare, redact and convert recordings."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from attrs import asdict, evolve

from nectar_async.cli import options
from nectar_async.cli.decode_check import find_decode_problems
from nectar_async.cli.help import HelpCommand, HelpGroup, show_help_without_subcommand
from nectar_async.cli.output import (
    ErrorOutput,
    ExitCode,
    count_noun,
    print_error,
    run_guarded,
)
from nectar_async.cli.recording_report import (
    check_as_json,
    count_replaced,
    diff_as_json,
    print_check,
    print_diff,
    print_recording,
    print_replaced,
    recording_as_json,
)
from nectar_async.cli.terminal import build_console, echo
from nectar_async.errors import RecordingError
from nectar_async.recording.check import check as check_recording
from nectar_async.recording.diff import compare
from nectar_async.recording.folder import MANIFEST_NAME, Recording, describe_missing
from nectar_async.recording.formats.cassette import read_cassette
from nectar_async.recording.formats.har_reader import read_har
from nectar_async.recording.formats.har_writer import write_har
from nectar_async.recording.formats.importer import Imported
from nectar_async.recording.redaction.redaction import Redaction, Rule

__all__ = ["recording_app"]

_CHECK_EPILOG: Final = (
    "Exit codes: 0 all recordings are sound; 1 a recording is not sound or missing."
)
_DIFF_EPILOG: Final = (
    "Exit codes: 0 nothing changed; 1 something changed; 2 a recording cannot be read."
)
_READERS: Final[Mapping[str, Callable[..., Imported]]] = {
    "cassette": read_cassette,
    "har": read_har,
}
_SUFFIXES: Final = {".har": "har", ".yaml": "cassette", ".yml": "cassette"}

RecordingPaths = Annotated[
    list[Path],
    typer.Argument(
        metavar="PATH", help="Folders of recordings, or folders that contain some."
    ),
]
OldPath = Annotated[
    Path, typer.Argument(metavar="OLD", help="Folder of the older recording.")
]
NewPath = Annotated[
    Path, typer.Argument(metavar="NEW", help="Folder of the newer recording.")
]
ImportedFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="The HAR file or cassette to read.")
]
HarFile = Annotated[Path, typer.Argument(metavar="FILE", help="The HAR file to write.")]
MaxAge = Annotated[
    float | None,
    typer.Option(
        "--max-age",
        metavar="DAYS",
        min=0,
        help="Maximum age of a recording. Defaults to no limit.",
        show_default=False,
    ),
]
Rules = Annotated[
    list[str] | None,
    typer.Option(
        "--rule",
        metavar="KIND=KEY,KEY",
        help="Also replace the values of these keys, by KIND-1, KIND-2, ..."
        " Repeatable.",
    ),
]
Patterns = Annotated[
    list[str] | None,
    typer.Option(
        "--pattern",
        metavar="KIND=REGEX",
        help="Also replace each match of a regular expression in any text. Repeatable.",
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        metavar=options.NO_TYPE,
        help="Show what would be replaced, and write nothing.",
    ),
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="har, or cassette (of vcrpy). By default it is guessed from the name and"
        " content of the file.",
        show_default=False,
    ),
]
ImportBaseUrl = Annotated[
    str | None,
    typer.Option(
        "--base-url",
        metavar="URL",
        help="Base URL of the API in the file. By default, every host is accepted if"
        " the path is one of the API's.",
        show_default=False,
    ),
]
ExportBaseUrl = Annotated[
    str | None,
    typer.Option(
        "--base-url",
        metavar="URL",
        help="Base URL of the requests. Defaults to the URL of the Nectar API.",
        show_default=False,
    ),
]

recording_app: typer.Typer = typer.Typer(cls=HelpGroup, rich_markup_mode="markdown")


@recording_app.callback(invoke_without_command=True)
def recording(context: typer.Context) -> None:
    """Show, check, compare, redact and convert recordings of the API.

    `nectar record` makes a recording. These commands never call the API.
    """
    show_help_without_subcommand(context)


@recording_app.command(cls=HelpCommand)
def show(path: options.RecordingPath, *, as_json: options.AsJson = False) -> int:
    """Show what a recording contains.

    Lists its operations, with the number of companies, sites, ... (owners) that they
    were called for, and how many secrets and personal values were replaced.

    Example: nectar recording show tests/recordings/usage
    """

    def work() -> int:
        loaded = Recording.load(path)
        if as_json:
            echo(json.dumps(recording_as_json(path, loaded)))
        else:
            print_recording(build_console(), path, loaded)
        return ExitCode.OK

    return run_guarded(work, ErrorOutput(as_json=as_json))


@recording_app.command(cls=HelpCommand, epilog=_CHECK_EPILOG)
def check(
    path: RecordingPaths,
    *,
    max_age: MaxAge = None,
    as_json: options.AsJson = False,
) -> int:
    """Check whether recordings are sound.

    A sound recording is complete (every file, every page of a list), its files have
    the right names, it has no secrets or personal data, and the models can decode its
    answers. Values that the models or the contract do not know are notes, not errors.

    Example: nectar recording check tests/recordings/* --max-age 90
    """
    age = None if max_age is None else timedelta(days=max_age)

    def work() -> int:
        return _check_all(path, age, as_json=as_json)

    return run_guarded(work, ErrorOutput(as_json=as_json))


@recording_app.command(cls=HelpCommand, epilog=_DIFF_EPILOG)
def diff(old: OldPath, new: NewPath, *, as_json: options.AsJson = False) -> int:
    """Show how the API changed between two recordings.

    Lists exchanges that were added or removed or have another status, and in the
    answers: keys that were added, removed or became optional, types, and values of
    enums. Other values are not compared; `git diff` shows those.

    Example: nectar recording diff tests/recordings/usage /tmp/usage-today
    """
    has_compared = False

    def work() -> int:
        nonlocal has_compared
        comparison = compare(Recording.load(old), Recording.load(new))
        if as_json:
            echo(json.dumps(diff_as_json(comparison)))
        else:
            print_diff(build_console(), comparison)
        has_compared = True
        return ExitCode.OK if comparison.is_same else ExitCode.FAILED

    code = run_guarded(work, ErrorOutput(as_json=as_json))
    is_unreadable = code == ExitCode.FAILED and not has_compared
    return ExitCode.USAGE if is_unreadable else code


@recording_app.command(cls=HelpCommand)
def redact(
    path: options.RecordingPath,
    *,
    rule: Rules = None,
    pattern: Patterns = None,
    dry_run: DryRun = False,
    as_json: options.AsJson = False,
) -> int:
    """Replace secrets and personal data in a recording, in place.

    The recording keeps the rules, and replays and later recordings apply them. Values
    that were replaced before stay as they are.

    Example: nectar recording redact recordings/usage --rule tenant=externalId
    """

    def work() -> int:
        old = Recording.load(path)
        known_rules = Redaction.of(old.redaction).rules
        redaction = _build_redaction(rule or (), pattern or (), known_rules)
        pairs = [(exchange.question, exchange.answer) for exchange in old.exchanges]
        new = evolve(old, redaction=redaction.manifest()).with_exchanges(
            redaction.apply(pairs, old.exchanges)
        )
        # The date stays: nothing was requested from the API.
        recorded_at = old.recorded_at or datetime.now(UTC)
        is_changed = not dry_run and new.save(path, recorded_at)
        replaced = count_replaced(old, new)
        if as_json:
            kinds = [asdict(kind) for kind in replaced]
            echo(json.dumps({"is_changed": is_changed, "replaced": kinds}))
        else:
            print_replaced(build_console(), path, replaced, is_dry_run=dry_run)
        return ExitCode.OK

    return run_guarded(work, ErrorOutput(as_json=as_json))


@recording_app.command("import", cls=HelpCommand)
def import_(
    file: ImportedFile,
    path: options.RecordingPath,
    *,
    file_format: Format = None,
    base_url: ImportBaseUrl = None,
    rule: Rules = None,
    pattern: Patterns = None,
    as_json: options.AsJson = False,
) -> int:
    """Make a recording from a HAR file or a cassette of vcrpy.

    API keys, unneeded headers and requests to other hosts are left out. Secrets and
    personal data are replaced. An existing recording is replaced.

    Example: nectar recording import traffic.har tests/recordings/traffic
    """

    def work() -> int:
        data = file.read_bytes()
        read = _READERS[_find_format(file, data, file_format)]
        redaction = _build_redaction(rule or (), pattern or ())
        try:
            imported = read(data, base_url=base_url, redaction=redaction)
        except RecordingError as error:
            raise RecordingError(f"{file}: {error}") from None
        recorded_at = imported.recording.recorded_at or datetime.now(UTC)
        imported.recording.save(path, recorded_at)
        _print_imported(path, imported, as_json=as_json)
        return ExitCode.OK

    return run_guarded(work, ErrorOutput(as_json=as_json))


@recording_app.command(cls=HelpCommand)
def export(
    path: options.RecordingPath, file: HarFile, *, base_url: ExportBaseUrl = None
) -> int:
    """Write a recording as a HAR file, for browser tools and proxies.

    Replaced values stay replaced. An import of the file gives the same exchanges.

    Example: nectar recording export tests/recordings/usage usage.har
    """

    def work() -> int:
        loaded = Recording.load(path)
        data = write_har(loaded, base_url=base_url)
        file.write_bytes(data)
        exchanges = count_noun(len(loaded.exchanges), "exchange")
        echo(f"{file}: {exchanges}, {len(data):,} bytes")
        return ExitCode.OK

    return run_guarded(work)


def _check_all(
    paths: Sequence[Path], max_age: timedelta | None, *, as_json: bool
) -> int:
    """Check all recordings at and below some paths; return the exit code."""
    folders = {path: tuple(_find_recordings(path)) for path in paths}
    distinct = dict.fromkeys(folder for group in folders.values() for folder in group)
    reports = {
        folder: check_recording(
            folder, max_age=max_age, check_exchange=find_decode_problems
        )
        for folder in distinct
    }
    problems = [describe_missing(path) for path, group in folders.items() if not group]
    is_sound = not problems and all(report.is_sound for report in reports.values())
    if as_json:
        facts = {
            "is_sound": is_sound,
            "recordings": [
                check_as_json(folder, report) for folder, report in reports.items()
            ],
            "missing": problems,
        }
        echo(json.dumps(facts))
    else:
        for folder, report in reports.items():
            print_check(build_console(), folder, report)
        for problem in problems:
            print_error(problem)
    return ExitCode.OK if is_sound else ExitCode.FAILED


def _find_recordings(path: Path) -> Iterator[Path]:
    """Find the recording at a path, or else all recordings below it."""
    if (path / MANIFEST_NAME).is_file():
        yield path
    else:
        yield from (manifest.parent for manifest in sorted(path.rglob(MANIFEST_NAME)))


def _build_redaction(
    rules: Sequence[str], patterns: Sequence[str], known: Sequence[Rule] = ()
) -> Redaction:
    """Build the redaction of known rules and of those in `--rule` and `--pattern`.

    Raises:
        BadParameter: an option is not KIND=...
        InvalidArgumentError: an option makes no valid rule.
    """
    added = [
        Rule(kind=kind, keys=tuple(key.strip() for key in text.split(",")))
        for kind, text in map(_split_kind, rules)
    ]
    added += [
        Rule(kind=kind, pattern=text) for kind, text in map(_split_kind, patterns)
    ]
    return Redaction(rules=tuple(dict.fromkeys((*known, *added))))


def _split_kind(text: str) -> tuple[str, str]:
    kind, _, rest = text.partition("=")
    if not kind.strip() or not rest.strip():
        raise typer.BadParameter(f"{text!r} is not written as KIND=...")
    return kind.strip(), rest.strip()


def _find_format(file: Path, data: bytes, name: str | None) -> str:
    """Find the format of a file by --format, by its name, or by its content.

    Raises:
        BadParameter: the format is unknown.
    """
    file_format = name or _SUFFIXES.get(file.suffix.lower()) or _guess_format(data)
    if file_format in _READERS:
        return file_format
    formats = ", ".join(_READERS)
    if name is not None:
        raise typer.BadParameter(f"--format {name!r} is not one of {formats}")
    raise typer.BadParameter(
        f"neither the name nor the content of {file} shows its format; give --format,"
        f" one of {formats}"
    )


def _guess_format(data: bytes) -> str:
    """Guess the format of a JSON file by its keys; empty if it is unknown."""
    try:
        value = json.loads(data)
    except ValueError:
        return ""
    keys = value if isinstance(value, dict) else ()
    return "har" if "log" in keys else "cassette" if "interactions" in keys else ""


def _print_imported(path: Path, imported: Imported, *, as_json: bool) -> None:
    saved = Recording.load(path)
    if as_json:
        facts: dict[str, Any] = {
            "imported": imported.imported,
            "skipped": dict(imported.skipped),
            "recording": recording_as_json(path, saved),
        }
        echo(json.dumps(facts))
        return
    print_recording(build_console(), path, saved)
    for reason, count in imported.skipped.items():
        entries = count_noun(count, "entry", "entries")
        echo(f"left out: {entries}, {reason}", err=True)
