"""Complaints about recordings."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio import to_thread
from complaints.naive_recordings import (
    ByTurns,
    ConstantRedaction,
    EveryTimeTheFirst,
    Tape,
    Unmocked,
    taped,
)
from doubles import ListServer, MakeClient

from nectar_async import (
    MemoryTransport,
    StaleRecordingError,
    UnmatchedRequestError,
    UnusedRecordingError,
)
from nectar_async.transports import RecordedTransport, Recorder

pytestmark = pytest.mark.anyio
KEY = "live-key-0123456789abcdef"


async def ids(pager: Any) -> list[str]:
    return [record.id async for record in pager]


async def recorded(
    make_client: MakeClient, transport: Any, folder: Path, *companies: str
) -> None:
    """The same, recorded."""
    recorder = Recorder(folder, mode="record")
    nectar = make_client(transport, api_key=KEY, recorder=recorder)
    for company in companies:
        await ids(nectar.usage.by_company(company))
    await nectar.aclose()


def bytes_in(folder: Path) -> bytes:
    return b"".join(one.read_bytes() for one in folder.iterdir())


async def test_no_key_is_committed_with_a_recording(
    make_client: MakeClient, tmp_path: Path
) -> None:
    """Live keys are committed in cassettes.

    The recorder sits above the key and keeps no header that a request has.

    https://github.com/canonical/ubuntu.com/issues/16555
    https://github.com/cal-itp/data-infra/issues/4095
    """
    server = ListServer.of_pages(a=2)
    assert KEY in str((await taped(make_client, KEY, server.transport, "a")).entries)

    await recorded(make_client, server.transport, tmp_path / "r", "a")
    assert KEY.encode() not in await to_thread.run_sync(bytes_in, tmp_path / "r")


async def test_requests_at_once_get_their_own_answers(
    make_client: MakeClient, tmp_path: Path
) -> None:
    """Concurrent requests get each other's answers: a cassette plays in turns.

    An answer is found by what was asked; the order does not matter.

    https://github.com/ktosiek/pytest-vcr/issues/52
    https://github.com/parroty/exvcr/issues/127
    """
    server = ListServer.of_pages(a=1, b=1)

    async def both(transport: Any) -> dict[str, list[str]]:
        nectar = make_client(transport)
        found: dict[str, list[str]] = {}

        async def one(company: str) -> None:
            found[company] = await ids(nectar.usage.by_company(company))

        async with anyio.create_task_group() as group:
            group.start_soon(one, "b")
            group.start_soon(one, "a")
        return found

    tape = await taped(make_client, KEY, server.transport, "a", "b")
    orders = [await both(ByTurns(tape.entries)) for _ in range(20)]
    assert any(found != server.companies for found in orders)

    await recorded(make_client, server.transport, tmp_path / "r", "a", "b")
    for _ in range(20):
        assert await both(RecordedTransport(tmp_path / "r")) == server.companies


async def test_equal_requests_get_their_answers_one_after_the_other(
    make_client: MakeClient, tmp_path: Path
) -> None:
    """The same request, asked twice, always gets the first answer.

    Equal requests are answered in the order in which they were recorded, and one too
    many is an error.

    https://github.com/kevin1024/vcrpy/issues/842
    """

    def counting() -> MemoryTransport:
        left = iter(["one", "two"])
        return MemoryTransport(lambda _: f"pong {next(left)}")

    tape = Tape(counting())
    nectar = make_client(tape, api_key=KEY)
    assert [await nectar.ping() for _ in range(2)] == ["pong one", "pong two"]
    naive = make_client(EveryTimeTheFirst(tape.entries))
    assert [await naive.ping() for _ in range(3)] == ["pong one"] * 3

    recorder = Recorder(tmp_path / "r", mode="record")
    nectar = make_client(counting(), recorder=recorder)
    assert [await nectar.ping() for _ in range(2)] == ["pong one", "pong two"]
    await nectar.aclose()
    replay = make_client(RecordedTransport(tmp_path / "r"))
    assert [await replay.ping() for _ in range(2)] == ["pong one", "pong two"]
    with pytest.raises(UnmatchedRequestError, match="asked for 3 times"):
        await replay.ping()


async def test_a_request_that_is_unknown_is_compared_with_the_nearest(
    make_client: MakeClient, tmp_path: Path
) -> None:
    """The words "not mocked" do not say what would have been.

    The error lists the exchanges that come nearest, and the fields that differ.

    https://github.com/lundberg/respx/issues/275
    """
    server = ListServer.of_pages(a=1)
    tape = await taped(make_client, KEY, server.transport, "a")
    with pytest.raises(LookupError) as naive:
        await ids(make_client(Unmocked(tape.entries)).usage.by_company("b"))
    assert "/usage/company/" not in str(naive.value)

    await recorded(make_client, server.transport, tmp_path / "r", "a")
    replay = make_client(RecordedTransport(tmp_path / "r"))
    with pytest.raises(UnmatchedRequestError) as caught:
        await ids(replay.usage.by_company("b"))
    assert "path: asked for '/usage/company/b', recorded '/usage/company/a'" in str(
        caught.value
    )


async def test_what_nobody_asks_for_and_what_is_old_can_be_errors(
    make_client: MakeClient, tmp_path: Path
) -> None:
    """Stale cassettes, and interactions that no test uses, go unnoticed.

    `check_unused()` names what nobody asked for; `max_age` warns, or is an error.

    https://github.com/vcr/vcr/issues/734
    https://github.com/EasyPost/easypost-python/issues/233
    https://github.com/kiwicom/pytest-recording/issues/163
    """
    server = ListServer.of_pages(a=1, b=1)
    tape = await taped(make_client, KEY, server.transport, "a", "b")
    naive = make_client(ByTurns(tape.entries))
    assert await ids(naive.usage.by_company("a")) == ["a-1", "a-2"]  # and no word of b

    await recorded(make_client, server.transport, tmp_path / "r", "a", "b")
    transport = RecordedTransport(tmp_path / "r")
    assert await ids(make_client(transport).usage.by_company("a")) == ["a-1", "a-2"]
    with pytest.raises(UnusedRecordingError, match=r"usage_list_by_company\.b\."):
        transport.check_unused()
    old = RecordedTransport(
        tmp_path / "r", max_age=timedelta(days=-1), on_stale="error"
    )
    with pytest.raises(StaleRecordingError):
        await ids(make_client(old).usage.by_company("a"))


async def test_two_secrets_stay_two(make_client: MakeClient, tmp_path: Path) -> None:
    """What is redacted becomes the same everywhere, and so do the answers to it.

    Stand-ins are numbered: one value has one, wherever it stands, and no other has it.

    https://github.com/Azure/azure-sdk-for-python/issues/35447
    https://github.com/Azure/azure-sdk-for-python/issues/35930
    https://github.com/php-vcr/php-vcr/issues/503
    """
    numbers = {"a": "ACC-1111-2222", "b": "ACC-3333-4444"}
    accounts = [{"id": one, "accountNumber": text} for one, text in numbers.items()]
    answer = {"id": "c", "accounts": accounts}
    tape = Tape(MemoryTransport({"connections_get": answer}))
    await make_client(tape, api_key=KEY).connections.get("c")
    naive = make_client(ConstantRedaction(tape.entries, *numbers.values()))
    found = (await naive.connections.get("c")).accounts
    assert len({one.account_number for one in found}) == 1

    recorder = Recorder(tmp_path / "r", mode="record")
    nectar = make_client({"connections_get": answer}, recorder=recorder)
    await nectar.connections.get("c")
    await nectar.aclose()
    replay = make_client(RecordedTransport(tmp_path / "r"))
    found = (await replay.connections.get("c")).accounts
    assert [one.account_number for one in found] == ["account-1", "account-2"]
