"""An answer is unpacked within bounds, and its status becomes an error."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from nectar_async import _packing, errors
from nectar_async._response import Response
from nectar_async.errors import (
    BodyCorruptError,
    BodyTooLargeError,
    RateLimitedError,
    RedirectedError,
    StatusError,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TEXT = b'{"usageData": []}' * 50


def bare(body: bytes) -> bytes:
    """A deflate stream without zlib's wrapping, as some servers send it."""
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


PACKERS: Mapping[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("x-gzip", gzip.compress),
    "zlib": ("deflate", zlib.compress),
    "bare deflate": ("deflate", bare),
}
each_packing = pytest.mark.parametrize("kind", PACKERS)


def packed(body: bytes, encoding: str = "gzip") -> Response:
    return Response(200, {"Content-Encoding": encoding}, body)


def failure(
    status: int, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> StatusError:
    with pytest.raises(StatusError) as caught:
        Response(status, headers or {}, body).check(NOW)
    return caught.value


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "a", "X-B": "c"},
        {"CONTENT-TYPE": "a", "x-b": "c"},
        [("content-type", "a"), ("X-b", "c")],
        (("Content-type", "a"), ("x-B", "c")),
        iter([("Content-Type", "a"), ("X-B", "c")]),
    ],
)
def test_headers_come_in_any_form_and_case(headers: Any) -> None:
    assert Response(200, headers).headers == {"content-type": "a", "x-b": "c"}


def test_a_header_that_comes_twice_is_joined() -> None:
    response = Response(200, [("Via", "a"), ("via", "b")])
    assert response.headers == {"via": "a, b"}


def test_no_repr_shows_headers_or_the_body() -> None:
    response = Response(200, {"Set-Cookie": "canary"}, b"canary")
    assert "canary" not in repr(response)


@each_packing
@given(body=st.binary(max_size=2_000))
def test_what_was_packed_comes_back(kind: str, body: bytes) -> None:
    encoding, pack = PACKERS[kind]
    assert packed(pack(body), encoding).inflated() == body
    assert packed(pack(body), encoding.upper()).inflated(10_000) == body


@pytest.mark.parametrize("encoding", ["", "identity", " Identity "])
def test_what_is_not_packed_is_left_alone(encoding: str) -> None:
    assert packed(TEXT, encoding).inflated() == TEXT
    assert Response(200, {}, TEXT).inflated() == TEXT


def test_several_encodings_are_undone_last_first() -> None:
    body = gzip.compress(zlib.compress(TEXT))
    assert packed(body, "deflate, gzip").inflated() == TEXT


def test_an_empty_body_is_empty_however_it_is_said_to_be_packed() -> None:
    assert packed(b"").inflated() == b""


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=5))
def test_members_of_a_gzip_follow_one_another(parts: list[bytes]) -> None:
    body = b"".join(map(gzip.compress, parts))
    assert packed(body).inflated() == b"".join(parts)


def test_padding_behind_a_gzip_is_not_read() -> None:
    assert packed(gzip.compress(TEXT) + b"\0" * 512).inflated() == TEXT


@each_packing
def test_what_broke_off_is_an_error_at_every_length(kind: str) -> None:
    encoding, pack = PACKERS[kind]
    body = pack(TEXT)
    for length in range(1, len(body)):
        with pytest.raises(BodyCorruptError):
            packed(body[:length], encoding).inflated()


def test_a_member_that_broke_off_is_an_error() -> None:
    body = gzip.compress(TEXT)
    for length in range(2, len(body)):
        with pytest.raises(BodyCorruptError, match="broke off"):
            packed(body + body[:length]).inflated()


