"""A body that a file lacks or has in part is an error that names the entry."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any, Final

import pytest
import yaml
from har_entries import entry, har

from nectar_async import RecordingError
from nectar_async.recording.bodies import Blob, FormData, Json, Text
from nectar_async.recording.exchange import Exchange
from nectar_async.recording.formats.cassette import read_cassette
from nectar_async.recording.formats.har_reader import read_har

API: Final = "https://external.nectarclimate.com/v2.2"
OTHER: Final = "https://elsewhere.example/"
JSON: Final = "application/json"
VALUE: Final = b'{"id":"7","name":"Amber 1"}'
PAGE: Final = b"<html>\nAmber\n</html>\n"
PDF: Final = b"%PDF-1.7 \xff\x00 amber"
LENGTH: Final = str(len(VALUE))


def interaction(
    body: Any, url: str = f"{API}/team", *, status: int = 200, **headers: str
) -> dict[str, Any]:
    """Build an interaction of vcrpy; `_` in the names of headers becomes a dash."""
    fields = {"content-type": JSON} | {
        name.replace("_", "-"): text for name, text in headers.items()
    }
    response = {
        "status": {"code": status},
        "headers": {name: [text] for name, text in fields.items()},
    }
    if body is not MISSING:
        response["body"] = body
    return {"request": {"method": "GET", "uri": url}, "response": response}


MISSING: Final = object()


def cassette(*interactions: dict[str, Any]) -> bytes:
    return yaml.dump({"interactions": list(interactions), "version": 1}).encode()


def only(data: bytes) -> Exchange:
    (exchange,) = read_cassette(data).recording.exchanges
    return exchange


INCOMPLETE: Final[dict[str, tuple[Any, dict[str, Any], str]]] = {
    "null": (None, {}, "not saved"),
    "absent": (MISSING, {}, "not saved"),
    "an empty object": ({}, {}, "not saved"),
    "a null text": ({"string": None}, {}, "not saved"),
    "null with an error": (None, {"status": 500}, "not saved"),
    "an empty text": ({"string": ""}, {"content_length": LENGTH}, "not saved"),
    "empty bytes": ({"string": b""}, {"content_length": LENGTH}, "not saved"),
    "empty base64": ({"base64_string": ""}, {"content_length": LENGTH}, "not saved"),
    "an empty text, compressed": (
        {"string": ""},
        {"content_length": "44", "content_encoding": "gzip"},
        "not saved",
    ),
    "half of a text": (
        {"string": VALUE[:9].decode()},
        {"content_length": LENGTH},
        "was cut",
    ),
    "half of a text without a length": ({"string": VALUE[:9].decode()}, {}, "was cut"),
    "half of a decompressed text": (
        {"string": VALUE[:9].decode()},
        {"content_length": "44", "content_encoding": "gzip"},
        "was cut",
    ),
    "half of a page": (
        {"string": PAGE[:-7].decode()},
        {"content_length": f"{len(PAGE)}", "content_type": "text/html"},
        "was cut",
    ),
    "half of a file": (
        {"string": PDF[:-1]},
        {"content_length": f"{len(PDF)}", "content_type": "application/pdf"},
        "was cut",
    ),
    "half of a compressed body": (
        {"string": gzip.compress(VALUE)[:-9]},
        {"content_length": f"{len(gzip.compress(VALUE))}", "content_encoding": "gzip"},
        "cannot be decompressed: the compressed answer is truncated",
    ),
}


@pytest.mark.parametrize(
    ("body", "facts", "words"), INCOMPLETE.values(), ids=INCOMPLETE
)
def test_an_incomplete_answer_in_a_cassette_matters_only_if_it_belongs_to_nectar(
    body: Any, facts: dict[str, Any], words: str
) -> None:
    whole = interaction({"string": VALUE})
    broken = interaction(body, f"{API}/company", **facts)
    with pytest.raises(RecordingError, match=words) as caught:
        read_cassette(cassette(whole, broken))
    assert f"$.interactions[1] (GET {API}/company)" in caught.value.message
    assert "Amber" not in caught.value.message
    foreign = interaction(body, OTHER, **facts)
    assert read_cassette(cassette(whole, foreign)).imported == 1


COMPLETE: Final[dict[str, tuple[Any, dict[str, Any], Any]]] = {
    "a text": ({"string": VALUE.decode()}, {"content_length": LENGTH}, Json(VALUE)),
    "without a length": ({"string": VALUE}, {}, Json(VALUE)),
    "compressed bytes": (
        {"string": gzip.compress(VALUE)},
        {"content_length": f"{len(gzip.compress(VALUE))}", "content_encoding": "gzip"},
        Json(VALUE),
    ),
    "deflated bytes": (
        {"string": zlib.compress(VALUE)},
        {"content_length": "35", "content_encoding": "deflate"},
        Json(VALUE),
    ),
    "decompressed by aiohttp": (
        {"string": VALUE.decode()},
        {"content_length": "44", "content_encoding": "gzip"},
        Json(VALUE),
    ),
    "decompressed by aiohttp, not JSON": (
        {"string": PAGE.decode()},
        {"content_length": "99", "content_encoding": "br", "content_type": "text/html"},
        Text(PAGE.decode()),
    ),
    "decompressed, with the old length": (
        {"string": VALUE.decode()},
        {"content_length": "44"},
        Json(VALUE),
    ),
    "decompressed, with a shorter old length": (
        {"string": PAGE.decode()},
        {"content_length": "9", "content_type": "text/html"},
        Text(PAGE.decode()),
    ),
    "changed by a filter": (
        {"string": VALUE.decode()},
        {"content_length": "999"},
        Json(VALUE),
    ),
    "with damage": (
        {"string": b'{"a":NaN,"b":"\xfc"}'},
        {"content_length": "44"},
        Json('{"a":"NaN","b":"\ufffd"}'.encode()),
    ),
    "another charset": (
        {"string": VALUE.decode().encode("utf-16")},
        {"content_length": f"{2 * len(VALUE) + 2}"},
        Json(VALUE),
    ),
    "line ends without CR": (
        {"string": PAGE.decode()},
        {"content_length": f"{len(PAGE) + 3}", "content_type": "text/html"},
        Text(PAGE.decode()),
    ),
    "empty": ({"string": ""}, {}, None),
    "empty with its length": ({"string": ""}, {"content_length": "0"}, None),
    "absent with its length": (None, {"content_length": "0"}, None),
    "empty, compressed": (
        {"string": ""},
        {"content_length": "20", "content_encoding": "gzip"},
        None,
    ),
    "no content": ({"string": ""}, {"status": 204, "content_length": "9"}, None),
    "absent without content": (MISSING, {"status": 204}, None),
}


@pytest.mark.parametrize(("body", "facts", "expected"), COMPLETE.values(), ids=COMPLETE)
def test_a_complete_answer_in_a_cassette_is_read(
    body: Any, facts: dict[str, Any], expected: Any
) -> None:
    assert only(cassette(interaction(body, **facts))).answer.body == expected


def test_an_answer_to_head_or_not_modified_needs_no_body() -> None:
    head = interaction(None, f"{API}/team", content_length=LENGTH)
    head["request"]["method"] = "HEAD"
    assert only(cassette(head)).answer.body is None
    same = interaction(None, f"{API}/team", status=304, content_length=LENGTH)
    whole = interaction({"string": VALUE})
    assert read_cassette(cassette(same, whole)).skipped == {"not modified (304)": 1}


@pytest.mark.parametrize("body", [None, "", b"", {"string": ""}])
def test_a_missing_body_of_a_request_in_a_cassette_is_an_error(body: Any) -> None:
    made = interaction({"string": VALUE}, f"{API}/label")
    made["request"] |= {"method": "POST", "body": body}
    assert only(cassette(made)).question.body is None
    made["request"]["headers"] = {"Content-Length": ["9"]}
    with pytest.raises(RecordingError, match="not saved") as caught:
        read_cassette(cassette(made))
    assert f"$.interactions[0] (POST {API}/label), its request" in caught.value.message
    made["request"]["method"] = "GET"
    assert only(cassette(made)).question.body is None


def test_a_file_in_another_charset_keeps_its_bytes() -> None:
    link = "https://files.example/a.csv"
    document = json.dumps({"id": "d", "url": link})
    content = '"Mühle","Amber"\n'.encode("latin-1")
    result = read_cassette(
        cassette(
            interaction({"string": document}, f"{API}/document/d"),
            interaction({"string": content}, link, content_type="text/csv"),
        )
    )
    bodies = [exchange.answer.body for exchange in result.recording.exchanges]
    assert Blob(content) in bodies


SENT: Final = '{"id":"7"}'
FORM: Final = "multipart/form-data; boundary=b"
PART: Final = '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--\r\n'
UNSENT: Final[dict[str, tuple[Any, float, dict[str, str], str]]] = {
    "absent": (MISSING, 10, {}, "not saved"),
    "null": (None, 10, {}, "not saved"),
    "without a text": ({"mimeType": JSON}, 10, {}, "not saved"),
    "an empty text": (
        {"mimeType": JSON, "text": "", "params": []},
        10,
        {},
        "not saved",
    ),
    "absent, by its length": (MISSING, -1, {"Content-Length": "10"}, "not saved"),
    "by Firefox": (
        {"mimeType": JSON, "text": "", "comment": "Request bodies are not included."},
        -1,
        {},
        "not saved",
    ),
    "cut": ({"mimeType": JSON, "text": SENT[:5]}, 10, {}, "was cut"),
    "cut, of unknown size": ({"mimeType": JSON, "text": SENT[:5]}, -1, {}, "was cut"),
    "cut, by its length": (
        {"mimeType": "text/plain", "text": "x"},
        -1,
        {"content-length": "10"},
        "was cut",
    ),
    "a form without its file": ({"mimeType": FORM, "text": PART}, 9_999, {}, "was cut"),
}


@pytest.mark.parametrize(("post", "size", "sent", "words"), UNSENT.values(), ids=UNSENT)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_an_incomplete_request_in_a_har_file_matters_only_if_it_belongs_to_nectar(
    method: str, post: Any, size: float, sent: dict[str, str], words: str
) -> None:
    broken = entry("/label", {"id": 1}, method=method, sent=sent)
    broken["request"]["bodySize"] = size
    if post is not MISSING:
        broken["request"]["postData"] = post
    with pytest.raises(RecordingError, match=words) as caught:
        read_har(har(entry("/team"), broken))
    assert f"$.log.entries[1] ({method} {API}/label), its request" in str(caught.value)
    broken["request"]["url"] = OTHER
    assert read_har(har(entry("/team"), broken)).imported == 1


@pytest.mark.parametrize("method", ["GET", "HEAD", "get"])
def test_a_request_that_cannot_have_a_body_needs_none(method: str) -> None:
    made = entry("/team", {"id": 1}, method=method, sent={"content-length": "10"})
    made["request"]["bodySize"] = 10
    assert read_har(har(made)).imported == 1


@pytest.mark.parametrize(
    ("post", "size", "kind"),
    [
        ({"mimeType": JSON, "text": SENT}, 10, Json),
        ({"mimeType": JSON, "text": SENT}, 999, Json),
        ({"mimeType": JSON, "text": SENT}, -1, Json),
        ({"mimeType": "text/plain", "text": "a\nb"}, 4, Text),
        ({"mimeType": FORM, "text": PART}, len(PART), FormData),
        ({"mimeType": FORM, "params": [{"name": "a", "value": "1"}]}, 999, FormData),
        ({"params": [{"name": "a", "value": "1"}]}, 999, Text),
        (None, 0, type(None)),
        (None, -1, type(None)),
        (None, None, type(None)),
    ],
)
def test_a_complete_request_in_a_har_file_is_read(
    post: Any, size: float | None, kind: type
) -> None:
    made = entry("/label", {"id": 1}, method="POST", post=post)
    made["request"]["bodySize"] = size
    (exchange,) = read_har(har(made)).recording.exchanges
    assert isinstance(exchange.question.body, kind)


@pytest.mark.parametrize("encoding", ["hex", "rot13", "base32", "x\0y", "gzip"])
@pytest.mark.parametrize("text", ["7b7d", '{"a": 1}', "123"])
def test_an_unknown_encoding_is_an_error_that_names_it(
    encoding: str, text: str
) -> None:
    broken = entry("/company", content={"text": text, "encoding": encoding})
    with pytest.raises(RecordingError, match="is not supported") as caught:
        read_har(har(entry("/team"), broken))
    assert f"$.log.entries[1] (GET {API}/company)" in caught.value.message
    assert repr(encoding) in caught.value.message
    broken["request"]["url"] = OTHER
    assert read_har(har(entry("/team"), broken)).imported == 1


@pytest.mark.parametrize("encoding", ["", "utf-8", "UTF-16", "iso-8859-1", "identity"])
def test_a_charset_is_no_encoding(encoding: str) -> None:
    made = entry("/company", content={"text": '{"a":"Ü"}', "encoding": encoding})
    (exchange,) = read_har(har(made)).recording.exchanges
    assert exchange.answer.body == Json('{"a":"Ü"}'.encode())
