"""Odd entries of HAR files: passed over if foreign, and errors with their place if not.

A body that a tool did not keep is never read as an empty answer.
"""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Iterator
from typing import Any, Final

import pytest
from har_entries import API, entry, har

from nectar_async import RecordingError
from nectar_async.recording.bodies import Json, Text
from nectar_async.recording.formats.har_reader import read_har

FOREIGN: Final = "https://elsewhere.example/a?b=1"
TEXT: Final = '{"id":"7","name":"Amber 1"}'
MISSING: Final = object()
ODD: Final[tuple[Any, ...]] = (
    None,
    MISSING,
    True,
    -1,
    10**30,
    1.5,
    "x",
    "\ud83d",
    [],
    [None],
    [[1]],
    {},
    {"name": 1},
)


def make_entry(url: str) -> dict[str, Any]:
    """Build an entry that has every field which a reader looks at."""
    post = {"mimeType": "a/b", "text": "x", "params": [{"name": "a", "value": "b"}]}
    made = entry(url, {"id": "7"}, method="POST", post=post, _resourceType="xhr")
    made["request"]["queryString"] = [{"name": "b", "value": "1"}]
    made["request"]["cookies"] = [{"name": "b", "value": "1"}]
    made["response"]["cookies"] = [{"name": "b", "value": "1"}]
    made |= {"_fromCache": None, "connection": "1"}
    made["response"] |= {"_error": None, "_fetchType": "Network"}
    made["response"]["content"] |= {"encoding": "", "comment": "", "compression": 0}
    return made


def list_places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """List the places of all values in a JSON value, the value itself first."""
    yield place
    items: Any = value.items() if isinstance(value, dict) else ()
    items = enumerate(value) if isinstance(value, list) else items
    for key, inner in items:
        yield from list_places(inner, (*place, key))