@each_packing
@given(noise=st.binary(min_size=1, max_size=50))
@settings(max_examples=50)
def test_rubbish_is_an_error_or_bytes_and_nothing_else(kind: str, noise: bytes) -> None:
    encoding, pack = PACKERS[kind]
    body = bytearray(pack(TEXT))
    body[len(body) // 2 : len(body) // 2 + len(noise)] = noise
    for damaged in (bytes(body), noise):
        with suppress(BodyCorruptError):
            assert packed(damaged, encoding).inflated(100_000) is not None


def test_damage_is_an_error() -> None:
    body = bytearray(gzip.compress(TEXT))
    body[-6] ^= 0xFF
    with pytest.raises(BodyCorruptError, match="damaged"):
        packed(bytes(body)).inflated()


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, br", "compress"])
def test_an_encoding_that_nobody_asked_for_is_an_error_that_names_it(
    encoding: str,
) -> None:
    with pytest.raises(BodyCorruptError, match=encoding[-2:]) as caught:
        packed(b"x", encoding).inflated()
    assert caught.value.is_permanent


@each_packing
def test_the_limit_is_exact(kind: str) -> None:
    encoding, pack = PACKERS[kind]
    body = pack(TEXT)
    assert packed(body, encoding).inflated(len(TEXT)) == TEXT
    with pytest.raises(BodyTooLargeError, match=r"more than 849 bytes") as caught:
        packed(body, encoding).inflated(len(TEXT) - 1)
    assert caught.value.is_permanent


def test_the_limit_holds_for_what_is_not_packed() -> None:
    assert Response(200, {}, TEXT).inflated(len(TEXT)) == TEXT
    with pytest.raises(BodyTooLargeError, match="max_body_bytes"):
        Response(200, {}, TEXT).inflated(len(TEXT) - 1)


def test_the_limit_holds_over_all_members() -> None:
    with pytest.raises(BodyTooLargeError):
        packed(gzip.compress(b"x" * 100) * 10).inflated(999)


@pytest.mark.parametrize("layers", [1, 2])
def test_a_bomb_costs_no_more_memory_than_the_limit(layers: int) -> None:
    limit = 1_000_000
    bomb = b"\0" * 50_000_000
    for _ in range(layers):
        bomb = gzip.compress(bomb)
    encoding = ", ".join(["gzip"] * layers)
    tracemalloc.start()
    try:
        with pytest.raises(BodyTooLargeError):
            packed(bomb, encoding).inflated(limit)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * limit


def test_many_small_members_take_no_longer_than_their_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fed: list[int] = []
    feed = _packing._feed

    def counted(unpacker: Any, window: bytes, most: int) -> bytes:
        fed.append(len(window))
        return feed(unpacker, window, most)

    monkeypatch.setattr(_packing, "_feed", counted)
    for count in (1_000, 8_000):
        fed.clear()
        body = gzip.compress(b"x") * count
        assert packed(body).inflated(1_000_000) == b"x" * count
        # A window of a few hundred bytes for each; copying the rest would be quadratic.
        assert sum(fed) < 600 * count


def expected_error(status: int) -> type[StatusError]:
    """The table of the README's error tree, written a second time."""
    named = {
        400: "BadRequest", 401: "Authentication", 403: "PermissionDenied",
        404: "NotFound", 409: "Conflict", 422: "Unprocessable", 429: "RateLimited",
        502: "ServerTimeout", 503: "Maintenance", 504: "ServerTimeout",
    }  # fmt: skip
    family = {3: "Redirected", 5: "Server"}.get(status // 100, "Status")
    kind: type[StatusError] = getattr(errors, f"{named.get(status, family)}Error")
    return kind


@given(st.integers(100, 599))
def test_every_status_has_its_error_and_only_2xx_has_none(status: int) -> None:
    response = Response(status, {}, b"")
    if 200 <= status < 300:
        response.check(NOW)
        return
    error = failure(status)
    assert type(error) is expected_error(status)
    assert error.status == status
    assert str(error).startswith(f"{status} ")
    assert (error.detail, error.body, error.retry_after) == (None, "", None)


@pytest.mark.parametrize("status", [0, -1, 99, 600, 999, 1000])
def test_a_status_outside_http_is_a_plain_status_error(status: int) -> None:
    assert type(failure(status)) is StatusError


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b'{"detail": "no such site."}', "no such site."),
        (b'{"name": ["too short", "taken"]}', "name: too short taken"),
        (b'{"name": ["taken"], "address": "missing"}', "name: taken; address: missing"),
        (b'{"code": 5}', None),
        (b"[]", None),
        (b'"words"', "words"),
        (b'["wrong", "twice"]', "wrong twice"),
        (b'{"message": "no such site"}', "no such site"),
        (b'{"error": {"message": "no such site", "code": 7}}', "no such site"),
        (b'{"error": "invalid", "hint": "ask"}', "invalid; hint: ask"),
        (b'{"errors": ["late", "short"]}', "late short"),
        (b'{"errors": [{"field": "name", "message": "taken"}]}', "name: taken"),
        (
            b'{"message": "invalid", "errors": {"name": ["taken"]}}',
            "invalid; name: taken",
        ),
        (
            b'{"detail": {"name": ["taken"], "sites": {"0": "odd"}}}',
            "name: taken; sites: 0: odd",
        ),
        (b'{"detail": [], "name": "taken"}', "name: taken"),
        (b'{"detail": ' + b"[" * 500 + b'"deep"' + b"]" * 500 + b"}", None),
        (b"<html><h1>502</h1></html>", None),
        (b"plain", None),
        (b"", None),
        (b"{", None),
        (b"\xff\xfe", None),
        (b"[" * 50_000, None),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_the_servers_words_are_taken_from_where_they_stand(
    body: bytes, detail: str | None
) -> None:
    error = failure(404, body)
    assert error.detail == detail
    assert (detail or "404 Not Found").rstrip(".") in str(error)
    assert error.body == body.decode("utf-8", "replace")[:2_000]


@pytest.mark.parametrize(
    ("body", "content_type", "detail"),
    [
        (b"try\n  later ", "text/plain; charset=utf-8", "try later"),
        (b"try later", "Text/Plain", "try later"),
        (b"try later", "application/octet-stream", None),
        (b"x" * 9_000, "text/plain", "x" * 500),
        (b"<h1>late</h1>", "text/plain", None),
        (b"<title>Sign&nbsp;in &amp;\n wait</title>", "text/html", "Sign in & wait"),
        (b"<TITLE lang='en'> late </TITLE>", "", "late"),
        (b"<title>502 Bad Gateway</title><h1>nginx</h1>", "text/html", None),
        (b"<title></title>", "text/html", None),
        (b"<title" + b" " * 60_000, "text/html", None),
    ],
    ids=["plain", "case", "unknown", "long", "markup", "html", "attribute",
         "status-again", "no-title", "spaces"],
)  # fmt: skip
def test_words_outside_json_are_taken_when_they_are_few(
    body: bytes, content_type: str, detail: str | None
) -> None:
    assert failure(404, body, {"Content-Type": content_type}).detail == detail


def test_detail_that_is_a_structure_is_told_without_pythons_quotes() -> None:
    body = b'{"detail": [{"loc": ["body", "usage"], "msg": "not a decimal"}]}'
    error = failure(422, body)
    assert error.detail is not None
    assert "not a decimal" in error.detail
    assert "{'" not in error.detail


def test_advice_stands_behind_the_servers_words() -> None:
    assert str(failure(401, b'{"detail": "Invalid key."}')) == (
        "401 Unauthorized: Invalid key (the key was refused; check NECTAR_API_KEY)"
    )
    assert "10 seconds" in str(failure(502, b"<html>"))
    assert "does not exist" in str(failure(403))


@pytest.mark.parametrize("packing", [None, "gzip"])
@pytest.mark.parametrize("size", [3_000, 60_000, 70_000, 1_000_000])
def test_the_head_of_a_long_body_is_kept(size: int, packing: str | None) -> None:
    body = b"<html>" + b"x" * size
    headers = {"Content-Encoding": packing} if packing else {}
    error = failure(500, gzip.compress(body) if packing else body, headers)
    assert len(error.body) == 2_000
    assert error.body.startswith("<html>xxx")


def test_a_long_detail_is_cut() -> None:
    error = failure(400, json.dumps({"detail": "x" * 5_000}).encode())
    assert error.detail == "x" * 2_000
    assert len(str(error)) < 2_100


def test_a_packed_error_is_unpacked() -> None:
    body = gzip.compress(b'{"detail": "taken"}')
    assert failure(409, body, {"Content-Encoding": "gzip"}).detail == "taken"


def test_an_error_whose_body_is_damaged_is_still_that_error() -> None:
    error = failure(404, b"\x1f\x8brubbish", {"Content-Encoding": "gzip"})
    assert (type(error).__name__, error.body) == ("NotFoundError", "")
    assert error.__context__ is None


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("https://user:canary@evil.example/canary?canary=1", "https://evil.example"),
        ("/elsewhere?canary", None),
        ("http://[::1", None),
        ("", None),
    ],
)
def test_a_redirect_names_the_host_and_nothing_else(
    location: str, host: str | None
) -> None:
    error = failure(302, b"", {"Location": location})
    assert isinstance(error, RedirectedError)
    assert (host or "redirects are not followed") in str(error)
    assert "canary" not in str(error)


