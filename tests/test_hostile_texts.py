"""The work for a text of a server grows no faster than the text."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from itertools import product

import pytest

from nectar_async import RecordingError, Response, StatusError
from nectar_async._http.file_response import ContentRange
from nectar_async._http.redact import (
    UnescapedText,
    build_masker,
    build_redactor,
    redact_response,
)
from nectar_async._http.status import (
    extract_error_text,
    parse_retry_after,
    raise_for_status,
)
from nectar_async._json.cooperative import run_at_once
from nectar_async._json.damaged_json import repair_json
from nectar_async.recording.bodies import Json, Text
from nectar_async.recording.exchange import Question, RecordedAnswer
from nectar_async.recording.formats.imported_secrets import (
    find_header_secrets,
    find_url_secrets,
)
from nectar_async.recording.redaction.patterns import (
    find_token,
    is_email,
    is_signed_link,
    normalize_email,
)
from nectar_async.recording.redaction.redaction import Redaction

NOW = datetime(2026, 1, 1, tzinfo=UTC)
QUESTION = Question(operation="documents_get", method="GET", path="/x/1", owner="1")
PERSON = Json.of({"users": [{"name": "Jane Roe", "emailAddress": "jane@roe.example"}]})

PIECES = (
    *("\\", '\\"', "\\'", "\\\\u005c", "\\u0041", "\\x41", "\\/", '"', "'", '",', "',"),
    *("%", "%25", "%2525", "%40", "%3A%2F%2F", "&", "&#", "&amp;", "&quot;", "&#39;"),
    *("[", "{", "]", '{"a":', '"a":', '"token":[', '"token":"', '"token" ', "\\u0026"),
    *("%22token%22:%22", "&quot;token&quot;:&quot;", "'password':'", '\\"token\\":\\"'),
    *(
        "https:\\",
        "https:\\/\\/",
        "https://",
        "https%3A%2F%2Fa/",
        "http",
        "?sig=",
        "&a=",
    ),
    *("a@", "@", "a.", "a.1@", "-", "-eyJ", "eyJ.", "bearer ", "authorization:basic "),
    *("sk_", "whsec_", "-----BEGIN ", "A ", "x", "!", "1", "1,", "inf", "Mon, ", ";"),
    *(" ", "\n", "\t", "\0", "é", "<title", "<title>", '"msg":', '"msg":"', "Jane "),
    *("correct", "correct-hors", "corr%65ct-", "<a href='https://a.example/%20'>"),
)
# Behind the run, so that a search which nearly succeeded has to start again.
ENDS = ("", "a", "!", '":', "u0040")


def record(body: Text | Json) -> None:
    answers = (body, PERSON)
    pairs = [(QUESTION, RecordedAnswer(status=500, body=body)) for body in answers]
    with suppress(RecordingError):  # a text that looks like a token is not saved
        Redaction().apply(pairs)


def fail(text: str) -> None:
    response = Response(500, {"content-type": "text/plain"}, text.encode())
    with suppress(StatusError):
        raise_for_status(response, NOW)


READERS: Mapping[str, Callable[[str], object]] = {
    "masked values": build_masker(["correct-horse"]),
    "unescaped text": UnescapedText.from_text,
    "redacted error": build_redactor("documents_get", {"password": "correct-horse"}),
    "redacted body": lambda text: redact_response(
        Response(500, {"x-text": text}, text.encode()), build_redactor("usage_get")
    ),
    "status": fail,
    "message": lambda text: extract_error_text(text, "text/plain"),
    "message in JSON": lambda text: extract_error_text('{"msg": "' + text, ""),
    "retry-after": lambda text: parse_retry_after(
        Response(429, {"retry-after": text, "date": text}), NOW
    ),
    "content-range": lambda text: ContentRange.parse(
        Response(206, {"content-range": f"bytes {text}-{text}/{text}"})
    ),
    "recorded text": lambda text: record(Text(text)),
    "recorded JSON": lambda text: record(Json.of({"note": text, text: 1})),
    "damaged text": lambda text: run_at_once(repair_json(f'["{text}'.encode())),
    "damaged number": lambda text: run_at_once(repair_json(f"[1{text}".encode())),
    "token": lambda text: find_token(f"token=sig eyj bearer authorization api {text}"),
    "email": lambda text: (is_email(text), normalize_email(text)),
    "link": lambda text: is_signed_link(f"https://a/?{text}"),
    "imported headers": lambda text: [
        *find_header_secrets((("cookie", text), ("x-api-key", text))),
        *find_header_secrets((("authorization", f"Basic {text}"),)),
        *find_url_secrets(f"https://a/?key={text}&{text}"),
    ],
}


def measure(read: Callable[[str], object], text: str, enough: float) -> float:
    """The CPU seconds of one call; the best of three, or the first below `enough`."""
    best = float("inf")
    gc.disable()  # its time grows with the objects of all other tests
    try:
        for _ in range(3):
            started = time.thread_time()
            read(text)
            best = min(best, time.thread_time() - started)
            if best < enough:
                break
    finally:
        gc.enable()
    return best


def find_superlinear(read: Callable[[str], object], size: int) -> dict[str, float]:
    """The growths of work that are too large, where the text is four times as long."""
    growths = {}
    for piece, end in product(PIECES, ENDS):
        short, long = ((piece * count)[:count] + end for count in (size, 4 * size))
        seconds = measure(read, long, 5e-3)
        if seconds > 5e-3 and (growth := seconds / measure(read, short, 0)) > 9:
            growths[f"{piece!r} {end!r}"] = growth
    return growths


@pytest.mark.slow
@pytest.mark.parametrize("reader", READERS)
def test_work_is_linear_in_the_text(reader: str) -> None:
    assert find_superlinear(READERS[reader], 5_000) == {}


@pytest.mark.parametrize("is_json", [False, True])
def test_a_failed_attempt_reads_only_the_head_of_a_page(*, is_json: bool) -> None:
    page = "<p>See <a href='https://a.example/%20'>&nbsp;this</a></p>\n" * 20_000
    body = (json.dumps({"detail": page}) if is_json else page).encode()
    redact = build_redactor("documents_get", {"password": "correct-horse"})
    read: list[int] = []

    def count_and_redact(text: str) -> str:
        read.append(len(text))
        return redact(text)

    headers = {f"x-{number}": "x" * 1_000 for number in range(1_000)}
    response = redact_response(Response(500, headers, body), count_and_redact)

    assert sum(read) < 32_000
    assert len(response.body) < 8_192
    assert sum(map(len, response.headers.values())) < 20_000


def test_numbers_with_thousands_of_digits_are_no_range() -> None:
    digits = "9" * 5_000
    header = {"content-range": f"bytes 0-{digits}/{digits}"}
    assert ContentRange.parse(Response(206, header)) is None
