"""Each effect has its outcome: one table of texts and conditions.

The tested server has one list of five rows on three pages.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import field, frozen

from nectar_async import Request, Response, SystemClock
from nectar_async.errors import ConfigurationError, ConnectionFailedError
from nectar_async.faults import VOCABULARY, Answer, FaultInjector, Stall, StallBody
from nectar_async.faults.delivery import IncompleteResponse
from nectar_async.models.page import Listing

pytestmark = pytest.mark.anyio

BASE = "https://api.example/v2.2"
LAST_PAGE = 3
IDS = ["a", "b", "c", "d", "e"]


def ask(page: int) -> Request[Any]:
    request = Request.get(
        "usage_list_by_company",
        "/usage/company/{company_id}",
        dict,
        listing=Listing(items="usage_data"),
        query={"start_date": "2026-01-01", "end_date": "2026-01-31", "page": page},
        company_id="acme",
    )
    return request.resolve(BASE)


async def answer(request: Request[Any]) -> Response:
    """Respond as the API does: pages past the end are the last page."""
    page = min(request.page or 1, LAST_PAGE)
    rows = [{"id": name} for name in IDS[2 * page - 2 : 2 * page]]
    envelope = {
        "totalUsageData": len(IDS),
        "totalPages": LAST_PAGE,
        "currentPage": page,
        "perPage": 2,
        "hasNext": page < LAST_PAGE,
        "hasPrevious": page > 1,
        "usageData": rows,
    }
    headers = {"content-type": "application/json", "etag": '"1"'}
    return Response(200, headers, json.dumps(envelope).encode())


class WaitingClock(SystemClock):
    """A clock whose waits take no time."""

    def __init__(self) -> None:
        self.slept = 0.0

    def now(self) -> datetime:
        """The present instant, which never changes."""
        return datetime(2026, 1, 1, tzinfo=UTC)

    async def sleep(self, seconds: float) -> None:
        """Add the seconds to `slept`, without waiting."""
        self.slept += seconds


@frozen
class Outcome:
    """The outcomes of requests for several pages, in order."""

    responses: list[Response]
    slept: float

    @property
    def last(self) -> Response:
        """The last response."""
        return self.responses[-1]

    @property
    def page(self) -> Any:
        """The last response's JSON."""
        return json.loads(self.last.body)

    @property
    def ids(self) -> list[Any]:
        """The ids on all pages."""
        bodies = [json.loads(response.body) for response in self.responses]
        return [row["id"] for body in bodies for row in body["usageData"]]


async def read(text: str, *pages: int) -> Outcome:
    """Read pages of the list with a fault."""
    clock = WaitingClock()
    faults = FaultInjector([text])
    responses = [await faults.apply(ask(page), answer, clock=clock) for page in pages]
    return Outcome(responses, clock.slept)


def is_cut(body: bytes) -> bool:
    """Whether a gzip body is cut off."""
    unpacker = zlib.decompressobj(31)
    unpacker.decompress(body)
    return not unpacker.eof


@frozen
class Case:
    """A fault, the requested pages, and a condition of the outcome."""

    text: str
    pages: tuple[int, ...]
    check: Callable[[Outcome], bool] = field(repr=False)

    @property
    def effect(self) -> str:
        """The name of the effect."""
        return self.text.split()[0]


def is_answer(status: int, **headers: str) -> Callable[[Outcome], bool]:
    """Build the condition of a status and some headers."""
    pairs = {name.replace("_", "-"): text for name, text in headers.items()}

    def check(outcome: Outcome) -> bool:
        return (
            outcome.last.status == status
            and pairs.items() <= {**outcome.last.headers}.items()
        )

    return check


def is_page(ids: str, **envelope: Any) -> Callable[[Outcome], bool]:
    """Build the condition of the ids on the last page, and of keys of its envelope."""

    def check(outcome: Outcome) -> bool:
        page_ids = [row["id"] for row in outcome.page["usageData"]]
        return page_ids == [*ids] and envelope.items() <= outcome.page.items()

    return check


def takes(seconds: float) -> Callable[[Outcome], bool]:
    """Build the condition of the normal response after a wait."""
    return lambda outcome: outcome.slept == seconds and outcome.ids == IDS[:2]


