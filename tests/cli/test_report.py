"""What a report makes of a pull."""

from __future__ import annotations

from decimal import Decimal
from io import StringIO

import pytest
from attrs import evolve
from rich.console import Console

from nectar_async._paging.fanout import Failure, Progress
from nectar_async._paging.receipt import Receipt, Verdict
from nectar_async.cli.output import Exit
from nectar_async.cli.pull_run import Status, Traffic
from nectar_async.cli.report import CompanyLine, Report
from nectar_async.cli.totals import Total
from nectar_async.cli.views import VIEWS
from nectar_async.errors import NectarError, NotFoundError, PermissionDeniedError


def report_of(companies: int, *failures: NectarError) -> Report:
    progress = Progress(
        companies=companies, companies_done=companies, pages=companies, records=0
    )
    return Report(
        view=VIEWS["usage"],
        out="usage.jsonl",
        size=0,
        records=0,
        status=Status(progress=progress, traffic=Traffic(), seconds=1.0),
        receipt=Receipt(verdict=Verdict.COMPLETE),
        companies=[
            CompanyLine(
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
        (report_of(0), Exit.OK),
        (report_of(2), Exit.OK),
        (report_of(2, PermissionDeniedError("no")), Exit.FAILED),
        (report_of(1, PermissionDeniedError("no")), Exit.REFUSED),
        (
            report_of(2, PermissionDeniedError("no"), NotFoundError("gone")),
            Exit.FAILED,
        ),
    ],
)
def test_the_key_is_refused_only_when_everything_is_forbidden(
    report: Report, code: Exit
) -> None:
    assert report.exit_code is code


def printed(report: Report, width: int) -> str:
    console = Console(width=width, record=True, file=StringIO())
    report.print_on(console)
    return console.export_text()


def test_an_amount_wraps_in_a_narrow_terminal_and_is_not_cut() -> None:
    total = Total(
        view=VIEWS["usage"],
        group="ELECTRICITY",
        unit="kWh",
        records=1_234_567,
        amount=Decimal("123456789012345678.25"),
    )
    said = printed(evolve(report_of(1), totals=[total]), 50)
    rows = [line.split() for line in said.splitlines()]
    amount = "".join(word for row in rows for word in row if set(word) <= AMOUNT)
    assert "123,456,789,012,345,678.25" in amount.replace("1,234,567", "")
    assert "…" not in said


AMOUNT = set("0123456789,.")


def test_one_is_told_as_one() -> None:
    one = evolve(report_of(1, PermissionDeniedError("no")), records=1)
    said = printed(one, 120)
    assert "1 record of 1 company on 0 pages" in said
    assert "retries" not in said
    assert one.first_failure == "1 of 1 company failed, the first: no"
    traffic = Traffic(rate_limited=1, retries=2)
    busy = evolve(report_of(2), status=evolve(one.status, traffic=traffic))
    assert "1 refusal (429); 2 retries" in printed(busy, 120)


def test_of_many_companies_those_that_need_a_look_stand_first() -> None:
    said = printed(report_of(60), 80)
    assert "[Company] 59" in said
    assert "[Company] 0 " in said
    assert "[Company] 58" not in said
    assert "10 more companies" in said
