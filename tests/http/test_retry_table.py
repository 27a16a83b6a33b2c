"""The table of outcomes in docs/reliability.md says what the code decides."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nectar_async import Request, Response, RetryPolicy, StatusError
from nectar_async._http.retry import decide_wait
from nectar_async._http.status import raise_for_status
from nectar_async.errors import (
    AttemptTimeoutError,
    BodyCorruptError,
    BodyTooLargeError,
    ConnectionFailedError,
    DecodeError,
    NectarError,
)

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
SAFE = Request.get("usage_get", "/usage/{usage_data_id}", dict, usage_data_id="u")
ONCE = Request.post("companies_create", "/company", dict, json={"name": "Mill"})

OUTCOMES: dict[str, NectarError] = {
    "no connection:": ConnectionFailedError("refused", is_sent=False),
    "sent, and then": AttemptTimeoutError("no answer"),
    "an answer that is truncated": BodyCorruptError("truncated"),
    "a certificate": ConnectionFailedError("", is_sent=False, is_permanent=True),
    "an answer over": BodyTooLargeError("too large"),
    "an answer that does not fit": DecodeError("odd"),
}


def read_rows() -> dict[str, tuple[str, str]]:
    """Read the table: what happens to safe requests and to others, by outcome."""
    table = PAGE.read_text(encoding="utf-8").partition("| outcome |")[2]
    rows = {}
    for line in table.partition("\n\n")[0].splitlines()[2:]:
        outcome, safe, once = (cell.strip() for cell in line.strip("|").split("|"))
        rows[outcome] = safe, once
    return rows


ROWS = read_rows()


def read_statuses(outcome: str) -> set[int]:
    """Read the statuses that a row names: single ones and ranges."""
    statuses = set(map(int, re.findall(r"\b[1-5]\d\d\b", outcome)))
    for first, last in re.findall(r"(\d{3}) to (\d{3})", outcome):
        statuses |= set(range(int(first), int(last) + 1))
    return statuses


def describe(request: Request[dict], error: NectarError) -> str:  # type: ignore[type-arg]
    wait = decide_wait(request, error, 1, RetryPolicy(), 0.0)
    return "error" if wait is None else "again"


def build_error(status: int) -> StatusError:
    with pytest.raises(StatusError) as caught:
        raise_for_status(Response(status), datetime.now(UTC))
    return caught.value


def test_every_status_is_in_one_row() -> None:
    named = [read_statuses(outcome) for outcome in ROWS]
    assert sum(map(len, named)) == len(set().union(*named))
    assert "any other status; a redirect" in ROWS


@pytest.mark.parametrize("status", [*range(300, 600)])
def test_a_status_is_handled_as_its_row_says(status: int) -> None:
    row = next(
        (row for outcome, row in ROWS.items() if status in read_statuses(outcome)),
        ROWS["any other status; a redirect"],
    )
    if status == 401:
        return  # another stage fetches another key: see test_auth.py
    error = build_error(status)
    decided = describe(SAFE, error), describe(ONCE, error)
    assert decided == (row[0].partition(":")[0], row[1].partition(":")[0])


@pytest.mark.parametrize("beginning", OUTCOMES)
def test_another_outcome_is_handled_as_its_row_says(beginning: str) -> None:
    row = next(row for outcome, row in ROWS.items() if beginning in outcome)
    error = OUTCOMES[beginning]
    decided = describe(SAFE, error), describe(ONCE, error)
    assert decided == (row[0].partition(":")[0], row[1].partition(":")[0])


def test_every_other_row_is_one_of_these() -> None:
    rest = [
        outcome
        for outcome in ROWS
        if not read_statuses(outcome)
        and not any(beginning in outcome for beginning in OUTCOMES)
    ]
    assert rest == ["any other status; a redirect"]
