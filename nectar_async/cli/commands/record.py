"""`nectar record`: run a command and record the answers of the API."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, Final

import typer
from attrs import frozen

from nectar_async.cli import options
from nectar_async.cli.client import RECORD_VARIABLE
from nectar_async.cli.help import HelpCommand
from nectar_async.cli.output import ExitCode, count_noun, print_error, run_guarded
from nectar_async.cli.terminal import echo
from nectar_async.cli.views import VIEWS
from nectar_async.errors import RecordingError
from nectar_async.recording.bodies import sha256_hex
from nectar_async.recording.contents import summarize_operations
from nectar_async.recording.folder import MANIFEST_NAME, Recording

__all__ = ["RecordCommand", "record"]

_MODES: Final = ("record", "new", "passthrough")
_API_COMMANDS: Final = ("download", "job", "ping", "pull", "upload")
_SIGNAL_BASE: Final = 128
"""The exit code of a process that a signal ended is this plus the signal's number."""
_SEPARATOR: Final = "--"


class RecordCommand(HelpCommand):
    """A command whose last arguments are another command with its own options."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse options before COMMAND only; later ones belong to COMMAND."""
        before_path, rest = self._split_options(ctx, args)
        if _SEPARATOR in before_path:
            raise typer.BadParameter("PATH belongs before --", ctx=ctx)
        if _lacks_path(rest):
            words = shlex.join([_find_similar(rest[0]) or rest[0], *rest[1:]])
            problem = f"PATH is missing: write `nectar record PATH {words}`"
            raise typer.BadParameter(problem, ctx=ctx)
        if rest:
            before_command, command = self._split_options(ctx, rest[1:])
            is_program = ctx.obj = _SEPARATOR in before_command
            more_options = [word for word in before_command if word != _SEPARATOR]
            if not is_program and {*command[:1]} & {*_API_COMMANDS}:
                self._check_order(ctx, command)
            args = [*before_path, *more_options, _SEPARATOR, rest[0], *command]
        remaining: list[str] = super().parse_args(ctx, args)
        return remaining

    def _check_order(self, ctx: Any, command: Sequence[str]) -> None:
        """Check that no option of `record` stands after COMMAND.

        Raises:
            BadParameter: an option of `record` stands there.
        """
        record_options = {
            name
            for parameter in self.params
            for name in parameter.opts
            if name.startswith("--")
        }
        for word in command:
            if word.partition("=")[0] in record_options:
                raise typer.BadParameter(
                    f"{word} is an option of `nectar record`; write it before"
                    f" {command[0]!r}",
                    ctx=ctx,
                )

    def _split_options(self, ctx: Any, words: list[str]) -> tuple[list[str], list[str]]:
        """Split off the options at the beginning, with their values."""
        ctx.allow_interspersed_args = False
        parser = type(self.make_parser(ctx))(ctx)  # a parser without arguments
        for parameter in self.get_params(ctx):
            if parameter.param_type_name == "option":
                parameter.add_to_parser(parser, ctx)
        _, rest, _ = parser.parse_args(list(words))
        end = len(words) - len(rest)
        return words[:end], words[end:]


def _lacks_path(words: Sequence[str]) -> bool:
    """Whether a command, perhaps misspelled, stands in the place of PATH."""
    if not words or {_SEPARATOR, *_API_COMMANDS} & {*words[1:]}:
        return False
    if words[0] in _API_COMMANDS:
        return True
    return words[1:2] != [] and words[1] in VIEWS and _find_similar(words[0]) == "pull"


def _find_similar(word: str) -> str:
    """Find the command that a wrong word may mean; empty if there is none."""
    if word in VIEWS:
        return f"pull {word}"
    return "".join(get_close_matches(word, _API_COMMANDS, n=1))


def _parse_mode(text: str) -> str:
    if text not in _MODES:
        raise typer.BadParameter(f"{text!r} is not one of {', '.join(_MODES)}")
    return text


CommandWords = Annotated[
    list[str],
    typer.Argument(
        metavar="COMMAND",
        help=f"One of {', '.join(_API_COMMANDS)} with its arguments, or -- and any"
        " program.",
        show_default=False,
    ),
]
ModeOption = Annotated[
    str,
    typer.Option(
        "--mode",
        metavar="MODE",
        parser=_parse_mode,
        help="record: send all requests and replace the recording. new: send only"
        " requests that the recording lacks, and add them. passthrough: record"
        " nothing.",
    ),
]
Touch = Annotated[
    bool,
    typer.Option(
        "--touch",
        metavar=options.NO_TYPE,
        help="Update the recording's date even if nothing else changed.",
    ),
]
KeepFailures = Annotated[
    bool,
    typer.Option(
        "--keep-failures",
        metavar=options.NO_TYPE,
        help="Record 429 and 5xx answers even if a retry succeeded.",
    ),
]


