"""Cassettes with Python objects are read as plain data, and no tag is executed."""

from __future__ import annotations

import io
import json
from collections import OrderedDict
from http import HTTPMethod, HTTPStatus
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import aiohttp
import anyio
import anyio.to_thread
import multidict
import pytest
import vcr  # type: ignore[import-untyped]
import yaml
import yarl

from nectar_async import RecordingError
from nectar_async.recording.bodies import FormData, Json, Text
from nectar_async.recording.exchange import Exchange
from nectar_async.recording.formats.cassette import read_cassette
from nectar_async.sandbox import Sandbox

API: Final = "https://external.nectarclimate.com/v2.2"
VALUE: Final = b'{"id":"7"}'
PDF: Final = b"%PDF-1.7 \xff"


class Word(str):  # noqa: SLOT000 - attributes are stored in cassettes
    """A text with attributes, as some libraries define their own."""

    note = ""


class Octets(bytes):
    """Bytes of a class of their own."""


def make_word(text: str) -> Word:
    word = Word(text)
    word.note = "x"
    return word


def interaction(**changes: Any) -> dict[str, Any]:
    """Build an interaction; changes are of the request unless they begin with `_`."""
    request: dict[str, Any] = {
        "method": "GET",
        "uri": f"{API}/team",
        "body": None,
        "headers": {"Accept": ["*/*"]},
    }
    response: dict[str, Any] = {
        "status": {"code": 200, "message": "OK"},
        "headers": {"Content-Type": ["application/json"]},
        "body": {"string": VALUE},
    }
    for name, value in changes.items():
        (response if name.startswith("_") else request)[name.lstrip("_")] = value
    return {"request": request, "response": response}


def dump(*interactions: Any) -> bytes:
    """Write a cassette as vcrpy does, with a loader's tags for every class."""
    return yaml.dump({"interactions": list(interactions), "version": 1}).encode()


def only(data: bytes) -> Exchange:
    (exchange,) = read_cassette(data).recording.exchanges
    return exchange


TYPE = "application/json"


@pytest.mark.parametrize(
    "changes",
    [
        {"_headers": {multidict.istr("Content-Type"): [multidict.istr(TYPE)]}},
        {"_headers": {Word("content-type"): make_word(TYPE)}},
        {"_headers": {make_word("content-type"): (make_word(TYPE),)}},
        {"_headers": {b"Content-Type": [TYPE.encode()]}},
        {"_headers": {Octets(b"Content-Type"): bytearray(TYPE.encode())}},
        {"_headers": multidict.CIMultiDict({"Content-Type": TYPE})},
        {"_headers": OrderedDict({"Content-Type": TYPE})},
        {"_headers": [("Content-Type", TYPE)]},
        {"_headers": SimpleNamespace(_store={"c-t": ("Content-Type", TYPE)})},
        {"_headers": SimpleNamespace(_list=[(b"Content-Type", b"content-type", TYPE)])},
        {"_status": {"code": HTTPStatus.OK, "message": "OK"}},
        {"uri": yarl.URL(f"{API}/team")},
        {"uri": Word(f"{API}/team")},
        {"uri": f"{API}/team".encode()},
        {"method": HTTPMethod.GET},
        {"method": multidict.istr("GET")},
        {"method": b"get"},
        {"headers": None, "_headers": {"Content-Type": [yarl.URL(TYPE)]}},
        {"_body": {"string": bytearray(VALUE)}},
        {"_body": {"string": Octets(VALUE)}},
        {"_body": {"string": Word(VALUE.decode())}},
        {"_body": {Word("string"): io.BytesIO(VALUE)}},
        {"_body": {"string": io.StringIO(VALUE.decode())}},
        {"_body": OrderedDict({"string": VALUE})},
    ],
)
def test_a_value_is_read_whatever_class_it_has(changes: dict[str, Any]) -> None:
    exchange = only(dump(interaction(**changes)))
    assert exchange.question.operation == "team_get"
    assert exchange.question.method == "GET"
    assert exchange.answer.status == 200
    assert exchange.answer.body == Json(VALUE)
    if "type" in str(changes).lower():
        assert exchange.answer.headers["content-type"].startswith(TYPE)


@pytest.mark.parametrize(
    "spelled",
    [
        "!!python/object/new:multidict._multidict.istr [Content-Type]",
        "!!python/object/apply:multidict._multidict.istr {args: [Content-Type]}",
        "!!python/object/new:aiohttp.istr {args: [Content-Type], state: {a: 1}}",
        "!!python/unicode Content-Type",
        "!!python/str Content-Type",
        "!!python/bytes Q29udGVudC1UeXBl",
        "!!binary Q29udGVudC1UeXBl",
        "!python/str Content-Type",
        "!mine Content-Type",
    ],
)
def test_the_name_of_a_header_is_text_whatever_its_tag(spelled: str) -> None:
    data = dump(interaction(_headers={"NAME": [TYPE]}))
    data = data.replace(b"NAME:", f"? {spelled}\n      :".encode())
    assert only(data).answer.headers == {"content-type": TYPE}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"a": Word("b")}, Json(b'{"a": "b"}')),
        ([{"a": 1}], Json(b'[{"a": 1}]')),
        (bytearray(b"a=1"), Text("a=1")),
        ((b"a=", Word("1")), Text("a=1")),
        (io.BytesIO(b"a=1"), Text("a=1")),
    ],
)
def test_the_body_of_a_request_is_read_whatever_class_it_has(
    body: Any, expected: Any
) -> None:
    data = dump(interaction(method="POST", uri=f"{API}/label", body=body))
    sent = only(data).question.body
    if isinstance(expected, Json):
        assert isinstance(sent, Json)
        assert sent.value == expected.value
    else:
        assert sent == expected


