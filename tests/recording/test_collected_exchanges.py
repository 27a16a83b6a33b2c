"""The log of a recorder: order of exchanges, dropped failures, missing pages."""

from __future__ import annotations

from typing import Any

from exchanges import answer, make_page, question

from nectar_async import Request
from nectar_async.models.page import Listing, Page
from nectar_async.recording.collected_exchanges import RecordingLog
from nectar_async.recording.exchange import Question, RecordedAnswer

PING = question("/ping", "ping_get")
LIST: Request[Any] = Request.get(
    "usage_list_by_company",
    "/usage/company/{company_id}",
    Page[Any],
    listing=Listing(items="usage_data"),
    company_id="a",
)
PLAIN: Request[Any] = Request.get("ping_get", "/ping", str)


def build_log(
    *pairs: tuple[Question, RecordedAnswer], request: Request[Any] = PLAIN
) -> RecordingLog:
    log = RecordingLog()
    for asked, answered in pairs:
        log.add(log.reserve_number(), asked, answered, request)
    return log


def test_answers_are_in_the_order_of_their_questions() -> None:
    log = RecordingLog()
    first, second, never = (
        log.reserve_number(),
        log.reserve_number(),
        log.reserve_number(),
    )
    log.add(second, PING, answer(2), PLAIN)
    log.add(first, PING, answer(1), PLAIN)
    assert never not in {first, second}
    assert log.pairs() == ((PING, answer(1)), (PING, answer(2)))
    assert len(log) == 2


def test_failures_that_a_retry_resolved_are_dropped() -> None:
    pairs = [(PING, answer(status=code)) for code in (429, 503, 200, 502)]
    assert [answered.status for _, answered in build_log(*pairs).pairs()] == [200, 502]
    assert [
        answered.status for _, answered in build_log(*pairs).pairs(with_failures=True)
    ] == [*(429, 503, 200, 502)]


def test_failures_that_no_retry_resolved_are_kept() -> None:
    # A date range that is too large is requested twice before it is split.
    pairs = [(PING, answer(status=502)), (PING, answer(status=502))]
    assert build_log(*pairs).pairs() == tuple(pairs)


def test_other_failures_are_answers() -> None:
    pairs = [(PING, answer(status=404)), (PING, answer(1))]
    assert build_log(*pairs).pairs() == tuple(pairs)


def test_announced_pages_that_were_not_requested_are_missing() -> None:
    log = build_log(make_page("a", 1, 4), make_page("a", 3, 4), request=LIST.at(1))
    assert [request.page for request in log.missing_pages()] == [2, 4]
    assert {request.url for request in log.missing_pages()} == {""}


def test_complete_and_failed_lists_have_no_missing_pages() -> None:
    assert not [*build_log(make_page("a", 1), request=LIST.at(1)).missing_pages()]
    refused = (make_page("a", 1)[0], answer({"totalPages": 9}, status=403))
    assert not [*build_log(refused, request=LIST.at(1)).missing_pages()]