def record(
    context: typer.Context,
    path: options.RecordingPath,
    command: CommandWords,
    *,
    mode: ModeOption = "record",
    touch: Touch = False,
    keep_failures: KeepFailures = False,
) -> int:
    """Run a command and record the answers of the API.

    Secrets and personal data are replaced before anything is written. A command that
    fails leaves the recording as it was.

    Options of `record` belong before COMMAND. A program after -- is recorded if it
    creates its client with `recorder=Recorder.from_env()`; it finds
    NECTAR_RECORD=record:PATH in its environment. Tests that use the pytest plugin are
    recorded with `pytest --nectar-record=record` instead.

    Exits with the exit code of COMMAND, or with 1 if nothing was recorded.

    Example: nectar record tests/recordings/usage pull usage --out usage.jsonl
    """
    is_program = bool(context.obj)
    words = _build_words(command, path, is_program=is_program)
    flags = {"touch": touch, "keep-failures": keep_failures}
    value = ",".join((mode, *(name for name, is_set in flags.items() if is_set)))

    def work() -> int:
        before = _Snapshot.take(path)
        if mode == "record" and (old := before.recordings.get(path)) is not None:
            exchanges = count_noun(len(old.exchanges), "exchange")
            echo(f"{path} has {exchanges}, which will be replaced", err=True)
        code = _run_program(words, {RECORD_VARIABLE: f"{value}:{path.absolute()}"})
        if mode == "passthrough" or (code != ExitCode.OK and not is_program):
            return code  # the command itself printed that nothing was recorded
        after = _Snapshot.take(path)
        if after.recordings:
            echo(after.summarize(before, path), err=True)
        elif code == ExitCode.OK:
            print_error(
                f"nothing was recorded at {path}",
                "a program records with NectarClient(recorder=Recorder.from_env())",
            )
            return ExitCode.FAILED
        return code

    return run_guarded(work)


def _build_words(command: Sequence[str], path: Path, *, is_program: bool) -> list[str]:
    """Build the command line of the child process.

    Raises:
        BadParameter: the command is not a `nectar` command that calls the API.
    """
    if is_program:
        return list(command)
    if command[0] not in _API_COMMANDS:
        problem = f"{command[0]!r} is not one of {', '.join(_API_COMMANDS)}"
        if similar := _find_similar(command[0]):
            raise typer.BadParameter(f"{problem}. Did you mean {similar!r}?")
        raise typer.BadParameter(
            f"{problem}; write -- before another program: `nectar record {path} --"
            f" {shlex.join(command)}`"
        )
    return [sys.executable, "-m", "nectar_async.cli", *command]


def _run_program(words: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a program and return its exit code, as a shell does.

    The terminal sends Ctrl-C to the program too. It ends when it has cleaned up.
    """
    with (
        subprocess.Popen(  # noqa: S603 - the command that the user typed
            words, env={**os.environ, **environment}
        ) as process,
        _forward_signals(process),
    ):
        code = process.wait()
    return code if code >= 0 else _SIGNAL_BASE - code


@contextmanager
def _forward_signals(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Ignore SIGINT and send SIGTERM on to a process while the block runs."""

    def forward(number: int, _: FrameType | None) -> None:
        process.send_signal(number)

    former = {
        signal.SIGINT: signal.signal(signal.SIGINT, signal.SIG_IGN),
        signal.SIGTERM: signal.signal(signal.SIGTERM, forward),
    }
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


@frozen
class _Snapshot:
    """The recordings at a path and below it at one moment."""

    recordings: Mapping[Path, Recording]
    digests: Mapping[Path, str]
    """Digests of all files besides the manifests."""

    @classmethod
    def take(cls, path: Path) -> _Snapshot:
        """Read the recordings; those that cannot be read are left out."""
        recordings: dict[Path, Recording] = {}
        digests: dict[Path, str] = {}
        for manifest in sorted(path.rglob(MANIFEST_NAME)):
            folder = manifest.parent
            try:
                recordings[folder] = Recording.load(folder)
            except RecordingError:
                continue
            digests |= {
                file: sha256_hex(file.read_bytes())
                for file in folder.iterdir()
                if file.is_file() and file.name != MANIFEST_NAME
            }
        return cls(recordings, digests)

    def summarize(self, before: _Snapshot, path: Path) -> str:
        """Describe what is recorded, and what changed since an earlier snapshot."""
        recordings = self.recordings.values()
        operations = {
            contents.operation
            for recording in recordings
            for contents in summarize_operations(recording)
        }
        exchanges = sum(len(recording.exchanges) for recording in recordings)
        is_single = len(recordings) == 1
        prefix = "" if is_single else f"{count_noun(len(recordings), 'recording')} in "
        return (
            f"{prefix}{path}: {count_noun(exchanges, 'exchange')} of"
            f" {count_noun(len(operations), 'operation')};"
            f" {self._summarize_changes(before)}"
        )

    def _summarize_changes(self, before: _Snapshot) -> str:
        new = len(self.digests.keys() - before.digests.keys())
        removed = len(before.digests.keys() - self.digests.keys())
        common = self.digests.keys() & before.digests.keys()
        changed = sum(self.digests[file] != before.digests[file] for file in common)
        counts = ((new, "new"), (changed, "changed"), (removed, "removed"))
        parts = [f"{count:,} {word}" for count, word in counts if count]
        if parts:
            return f"files: {', '.join(parts)}"
        dates = {
            folder: recording.recorded_at
            for folder, recording in before.recordings.items()
        }
        is_touched = any(
            recording.recorded_at != dates[folder]
            for folder, recording in self.recordings.items()
        )
        return "only the date changed" if is_touched else "nothing changed"