@pytest.mark.parametrize("is_sent", [False, True])
def test_a_form_of_aiohttp_is_read_with_its_fields(*, is_sent: bool) -> None:
    form = aiohttp.FormData()
    form.add_field("note", "ü")
    form.add_field("file", PDF, filename="a.pdf", content_type="application/pdf")
    if is_sent:
        form()
    data = dump(interaction(method="POST", uri=f"{API}/document", body=form))
    sent = only(data).question.body
    assert isinstance(sent, FormData)
    note, file = sent.parts
    assert (note.name, note.text) == ("note", "ü")
    assert (file.name, file.file, file.type) == ("file", "a.pdf", "application/pdf")
    assert file.size == len(PDF)


class UnsafeSerializer:
    """The YAML serializer of older versions of vcrpy, which dumped any object."""

    serialize = staticmethod(yaml.dump)
    deserialize = staticmethod(yaml.safe_load)


@pytest.mark.asyncio
async def test_a_cassette_of_an_upload_by_aiohttp_is_read(tmp_path: Path) -> None:
    path = tmp_path / "upload.yaml"
    async with Sandbox(companies=1, seed=7) as sandbox:
        url = sandbox.settings.base_url
        recorder = vcr.VCR(serializer="unsafe")
        recorder.register_serializer("unsafe", UnsafeSerializer)
        with recorder.use_cassette(str(path)):
            async with aiohttp.ClientSession() as session:
                form = aiohttp.FormData()
                form.add_field("file", PDF, filename="a.pdf")
                key = {multidict.istr("X-API-Key"): sandbox.api_key}
                async with session.post(
                    yarl.URL(f"{url}/document"), data=form, headers=key
                ) as answer:
                    await answer.read()
        data = await anyio.Path(path).read_bytes()
    assert b"!!python/object:aiohttp" in data
    exchange = await anyio.to_thread.run_sync(only_below, data, url)
    assert isinstance(exchange.question.body, FormData)
    assert exchange.question.body.parts[0].file == "a.pdf"


def only_below(data: bytes, base_url: str) -> Exchange:
    (exchange,) = read_cassette(data, base_url=base_url).recording.exchanges
    return exchange


@pytest.mark.parametrize(
    "tag",
    [
        "object/apply:os.mkdir",
        "object/new:os.mkdir",
        "object/apply:pathlib.Path.mkdir",
        "object:os.mkdir",
        "name:os.mkdir",
        "object/apply:builtins.exec",
    ],
)
@pytest.mark.parametrize("is_key", [False, True])
def test_no_tag_is_executed(tag: str, tmp_path: Path, *, is_key: bool) -> None:
    made = tmp_path / "made"
    code = f"import os; os.mkdir({str(made)!r})"
    argument = json.dumps(code if "exec" in tag else str(made))
    value = {
        "object:os.mkdir": f"!!python/{tag} {{path: {argument}}}",
        "name:os.mkdir": f"!!python/{tag} ''",
    }.get(tag, f"!!python/{tag} [{argument}]")
    data = dump(interaction(headers={"NAME": ["VALUE"]}))
    spelled = f"? {value}\n      :" if is_key else f"NAME: {value}\n      Other:"
    result = read_cassette(data.replace(b"NAME:", spelled.encode()))
    assert result.imported == 1
    assert not made.exists()


@pytest.mark.parametrize(
    "value",
    [
        "&a [*a]",
        "&a {b: *a}",
        "&a !!python/object/apply:x.Y [*a]",
        "&a !!python/object:x.Y {me: *a}",
        "!!python/tuple [!!python/object/new:x.Y {state: !!set {a}}]",
        "!!binary '#'",
        "2026-13-45",
        "!!timestamp x",
        "!!bool maybe",
        "!!int x",
        "!!float x",
    ],
)
def test_an_odd_value_of_another_host_is_passed_over(value: str) -> None:
    foreign = interaction(uri="https://elsewhere.example/", body="BODY")
    data = dump(interaction(), foreign).replace(b"BODY", value.encode())
    assert read_cassette(data).imported == 1


@pytest.mark.timeout(5)
def test_aliases_do_not_multiply_the_work() -> None:
    lines = ["a0: &a0 !!python/tuple [x, x]"]
    lines += [
        f"a{n}: &a{n} !!python/tuple [*a{n - 1}, *a{n - 1}]" for n in range(1, 60)
    ]
    data = "\n".join(lines).encode() + b"\n" + dump(interaction())
    assert read_cassette(data).imported == 1


ODD: Final[tuple[Any, ...]] = (None, 1, "x", [], {}, [None], {"a": None}, [[1]], True)
PLACES: Final = (
    (),
    ("request",),
    ("response",),
    *(("request", name) for name in ("method", "body", "headers")),
    *(("response", name) for name in ("status", "body", "headers")),
    ("response", "status", "code"),
    ("response", "body", "string"),
)


@pytest.mark.parametrize("place", PLACES, ids=".".join)
@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_an_odd_interaction_matters_only_if_it_belongs_to_nectar(
    place: tuple[str, ...], odd: Any
) -> None:
    whole = interaction()
    for host in ("https://elsewhere.example/", f"{API}/company"):
        broken: Any = [interaction(uri=host)]
        keys: tuple[Any, ...] = (0, *place)
        inner = broken
        for key in keys[:-1]:
            inner = inner[key]
        inner[keys[-1]] = odd
        data = json.dumps(
            {"interactions": [whole, *broken]}, default=bytes.decode
        ).encode()
        if "else" in host:
            assert read_cassette(data).imported == 1
            continue
        try:
            read_cassette(data)
        except RecordingError as error:
            assert "$.interactions[1] (" in error.message  # noqa: PT017
