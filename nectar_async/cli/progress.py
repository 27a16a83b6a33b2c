"""Live displays of pulls and file transfers on standard error, if it is a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TransferSpeedColumn,
)
from rich.progress_bar import ProgressBar
from rich.table import Column, Table
from rich.text import Text

from nectar_async._text import make_one_line
from nectar_async.cli.output import count_noun
from nectar_async.cli.pull_run import FirstRecord, PullRun, PullStatus, RequestCounts
from nectar_async.cli.terminal import build_console, escape

__all__ = ["TransferProgress", "count_retries", "render_pull", "show_pull"]

# Smooth to watch, and cheap.
_REFRESHES_PER_SECOND: Final = 8
_PULL_BAR_WIDTH: Final = 40
_FILE_BAR_WIDTH: Final = 20

# Widths of the columns beside the text: bar, size and speed, or spinner and time.
_FILE_COLUMNS_WIDTH: Final = _FILE_BAR_WIDTH + 32
_WAIT_COLUMNS_WIDTH: Final = 12
_MINIMAL_TEXT_WIDTH: Final = 10


@contextmanager
def show_pull(
    pull: PullRun, console: Console, *, is_wanted: bool
) -> Iterator[FirstRecord | None]:
    """Show the progress of a pull while the block runs.

    Yields:
        A function that prints the first record; None if nothing is shown.
    """
    if not is_wanted or not console.is_terminal:
        yield None
        return

    def show_first(company_id: str, record: Any) -> None:
        company = pull.company_names.get(company_id, company_id)
        text = " · ".join((*pull.query.view.describe(record), company))
        console.print(
            f"[dim]first record after {pull.status.seconds:.2f} s:[/dim]"
            f" {escape(text)}",
            highlight=False,
        )

    with Live(
        console=console,
        get_renderable=lambda: render_pull(pull.status, pull.file.name),
        refresh_per_second=_REFRESHES_PER_SECOND,
        transient=True,
        # Standard output may carry the records, and errors are printed afterwards.
        redirect_stdout=False,
        redirect_stderr=False,
    ):
        yield show_first


def render_pull(status: PullStatus, file_name: str) -> RenderableType:
    """Render the progress of a pull as one or two lines."""
    progress, requests = status.progress, status.requests
    if not progress.companies:
        is_running = status.seconds > 0
        text = "listing companies …" if is_running else "starting …"
        return Text(text, style="dim")
    line = Table.grid(padding=(0, 1))
    line.add_row(
        ProgressBar(
            total=progress.companies,
            completed=progress.companies_done,
            width=_PULL_BAR_WIDTH,
        ),
        f"{progress.companies_done:,} of"
        f" {count_noun(progress.companies, 'company', 'companies')}",
        f"[dim]→ {escape(file_name)}[/dim]",
    )
    per_second = progress.records / status.seconds if status.seconds else 0.0
    facts = [
        count_noun(progress.records, "record"),
        count_noun(progress.pages, "page"),
        f"{per_second:,.0f} records/s",
        f"{requests.in_flight} of {requests.limit} requests in flight",
        *count_retries(requests),
    ]
    return Group(line, Text(" · ".join(facts)))


def count_retries(requests: RequestCounts) -> list[str]:
    """Format the numbers of 429 answers and of retries; counts of zero are left out."""
    counts = (
        (requests.rate_limited, "answer with 429", "answers with 429"),
        (requests.retries, "retry", "retries"),
    )
    return [count_noun(*count) for count in counts if count[0]]


class TransferProgress:
    """The progress of one upload or download. It counts bytes even if hidden."""

    def __init__(self, text: str, *, is_wanted: bool) -> None:
        self.done: int = 0
        """Number of bytes received or sent."""
        console = build_console(stderr=True)
        self._is_shown = is_wanted and console.is_terminal
        self._progress = Progress(
            _build_text_column(console, others=_FILE_COLUMNS_WIDTH),
            BarColumn(bar_width=_FILE_BAR_WIDTH),
            DownloadColumn(),
            TransferSpeedColumn(),
            console=console,
            transient=True,
            # Standard output may carry the file, and errors are printed afterwards.
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._progress.add_task(make_one_line(text), total=None)

    def __enter__(self) -> Self:
        if self._is_shown:
            self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._is_shown:
            self._progress.stop()

    def update(self, done: int, size: int | None) -> None:
        """Set the bytes done and the size; None for an unknown size."""
        self.done = done
        self._progress.update(self._task, completed=done, total=size)

    def show_waiting(self, text: str) -> None:
        """Show a spinner and the elapsed time instead of the bar."""
        text_column = _build_text_column(
            self._progress.console, others=_WAIT_COLUMNS_WIDTH
        )
        self._progress.columns = (SpinnerColumn(), text_column, TimeElapsedColumn())
        self._progress.reset(self._task, description=make_one_line(text))


def _build_text_column(console: Console, *, others: int) -> TextColumn:
    """Build a column of one line, cut to the width that the other columns leave."""
    width = max(_MINIMAL_TEXT_WIDTH, console.width - others)
    column = Column(no_wrap=True, overflow="ellipsis", max_width=width)
    return TextColumn("{task.description}", markup=False, table_column=column)
