"""Progress bars on standard error, of rich or tqdm, whichever is installed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final, TypeAlias

from nectar_async._text import make_one_line
from nectar_async.errors import ConfigurationError

__all__ = ["Draw", "open_bar"]

Draw: TypeAlias = Callable[[int, int | None, str], None]
"""Draws a bar: how much is done, how much there is (None if unknown), and a note."""


def open_bar(title: str, unit: str) -> AbstractContextManager[Draw]:
    """Open a bar until the end of a block, however it ends.

    If standard error is neither a terminal nor in a notebook, the last note is written
    to it at the end, and no library is needed.

    Args:
        title: the text before the bar.
        unit: what is counted, in the plural.

    Raises:
        ConfigurationError: neither rich nor tqdm is installed.
    """
    title = make_one_line(title)
    # Only the kernel of a notebook loads it, long before any cell runs.
    is_notebook = "ipykernel" in sys.modules
    if not is_notebook and (sys.stderr is None or not sys.stderr.isatty()):
        return _write_last_note(title)
    for module in ("tqdm", "rich") if is_notebook else ("rich", "tqdm"):
        if find_spec(module) is not None:
            return _OPENERS[module](title, unit)
    raise ConfigurationError(
        "a progress bar needs rich or tqdm: pip install tqdm, or leave out"
        " progress=True"
    )


@contextmanager
def _write_last_note(title: str) -> Iterator[Draw]:
    last = ""

    def draw(_done: int, _total: int | None, note: str) -> None:
        nonlocal last
        last = note

    try:
        yield draw
    finally:
        if last and sys.stderr is not None:
            sys.stderr.write(f"{title}: {last}\n")


@contextmanager
def _open_rich_bar(title: str, unit: str) -> Iterator[Draw]:
    library = import_module("rich.progress")
    columns = (
        library.TextColumn("{task.description}", markup=False),
        library.BarColumn(),
        library.TextColumn("{task.fields[note]}", markup=False),
        library.TimeElapsedColumn(),
    )
    bar = library.Progress(
        *columns,
        console=import_module("rich.console").Console(stderr=True),
        # Standard output may carry the records.
        redirect_stdout=False,
        redirect_stderr=False,
    )
    with bar:
        task = bar.add_task(title, total=None, note=f"0 {unit}")
        yield lambda done, total, note: bar.update(
            task, completed=done, total=total, note=note
        )


@contextmanager
def _open_tqdm_bar(title: str, unit: str) -> Iterator[Draw]:
    tqdm = import_module("tqdm.auto").tqdm
    bar: Any = None

    def draw(done: int, total: int | None, note: str) -> None:
        nonlocal bar
        if bar is None:
            # In a notebook, a bar keeps the total that it begins with.
            bar = stack.enter_context(
                tqdm(desc=title, total=total, unit=f" {unit}", file=sys.stderr)
            )
        bar.total = total
        bar.set_postfix_str(note, refresh=False)
        bar.update(done - bar.n)

    with ExitStack() as stack:
        yield draw


_OPENERS: Final = {"rich": _open_rich_bar, "tqdm": _open_tqdm_bar}
