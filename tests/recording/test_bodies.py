"""Bodies are classified, and restored without a change."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from hashlib import sha256

import anyio
import pytest
from hypothesis import given, strategies as st

from nectar_async._files.multipart import MultipartForm
from nectar_async.recording.bodies import (
    Blob,
    FormData,
    FormPart,
    Json,
    Text,
    parse_body,
)


def test_an_empty_body_is_none() -> None:
    assert parse_body(b"", "application/json") is None


@pytest.mark.parametrize(
    "text",
    ["1.50", "1e400", "12345678901234567890123", "0.10", "-0.0", "null", '"ü"', "[]"],
)
def test_json_keeps_the_digits_that_it_has(text: str) -> None:
    body = parse_body(f'{{"a": {text}}}'.encode())
    assert isinstance(body, Json)
    assert Json.of(body.value) == body
    if text[-1].isdigit():
        assert Decimal(body.data().decode()[5:-1]) == Decimal(text)


def test_the_last_of_duplicate_keys_is_kept() -> None:
    assert parse_body(b'{"a": 1, "password": "x", "a": 2}') == Json(
        b'{"a":2,"password":"x"}'
    )


def test_keys_of_json_are_in_order() -> None:
    body = parse_body(b'{"b": {"d": 1, "c": 2}, "a": [3]}')
    assert isinstance(body, Json)
    assert body.data() == b'{"a":[3],"b":{"c":2,"d":1}}'


@pytest.mark.parametrize("text", ['{"a": ', "<html>", "{'a': 1}", "[" * 3_000])
def test_json_that_cannot_be_repaired_is_text(text: str) -> None:
    assert parse_body(text.encode(), "application/json") == Text(text)


@pytest.mark.parametrize("data", [b"\xff\xfe", b"a\x00b", bytes(range(256))], ids=repr)
def test_bytes_that_are_not_text_are_a_blob(data: bytes) -> None:
    body = parse_body(data)
    assert body == Blob(data)
    assert body.name == f"{sha256(data).hexdigest()}.bin"


@pytest.mark.parametrize(
    ("kind", "suffix"),
    [("application/pdf", ".pdf"), ("image/PNG; x=y", ".png"), ("image/jpeg", ".jpg")],
)
def test_the_suffix_follows_the_content_type(kind: str, suffix: str) -> None:
    assert parse_body(b"{}", kind, is_file=True) == Blob(b"{}", suffix)
    assert parse_body(b"\xff", kind) == Blob(b"\xff", suffix)


@pytest.mark.parametrize("kind", ["application/octet-stream", "image/png", ""])
def test_answers_of_the_api_are_parsed_whatever_their_content_type(kind: str) -> None:
    assert parse_body(b'{"a":1}', kind, is_sent=False) == Json(b'{"a":1}')


@pytest.mark.parametrize(
    ("data", "kind", "value"),
    [
        (b'{"a": "\\ud800"}', "", {"a": "\ufffd"}),
        (b'{"a": NaN}', "text/plain", {"a": "NaN"}),
        (b'"M\xfchle"', "application/json; charset=latin-1", "Mühle"),
        (b'"M\xfchle"', "", "M\ufffdhle"),
        ('{"a": "Mühle"}'.encode("utf-16"), "", {"a": "Mühle"}),
        ('{"a": 1}\n'.encode("utf-32-be"), "", {"a": 1}),
        (b'\xef\xbb\xbf{"a": 1}', "", {"a": 1}),
    ],
)
def test_damaged_json_is_repaired(data: bytes, kind: str, value: object) -> None:
    body = parse_body(data, kind, is_sent=False)
    assert isinstance(body, Json)
    assert body.value == value
    assert parse_body(data, kind, is_file=True) == Blob(data)


@given(st.binary(min_size=1))
def test_any_bytes_are_restored(data: bytes) -> None:
    body = parse_body(b"\x01" + data)
    assert body is not None
    assert not isinstance(body, FormData)
    assert body.data() == b"\x01" + data


def form(content: bytes, name: str = "bill.pdf") -> tuple[bytes, str]:
    async def chunks() -> AsyncIterator[bytes]:
        yield content

    upload = MultipartForm(
        name="document",
        file_name=name,
        content_type="application/pdf",
        size=len(content),
        chunks=chunks,
        fields={"note": "für Bär"},
    )

    async def read() -> bytes:
        return b"".join([chunk async for chunk in upload.body()])

    return anyio.run(read), upload.headers["Content-Type"]


@given(st.binary())
def test_a_form_is_its_parts_whatever_its_boundary(content: bytes) -> None:
    first, second = (parse_body(*form(content)) for _ in range(2))
    assert first == second
    assert isinstance(first, FormData)
    note, file = first.parts
    assert note == FormPart(name="note", text="für Bär")
    assert (file.name, file.file, file.type) == (
        "document",
        "bill.pdf",
        "application/pdf",
    )
    assert (file.sha256, file.size) == (sha256(content).hexdigest(), len(content))


def test_the_name_of_a_file_is_read_as_it_was_sent() -> None:
    body = parse_body(*form(b"x", "Rechnung für März.pdf"))
    assert isinstance(body, FormData)
    assert body.parts[1].file == "Rechnung für März.pdf"


@pytest.mark.parametrize(
    "kind", ["multipart/form-data", "multipart/form-data; boundary=x"]
)
def test_malformed_forms_are_kept_as_text_or_bytes(kind: str) -> None:
    assert parse_body(b"nothing of the kind", kind) == Text("nothing of the kind")


def test_an_answer_is_never_a_form() -> None:
    data, kind = form(b"x")
    assert not isinstance(parse_body(data, kind, is_sent=False), FormData)