GZIP, JSON = {"content_encoding": "gzip"}, {"content_type": "application/json"}
HTML = {"content_type": "text/html; charset=utf-8"}

CASES = [
    Case("answer status=429 retry-after=7", (1,), is_answer(429, retry_after="7")),
    Case("answer status=500", (1,), lambda seen: "detail" in seen.page),
    Case(
        """answer status=404 body=gone headers='{"Content-Type": "text/plain"}'""",
        (1,),
        is_answer(404, content_type="text/plain"),
    ),
    Case("html status=502", (1,), is_answer(502, **HTML)),
    Case("empty", (1,), lambda seen: seen.last.body == b""),
    Case(
        "send-away origin=http://a:1",
        (1,),
        lambda seen: (
            seen.last.headers["location"]
            == ask(1).url.replace("https://api.example", "http://a:1")
        ),
    ),
    Case("send-away status=301", (1,), is_answer(301)),
    Case("expire-link", (1,), is_answer(403, content_type="application/xml")),
    Case(
        "gzip-bomb size=2000000 status=503",
        (1,),
        lambda seen: gzip.decompress(seen.last.body) == b" " * 2_000_000,
    ),
    Case("gzip-bomb size=1", (1,), is_answer(200, **GZIP)),
    Case("set-value key=id json=7", (1,), lambda seen: seen.ids == [7, 7]),
    Case("nest depth=3", (1,), lambda seen: seen.page == [[[]]]),
    Case("nest depth=2 key=id", (1,), lambda seen: seen.ids == [[[]], [[]]]),
    Case("garble", (1,), lambda seen: b"\xff\xfe" in seen.last.body),
    Case("repeat-keys", (1,), lambda seen: seen.last.body.count(b'"id":null') == 2),
    Case("repeat-keys", (1, 2, 3), lambda seen: seen.ids == IDS),
    Case("set-header name=ETag value=W/2", (1,), is_answer(200, etag="W/2", **JSON)),
    Case("set-header name=ETag", (1,), lambda seen: "etag" not in seen.last.headers),
    Case("insert-row", (2,), is_page("cd", totalUsageData=5)),
    Case("insert-row", (1, 2), is_page("bc", totalUsageData=6, totalPages=3)),
    Case("insert-row after=2", (1, 2, 4), is_page("de", currentPage=3)),
    Case(
        """insert-row at=4 row='{"id": "new"}'""",
        (1, 2),
        lambda seen: seen.ids == ["a", "b", "c", "new"],
    ),
    Case("delete-row", (1, 2), is_page("de", totalUsageData=4, totalPages=2)),
    Case("delete-row at=5", (1, 3), is_page("cd", currentPage=2, hasNext=False)),
    Case("shuffle seed=3", (1, 2, 3), lambda seen: sorted(seen.ids) == IDS),
    Case("shuffle seed=3", (1, 2, 3), lambda seen: seen.ids != IDS),
    Case("repeat-page", (2,), is_page("ab", currentPage=2, hasNext=True)),
    Case("repeat-page", (1,), is_page("ab", currentPage=1, hasNext=True)),
    Case("stand-still at=3", (1,), is_page("e", currentPage=3, hasNext=False)),
    Case("clamp-silently", (2,), is_page("cd", currentPage=2)),
    Case("clamp-silently", (9,), is_page("e", currentPage=9, hasNext=False)),
    Case("clamp-silently last=2", (3,), is_page("cd", currentPage=3)),
    Case("promise-more", (1,), is_page("ab", totalPages=2, hasNext=True)),
    Case("promise-more", (9,), is_page("e", currentPage=9, totalPages=10)),
    Case("miscount by=2", (3,), is_page("e", totalUsageData=7, totalPages=3)),
    Case("miscount each-page=-2 pages=1", (3,), is_page("e", totalUsageData=1)),
    Case("miscount by=-9 pages=-9", (1,), is_page("ab", totalPages=0)),
    Case("run-out-of-time above=4", (2,), is_answer(502, **HTML)),
    Case("run-out-of-time above=5", (2,), is_page("cd")),
    Case("run-out-of-time days=30", (2,), is_answer(502, **HTML)),
    Case("run-out-of-time days=31", (2,), is_page("cd")),
    Case("stall seconds=5", (1,), takes(5)),
    Case("stall-body seconds=5", (1,), takes(5)),
    Case("drip size=100 seconds=2", (1,), takes(2)),
    Case("drip size=1000", (1,), takes(0)),
    Case("cut-gzip", (1,), is_answer(200, **GZIP, **JSON)),
    Case("cut-gzip", (1,), lambda seen: is_cut(seen.last.body)),
    Case("cut-gzip", (1,), lambda seen: isinstance(seen.last, IncompleteResponse)),
]

