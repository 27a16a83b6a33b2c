"""The report on a pull."""

from __future__ import annotations

from decimal import Decimal
from io import StringIO

import pytest
from attrs import evolve
from rich.console import Console

from nectar_async._paging.fanout import Progress
from nectar_async._paging.receipt import Receipt, Verdict
from nectar_async._paging.records import Failure
from nectar_async.cli.output import ExitCode
from nectar_async.cli.pull_report import CompanyReceipt, PullReport
from nectar_async.cli.pull_run import PullStatus, RequestCounts
from nectar_async.cli.views import VIEWS, GroupTotal
from nectar_async.errors import NectarError, NotFoundError, PermissionDeniedError


def build_report(companies: int, *failures: NectarError) -> PullReport:
    progress = Progress(
        companies=companies, companies_done=companies, pages=companies, records=0
    )
    return PullReport(
        view=VIEWS["usage"],
        out="usage.jsonl",
        file_format="JSON lines",
        size=0,
        records=0,
        status=PullStatus(progress=progress, requests=RequestCounts(), seconds=1.0),
        receipt=Receipt(verdict=Verdict.COMPLETE),
        companies=[
            CompanyReceipt(
                company_id=f"c-{number}",
                name=f"[Company] {number}",
                receipt=Receipt(
                    verdict=Verdict.SHORT
                    if number == companies - 1
                    else Verdict.COMPLETE
                ),
            )
            for number in range(companies)
        ],
        failures=[
            Failure(f"c-{number}", error) for number, error in enumerate(failures)
        ],
        totals=[],
    )


@pytest.mark.parametrize(
    ("report", "code"),
    [
        (build_report(0), ExitCode.OK),
        (build_report(2), ExitCode.OK),
        (build_report(2, PermissionDeniedError("no")), ExitCode.FAILED),
        (build_report(1, PermissionDeniedError("no")), ExitCode.REFUSED),
        (
            build_report(2, PermissionDeniedError("no"), NotFoundError("gone")),
            ExitCode.FAILED,
        ),
    ],
)
def test_the_exit_code_is_refused_only_if_all_companies_are_forbidden(
    report: PullReport, code: ExitCode
) -> None:
    assert report.exit_code is code


def render(report: PullReport, width: int) -> str:
    console = Console(width=width, record=True, file=StringIO())
    report.print(console)
    return console.export_text()


def test_an_amount_wraps_in_a_narrow_terminal_and_is_not_shortened() -> None:
    total = GroupTotal(
        view=VIEWS["usage"],
        group="ELECTRICITY",
        unit="kWh",
        records=1_234_567,
        amount=Decimal("123456789012345678.25"),
    )
    printed = render(evolve(build_report(1), totals=[total]), 50)
    rows = [line.split() for line in printed.splitlines()]
    amount = "".join(word for row in rows for word in row if set(word) <= AMOUNT)
    assert "123,456,789,012,345,678.25" in amount.replace("1,234,567", "")
    assert "…" not in printed


AMOUNT = set("0123456789,.")


def test_counts_of_one_are_singular() -> None:
    single = evolve(build_report(1, PermissionDeniedError("no")), records=1)
    printed = render(single, 120)
    assert "1 record of 1 company on 0 pages: complete" in printed
    assert "retries" not in printed
    assert single.failure_summary == "1 of 1 company failed; the first error: no"
    counts = RequestCounts(rate_limited=1, retries=2)
    busy = evolve(build_report(2), status=evolve(single.status, requests=counts))
    assert "1 answer with 429; 2 retries" in render(busy, 120)


def test_incomplete_companies_come_first() -> None:
    printed = render(build_report(60), 80)
    assert "[Company] 59" in printed
    assert "[Company] 0 " in printed
    assert "[Company] 58" not in printed
    assert "10 more companies" in printed


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0.0 kB"), (52_700, "52.7 kB"), (2_600_000, "2.6 MB")]
)
def test_the_size_of_the_file_is_printed(size: int, text: str) -> None:
    printed = render(evolve(build_report(1), size=size), 120)
    assert f"usage.jsonl ({text}, JSON lines)" in printed
