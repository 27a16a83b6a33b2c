"""The progress display of a pull."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from nectar_async import DatasourceType, UsageData, UsageUnits
from nectar_async._paging.fanout import Progress
from nectar_async.cli.output_file import OutputFile
from nectar_async.cli.progress import render_pull, show_pull
from nectar_async.cli.pull_run import PullQuery, PullRun, PullStatus, RequestCounts


@pytest.fixture
def pull() -> PullRun:
    return PullRun(PullQuery(), OutputFile(Path("usage.jsonl")))


def console(*, is_terminal: bool) -> Console:
    return Console(file=StringIO(), width=120, record=True, force_terminal=is_terminal)


def test_the_display_has_all_counts() -> None:
    screen = console(is_terminal=True)
    status = PullStatus(
        progress=Progress(companies=50, companies_done=23, pages=141, records=12_300),
        requests=RequestCounts(in_flight=9, limit=10, rate_limited=2, retries=3),
        seconds=2.0,
    )
    screen.print(render_pull(status, "usage.jsonl"))
    printed = screen.export_text()
    for fact in (
        "23 of 50 companies",
        "usage.jsonl",
        "12,300 records",
        "141 pages",
        "6,150 records/s",
        "9 of 10 requests in flight",
        "2 answers with 429",
        "3 retries",
    ):
        assert fact in printed


def test_the_first_record_is_printed(pull: PullRun) -> None:
    screen = console(is_terminal=True)
    record = UsageData(
        id="u-1",
        start_date=date(2025, 1, 3),
        end_date=date(2025, 2, 2),
        usage=Decimal("1234.50"),
        usage_units=UsageUnits.KWH,
        datasource_type=DatasourceType.ELECTRICITY,
    )
    with show_pull(pull, screen, is_wanted=True) as show_first:
        assert show_first is not None
        show_first("c-1", record)
        show_first("c-2", UsageData(id="u-2"))
    printed = screen.export_text()
    assert "ELECTRICITY · 2025-01-03 to 2025-02-02 · 1,234.50 kWh · c-1" in printed
    assert "nothing measured" in printed


@pytest.mark.parametrize(("is_wanted", "is_terminal"), [(True, False), (False, True)])
def test_nothing_is_shown_on_request_or_without_a_terminal(
    pull: PullRun, is_wanted: bool, is_terminal: bool
) -> None:
    screen = console(is_terminal=is_terminal)
    with show_pull(pull, screen, is_wanted=is_wanted) as show_first:
        assert show_first is None
    assert screen.export_text() == ""
