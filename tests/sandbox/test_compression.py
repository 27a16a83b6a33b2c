"""Replies are compressed by isal or zlib, with the same result after decompression."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from isal import isal_zlib

from nectar_async._http.compression import load_isal
from nectar_async.sandbox.server.compression import compress_reply
from nectar_async.sandbox.server.messages import Reply


@pytest.fixture(autouse=True)
def _clear_import_cache() -> Iterator[None]:
    load_isal.cache_clear()
    yield
    load_isal.cache_clear()


@pytest.mark.parametrize("missing", [[], ["isal", "isal.isal_zlib"]])
@pytest.mark.parametrize("body", [b"", b"x", b'{"id": "u-1"},' * 20_000])
def test_a_compressed_body_can_be_decompressed(
    missing: list[str], body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in missing:
        monkeypatch.setitem(sys.modules, name, None)
    reply = compress_reply(Reply(body=body))
    assert load_isal() is (None if missing else isal_zlib)
    assert gzip.decompress(reply.body) == body
    assert reply.headers["Content-Encoding"] == "gzip"
    assert compress_reply(reply) is reply


def test_the_same_body_is_compressed_to_the_same_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    times: Any = iter(range(1_000_000_000, 2_000_000_000, 1_000))
    monkeypatch.setattr("time.time", lambda: next(times))
    first, second = (compress_reply(Reply(body=b"bill" * 1_000)) for _ in range(2))
    assert first.body == second.body
