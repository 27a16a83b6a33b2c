"""The modes of `Recorder`: record, replay, new and passthrough."""

from __future__ import annotations

import gc
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from anyio import to_thread
from doubles import ListServer, MakeClient

from nectar_async import (
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    MemoryTransport,
    NectarClient,
    RecordingError,
    Request,
    Response,
    Settings,
    UnmatchedRequestError,
    VirtualClock,
)
from nectar_async.recording.folder import Recording
from nectar_async.recording.redaction.redaction import Redaction, Rule
from nectar_async.transports import Mode, RecordedTransport, Recorder

pytestmark = pytest.mark.anyio
KEY = "nectar-key-0123456789"


class Server(ListServer):
    """A list server that counts requests, and refuses a repeated one."""

    @property
    def requests(self) -> int:
        return len(self.transport.requests)


def build_server(**pages: int) -> Server:
    server = Server.of_pages(**pages)
    assert isinstance(server, Server)
    return server


async def read_ids(nectar: NectarClient, company: str) -> list[str]:
    return [record.id async for record in nectar.usage.by_company(company)]


async def load(folder: Path) -> Recording:
    return await to_thread.run_sync(Recording.load, folder)


async def list_names(folder: Path) -> list[str]:
    return [exchange.name for exchange in (await load(folder)).exchanges]


async def record(
    make_client: MakeClient, server: Server, folder: Path, *companies: str, **how: Any
) -> bool:
    """Record the usage of companies, and return whether the recording changed."""
    before = read_files(folder)
    how = {"mode": "record", **how}
    nectar = make_client(server.transport, recorder=Recorder(folder, **how))
    for company in companies:
        await read_ids(nectar, company)
    await nectar.aclose()
    return read_files(folder) != before


def read_files(folder: Path) -> object:
    if not folder.exists():
        return None
    return {file.name: file.read_bytes() for file in folder.iterdir()}


async def test_recorded_requests_are_replayed(
    make_client: MakeClient, tmp_path: Path
) -> None:
    server = build_server(a=3)
    assert await record(make_client, server, tmp_path / "r", "a")
    assert len(await list_names(tmp_path / "r")) == 3
    by_transport = make_client(RecordedTransport(tmp_path / "r"))
    assert await read_ids(by_transport, "a") == server.companies["a"]
    recorder = Recorder(tmp_path / "r")
    by_stage = make_client({}, recorder=recorder)
    assert await read_ids(by_stage, "a") == server.companies["a"]
    await to_thread.run_sync(recorder.check_unused)
    assert recorder.witness.by_operation == {"usage_list_by_company": 3}


async def test_replay_is_the_default_and_sends_nothing(
    make_client: MakeClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NECTAR_API_KEY", raising=False)
    await record(make_client, build_server(a=1), tmp_path / "r", "a")
    async with NectarClient(recorder=Recorder(tmp_path / "r")) as nectar:
        assert await read_ids(nectar, "a") == ["a-1", "a-2"]
        with pytest.raises(UnmatchedRequestError):
            await nectar.ping()


@pytest.mark.parametrize("mode", [Mode.RECORD, Mode.NEW, Mode.PASSTHROUGH])
async def test_modes_that_send_need_a_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: Mode
) -> None:
    monkeypatch.delenv("NECTAR_API_KEY", raising=False)
    with pytest.raises(ConfigurationError, match="no API key"):
        NectarClient(recorder=Recorder(tmp_path / "r", mode=mode))


async def test_recording_the_same_again_changes_no_byte(
    make_client: MakeClient, tmp_path: Path
) -> None:
    server = build_server(a=3, b=2)
    assert await record(make_client, server, tmp_path / "r", "a", "b")
    assert not await record(make_client, server, tmp_path / "r", "b", "a")
    assert await record(make_client, server, tmp_path / "r", "a")
    assert {name.split(".")[1] for name in await list_names(tmp_path / "r")} == {"a"}


async def test_new_sends_only_the_missing_requests(
    make_client: MakeClient, tmp_path: Path
) -> None:
    server = build_server(a=2, b=2)
    await record(make_client, server, tmp_path / "r", "a")
    asked = server.requests
    assert await record(make_client, server, tmp_path / "r", "a", "b", mode="new")
    assert [company for company, _ in server.asked[asked:]] == ["b", "b"]
    assert {name.split(".")[1] for name in await list_names(tmp_path / "r")} == {
        "a",
        "b",
    }
    assert not await record(make_client, server, tmp_path / "r", "a", mode="new")


async def test_new_creates_a_recording_if_there_is_none(
    make_client: MakeClient, tmp_path: Path
) -> None:
    assert await record(make_client, build_server(a=1), tmp_path / "r", "a", mode="new")
    assert len(await list_names(tmp_path / "r")) == 1


