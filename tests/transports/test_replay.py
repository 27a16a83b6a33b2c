"""`RecordedTransport` answers in place of a server: strictly, and in any order."""

from __future__ import annotations

import warnings
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import anyio
import pytest
from doubles import MakeClient
from exchanges import NOW, answer, make_page, make_recording, question

from nectar_async import (
    ConfigurationError,
    MemoryTransport,
    NectarClient,
    RecordingError,
    Request,
    StaleRecordingError,
    UnmatchedRequestError,
    UnusedRecordingError,
)
from nectar_async.transports import RecordedTransport, Recorder

pytestmark = pytest.mark.anyio
PING = question("/ping", "ping_get")
PAIRS = [(PING, answer("pong v2.2")), *(make_page("a", n, 3) for n in (1, 2, 3))]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_recording(PAIRS).save(tmp_path / "r", NOW)
    return tmp_path / "r"


async def test_a_recording_answers_without_a_key_or_network(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NECTAR_API_KEY", raising=False)
    transport = RecordedTransport(folder)
    async with NectarClient(transport=transport) as nectar:
        assert await nectar.ping() == "pong v2.2"
        pager = nectar.usage.by_company("a")
        assert [record.id async for record in pager] == ["a-1", "a-2", "a-3"]
    assert pager.receipt.verdict == "complete"
    transport.check_unused()
    assert transport.recording.api_version == "v2.2"


async def test_every_way_to_read_a_list_finds_its_pages(folder: Path) -> None:
    for way in ("plain", "pages", "prefetch"):
        async with NectarClient(transport=RecordedTransport(folder)) as nectar:
            pager = nectar.usage.by_company("a")
            if way == "plain":
                record_ids = [record.id async for record in pager]
            elif way == "pages":
                record_ids = [
                    record.id async for page in pager.pages() for record in page.items
                ]
            else:
                async with pager.prefetch() as records:
                    record_ids = [record.id async for record in records]
            assert record_ids == ["a-1", "a-2", "a-3"]


async def test_an_unrecorded_request_is_an_error_that_names_it(
    folder: Path,
) -> None:
    async with NectarClient(transport=RecordedTransport(folder)) as nectar:
        with pytest.raises(UnmatchedRequestError) as caught:
            await (
                nectar.usage.by_company("a", start_date=date(2025, 1, 2))
                .pages()
                .__anext__()
            )
    assert caught.value.operation == "usage_list_by_company"
    assert "query startDate: asked for '2025-01-02', recorded nothing" in str(
        caught.value
    )
    assert caught.value.attempts == 1


async def test_unused_exchanges_are_an_error_when_checked(folder: Path) -> None:
    transport = RecordedTransport(folder)
    async with NectarClient(transport=transport) as nectar:
        async for _ in nectar.usage.by_company("a"):
            break
    (name,) = transport.unused
    assert name.startswith("ping_get.")
    with pytest.raises(UnusedRecordingError) as caught:
        transport.check_unused()
    assert caught.value.unused == transport.unused
    assert name in str(caught.value)


SAME = [(PING, answer(f"pong {n}")) for n in range(100)]
OTHERS = [
    (
        question(f"/company/{n}", "companies_get", owner=str(n)),
        answer({"id": str(n), "name": "x"}),
    )
    for n in range(100)
]


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a recording of a hundred equal requests and a hundred different ones."""
    folder = tmp_path_factory.mktemp("crowd") / "r"
    make_recording([*SAME, *OTHERS]).save(folder, NOW)
    return folder


@pytest.mark.parametrize(
    "round_", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(1, 50))]
)
async def test_two_hundred_concurrent_requests_get_their_own_answers(
    crowd: Path, round_: int, anyio_backend: str
) -> None:
    transport = RecordedTransport(crowd)
    pongs: list[str] = []
    ids: dict[int, str] = {}
    order = Random(round_).sample(range(200), 200)  # noqa: S311 - a shuffle
    async with NectarClient(transport=transport) as nectar:

        async def ask(number: int) -> None:
            if number < 100:
                pongs.append(await nectar.ping())
            else:
                ids[number - 100] = (await nectar.companies.get(f"{number - 100}")).id

        async with anyio.create_task_group() as group:
            for number in order:
                group.start_soon(ask, number)
    expected = [f"pong {n}" for n in range(100)]
    if anyio_backend == "asyncio":  # trio starts tasks in random order, on purpose
        assert pongs == expected
    assert sorted(pongs) == sorted(expected)
    assert ids == {number: str(number) for number in range(100)}
    assert transport.unused == ()
    witness = transport.witness
    assert 1 < witness.peak_in_flight <= 10
    assert witness.in_flight == 0
    assert witness.by_operation == {"ping_get": 100, "companies_get": 100}


def build_stale(folder: Path, **how: Any) -> RecordedTransport:
    return RecordedTransport(folder, max_age=timedelta(days=1), **how)


async def test_an_old_recording_warns_once(folder: Path) -> None:
    async with NectarClient(transport=build_stale(folder)) as nectar:
        with pytest.warns(UserWarning, match=r"days old, and max_age is 1.*--touch"):
            await nectar.ping()
        assert len([record async for record in nectar.usage.by_company("a")]) == 3


async def test_an_old_recording_can_be_an_error_or_nothing(folder: Path) -> None:
    async with NectarClient(transport=build_stale(folder, on_stale="error")) as nectar:
        with pytest.raises(StaleRecordingError, match="days old"):
            await nectar.ping()
    with warnings.catch_warnings(action="error"):
        async with NectarClient(
            transport=build_stale(folder, on_stale="ignore")
        ) as nectar:
            await nectar.ping()
        async with NectarClient(
            transport=RecordedTransport(folder, max_age=timedelta(days=9_999))
        ) as nectar:
            await nectar.ping()


async def test_the_error_of_a_missing_recording_says_how_to_create_it(
    tmp_path: Path,
) -> None:
    async with NectarClient(transport=RecordedTransport(tmp_path / "no")) as nectar:
        with pytest.raises(
            RecordingError, match=r"there is no recording at .*/no; make"
        ):
            await nectar.ping()


MISTAKES: list[dict[str, Any]] = [
    {"repeat": "always"},
    {"on_stale": "shout"},
    {"max_age": 90},
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=str)
def test_an_invalid_argument_is_refused_at_once(
    mistake: dict[str, Any],
) -> None:
    with pytest.raises(ConfigurationError, match=rf"{next(iter(mistake))} is "):
        RecordedTransport("x", **mistake)


class Chunks:
    """A body in two chunks."""

    def __init__(self, text: str) -> None:
        self._chunks = [text[:1].encode(), text[1:].encode()]

    def __aiter__(self) -> Chunks:
        return self

    async def __anext__(self) -> bytes:
        if not self._chunks:
            raise StopAsyncIteration
        return self._chunks.pop(0)


def post(body: Any) -> Request[dict[str, int]]:
    return Request(operation="o", method="POST", path="/o", returns=dict, body=body)


async def send_four_posts(nectar: NectarClient, text: str) -> list[dict[str, int]]:
    """Send JSON, bytes, a one-shot stream and a repeatable stream."""
    return [
        await nectar.send(Request.post("o", "/o", dict, json={"a": text})),
        await nectar.send(post(text.encode())),
        await nectar.send(post(Chunks(f"{text}?"))),
        await nectar.send(post(lambda: Chunks(f"{text}!"))),
    ]


@pytest.mark.parametrize("takes", ["all", "some", "nothing"])
async def test_requests_with_every_kind_of_body_are_matched(
    tmp_path: Path, make_client: MakeClient, takes: str
) -> None:
    async def count(request: Request[Any]) -> dict[str, int]:
        body = request.body
        if body is not None and not isinstance(body, bytes) and takes != "nothing":
            async for _ in body() if callable(body) else body:
                if takes == "some":
                    break
        return {"n": next(numbers)}

    numbers = iter(range(100))
    recorder = Recorder(tmp_path / "r", mode="record")
    nectar = make_client(MemoryTransport(count), recorder=recorder)
    first = [await send_four_posts(nectar, text) for text in "ab"]
    await nectar.aclose()
    assert [answer["n"] for answers in first for answer in answers] == [*range(8)]
    replay = make_client(RecordedTransport(tmp_path / "r"))
    assert [await send_four_posts(replay, text) for text in "ba"] == first[::-1]
