"""The command that makes a recording: `nectar record`."""

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

from nectar_async.cli import tapes
from nectar_async.cli.client import VARIABLE
from nectar_async.cli.help import Command
from nectar_async.cli.output import Exit, complain, guarded
from nectar_async.cli.views import VIEWS
from nectar_async.cli.words import counted

__all__ = ["Record", "record"]

_MODES: Final = ("record", "new", "passthrough")
_ASKING: Final = ("download", "job", "ping", "pull", "upload")
_FLAG: Final = ""
_BY_SIGNAL: Final = 128
_END: Final = "--"


class Record(Command):
    """A command whose last words are another command, with options of its own."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Have options behind PATH be ours, and all behind COMMAND be its own."""
        head, rest = self._split(ctx, args)
        if _END in head:
            raise typer.BadParameter("PATH stands before --", ctx=ctx)
        if _lacks_path(rest):
            words = shlex.join([_meant(rest[0]) or rest[0], *rest[1:]])
            problem = f"PATH is missing: it is `nectar record PATH {words}`"
            raise typer.BadParameter(problem, ctx=ctx)
        if rest:
            own, command = self._split(ctx, rest[1:])
            ctx.obj = _END in own
            own = [one for one in own if one != _END]
            if not ctx.obj and {*command[:1]} & {*_ASKING}:
                self._check_order(ctx, command)
            args = [*head, *own, _END, rest[0], *command]
        found: list[str] = super().parse_args(ctx, args)
        return found

    def _check_order(self, ctx: Any, command: Sequence[str]) -> None:
        """Have our own options not be taken for those of a command of nectar."""
        ours = {name for one in self.params for name in one.opts if name[:2] == "--"}
        for word in command:
            if word.partition("=")[0] in ours:
                raise typer.BadParameter(
                    f"{word} is an option of `nectar record`: it stands before"
                    f" {command[0]!r}",
                    ctx=ctx,
                )

    def _split(self, ctx: Any, words: list[str]) -> tuple[list[str], list[str]]:
        """Options at the beginning, with their values, and what comes after them."""
        ctx.allow_interspersed_args = False
        parser = type(self.make_parser(ctx))(ctx)  # one that knows no arguments
        for one in self.get_params(ctx):
            if one.param_type_name == "option":
                one.add_to_parser(parser, ctx)
        _, rest, _ = parser.parse_args(list(words))
        at = len(words) - len(rest)
        return words[:at], words[at:]


def _lacks_path(words: Sequence[str]) -> bool:
    """Whether a command of ours stands where PATH should, spelled well or not."""
    if not words or {_END, *_ASKING} & {*words[1:]}:
        return False
    if words[0] in _ASKING:
        return True
    return words[1:2] != [] and words[1] in VIEWS and _meant(words[0]) == "pull"


def _meant(word: str) -> str:
    """The command that a word may have been meant for; empty if there is none."""
    if word in VIEWS:
        return f"pull {word}"
    return "".join(get_close_matches(word, _ASKING, n=1))


def _mode(text: str) -> str:
    if text not in _MODES:
        raise typer.BadParameter(f"{text!r} is none of {', '.join(_MODES)}")
    return text


PathOption = Annotated[
    Path, typer.Argument(metavar="PATH", help="The folder of the recording.")
]
CommandWords = Annotated[
    list[str],
    typer.Argument(
        metavar="COMMAND",
        help="A command of nectar, or any program behind --.",
        show_default=False,
    ),
]
ModeOption = Annotated[
    str,
    typer.Option(
        "--mode",
        metavar="MODE",
        parser=_mode,
        help="record: ask for everything, and write all anew; new: ask for what the"
        " recording does not have, and add it; passthrough: record nothing.",
    ),
]
Touch = Annotated[
    bool,
    typer.Option(
        "--touch",
        metavar=_FLAG,
        help="Have it say that it is of now, also when nothing changed.",
    ),
]
KeepFailures = Annotated[
    bool,
    typer.Option(
        "--keep-failures",
        metavar=_FLAG,
        help="Record a 429 or 5xx also where the same request succeeded later.",
    ),
]


def record(
    context: typer.Context,
    path: PathOption,
    command: CommandWords,
    *,
    mode: ModeOption = "record",
    touch: Touch = False,
    keep_failures: KeepFailures = False,
) -> int:
    """Run a command, and record what the API answers it.

    Secrets and personal data are replaced before anything is written. Options of this
    command stand before COMMAND. A program behind -- finds NECTAR_RECORD=record:PATH
    in its environment, which Recorder.from_env() reads; the fixtures of pytest's plugin
    have recordings of their own, made by pytest --nectar-record=record. The exit code
    is that of the command, or 1 when nothing was recorded.

    A command that does not succeed leaves the recording as it was; a program does where
    an exception leaves its client.

    Example: nectar record tests/recordings/usage pull usage --out usage.jsonl
    """
    words = _words(command, path, is_program=bool(context.obj))
    flags = {"touch": touch, "keep-failures": keep_failures}
    chosen = ",".join((mode, *(name for name, is_given in flags.items() if is_given)))

    def work() -> int:
        before = tapes.Shelf.at(path)
        if mode == "record" and (old := before.recordings.get(path)) is not None:
            said = counted(len(old.exchanges), "exchange")
            typer.echo(
                f"{path} has {said}, which what is recorded now replaces",
                err=True,
            )
        code = _run(words, {VARIABLE: f"{chosen}:{path.absolute()}"})
        if mode == "passthrough" or (code != Exit.OK and not context.obj):
            return code  # and the command said that it recorded nothing
        after = tapes.Shelf.at(path)
        if after.recordings:
            typer.echo(after.since(before, path), err=True)
        elif code == Exit.OK:
            complain(
                f"nothing was recorded at {path}",
                "a program records with NectarClient(recorder=Recorder.from_env())",
            )
            return Exit.FAILED
        return code

    return guarded(work)


def _words(command: Sequence[str], path: Path, *, is_program: bool) -> list[str]:
    """What to run.

    Raises:
        BadParameter: the command is none of ours that asks the API.
    """
    if is_program:
        return list(command)
    if command[0] not in _ASKING:
        problem = f"{command[0]!r} is none of {', '.join(_ASKING)}"
        if meant := _meant(command[0]):
            raise typer.BadParameter(f"{problem}. Did you mean {meant!r}?")
        raise typer.BadParameter(
            f"{problem}; another program stands"
            f" behind --, as in `nectar record {path} -- {shlex.join(command)}`"
        )
    return [sys.executable, "-m", "nectar_async.cli", *command]


def _run(words: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a program to its end; gives its exit code, as a shell does.

    Ctrl-C reaches it by the terminal, so it ends when it has put things in order.
    """
    with (
        subprocess.Popen(  # noqa: S603 - what the user typed
            words, env={**os.environ, **environment}
        ) as process,
        _signals_for(process),
    ):
        code = process.wait()
    return code if code >= 0 else _BY_SIGNAL - code


@contextmanager
def _signals_for(process: subprocess.Popen[bytes]) -> Iterator[None]:
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