def replace(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    """Copy a JSON value with the value of a place replaced or removed."""
    whole = [copy.deepcopy(value)]
    inner: Any = whole
    keys: tuple[Any, ...] = (0, *place)
    for key in keys[:-1]:
        inner = inner[key]
    if new is MISSING:
        del inner[keys[-1]]
    else:
        inner[keys[-1]] = new
    return whole


PLACES: Final = tuple(list_places(make_entry(FOREIGN)))


def describe(place: tuple[Any, ...]) -> str:
    return ".".join(map(str, place)) or "entry"


@pytest.mark.parametrize("place", PLACES, ids=describe)
def test_an_odd_entry_of_another_host_is_passed_over(place: tuple[Any, ...]) -> None:
    for odd in ODD:
        broken = replace(make_entry(FOREIGN), place, odd)
        result = read_har(har(entry("/team"), *broken, entry("/company")))
        assert result.imported == 2, odd


@pytest.mark.parametrize("place", PLACES, ids=describe)
def test_an_odd_entry_of_the_api_is_read_or_named_or_counted(
    place: tuple[Any, ...],
) -> None:
    for odd in ODD:
        broken = replace(make_entry(f"{API}/label?b=1"), place, odd)
        try:
            result = read_har(har(entry("/team"), *broken))
        except RecordingError as error:
            assert "$.log.entries[1] (" in error.message  # noqa: PT017
            continue
        assert result.imported + sum(result.skipped.values()) == 1 + len(broken)
        for exchange in result.recording.exchanges:
            assert exchange.answer.body is not None, odd


def test_a_missing_time_of_another_host_leaves_the_order_as_it_is() -> None:
    late = entry("/company", "late", at="2026-03-01T12:00:01Z")
    early = entry("/company", "early", at="2026-03-01T12:00:00Z")
    untimed = entry(FOREIGN, at="")
    exchanges = read_har(har(late, untimed, early)).recording.exchanges
    bodies = [exchange.answer.body for exchange in exchanges]
    assert bodies == [Json(b'"early"'), Json(b'"late"')]


JSON: Final = "application/json"


@pytest.mark.parametrize(
    ("content", "received", "body_size"),
    [
        ({"size": 28, "mimeType": JSON}, {}, -1),
        ({"size": -1, "mimeType": JSON}, {}, -1),
        ({"size": None, "mimeType": JSON}, {}, None),
        ({"size": -1, "mimeType": JSON, "text": ""}, {}, -1),
        ({"size": 28, "mimeType": JSON, "text": ""}, {}, -1),
        ({"size": 28, "text": "", "encoding": "base64"}, {}, -1),
        ({"size": 28, "_file": "0a1b.json"}, {}, -1),
        ({"size": 0, "_file": "0a1b.json"}, {}, -1),
        ({"size": 0, "comment": "Response bodies are not included."}, {}, -1),
        ({"size": 0, "text": "", "comment": "Body omitted"}, {}, -1),
        ({"size": 0}, {"Content-Length": "28"}, -1),
        ({"size": 0, "text": ""}, {"Content-Length": " 28 "}, -1),
        ({"size": 0, "text": ""}, {}, 28),
        ({"text": None}, {}, -1),
        ({}, {}, -1),
        (None, {}, -1),
        ({"size": 28, "text": TEXT[:9]}, {}, -1),
        ({"size": 9, "text": TEXT[:9]}, {"Content-Length": "28"}, -1),
        ({"size": 9, "text": TEXT[:9], "comment": "truncated"}, {}, -1),
        ({"size": 28, "text": "eyJpZCI6", "encoding": "base64"}, {}, -1),
        ({"size": 9, "text": TEXT[:9]}, {}, -1),
        ({"text": TEXT[:9]}, {"content-encoding": "br"}, -1),
        ({"size": 0, "mimeType": JSON}, {"content-encoding": "gzip"}, -1),
        ({"text": "Response bodies are not included."}, {}, -1),
    ],
    ids=[
        "chrome-evicted",
        "playwright-omit",
        "no-size",
        "empty-of-unknown-size",
        "empty-with-size",
        "empty-base64",
        "playwright-attach",
        "attached-without-size",
        "firefox",
        "comment",
        "length",
        "length-of-empty-text",
        "body-size",
        "null",
        "nothing",
        "no-content",
        "cut",
        "cut-by-length",
        "cut-by-comment",
        "cut-base64",
        "cut-with-size",
        "cut-br",
        "empty-gzip",
        "message",
    ],
)
def test_a_body_that_was_not_kept_is_an_error_that_names_the_entry(
    content: Any, received: dict[str, str], body_size: int | None
) -> None:
    broken = entry("/company?x=1", content={}, received=received)
    broken["response"] |= {"content": content, "bodySize": body_size}
    with pytest.raises(RecordingError, match=r"the body was (not saved|cut)") as caught:
        read_har(har(entry("/team"), broken))
    assert f"$.log.entries[1] (GET {API}/company)" in caught.value.message
    broken["request"]["url"] = FOREIGN
    assert read_har(har(entry("/team"), broken)).imported == 1


@pytest.mark.parametrize("status", [204, 205])
@pytest.mark.parametrize("content", [{}, {"size": -1}, {"size": -1, "text": ""}, None])
def test_an_answer_that_has_no_body_needs_none(status: int, content: Any) -> None:
    made = entry("/label/1", method="DELETE", status=status, content={})
    made["response"]["content"] = content
    (exchange,) = read_har(har(made)).recording.exchanges
    assert exchange.answer.body is None


@pytest.mark.parametrize(
    ("content", "body"),
    [
        ({"text": TEXT, "encoding": "base64"}, Json(TEXT.encode())),
        ({"text": "1234", "encoding": "base64"}, Json(b"1234")),
        ({"text": "true", "encoding": " Base64 "}, Json(b"true")),
        (
            {"text": base64.b64encode(TEXT.encode()).decode(), "encoding": "BASE64"},
            Json(TEXT.encode()),
        ),
        ({"text": "eyJpZCI6Ijci", "mimeType": "text/plain"}, Text("eyJpZCI6Ijci")),
        ({"text": "eyJpZCI6Ijci", "encoding": None}, Text("eyJpZCI6Ijci")),
        ({"size": 999, "text": TEXT}, Json(TEXT.encode())),
        ({"size": 4, "text": TEXT}, Json(TEXT.encode())),
        ({"size": 30, "text": "a\nb" * 9}, Text("a\nb" * 9)),
    ],
    ids=[
        "flagged-json",
        "flagged-number",
        "flagged-word",
        "base64",
        "unflagged",
        "unflagged-null",
        "larger-size",
        "smaller-size",
        "line-ends",
    ],
)
def test_a_text_is_decoded_only_as_it_is_flagged(
    content: dict[str, Any], body: Any
) -> None:
    made = entry("/company", content=content)
    made["response"]["headers"] = []
    (exchange,) = read_har(har(made)).recording.exchanges
    assert exchange.answer.body == body


def test_a_null_entry_is_passed_over() -> None:
    data = json.dumps({"log": {"entries": [None, entry("/team"), 1, []]}})
    assert read_har(data.encode()).imported == 1
