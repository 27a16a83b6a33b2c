"""Bodies, queries and files are read as different tools write them."""

from __future__ import annotations

import base64
import codecs
import gzip
import json
import zlib
from typing import Any

import pytest
from har_entries import API, COMPANY, entry, har

from nectar_async import RecordingError
from nectar_async.recording.bodies import FormData, FormPart, Json, Text, sha256_hex
from nectar_async.recording.exchange import Exchange
from nectar_async.recording.formats.har_reader import read_har


def only(data: bytes) -> Exchange:
    """Import the only exchange of a file."""
    (exchange,) = read_har(data).recording.exchanges
    return exchange


def body_of_only(**response: Any) -> Any:
    """Import a body and return it."""
    body = only(har(entry("/company", **response))).answer.body
    assert isinstance(body, Json)
    return body.value


VALUE = {"name": "Ü", "id": "7"}
TEXT = json.dumps(VALUE)


@pytest.mark.parametrize(
    ("received", "content"),
    [
        ({}, {"text": TEXT}),
        ({}, {"text": base64.b64encode(TEXT.encode()).decode(), "encoding": "base64"}),
        ({}, {"text": TEXT, "encoding": "utf-8", "size": None, "mimeType": None}),
        ({"content-encoding": "br"}, {"text": TEXT}),
        ({"Content-Encoding": "gzip"}, {"text": TEXT}),
        (
            {"Content-Encoding": "gzip"},
            {
                "text": base64.b64encode(gzip.compress(TEXT.encode())).decode(),
                "encoding": "base64",
            },
        ),
        (
            {"content-encoding": "deflate"},
            {
                "text": base64.b64encode(zlib.compress(TEXT.encode())).decode(),
                "encoding": "base64",
            },
        ),
    ],
    ids=["text", "base64", "named", "was-br", "was-gzip", "is-gzip", "is-deflate"],
)
def test_compressed_and_plain_bodies_are_equal(
    received: dict[str, str], content: dict[str, Any]
) -> None:
    assert body_of_only(received=received, content=content) == VALUE


@pytest.mark.parametrize(
    ("received", "content", "words"),
    [
        ({}, {"size": 120, "mimeType": "application/json"}, "the body was not saved"),
        ({}, {"text": "#", "encoding": "base64"}, "is not base64"),
        (
            {"content-encoding": "br"},
            {"text": base64.b64encode(b"\x8b\xff").decode(), "encoding": "base64"},
            "is compressed with 'br'",
        ),
        (
            {"content-encoding": "gzip"},
            {"text": base64.b64encode(b"\x1f\x8b\x08").decode(), "encoding": "base64"},
            "cannot be decompressed",
        ),
    ],
    ids=["not-saved", "no-base64", "br", "damaged"],
)
def test_a_body_that_cannot_be_read_matters_only_where_it_belongs(
    received: dict[str, str], content: dict[str, Any], words: str
) -> None:
    whole = entry("/team")
    broken = entry("/company?x=1", received=received, content=content)
    with pytest.raises(RecordingError, match=words) as caught:
        read_har(har(whole, broken))
    assert f"$.log.entries[1] (GET {API}/company)" in caught.value.message
    broken["request"]["url"] = "https://elsewhere.example/"
    assert read_har(har(whole, broken)).imported == 1


def test_an_answer_without_a_body_has_none() -> None:
    for content in ({"size": 0, "mimeType": "x-unknown"}, {"size": 0, "text": ""}):
        assert only(har(entry("/team", content=content))).answer.body is None
    empty = entry("/team", received={"content-length": "0"}, content={"size": -1})
    assert only(har(empty)).answer.body is None
    gone = entry(f"/company/{COMPANY}", method="DELETE", status=204, content={})
    del gone["response"]["content"]
    assert only(har(gone)).answer.body is None


