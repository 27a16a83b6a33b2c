"""The request log counts requests for assertions."""

from __future__ import annotations

import pytest
from exchanges import question

from nectar_async.recording.request_log import RequestLog

PING = question("/ping", "ping_get")


def test_requests_are_counted_in_total_and_in_flight() -> None:
    witness = RequestLog()
    with witness.watch(PING):
        with witness.watch(question()):
            assert witness.in_flight == 2
            assert witness.unfinished == ("GET /ping", "GET /company")
        with witness.watch(PING):
            pass
    assert (witness.peak_in_flight, witness.in_flight) == (2, 0)
    assert witness.by_operation == {"ping_get": 2, "companies_list": 1}
    assert [request.operation for request in witness.requests] == [
        "ping_get",
        "companies_list",
        "ping_get",
    ]
    assert witness.by_operation.get("usage_get", 0) == 0


def test_a_failed_request_is_no_longer_in_flight() -> None:
    witness = RequestLog()
    with pytest.raises(KeyError), witness.watch(PING):
        raise KeyError
    assert (witness.in_flight, witness.unfinished) == (0, ())


def test_its_counts_are_read_only() -> None:
    with pytest.raises(TypeError):
        RequestLog().by_operation["ping_get"] = 3  # type: ignore[index]
