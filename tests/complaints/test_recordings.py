"""Complaints about recordings."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest
import yaml
from anyio import to_thread
from complaints.flawed_recordings import (
    ConstantRedaction,
    NaiveRecorder,
    ReplayFirstMatch,
    ReplayInOrder,
    ReplayWithoutDiff,
    load_cassette,
    read_har_texts,
    record_usage,
)
from doubles import ListServer, MakeClient
from har_entries import API, entry, har

from nectar_async import (
    MemoryTransport,
    RecordingError,
    StaleRecordingError,
    UnmatchedRequestError,
    UnusedRecordingError,
)
from nectar_async.recording.formats.cassette import read_cassette
from nectar_async.recording.formats.har_reader import read_har
from nectar_async.transports import RecordedTransport, Recorder

pytestmark = [pytest.mark.anyio, pytest.mark.without_coverage]
KEY = "live-key-0123456789abcdef"


async def read_ids(pager: Any) -> list[str]:
    return [record.id async for record in pager]


async def record(
    make_client: MakeClient, transport: Any, folder: Path, *companies: str
) -> None:
    """Record the usage lists of companies in a folder."""
    recorder = Recorder(folder, mode="record")
    nectar = make_client(transport, api_key=KEY, recorder=recorder)
    for company in companies:
        await read_ids(nectar.usage.by_company(company))
    await nectar.aclose()


def read_all_files(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def test_no_key_is_committed_with_a_recording(
    make_client: MakeClient, tmp_path: Path
) -> None:
    """With other recorders, live keys are committed in cassettes.

    The recorder sees requests before the key is added, and keeps no request header.

    https://github.com/canonical/ubuntu.com/issues/16555
    https://github.com/cal-itp/data-infra/issues/4095
    """
    server = ListServer.of_pages(a=2)
    assert KEY in str(
        (await record_usage(make_client, KEY, server.transport, "a")).entries
    )

    await record(make_client, server.transport, tmp_path / "r", "a")
    assert KEY.encode() not in await to_thread.run_sync(read_all_files, tmp_path / "r")


async def test_concurrent_requests_get_their_own_answers(
    make_client: MakeClient, tmp_path: Path
) -> None:
    """Concurrent requests get wrong answers, because a cassette replays in order.

    An answer is found by its request, in any order.

    https://github.com/ktosiek/pytest-vcr/issues/52
    https://github.com/parroty/exvcr/issues/127
    """
    server = ListServer.of_pages(a=1, b=1)

    async def read_both(transport: Any) -> dict[str, list[str]]:
        nectar = make_client(transport)
        ids: dict[str, list[str]] = {}

        async def read(company: str) -> None:
            ids[company] = await read_ids(nectar.usage.by_company(company))

        async with anyio.create_task_group() as group:
            group.start_soon(read, "b")
            group.start_soon(read, "a")
        return ids

    flawed_recorder = await record_usage(make_client, KEY, server.transport, "a", "b")
    results = [
        await read_both(ReplayInOrder(flawed_recorder.entries)) for _ in range(20)
    ]
    assert any(ids != server.companies for ids in results)

    await record(make_client, server.transport, tmp_path / "r", "a", "b")
    for _ in range(20):
        assert await read_both(RecordedTransport(tmp_path / "r")) == server.companies


async def test_repeated_requests_get_their_answers_in_order(
    make_client: MakeClient, tmp_path: Path
) -> None:
    """A repeated request always gets the first answer.

    Equal requests get their answers in the recorded order, and a further one is an
    error.

    https://github.com/kevin1024/vcrpy/issues/842
    """

    def build_counting_transport() -> MemoryTransport:
        words = iter(["one", "two"])
        return MemoryTransport(lambda _: f"pong {next(words)}")

    flawed_recorder = NaiveRecorder(build_counting_transport())
    nectar = make_client(flawed_recorder, api_key=KEY)
    assert [await nectar.ping() for _ in range(2)] == ["pong one", "pong two"]
    flawed = make_client(ReplayFirstMatch(flawed_recorder.entries))
    assert [await flawed.ping() for _ in range(3)] == ["pong one"] * 3

    recorder = Recorder(tmp_path / "r", mode="record")
    nectar = make_client(build_counting_transport(), recorder=recorder)
    assert [await nectar.ping() for _ in range(2)] == ["pong one", "pong two"]
    await nectar.aclose()
    replay = make_client(RecordedTransport(tmp_path / "r"))
    assert [await replay.ping() for _ in range(2)] == ["pong one", "pong two"]
    with pytest.raises(UnmatchedRequestError, match="asked for 3 times"):
        await replay.ping()


async def test_an_unknown_request_is_compared_with_the_nearest(
    make_client: MakeClient, tmp_path: Path
) -> None:
    """The error "not mocked" does not say which requests are known.

    The error lists the nearest exchanges and the fields that differ.

    https://github.com/lundberg/respx/issues/275
    """
    server = ListServer.of_pages(a=1)
    flawed_recorder = await record_usage(make_client, KEY, server.transport, "a")
    with pytest.raises(LookupError) as flawed:
        await read_ids(
            make_client(ReplayWithoutDiff(flawed_recorder.entries)).usage.by_company(
                "b"
            )
        )
    assert "/usage/company/" not in str(flawed.value)

    await record(make_client, server.transport, tmp_path / "r", "a")
    replay = make_client(RecordedTransport(tmp_path / "r"))
    with pytest.raises(UnmatchedRequestError) as caught:
        await read_ids(replay.usage.by_company("b"))
    assert "path: asked for '/usage/company/b', recorded '/usage/company/a'" in str(
        caught.value
    )


async def test_unused_and_old_recordings_can_be_errors(
    make_client: MakeClient, tmp_path: Path
) -> None:
    """Old cassettes and unused interactions remain unnoticed.

    `check_unused()` names unused exchanges. `max_age` warns or raises an error.

    https://github.com/vcr/vcr/issues/734
    https://github.com/EasyPost/easypost-python/issues/233
    https://github.com/kiwicom/pytest-recording/issues/163
    """
    server = ListServer.of_pages(a=1, b=1)
    flawed_recorder = await record_usage(make_client, KEY, server.transport, "a", "b")
    flawed = make_client(ReplayInOrder(flawed_recorder.entries))
    assert await read_ids(flawed.usage.by_company("a")) == ["a-1", "a-2"]  # b is unused

    await record(make_client, server.transport, tmp_path / "r", "a", "b")
    transport = RecordedTransport(tmp_path / "r")
    assert await read_ids(make_client(transport).usage.by_company("a")) == [
        "a-1",
        "a-2",
    ]
    with pytest.raises(UnusedRecordingError, match=r"usage_list_by_company\.b\."):
        transport.check_unused()
    old = RecordedTransport(
        tmp_path / "r", max_age=timedelta(days=-1), on_stale="error"
    )
    with pytest.raises(StaleRecordingError):
        await read_ids(make_client(old).usage.by_company("a"))


async def test_two_secrets_stay_different(
    make_client: MakeClient, tmp_path: Path
) -> None:
    """All redacted values become equal, and so do the answers about them.

    Placeholders are numbered: each value has its own, the same in all places.

    https://github.com/Azure/azure-sdk-for-python/issues/35447
    https://github.com/Azure/azure-sdk-for-python/issues/35930
    https://github.com/php-vcr/php-vcr/issues/503
    """
    numbers = {"a": "ACC-1111-2222", "b": "ACC-3333-4444"}
    accounts = [{"id": key, "accountNumber": text} for key, text in numbers.items()]
    answer = {"id": "c", "accounts": accounts}
    flawed_recorder = NaiveRecorder(MemoryTransport({"connections_get": answer}))
    await make_client(flawed_recorder, api_key=KEY).connections.get("c")
    flawed = make_client(ConstantRedaction(flawed_recorder.entries, *numbers.values()))
    accounts_read = (await flawed.connections.get("c")).accounts
    assert len({account.account_number for account in accounts_read}) == 1

    recorder = Recorder(tmp_path / "r", mode="record")
    nectar = make_client({"connections_get": answer}, recorder=recorder)
    await nectar.connections.get("c")
    await nectar.aclose()
    replay = make_client(RecordedTransport(tmp_path / "r"))
    accounts_read = (await replay.connections.get("c")).accounts
    assert [account.account_number for account in accounts_read] == [
        "account-1",
        "account-2",
    ]


def test_a_body_that_a_browser_did_not_keep_is_no_empty_answer() -> None:
    """A HAR file lacks bodies, and they become empty answers.

    A body that was not kept is an error that names the entry.

    https://github.com/louisabraham/har2requests/issues/2
    https://github.com/firefox-devtools/har-export-trigger/issues/31
    """
    comment = "Response bodies are not included."
    content = {"mimeType": "application/json", "size": 77_300, "comment": comment}
    data = har(entry("/company", content=content))
    assert read_har_texts(data) == [""]

    with pytest.raises(RecordingError, match=r"entries\[0\] \(GET .*not saved"):
        read_har(data)


def test_a_cassette_of_aiohttp_is_read_without_its_classes() -> None:
    """Cassettes of aiohttp contain Python objects, and cannot be loaded.

    Objects are read as the data that they were made of; no class is imported.

    https://github.com/kevin1024/vcrpy/issues/405
    https://github.com/kevin1024/vcrpy/issues/497
    https://github.com/kevin1024/vcrpy/issues/1007
    """
    with pytest.raises(yaml.constructor.ConstructorError):
        load_cassette(OLD_CASSETTE)

    (exchange,) = read_cassette(OLD_CASSETTE.encode()).recording.exchanges
    assert exchange.answer.headers == {"content-type": "application/json"}


OLD_CASSETTE = """
interactions:
- request: {body: null, headers: {}, method: GET, uri: %s/team}
  response:
    body: {string: '{"id":"7"}'}
    headers:
      ? !!python/object/new:multidict._istr.istr [Content-Type]
      : application/json
    status: {code: 200, message: OK}
    url: !!python/object/new:yarl.URL
      state: !!python/tuple
      - !!python/object/new:urllib.parse.SplitResult [https, a.example, /, '', '']
version: 1
""".replace("%s", API)