def test_only_relevant_headers_are_imported() -> None:
    har_entry = entry(
        "/company",
        status=429,
        received={
            "Retry-After": "Sun, 01 Mar 2026 12:00:30 GMT",
            "Date": "Sun, 01 Mar 2026 12:00:10 GMT",
            "Server": "cloudflare",
        },
    )
    headers = only(har(har_entry)).answer.headers
    assert headers == {"content-type": "application/json", "retry-after": "20"}
    del har_entry["response"]["headers"]
    assert only(har(har_entry)).answer.headers == {"content-type": "application/json"}


FORM = "multipart/form-data; boundary=b"
PDF = FormPart(
    name="file",
    file="a.pdf",
    type="application/pdf",
    sha256=sha256_hex(b"%PDF"),
    size=4,
)


@pytest.mark.parametrize(
    ("post", "body"),
    [
        ({"mimeType": "application/json", "text": '{"a":1}'}, Json(b'{"a":1}')),
        ({"mimeType": None, "text": '{"a":1}', "params": []}, Json(b'{"a":1}')),
        (
            {"params": [{"name": "a b", "value": "ü"}, {"name": "c", "value": 1}]},
            Text("a+b=%C3%BC&c=1"),
        ),
        (
            {"mimeType": FORM, "params": [{"name": "a", "value": "1"}]},
            FormData((FormPart(name="a", text="1"),)),
        ),
        (
            {
                "mimeType": FORM,
                "params": [
                    {
                        "name": "file",
                        "value": "%PDF",
                        "fileName": "a.pdf",
                        "contentType": "application/pdf",
                    }
                ],
            },
            FormData((PDF,)),
        ),
        (
            {
                "mimeType": FORM,
                "text": '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
                "--b--\r\n",
            },
            FormData((FormPart(name="a", text="1"),)),
        ),
        ({"mimeType": ""}, None),
    ],
    ids=["json", "untyped", "by-field", "form-by-field", "file", "form", "empty"],
)
def test_a_form_is_read_from_text_or_fields(post: dict[str, Any], body: Any) -> None:
    har_entry = entry("/label", method="POST", post=post)
    assert only(har(har_entry)).question.body == body


def test_a_query_in_a_separate_field_is_read() -> None:
    har_entry = entry("/label")
    har_entry["request"]["queryString"] = [{"name": "b c", "value": "1&2"}]
    assert only(har(har_entry)).question.query == (("b c", "1&2"),)
    har_entry["request"]["url"] += "?a=1#top"
    assert only(har(har_entry)).question.query == (("a", "1"),)


@pytest.mark.parametrize(
    "data",
    [
        codecs.BOM_UTF8 + har(entry("/team", "ü")),
        codecs.BOM_UTF16_LE + har(entry("/team", "ü")).decode().encode("utf-16-le"),
        har(entry("/team", "ü"), entry("https://a.example/", "\ud83d")),
        har(entry("/team", "ü"), entry("https://a.example/", _x=float("nan"))),
        har(entry("/team", "ü")).replace(b'"200"', b"200"),
    ],
    ids=["utf-8-mark", "utf-16-mark", "half-character", "nan", "number"],
)
def test_files_are_read_as_tools_write_them(data: bytes) -> None:
    assert only(data).answer.body == Json('"ü"'.encode())


def without(*path: Any) -> bytes:
    """Build a file without one of its keys."""
    value = json.loads(har(entry("/team"), entry("/company")))
    inner = value
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not HAR: invalid JSON"),
        (b"<html>", "not HAR: invalid JSON: .* line 1, column 1"),
        (har(entry("/team"))[:-9], "not HAR: invalid JSON"),
        (b"[]", r"not HAR: Expected `object`"),
        (b'{"log":{"x":' + b"[" * 100_000, "nested too deeply"),
        (without("log", "entries"), r"`entries` - at `\$\.log`"),
        (
            without("log", "entries", 0, "response", "status"),
            r"entries\[0\] .*response",
        ),
    ],
    ids=["empty", "html", "cut", "list", "deep", "entries", "status"],
)
def test_an_invalid_har_is_refused_with_the_place(data: bytes, words: str) -> None:
    with pytest.raises(RecordingError, match=words):
        read_har(data)
