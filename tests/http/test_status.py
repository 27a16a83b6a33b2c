"""The status of an answer becomes an error, with its message and its wait."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given, strategies as st

from nectar_async import errors
from nectar_async._http.response import Response
from nectar_async._http.status import (
    _ERRORS,
    _FAMILIES,
    parse_retry_after,
    raise_for_status,
)
from nectar_async.errors import (
    RateLimitedError,
    RedirectedError,
    StatusError,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def failure(
    status: int, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> StatusError:
    with pytest.raises(StatusError) as caught:
        raise_for_status(Response(status, headers or {}, body), NOW)
    return caught.value


def expected_error(status: int) -> type[StatusError]:
    """The error of a status by the table of the README."""
    named = {
        400: "BadRequest", 401: "Authentication", 403: "PermissionDenied",
        404: "NotFound", 409: "Conflict", 422: "Unprocessable", 429: "RateLimited",
        502: "ServerTimeout", 503: "Maintenance", 504: "ServerTimeout",
        524: "ServerTimeout",
    }  # fmt: skip
    family = {3: "Redirected", 5: "Server"}.get(status // 100, "Status")
    kind: type[StatusError] = getattr(errors, f"{named.get(status, family)}Error")
    return kind


STATUS_ERRORS = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, StatusError)
}


@pytest.mark.parametrize("name", STATUS_ERRORS)
def test_every_error_of_a_status_is_in_the_table(name: str) -> None:
    kinds = {StatusError, *_FAMILIES.values(), *_ERRORS.values()}
    assert STATUS_ERRORS[name] in kinds, (
        f"{name} is never raised: add its status to _ERRORS in _http/status.py"
    )


@given(st.integers(100, 599))
def test_every_status_but_2xx_has_its_error(status: int) -> None:
    response = Response(status, {}, b"")
    if 200 <= status < 300:
        raise_for_status(response, NOW)
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
def test_the_message_is_found_in_the_json_of_every_framework(
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
def test_a_short_message_outside_json_is_found(
    body: bytes, content_type: str, detail: str | None
) -> None:
    assert failure(404, body, {"Content-Type": content_type}).detail == detail


def test_a_structured_message_has_no_python_quotes() -> None:
    body = b'{"detail": [{"loc": ["body", "usage"], "msg": "not a decimal"}]}'
    error = failure(422, body)
    assert error.detail is not None
    assert "not a decimal" in error.detail
    assert "{'" not in error.detail


def test_advice_follows_the_message_of_the_server() -> None:
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


def test_a_compressed_error_is_decompressed() -> None:
    body = gzip.compress(b'{"detail": "taken"}')
    assert failure(409, body, {"Content-Encoding": "gzip"}).detail == "taken"


def test_an_error_with_a_corrupt_body_is_still_that_error() -> None:
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
def test_a_retry_after_is_seconds_or_a_date_or_not_valid(
    text: str, seconds: float | None
) -> None:
    assert parse_retry_after(Response(429, {"Retry-After": text}), NOW) == seconds


@pytest.mark.parametrize("text", ["1_000", "٣", "0x10"])
def test_a_retry_after_has_ascii_digits(text: str) -> None:
    assert parse_retry_after(Response(429, {"Retry-After": text}), NOW) is None


def test_a_date_is_compared_to_the_clock_of_the_server() -> None:
    headers = {"Retry-After": dated(3_690), "Date": dated(3_600)}
    assert parse_retry_after(Response(429, headers), NOW) == 90.0


@pytest.mark.parametrize("date", ["rubbish", "", "Thu, 99 Foo 2026 99:99:99 GMT"])
def test_a_date_header_that_is_not_valid_is_ignored(date: str) -> None:
    headers = {"Retry-After": dated(90), "Date": date}
    assert parse_retry_after(Response(429, headers), NOW) == 90.0


def test_without_the_header_there_is_no_wait() -> None:
    assert parse_retry_after(Response(429), NOW) is None


@given(st.text(st.characters(codec="latin-1"), max_size=40))
def test_no_text_of_the_headers_raises(text: str) -> None:
    seconds = parse_retry_after(Response(429, {"Retry-After": text, "Date": text}), NOW)
    assert seconds is None or seconds >= 0


def test_the_error_carries_the_wait() -> None:
    error = failure(429, b"", {"retry-after": "7"})
    assert isinstance(error, RateLimitedError)
    assert error.retry_after == 7.0


def test_the_error_of_not_modified_mentions_no_redirect() -> None:
    with pytest.raises(RedirectedError) as caught:
        raise_for_status(Response(304), NOW)
    assert "redirects" not in str(caught.value)
