"""Odd JSON in one entry does not refuse the whole file."""

from __future__ import annotations

import codecs
import json
from typing import Any, Final

import pytest
from har_entries import entry, har

from nectar_async import RecordingError
from nectar_async.recording.bodies import Json
from nectar_async.recording.formats.cassette import read_cassette
from nectar_async.recording.formats.har_reader import read_har

API: Final = "https://external.nectarclimate.com/v2.2/team"
OTHER: Final = "https://elsewhere.example/"
ODD: Final = {
    "NaN": b"NaN",
    "-Infinity": b"-Infinity",
    "half a pair": rb'"\ud83d"',
    "an integer of 5,000 digits": b"1" * 5_000,
    "a number beyond all bounds": b"1e999",
    "a number with a long exponent": b"1e" + b"9" * 30,
    "an invalid byte": b'"\xff"',
    "a control character": b'"\x01"',
    "an unknown escape": rb'"\x"',
    "a deep list": b"[" * 3_000 + b"]" * 3_000,
    "a deep object": b'{"a":' * 3_000 + b"1" + b"}" * 3_000,
    "half a pair as a key": rb'{"\ud83d": 1}',
}
each_odd = pytest.mark.parametrize("value", ODD.values(), ids=ODD)


def interaction(url: str) -> dict[str, Any]:
    return {
        "request": {"method": "GET", "uri": url, "body": "ODD", "headers": {}},
        "response": {
            "status": {"code": 200},
            "headers": {"Content-Type": ["application/json"]},
            "body": {"string": '{"name": "Ü"}'},
        },
    }


def cassette(*interactions: dict[str, Any]) -> bytes:
    text = json.dumps({"version": 1, "interactions": interactions}, ensure_ascii=False)
    return text.encode()


def put(data: bytes, value: bytes, number: int = 1) -> bytes:
    """Replace one of the marks in a file, and the other marks by null."""
    before, *others = data.split(b'"ODD"')
    marks = [value if index == number else b"null" for index in range(len(others))]
    return before + b"".join(m + part for m, part in zip(marks, others, strict=True))


@each_odd
def test_a_cassette_is_read_whatever_is_odd_in_another_host(value: bytes) -> None:
    data = cassette(interaction(API), interaction(OTHER), interaction(API))
    result = read_cassette(put(data, value))
    assert (result.imported, result.skipped) == (2, {"not Nectar's": 1})
    first = result.recording.exchanges[0]
    assert first.answer.body == Json('{"name":"Ü"}'.encode())


@each_odd
@pytest.mark.parametrize("place", ["url", "method", "status", "_more"])
def test_a_har_file_is_read_whatever_is_odd_in_another_host(
    value: bytes, place: str
) -> None:
    other = entry(OTHER, {"id": 1})
    part = {"_more": other, "status": other["response"]}.get(place, other["request"])
    part[place] = "ODD"
    data = har(entry("/team", "Ü"), other, entry("/company"))
    result = read_har(put(data, value, 0))
    assert (result.imported, result.skipped) == (2, {"not Nectar's": 1})


@each_odd
def test_an_odd_value_of_the_api_is_read_or_an_error_that_names_the_entry(
    value: bytes,
) -> None:
    data = cassette(interaction(API), interaction(API))
    try:
        assert read_cassette(put(data, value)).imported == 2
    except RecordingError as error:
        assert "$.interactions[1] (" in error.message  # noqa: PT017


def test_an_odd_status_of_the_api_is_an_error_that_names_the_entry() -> None:
    broken = interaction(API)
    broken["response"]["status"]["code"] = "ODD"
    data = put(cassette(interaction(API), broken), b"NaN")
    with pytest.raises(RecordingError, match=r"\$\.interactions\[1\] \("):
        read_cassette(data)


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ],
)
def test_a_cassette_may_begin_with_a_byte_order_mark(
    mark: bytes, encoding: str
) -> None:
    data = mark + put(cassette(interaction(API)), b"null", 0).decode().encode(encoding)
    (exchange,) = read_cassette(data).recording.exchanges
    assert exchange.answer.body == Json('{"name":"Ü"}'.encode())


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'{"a": 1,}', "invalid JSON: .* in line 1, column "),
        (b'{"a": NaN\n b}', "invalid JSON: .* in line 2, column 2"),
        (b'{"a": "x', "invalid JSON: "),
        (b'{"a":' + b"[" * 100_000, "its JSON is nested too deeply"),
    ],
)
def test_a_file_that_is_no_json_is_refused_with_the_place(
    data: bytes, words: str
) -> None:
    for read, name in ((read_cassette, "a cassette"), (read_har, "HAR")):
        with pytest.raises(RecordingError, match=f"the file is not {name}: {words}"):
            read(data)
