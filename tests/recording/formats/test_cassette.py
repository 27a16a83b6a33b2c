"""Cassettes of vcrpy become recordings, in YAML and in JSON."""

from __future__ import annotations

import base64
import gzip
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import anyio.to_thread
import pytest
import pytest_asyncio
import vcr  # type: ignore[import-untyped]
import yaml
from exchanges import NOW

from nectar_async import ConfigurationError, NectarClient, RecordingError
from nectar_async.recording.bodies import Json, Text
from nectar_async.recording.exchange import Exchange
from nectar_async.recording.formats.cassette import read_cassette
from nectar_async.sandbox import Sandbox
from nectar_async.transports import RecordedTransport

API: Final = "https://external.nectarclimate.com/v2.2"
VALUE: Final = '{"id":"Ü"}'
KEY: Final = "correct-horse-battery-staple"


def interaction(
    body: Any = None,
    *,
    path: str = "/team",
    sent: Any = None,
    headers: dict[str, Any] | None = None,
    **response: Any,
) -> dict[str, Any]:
    """Build a request and its answer as vcrpy writes them."""
    return {
        "request": {
            "method": "GET" if sent is None else "POST",
            "uri": API + path,
            "body": sent,
            "headers": {"X-API-Key": [KEY]},
        },
        "response": {
            "status": {"code": 200, "message": "OK"},
            "headers": {"Content-Type": ["application/json"], **(headers or {})},
            "body": {"string": VALUE} if body is None else body,
            **response,
        },
    }


def cassette(*interactions: Any, **more: Any) -> dict[str, Any]:
    return {"interactions": list(interactions), "version": 1, **more}


def in_yaml(*interactions: Any) -> bytes:
    return yaml.dump(cassette(*interactions)).encode()


def in_json(*interactions: Any) -> bytes:
    return json.dumps(cassette(*interactions)).encode()


def only(data: bytes) -> Exchange:
    (exchange,) = read_cassette(data).recording.exchanges
    return exchange


