"""Bodies are decompressed up to a limit, by isal and by zlib alike."""

from __future__ import annotations

import gzip
import sys
import tracemalloc
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from io import BytesIO
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, strategies as st
from profiles import max_examples

from nectar_async._http import compression
from nectar_async._http.compression import decompress_body
from nectar_async._http.response import Response
from nectar_async.errors import BodyCorruptError, BodyTooLargeError, TransportError

TEXT = b'{"usageData": []}' * 50


def bare(body: bytes) -> bytes:
    """A raw deflate stream, as some servers send it."""
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


PACKERS: Mapping[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("x-gzip", gzip.compress),
    "zlib": ("deflate", zlib.compress),
    "bare deflate": ("deflate", bare),
}
eachcompression = pytest.mark.parametrize("kind", PACKERS)


def packed(body: bytes, encoding: str = "gzip") -> Response:
    return Response(200, {"Content-Encoding": encoding}, body)


QUICK: Any = compression.load_isal


@pytest.fixture(scope="module", params=["isal", "zlib"], autouse=True)
def unpacker(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run the tests with isal, and as if it were not installed."""
    decompressor = QUICK() if request.param == "isal" else None
    with patch.object(compression, "load_isal", lambda: decompressor):
        yield


@eachcompression
@given(body=st.binary(max_size=2_000))
def test_a_compressed_body_is_decompressed(kind: str, body: bytes) -> None:
    encoding, pack = PACKERS[kind]
    assert decompress_body(packed(pack(body), encoding)) == body
    assert decompress_body(packed(pack(body), encoding.upper()), 10_000) == body


@pytest.mark.parametrize(
    "encoding",
    ["", "identity", " Identity ", "utf-8", "none", "aws-chunked", "UTF-8, identity"],
)
def test_a_plain_body_is_left_unchanged(encoding: str) -> None:
    assert decompress_body(packed(TEXT, encoding)) == TEXT
    assert decompress_body(Response(200, {}, TEXT)) == TEXT


def test_several_encodings_are_decoded_in_reverse() -> None:
    body = gzip.compress(zlib.compress(TEXT))
    assert decompress_body(packed(body, "deflate, gzip")) == TEXT


def test_an_empty_body_is_empty_in_every_encoding() -> None:
    assert decompress_body(packed(b"")) == b""


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=5))
def test_all_members_of_a_gzip_body_are_read(parts: list[bytes]) -> None:
    body = b"".join(map(gzip.compress, parts))
    assert decompress_body(packed(body)) == b"".join(parts)


def test_padding_after_a_gzip_body_is_ignored() -> None:
    assert decompress_body(packed(gzip.compress(TEXT) + b"\0" * 512)) == TEXT


@eachcompression
def test_a_truncated_body_is_an_error_at_every_length(kind: str) -> None:
    encoding, pack = PACKERS[kind]
    body = pack(TEXT)
    for length in range(1, len(body)):
        with pytest.raises(BodyCorruptError):
            decompress_body(packed(body[:length], encoding))


def test_a_truncated_gzip_member_is_an_error() -> None:
    body = gzip.compress(TEXT)
    for length in range(2, len(body)):
        with pytest.raises(BodyCorruptError, match="truncated"):
            decompress_body(packed(body + body[:length]))


@eachcompression
@given(noise=st.binary(min_size=1, max_size=50))
@max_examples(50)
def test_a_damaged_body_is_bytes_or_a_transport_error(kind: str, noise: bytes) -> None:
    encoding, pack = PACKERS[kind]
    body = bytearray(pack(TEXT))
    body[len(body) // 2 : len(body) // 2 + len(noise)] = noise
    for damaged in (bytes(body), noise):
        with suppress(BodyCorruptError):
            assert decompress_body(packed(damaged, encoding), 100_000) is not None


def test_a_wrong_checksum_is_an_error() -> None:
    body = bytearray(gzip.compress(TEXT))
    body[-6] ^= 0xFF
    with pytest.raises(BodyCorruptError, match="corrupt"):
        decompress_body(packed(bytes(body)))


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, br", "compress"])
def test_an_unexpected_encoding_is_an_error_that_names_it(
    encoding: str,
) -> None:
    with pytest.raises(BodyCorruptError, match=encoding[-2:]) as caught:
        decompress_body(packed(b"x", encoding))
    assert caught.value.is_permanent


@eachcompression
def test_the_limit_is_exact(kind: str) -> None:
    encoding, pack = PACKERS[kind]
    body = pack(TEXT)
    assert decompress_body(packed(body, encoding), len(TEXT)) == TEXT
    with pytest.raises(BodyTooLargeError, match=r"more than 849 bytes") as caught:
        decompress_body(packed(body, encoding), len(TEXT) - 1)
    assert caught.value.is_permanent


def test_the_limit_holds_for_a_plain_body() -> None:
    assert decompress_body(Response(200, {}, TEXT), len(TEXT)) == TEXT
    with pytest.raises(BodyTooLargeError, match="max_body_bytes"):
        decompress_body(Response(200, {}, TEXT), len(TEXT) - 1)


def test_the_limit_holds_over_all_members() -> None:
    with pytest.raises(BodyTooLargeError):
        decompress_body(packed(gzip.compress(b"x" * 100) * 10), 999)


@pytest.mark.parametrize("layers", [1, 2])
def test_a_decompression_bomb_uses_no_more_memory_than_the_limit(layers: int) -> None:
    limit = 1_000_000
    bomb = b"\0" * 50_000_000
    for _ in range(layers):
        bomb = gzip.compress(bomb)
    encoding = ", ".join(["gzip"] * layers)
    tracemalloc.start()
    try:
        with pytest.raises(BodyTooLargeError):
            decompress_body(packed(bomb, encoding), limit)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * limit


def test_many_small_members_take_linear_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fed: list[int] = []
    feed = compression._feed

    def counted(unpacker: Any, window: bytes, most: int) -> bytes:
        fed.append(len(window))
        return feed(unpacker, window, most)

    monkeypatch.setattr(compression, "_feed", counted)
    for count in (1_000, 8_000):
        fed.clear()
        body = gzip.compress(b"x") * count
        assert decompress_body(packed(body), 1_000_000) == b"x" * count
        # A window of a few hundred bytes for each; copying the rest would be quadratic.
        assert sum(fed) < 600 * count


@eachcompression
@pytest.mark.parametrize("level", [1, 6, 9])
def test_output_that_remains_after_all_input_is_not_an_error(
    kind: str, level: int
) -> None:
    """The last bytes of a body may hold more output than one step returns."""
    encoding, wbits = {
        "gzip": ("gzip", 31), "x-gzip": ("x-gzip", 31),
        "zlib": ("deflate", 15), "bare deflate": ("deflate", -15),
    }[kind]  # fmt: skip
    for size in range(2**18 - 300, 2**18 + 300, 7):
        packer = zlib.compressobj(level, wbits=wbits)
        body = packer.compress(b"\0" * size) + packer.flush()
        assert len(decompress_body(packed(body, encoding))) == size


@pytest.mark.parametrize("flag", [0x20, 0x40, 0x80])
def test_a_gzip_body_with_reserved_flags_is_corrupt(flag: int) -> None:
    first, second = bytearray(gzip.compress(TEXT)), bytearray(gzip.compress(TEXT))
    second[3] |= flag
    for body in (second, first + second):
        with pytest.raises(BodyCorruptError, match="corrupt"):
            decompress_body(packed(bytes(body)))


def named(body: bytes) -> bytes:
    """A gzip body with the name of a file in its header."""
    file = BytesIO()
    with gzip.GzipFile("usage.json", "wb", fileobj=file, mtime=0) as member:
        member.write(body)
    return file.getvalue()


MEANT: Mapping[str, tuple[str, bytes]] = {
    "gzip": ("gzip", gzip.compress(TEXT)),
    "gzip of a file": ("gzip", named(TEXT)),
    "two members": ("gzip", gzip.compress(TEXT) + gzip.compress(b"more") + b"\0\0"),
    "zlib": ("deflate", zlib.compress(TEXT)),
    "bare deflate": ("deflate", bare(TEXT)),
}


def outcome(body: bytes, encoding: str, limit: int | None) -> bytes | str:
    """The decompressed body, or the text of the error."""
    try:
        return decompress_body(packed(body, encoding), limit)
    except TransportError as error:
        return f"{type(error).__name__}: {error}"


def by_zlib(body: bytes, encoding: str, limit: int | None) -> bytes | str:
    """The outcome without isal."""
    with patch.object(compression, "load_isal", lambda: None):
        return outcome(body, encoding, limit)


@pytest.mark.parametrize("kind", MEANT)
@given(data=st.data())
@max_examples(150)
def test_isal_and_zlib_agree_on_damaged_bodies(kind: str, data: Any) -> None:
    encoding, meant = MEANT[kind]
    body = bytearray(meant)
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    cut = bytes(body[: data.draw(st.none() | st.integers(0, len(body)))])
    limit = data.draw(st.none() | st.integers(0, 2_000))
    assert outcome(cut, encoding, limit) == by_zlib(cut, encoding, limit)


@pytest.mark.parametrize("kind", ["gzip", "gzip of a file", "zlib"])
def test_isal_and_zlib_agree_on_every_byte_of_a_header(kind: str) -> None:
    encoding, meant = MEANT[kind]
    for at in range(12):
        for value in range(256):
            body = meant[:at] + bytes([value]) + meant[at + 1 :]
            assert outcome(body, encoding, None) == by_zlib(body, encoding, None)


@given(noise=st.binary(max_size=200), encoding=st.sampled_from(["gzip", "deflate"]))
def test_isal_and_zlib_agree_on_random_bytes(noise: bytes, encoding: str) -> None:
    assert outcome(noise, encoding, 5_000) == by_zlib(noise, encoding, 5_000)


def test_isal_is_used_if_it_is_installed(
    request: pytest.FixtureRequest,
) -> None:
    body = gzip.compress(TEXT)
    with patch.object(zlib, "decompressobj", side_effect=AssertionError):
        if request.node.callspec.params["unpacker"] == "isal":
            assert decompress_body(packed(body)) == TEXT
        else:
            with pytest.raises(AssertionError):
                decompress_body(packed(body))


def test_isal_is_not_used_if_it_cannot_be_imported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert QUICK.__wrapped__() is not None
    monkeypatch.setitem(sys.modules, "isal.isal_zlib", None)
    assert QUICK.__wrapped__() is None