async def test_passthrough_records_nothing(
    make_client: MakeClient, tmp_path: Path
) -> None:
    server = build_server(a=1)
    assert not await record(
        make_client, server, tmp_path / "r", "a", mode="passthrough"
    )
    assert server.requests == 1
    assert not (tmp_path / "r").exists()


async def test_the_request_log_has_the_requests_that_pass_through(
    make_client: MakeClient, tmp_path: Path
) -> None:
    recorder = Recorder(tmp_path / "r", mode="passthrough")
    async with make_client(build_server(a=2).transport, recorder=recorder) as nectar:
        await read_ids(nectar, "a")
    assert recorder.witness.by_operation == {"usage_list_by_company": 2}


async def test_a_client_that_is_not_closed_warns_that_nothing_was_written(
    tmp_path: Path,
) -> None:
    async def forget() -> None:
        recorder = Recorder(tmp_path / "r", mode="record")
        nectar = NectarClient(
            "key", transport=build_server(a=1).transport, recorder=recorder
        )
        await read_ids(nectar, "a")

    await forget()
    with pytest.warns(ResourceWarning, match="nothing was written to .*r: close"):
        gc.collect()


async def test_a_partly_read_list_is_recorded_to_its_end(
    make_client: MakeClient, tmp_path: Path
) -> None:
    server = build_server(a=7)
    recorder = Recorder(tmp_path / "r", mode="record")
    nectar = make_client(server.transport, recorder=recorder)
    async for _ in nectar.usage.by_company("a"):
        break
    await nectar.aclose()
    assert sorted(server.pages_of("a")) == [*range(1, 8)]
    replay = make_client(RecordedTransport(tmp_path / "r"))
    async with replay.usage.by_company("a").prefetch() as records:
        assert [record.id async for record in records] == server.companies["a"]


async def test_the_key_is_in_no_recording(
    make_client: MakeClient, tmp_path: Path
) -> None:
    transport = MemoryTransport({"ping_get": "pong v2.2"})
    nectar = make_client(
        transport, api_key=KEY, recorder=Recorder(tmp_path / "r", mode="record")
    )
    await nectar.ping()
    await nectar.aclose()
    assert transport.requests[0].headers["X-API-Key"] == KEY
    assert KEY.encode() not in b"".join(
        file.read_bytes() for file in (tmp_path / "r").iterdir()
    )


def answer_in_order(*statuses: int) -> MemoryTransport:
    responses = iter([Response(status, {}, b'"pong v2.2"') for status in statuses])
    return MemoryTransport(lambda _: next(responses))


async def test_a_failure_before_a_success_is_recorded_only_with_keep_failures(
    make_client: MakeClient, tmp_path: Path
) -> None:
    for keep, statuses in ((False, [200]), (True, [429, 503, 200])):
        transport = answer_in_order(429, 503, 200)
        recorder = Recorder(tmp_path / "r", mode="record", keep_failures=keep)
        nectar = make_client(transport, recorder=recorder, clock=VirtualClock())
        await nectar.ping()
        await nectar.aclose()
        recorded = (await load(tmp_path / "r")).exchanges
        assert [exchange.answer.status for exchange in recorded] == statuses
    clock = VirtualClock()
    replay = make_client(RecordedTransport(tmp_path / "r"), clock=clock)
    assert await replay.ping() == "pong v2.2"
    assert clock.sleeps == [0.5, 1.0]


async def test_failures_without_a_success_are_recorded(
    make_client: MakeClient, tmp_path: Path
) -> None:
    answer = Response(401, {}, b'{"detail": "no such key"}')
    nectar = make_client(
        MemoryTransport({"ping_get": answer}),
        recorder=Recorder(tmp_path / "r", mode="record"),
    )
    with pytest.raises(AuthenticationError):
        await nectar.ping()
    await nectar.aclose()
    with pytest.raises(AuthenticationError, match="no such key"):
        await make_client(RecordedTransport(tmp_path / "r")).ping()


async def test_a_client_left_by_an_exception_leaves_the_recording_as_it_was(
    make_client: MakeClient, tmp_path: Path
) -> None:
    server = build_server(a=2)
    await record(make_client, server, tmp_path / "r", "a")
    before = read_files(tmp_path / "r")

    async def fail() -> None:
        recorder = Recorder(tmp_path / "r", mode="record")
        async with NectarClient(
            transport=server.transport, recorder=recorder
        ) as nectar:
            async for _ in nectar.usage.by_company("a"):
                raise KeyError

    with pytest.raises(KeyError):
        await fail()
    assert read_files(tmp_path / "r") == before