def dated(seconds: float) -> str:
    return format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5", 5.0),
        (" 1.5 ", 1.5),
        ("0", 0.0),
        ("-3", 0.0),
        ("inf", float("inf")),
        ("-inf", 0.0),
        ("nan", None),
        ("", None),
        ("soon", None),
        ("5, 6", None),
        (dated(90), 90.0),
        (dated(-90), 0.0),
        ("Thu, 01 Jan 2026 00:01:00 -0000", 60.0),
        ("Thu, 01 Jan 2026 01:01:00 +0100", 60.0),
        ("Thu, 99 Foo 2026 99:99:99 GMT", None),
        ("Thu, 01 Jan 2026 00:01:00 +9999", None),
        ("01 Jan 10000000000 00:00:00 GMT", None),
    ],
)
def test_a_wait_is_seconds_or_a_date_or_nothing(
    text: str, seconds: float | None
) -> None:
    assert Response(429, {"Retry-After": text}).retry_after(NOW) == seconds


@pytest.mark.parametrize("text", ["1_000", "٣", "0x10"])
def test_a_wait_is_written_as_http_writes_numbers(text: str) -> None:
    assert Response(429, {"Retry-After": text}).retry_after(NOW) is None


def test_a_date_is_counted_from_the_servers_own_clock() -> None:
    headers = {"Retry-After": dated(3_690), "Date": dated(3_600)}
    assert Response(429, headers).retry_after(NOW) == 90.0


@pytest.mark.parametrize("date", ["rubbish", "", "Thu, 99 Foo 2026 99:99:99 GMT"])
def test_a_date_header_that_is_none_does_not_count(date: str) -> None:
    headers = {"Retry-After": dated(90), "Date": date}
    assert Response(429, headers).retry_after(NOW) == 90.0


def test_no_header_is_no_wait() -> None:
    assert Response(429).retry_after(NOW) is None


@given(st.text(st.characters(codec="latin-1"), max_size=40))
def test_no_text_breaks_it(text: str) -> None:
    seconds = Response(429, {"Retry-After": text, "Date": text}).retry_after(NOW)
    assert seconds is None or seconds >= 0


def test_the_error_carries_the_wait() -> None:
    error = failure(429, b"", {"retry-after": "7"})
    assert isinstance(error, RateLimitedError)
    assert error.retry_after == 7.0


def test_not_modified_is_no_redirect() -> None:
    with pytest.raises(RedirectedError) as caught:
        Response(304).check(NOW)
    assert "redirects" not in str(caught.value)
