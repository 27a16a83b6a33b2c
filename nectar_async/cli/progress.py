"""A pull to look at while it runs, on standard error, if that is a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from nectar_async.cli.pull_run import Pull, Status, Watch
from nectar_async.cli.words import counted

__all__ = ["shown"]

# Often enough to look alive, seldom enough to cost the pull nothing.
_REFRESHES_PER_SECOND = 8
_BAR_WIDTH = 40


@contextmanager
def shown(pull: Pull, console: Console, *, is_wanted: bool) -> Iterator[Watch | None]:
    """A live display while the block runs; gives what shows the first record."""
    if not is_wanted or not console.is_terminal:
        yield None
        return

    def show_first(company_id: str, record: Any) -> None:
        company = pull.names.get(company_id, company_id)
        words = " · ".join((*pull.query.view.words(record), company))
        console.print(
            f"[dim]first record after {pull.status.seconds:.2f} s:[/dim]"
            f" {escape(words)}",
            highlight=False,
        )

    with Live(
        console=console,
        get_renderable=lambda: picture(pull.status, pull.sink.name),
        refresh_per_second=_REFRESHES_PER_SECOND,
        transient=True,
        # The file may be standard output, and errors are said when this is over.
        redirect_stdout=False,
        redirect_stderr=False,
    ):
        yield show_first


def picture(status: Status, out: str) -> RenderableType:
    """How far a pull is."""
    progress, traffic = status.progress, status.traffic
    if not progress.companies:
        has_begun = status.seconds > 0
        words = "asking which companies there are …" if has_begun else "getting ready …"
        return Text(words, style="dim")
    line = Table.grid(padding=(0, 1))
    line.add_row(
        ProgressBar(
            total=progress.companies,
            completed=progress.companies_done,
            width=_BAR_WIDTH,
        ),
        f"{progress.companies_done:,} of"
        f" {counted(progress.companies, 'company', 'companies')}",
        f"[dim]→ {escape(out)}[/dim]",
    )
    per_second = progress.records / status.seconds if status.seconds else 0.0
    facts = [
        counted(progress.records, "record"),
        counted(progress.pages, "page"),
        f"{per_second:,.0f} records/s",
        f"{traffic.in_flight} of {traffic.limit} in flight",
    ]
    trouble = (
        (traffic.rate_limited, "refusal (429)", "refusals (429)"),
        (traffic.retries, "retry", "retries"),
    )
    facts += [counted(*one) for one in trouble if one[0]]
    return Group(line, Text(" · ".join(facts)))