async def test_a_copy_of_a_client_records_with_its_original(
    make_client: MakeClient, tmp_path: Path
) -> None:
    server = build_server(a=1)
    nectar = make_client(
        server.transport, recorder=Recorder(tmp_path / "r", mode="record")
    )
    copy = nectar.with_settings(deadline=9)
    await read_ids(copy, "a")
    await copy.aclose()
    assert not (tmp_path / "r").exists()
    await nectar.aclose()
    await nectar.aclose()
    assert len(await list_names(tmp_path / "r")) == 1


async def test_a_recording_with_a_secret_is_refused_and_nothing_is_written(
    make_client: MakeClient, tmp_path: Path
) -> None:
    answer = [{"id": "1", "name": "the word is hunter2-hunter2"}]
    recorder = Recorder(
        tmp_path / "r", mode="record", redaction=Redaction(secrets=("hunter2-hunter2",))
    )
    nectar = make_client({"companies_list": answer}, recorder=recorder)
    await nectar.companies.all()
    with pytest.raises(RecordingError) as caught:
        await nectar.aclose()
    assert "hunter2" not in str(caught.value)
    assert "companies_list" in str(caught.value)
    assert not (tmp_path / "r").exists()


async def test_a_response_that_contains_the_key_is_not_saved(
    make_client: MakeClient, tmp_path: Path
) -> None:
    keys = iter([KEY, f"{KEY}-2"])
    answers: list[object] = [Response(401), f"pong for {KEY} and others"]
    nectar = make_client(
        MemoryTransport(lambda _: answers.pop(0)),
        api_key=lambda: next(keys),
        recorder=Recorder(tmp_path / "r", mode="record"),
    )
    await nectar.ping()
    with pytest.raises(RecordingError, match="ping_get") as caught:
        await nectar.aclose()
    assert KEY not in str(caught.value)
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
async def test_a_binary_body_that_contains_a_token_is_not_saved(
    make_client: MakeClient, tmp_path: Path, encoding: str
) -> None:
    text = "<p>für whsec_0123456789abcdef0123456789abcdef</p>"
    answer = Response(400, {"content-type": "text/html"}, text.encode(encoding))
    nectar = make_client(
        {"ping_get": answer}, recorder=Recorder(tmp_path / "r", mode="record")
    )
    with pytest.raises(BadRequestError):
        await nectar.ping()
    with pytest.raises(RecordingError, match="what looks like"):
        await nectar.aclose()


async def test_replay_uses_the_rules_of_the_recording(
    make_client: MakeClient, tmp_path: Path
) -> None:
    rules = Redaction(rules=(Rule(kind="tenant", keys=("externalId",)),))
    answers = {"companies_list": [{"id": "1", "name": "n", "externalId": "Ann"}]}
    nectar = make_client(
        answers, recorder=Recorder(tmp_path / "r", mode="record", redaction=rules)
    )
    await nectar.companies.all()
    await nectar.aclose()
    (company,) = await make_client(RecordedTransport(tmp_path / "r")).companies.all()
    assert company.external_id == "tenant-1"
    other = make_client(
        {"ping_get": "pong"}, recorder=Recorder(tmp_path / "r", mode="new")
    )
    await other.ping()
    with pytest.raises(RecordingError, match="other redaction rules"):
        await other.aclose()


async def test_touch_updates_the_date_of_an_unchanged_recording(
    make_client: MakeClient, tmp_path: Path
) -> None:
    server, folder = build_server(a=1), tmp_path / "r"
    await record(make_client, server, folder, "a")
    manifest = folder / "recording.json"
    old = json.loads(manifest.read_text()) | {"recordedAt": "2020-01-01T00:00:00Z"}
    manifest.write_text(json.dumps(old))
    await record(make_client, server, folder, "a")
    assert "2020-" in str((await load(folder)).recorded_at)
    await record(make_client, server, folder, "a", touch=True)
    assert "2020-" not in str((await load(folder)).recorded_at)


async def test_the_api_version_is_recorded(
    make_client: MakeClient, tmp_path: Path
) -> None:
    for version in ("v2.2", "v2.0"):
        nectar = make_client(
            {"ping_get": "pong"},
            api_version=version,
            recorder=Recorder(tmp_path / "r", mode="record"),
        )
        await nectar.ping()
        await nectar.aclose()
        assert (await load(tmp_path / "r")).api_version == version


class Once:
    """A body that can be read only once."""

    def __init__(self, *chunks: bytes) -> None:
        self._left = [*chunks]

    def __aiter__(self) -> Once:
        return self

    async def __anext__(self) -> bytes:
        if not self._left:
            raise StopAsyncIteration
        return self._left.pop(0)


