"""What a report makes of a pull."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from nectar_async._fanout import Failure, Progress
from nectar_async._pages import Receipt, Verdict
from nectar_async.cli.outcome import Exit
from nectar_async.cli.pull import Status, Traffic
from nectar_async.cli.report import CompanyLine, Report
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


def test_of_many_companies_those_that_need_a_look_stand_first() -> None:
    console = Console(width=80, record=True, file=StringIO())
    report_of(60).print_on(console)
    said = console.export_text()
    assert "[Company] 59" in said
    assert "[Company] 0 " in said
    assert "[Company] 58" not in said
    assert "10 more companies" in said