FAILURES = {"refuse": False, "disconnect": True, "drop-body": True}
"""The effects that give an error; the value is the `is_sent` of the error."""


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_an_effect_has_its_outcome(case: Case) -> None:
    assert case.check(await read(case.text, *case.pages))


@pytest.mark.parametrize("effect", FAILURES)
async def test_a_broken_connection_is_an_error(effect: str) -> None:
    with pytest.raises(ConnectionFailedError) as caught:
        await read(effect, 1)
    assert caught.value.is_sent is FAILURES[effect]


def test_every_effect_has_an_outcome_here() -> None:
    assert {case.effect for case in CASES} | {*FAILURES} == {*VOCABULARY.effects}


async def test_invalid_bytes_are_put_into_the_first_string() -> None:
    async def plain(_: Request[Any]) -> Response:
        return Response(200, {}, b'"pong"')

    for send in (answer, plain):
        faults = FaultInjector(["garble"])
        response = await faults.apply(ask(1), send, clock=SystemClock())
        with pytest.raises(UnicodeDecodeError):
            response.body.decode()


@pytest.mark.parametrize(
    "text",
    [
        *("insert-row", "delete-row", "shuffle", "repeat-page", "clamp-silently"),
        *("promise-more", "miscount by=1", "run-out-of-time above=1"),
    ],
)
@pytest.mark.parametrize("body", [b"[]", b'{"id": "a"}', b"<html>", b""])
async def test_a_response_without_pages_is_left_unchanged(
    text: str, body: bytes
) -> None:
    async def send(_: Request[Any]) -> Response:
        return Response(200, {}, body)

    response = await FaultInjector([text]).apply(ask(1), send, clock=SystemClock())
    assert response.body == body


@pytest.mark.parametrize(
    ("wait", "headers"),
    [
        (None, {}),
        (7, {"retry-after": "7"}),
        (1.5, {"retry-after": "1.5"}),
        ("soon", {"retry-after": "soon"}),
        (
            datetime(2026, 1, 1, 0, 1, tzinfo=UTC),
            {"retry-after": "Thu, 01 Jan 2026 00:01:00 GMT"},
        ),
        (
            "in 90 seconds",
            {
                "retry-after": "Thu, 01 Jan 2026 00:01:30 GMT",
                "date": "Thu, 01 Jan 2026 00:00:00 GMT",
            },
        ),
    ],
    ids=repr,
)
async def test_retry_after_is_sent_in_the_chosen_form(
    wait: Any, headers: dict[str, str]
) -> None:
    busy = FaultInjector([Answer(429, retry_after=wait)])
    response = await busy.apply(ask(1), answer, clock=WaitingClock())
    assert response.headers == {"content-type": "application/json", **headers}


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: Answer(42), "status must be a whole number from 200 to 599"),
        (
            lambda: Answer(429, retry_after=datetime(2026, 1, 1)),  # noqa: DTZ001 - the missing zone is the point
            "retry_after must be an aware datetime",
        ),
        (lambda: Stall(-1), "seconds must be a number of seconds from 0"),
        (lambda: StallBody(float("nan")), "seconds must be a number of seconds from 0"),
        *(
            (lambda text=text: VOCABULARY.parse(text), "must be a whole number from 1")
            for text in (
                "drip size=0",
                "clamp-silently last=0",
                "insert-row after=0",
                "insert-row at=0",
                "delete-row after=-1",
                "delete-row at=0",
                "stand-still at=0",
            )
        ),
    ],
)
def test_an_invalid_field_is_refused(build: Callable[[], object], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        build()
