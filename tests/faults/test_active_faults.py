"""Faults hit the requests that meet their conditions, and apply in order."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import frozen

from nectar_async import Request, Response, SystemClock
from nectar_async.errors import ConfigurationError, ConnectionFailedError
from nectar_async.faults import (
    Answer,
    Fault,
    FaultInjector,
    FaultLike,
    Html,
    Proceed,
    Refuse,
)
from nectar_async.models.page import Listing

pytestmark = pytest.mark.anyio

BROKEN = Answer(500)
USAGE = "usage_list_by_company"


def usage(page: int = 1, company: str = "acme") -> Request[Any]:
    path, listing = "/usage/company/{company_id}", Listing(items="usage_data")
    return Request.get(
        USAGE, path, dict, query={"page": page}, listing=listing, company_id=company
    )


PING = Request.get("ping_get", "/ping", str)


async def succeed(_: Request[Any]) -> Response:
    return Response(200)


async def statuses(faults: FaultInjector, *requests: Request[Any]) -> list[int]:
    return [
        (await faults.apply(request, succeed, clock=SystemClock())).status
        for request in requests
    ]


@pytest.mark.parametrize(
    ("fault", "hits"),
    [
        (Fault(BROKEN), [True] * 5),
        (Fault(BROKEN, operation="ping_get"), [True, False, False, False, False]),
        (Fault(BROKEN, page=2), [False, False, True, False, False]),
        (Fault(BROKEN, page=1), [False, True, False, True, False]),
        (Fault(BROKEN, company="other"), [False, False, False, True, False]),
        (Fault(BROKEN, skip=1, times=2), [False, True, True, False, False]),
        (Fault(BROKEN, page=1, skip=1), [False, False, False, True, False]),
        (Fault(BROKEN, probability=0.0), [False] * 5),
        (Fault(BROKEN, probability=1.0), [True] * 5),
    ],
    ids=str,
)
async def test_a_fault_hits_requests_that_meet_all_conditions(
    fault: Fault, hits: list[bool]
) -> None:
    requests = [PING, usage(1), usage(2), usage(1, "other"), usage(3)]
    assert await statuses(FaultInjector([fault]), *requests) == [
        500 if is_hit else 200 for is_hit in hits
    ]


async def test_a_page_is_found_without_a_listing() -> None:
    request = Request.get("ping_get", "/ping", str, query={"page": "2"})
    unreadable = Request.get("ping_get", "/ping", str, query={"page": "9" * 5_000})
    faults = FaultInjector([Fault(BROKEN, page=2)])
    assert await statuses(faults, PING, request, unreadable) == [200, 500, 200]


async def test_the_company_of_a_request_can_be_passed_in() -> None:
    faults = FaultInjector([Fault(BROKEN, company="acme")])
    response = await faults.apply(PING, succeed, clock=SystemClock(), company="acme")
    assert response.status == 500


async def test_the_seed_decides_which_requests_a_probability_hits() -> None:
    async def draw(seed: int) -> list[int]:
        faults = FaultInjector([Fault(BROKEN, probability=0.5)], seed=seed)
        return await statuses(faults, *[PING] * 20)

    first = await draw(3)
    assert {*first} == {200, 500}
    assert await draw(3) == first
    assert await draw(4) != first


@frozen
class Mark:
    """Add a letter in front of the body."""

    letter: bytes

    async def apply(self, request: Request[Any], proceed: Proceed, /) -> Response:
        response = await proceed(request)
        return Response(200, {}, self.letter + response.body)


async def test_the_first_fault_is_applied_first() -> None:
    faults = FaultInjector([Mark(b"a"), Mark(b"b"), Mark(b"c")])
    response = await faults.apply(PING, succeed, clock=SystemClock())
    assert response.body == b"abc"


async def test_an_effect_passes_a_changed_request_on() -> None:
    pages: list[int | None] = []

    async def record(request: Request[Any]) -> Response:
        pages.append(request.page)
        return Response(200)

    faults = FaultInjector(["stand-still at=4", "stand-still at=7"])
    await faults.apply(usage(1), record, clock=SystemClock())
    assert pages == [7]


async def test_faults_can_be_added_and_removed() -> None:
    faults = FaultInjector()
    assert not faults
    faults.add("html status=502 times=1", BROKEN)
    assert faults
    assert await statuses(faults, PING, PING) == [502, 500]
    faults.clear()
    assert not faults
    assert await statuses(faults, PING) == [200]


async def test_faults_that_hit_nothing_are_listed_as_they_were_passed() -> None:
    passed: list[FaultLike] = ["html page=9", BROKEN, Fault(Html(), skip=2)]
    faults = FaultInjector(passed)
    assert faults.unmet == (*passed,)
    await statuses(faults, PING, PING)
    assert faults.unmet == (passed[0], passed[2])
    await statuses(faults, PING)
    assert [*faults.unmet] == passed[:1]


async def test_lists_that_a_fault_hit_are_known() -> None:
    faults = FaultInjector([Fault(BROKEN, page=2, company="acme")])
    assert not faults.has_hit_list(usage(1))
    await statuses(faults, usage(1), usage(2), usage(2, "other"), PING)
    assert faults.has_hit_list(usage(3))
    assert not faults.has_hit_list(usage(2, "other"))
    assert not faults.has_hit_list(PING)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (Answer, "a fault is written as"),
        (502, r"written as Fault\(Html\(status=502\), times=1\), .*, not 502"),
        (None, "written as .*, not None"),
        ([Html()], r"'html status=502', not \[Html"),
        (lambda call: call, "'html status=502', not <function"),
        ("htlm status=502", "there is no effect 'htlm'; there are stall, "),
    ],
    ids=["class", "number", "none", "list", "function", "text"],
)
async def test_a_value_that_is_not_a_fault_is_refused(value: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        FaultInjector([value])
    faults = FaultInjector()
    with pytest.raises(ConfigurationError, match=words):
        faults.add(BROKEN, value)
    assert not faults, "one of the two was added"


@pytest.mark.parametrize(
    "faults", ["html", Html(), Fault(Html()), 502], ids=["text", "effect", "fault", "n"]
)
def test_a_single_fault_is_refused_with_the_list_to_write(faults: Any) -> None:
    with pytest.raises(
        ConfigurationError, match=r"faults must be a list: write faults=\["
    ):
        FaultInjector(faults)
    with pytest.raises(ConfigurationError, match=r"write overlays=\["):
        FaultInjector(faults, argument="overlays")


@pytest.mark.parametrize(
    ("conditions", "words"),
    [
        ({"effect": Refuse}, "a fault needs an effect"),
        ({"effect": None}, r"as in Fault\(Html\(status=502\)\)"),
        ({"operation": "usage_lst_by_company"}, "mean 'usage_list_by_company'"),
        ({"operation": "x"}, "there are accounts_bulk_update, "),
        ({"page": 0}, "page must be a whole number from 1"),
        ({"skip": -1}, "skip must be a whole number from 0"),
        ({"times": 0}, "times must be a whole number from 1"),
        ({"times": True}, "times must be a whole number from 1"),
        ({"probability": 1.5}, "probability must be between 0 and 1"),
    ],
    ids=str,
)
def test_an_invalid_condition_is_refused(
    conditions: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words):
        Fault(**{"effect": Html(), **conditions})


async def test_a_failed_response_does_not_count_as_delivered() -> None:
    counts: list[int] = []

    @frozen
    class Count:
        async def apply(self, request: Request[Any], proceed: Proceed, /) -> Response:
            counts.append(proceed.times_delivered(1))
            return await proceed(request)

    broken = Fault(BROKEN, skip=1, times=1)
    faults = FaultInjector([Count(), Fault(Refuse(), times=1), broken])
    with pytest.raises(ConnectionFailedError):
        await statuses(faults, usage(1))
    assert await statuses(faults, *[usage(1)] * 3, usage(2)) == [500, 200, 200, 200]
    assert counts == [0, 0, 0, 1, 2]