class CassetteWriter:
    """Records a client of the sandbox with vcrpy."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox = sandbox
        self.folder = folder
        self.record_ids: list[str] = []

    async def write(self, serializer: str) -> bytes:
        path = self.folder / f"usage.{serializer}"
        sandbox = self.sandbox
        how: dict[str, Any] = {"decode_compressed_response": serializer == "json"}
        with vcr.use_cassette(str(path), serializer=serializer, **how):
            async with NectarClient(
                sandbox.api_key, settings=sandbox.settings
            ) as nectar:
                self.record_ids = await self.walk(nectar)
        return path.read_bytes()

    async def walk(self, nectar: NectarClient) -> list[str]:
        company, *_ = await nectar.companies.all()
        return [record.id async for record in nectar.usage.by_company(company.id)]


@pytest_asyncio.fixture
async def writer(tmp_path: Path) -> AsyncIterator[CassetteWriter]:
    async with Sandbox(companies=1, seed=7) as sandbox:
        yield CassetteWriter(sandbox, tmp_path)


@pytest.mark.asyncio
@pytest.mark.parametrize("serializer", ["yaml", "json"])
async def test_a_cassette_of_vcrpy_is_replayed(
    writer: CassetteWriter, serializer: str, tmp_path: Path
) -> None:
    data = await writer.write(serializer)
    assert writer.sandbox.api_key.encode() in data
    folder = tmp_path / "r"
    base_url = writer.sandbox.settings.base_url

    def convert() -> None:
        result = read_cassette(data, base_url=base_url)
        assert result.skipped == {}
        result.recording.save(folder, NOW)

    await anyio.to_thread.run_sync(convert)
    transport = RecordedTransport(folder)
    async with NectarClient(transport=transport) as nectar:
        assert await writer.walk(nectar) == writer.record_ids
    transport.check_unused()
    assert writer.record_ids
    for path in folder.iterdir():
        assert writer.sandbox.api_key not in path.read_text()


@pytest.mark.parametrize("write", [in_yaml, in_json], ids=["yaml", "json"])
@pytest.mark.parametrize(
    "body",
    [
        {"string": VALUE},
        {"base64_string": base64.b64encode(VALUE.encode()).decode()},
        VALUE,
    ],
    ids=["text", "base64", "bare"],
)
def test_every_representation_of_a_body_is_read(write: Any, body: Any) -> None:
    exchange = only(write(interaction(body)))
    assert exchange.answer.body == Json(VALUE.encode())
    assert exchange.question.operation == "team_get"


@pytest.mark.parametrize(
    "string",
    [gzip.compress(VALUE.encode()), VALUE.encode(), VALUE],
    ids=["packed", "bytes", "text"],
)
def test_a_compressed_body_is_decompressed_unless_vcrpy_did_it(string: object) -> None:
    recorded = interaction({"string": string}, headers={"content-encoding": ["gzip"]})
    assert only(in_yaml(recorded)).answer.body == Json(VALUE.encode())


def test_an_unsupported_compression_is_an_error_with_advice() -> None:
    recorded = interaction({"string": b"\x8b\xff"}, headers={"content-encoding": "br"})
    with pytest.raises(RecordingError, match="decode_compressed_response") as caught:
        only(in_yaml(recorded))
    assert f"$.interactions[0] (GET {API}/team)" in caught.value.message


def test_responses_of_httpx_in_old_cassettes_are_read() -> None:
    recorded = interaction()
    recorded["response"] = {"status_code": 404, "content": VALUE, "headers": {}}
    answer = only(in_yaml(recorded)).answer
    assert (answer.status, answer.body) == (404, Json(VALUE.encode()))


@pytest.mark.parametrize(
    "spelled",
    [
        "a=1&b=2",
        "!!binary YT0xJmI9Mg==",
        "!!python/object/new:_io.BytesIO {state: !!python/tuple [a=1&b=2, 0]}",
        "!!python/object/apply:builtins.iter {args: [[a=1, !!binary JmI9Mg==]]}",
        "!!python/unicode a=1&b=2",
    ],
    ids=["text", "bytes", "file", "iterator", "python-2"],
)
def test_every_representation_of_a_request_body_is_read(spelled: str) -> None:
    data = in_yaml(interaction(path="/label", sent="SENT"))
    data = data.replace(b"body: SENT", f"body: {spelled}".encode())
    assert only(data).question.body == Text("a=1&b=2")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not a cassette of vcrpy"),
        (b"{", "not a cassette: invalid JSON"),
        (b"a: [", "not a cassette: invalid YAML"),
        (b"<html>", "not a cassette of vcrpy"),
        (b"- request: {}", "python -m vcr.migration"),
        (json.dumps(cassette(version=2)).encode(), "version 2; version 1 can"),
        (json.dumps({"http_interactions": []}).encode(), "`interactions`"),
        (in_json({"request": {"method": "GET"}}), "requests to no web address"),
        (in_json(interaction(status=None)), r"interactions\[0\]\.response has no st"),
        (in_json(interaction({"string": 1})), "neither text nor bytes"),
        (in_json(interaction({"base64_string": "#"})), "is not base64"),
        (in_json(), "contains no requests"),
    ],
    ids=[
        "empty",
        "no-json",
        "no-yaml",
        "html",
        "old",
        "newer",
        "ruby",
        "without-address",
        "without-status",
        "number",
        "no-base64",
        "nothing",
    ],
)
def test_an_invalid_cassette_is_refused_with_the_place(data: bytes, words: str) -> None:
    with pytest.raises(RecordingError, match=words):
        read_cassette(data)


def test_keys_are_not_imported() -> None:
    assert KEY not in repr(read_cassette(in_yaml(interaction())).recording)
    leaking = interaction({"string": f'{{"note":"{KEY}"}}'})
    with pytest.raises(RecordingError, match="a registered secret") as caught:
        read_cassette(in_yaml(leaking))
    assert KEY not in caught.value.message


def test_a_base_url_selects_the_requests() -> None:
    recorded = interaction(path="/label")
    result = read_cassette(
        in_json(recorded), base_url="https://external.nectarclimate.com"
    )
    assert result.imported == 1


def test_json_needs_no_pyyaml_and_yaml_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    assert only(in_json(interaction())).answer.status == 200
    with pytest.raises(ConfigurationError, match=r"nectar-async\[cassettes\]"):
        read_cassette(b"interactions: []")