async def test_new_sends_a_one_shot_stream_after_matching_it(
    make_client: MakeClient, tmp_path: Path
) -> None:
    heard: list[object] = []

    def hear(request: Request[Any]) -> dict[str, object]:
        heard.append(request.body)
        return {}

    recorder = Recorder(tmp_path / "r", mode="new")
    nectar = make_client(MemoryTransport(hear), recorder=recorder)
    request = Request(
        operation="o", method="POST", path="/o", returns=dict, body=Once(b"a", b"b")
    )
    await nectar.send(request)
    await nectar.aclose()
    assert heard == [b"ab"]


async def test_a_recorder_without_requests_writes_nothing(
    make_client: MakeClient, tmp_path: Path
) -> None:
    await record(make_client, build_server(a=1), tmp_path / "r", "a")
    assert not await record(make_client, build_server(a=1), tmp_path / "r")
    assert len(await list_names(tmp_path / "r")) == 1


async def test_a_recording_without_a_manifest_can_be_replaced(
    make_client: MakeClient, tmp_path: Path
) -> None:
    await record(make_client, build_server(a=1), tmp_path / "r", "a")
    await to_thread.run_sync((tmp_path / "r" / "recording.json").unlink)
    assert await record(make_client, build_server(a=1), tmp_path / "r", "a")


async def test_a_damaged_recording_can_be_replaced(
    make_client: MakeClient, tmp_path: Path
) -> None:
    await record(make_client, build_server(a=1), tmp_path / "r", "a")
    (file,) = await to_thread.run_sync(lambda: [*(tmp_path / "r").glob("usage*")])
    await to_thread.run_sync(file.write_text, "<<<<<<< HEAD")
    with pytest.raises(RecordingError, match="is not an exchange"):
        await record(make_client, build_server(a=1), tmp_path / "r", "a", mode="new")
    assert await record(make_client, build_server(a=1), tmp_path / "r", "a")
    assert len(await list_names(tmp_path / "r")) == 1


async def test_a_list_that_cannot_be_read_to_its_end_is_not_recorded(
    make_client: MakeClient, tmp_path: Path
) -> None:
    server = build_server(a=9)
    server.script("a", 9, Response(403))
    nectar = make_client(
        server.transport, recorder=Recorder(tmp_path / "r", mode="record")
    )
    async for _ in nectar.usage.by_company("a"):
        break
    with pytest.raises(RecordingError, match=r"whole lists.*page 9.*403"):
        await nectar.aclose()
    assert not (tmp_path / "r").exists()


# The environment variable.


@pytest.mark.parametrize(
    ("value", "path", "mode", "folder"),
    [
        (None, "given", "replay", "given"),
        ("record", "given", "record", "given"),
        ("new:named", None, "new", "named"),
        ("record:named", "given", "record", "given"),
        (":named", None, "replay", "named"),
        ("record:C:\\tests\\usage", None, "record", "C:\\tests\\usage"),
    ],
)
def test_the_environment_sets_mode_and_path(
    monkeypatch: pytest.MonkeyPatch,
    value: str | None,
    path: str | None,
    mode: str,
    folder: str,
) -> None:
    monkeypatch.delenv("NECTAR_RECORD", raising=False)
    if value is not None:
        monkeypatch.setenv("NECTAR_RECORD", value)
    recorder = Recorder.from_env(path, repeat="last")
    assert (recorder.mode, os.fspath(recorder.path)) == (mode, folder)


def test_an_environment_without_a_path_or_with_a_wrong_mode_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NECTAR_RECORD", "record")
    with pytest.raises(ConfigurationError, match="NECTAR_RECORD=record:PATH"):
        Recorder.from_env()
    monkeypatch.delenv("NECTAR_RECORD")
    assert Recorder.from_env().mode is Mode.PASSTHROUGH  # no path and no variable
    monkeypatch.setenv("NECTAR_RECORD", "rekord:x")
    with pytest.raises(ConfigurationError, match="unknown mode 'rekord'"):
        Recorder.from_env()


async def test_the_environment_alone_makes_no_client_record(
    make_client: MakeClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NECTAR_RECORD", f"record:{tmp_path / 'r'}")
    nectar = make_client({"ping_get": "pong v2.2"})
    assert nectar.settings == Settings()
    await nectar.ping()
    await nectar.aclose()
    assert not (tmp_path / "r").exists()


async def test_a_placeholder_link_is_never_requested(
    make_client: MakeClient, tmp_path: Path
) -> None:
    document = {"id": "d", "url": "https://files.example/bill.pdf?X-Amz-Signature=1f"}
    answers: dict[str, object] = {"documents_get": document}
    nectar = make_client(answers, recorder=Recorder(tmp_path / "r", mode="record"))
    await nectar.documents.get("d")
    await nectar.aclose()
    transport = MemoryTransport(answers)
    again = make_client(transport, recorder=Recorder(tmp_path / "r", mode="new"))
    with pytest.raises(UnmatchedRequestError, match="documents_download"):
        await again.documents.download("d", io.BytesIO())
    assert transport.requests == []
