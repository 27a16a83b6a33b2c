"""Damaged JSON costs at most the damaged value, and is reported."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from doubles import MakeClient
from hypothesis import given, strategies as st
from profiles import max_examples

from nectar_async import DecodeError, Listing, Page, Request, Response, Verdict
from nectar_async._json.converter import Converter
from nectar_async._json.cooperative import run_at_once
from nectar_async._json.damaged_json import repair_json
from nectar_async.models import Company, UsageData

USAGE = Listing(items="usage_data")
LONG = "9" * 6_000

# The JSON of a value, the value that is read, and whether something is lost.
VALUES: dict[str, tuple[bytes, Any, bool]] = {
    "half of a pair": (rb'"a\ud83d"', "a\ufffd", True),
    "the other half": (rb'"\udE00 b"', "\ufffd b", True),
    "halves in the wrong order": (rb'"\ude00\ud83d"', "\ufffd\ufffd", True),
    "a whole pair": (rb'"\ud83d\ude00"', "\U0001f600", False),
    "half as bytes": (b'"a\xed\xa0\xbd"', "a\ufffd", True),
    "no UTF-8": (b'"M\xfchle"', "M\ufffdhle", True),
    "overlong UTF-8": (b'"\xc0\xaf"', "\ufffd", True),
    "NaN": (b"NaN", "NaN", True),
    "nan": (b"nan", "nan", True),
    "Infinity": (b"Infinity", "Infinity", True),
    "-Infinity": (b"-Infinity", "-Infinity", True),
    "NaN in a text": (b'"NaN"', "NaN", False),
    "a raw tab": (b'"a\tb"', "a\tb", False),
    "a raw line end": (b'"a\r\nb"', "a\r\nb", False),
    "a raw NUL": (b'"a\0b"', "a\0b", False),
    "an unknown escape": (rb'"a\x41\'"', r"a\x41\'", False),
    "a long whole number": (LONG.encode(), LONG, False),
    "a long decimal": (f"0.{LONG}".encode(), f"0.{LONG}", False),
    "a huge exponent": (b"1e9999999999999999999", "1e9999999999999999999", False),
    "U+FFFD itself": (b'"\xef\xbf\xbd"', "\ufffd", False),
}
each_value = pytest.mark.parametrize(
    ("text", "value", "is_lost"), VALUES.values(), ids=VALUES
)


def build_page(row: bytes) -> bytes:
    return (
        b'{"usageData": [{"id": "1"}, %s, {"id": "3"}], "totalUsageData": 3,'
        b' "totalPages": 1, "currentPage": 1, "hasNext": false}' % row
    )


def decode(body: bytes, *, is_strict: bool = False) -> Page[UsageData]:
    return Converter(is_strict=is_strict).decode_page(body, UsageData, USAGE, 1)


@each_value
def test_only_the_damaged_value_is_lost(
    text: bytes, value: Any, *, is_lost: bool
) -> None:
    page = decode(build_page(b'{"id": "2", "novel": %s}' % text))
    assert [record.id for record in page.items] == ["1", "2", "3"]
    assert str(page.items[1].extra["novel"]) == value
    assert len(page.losses) == is_lost
    assert page.problems == ()
    json.dumps(value).encode()
    value.encode()


@each_value
def test_a_damaged_value_stays_as_it_is_beside_the_other_keys(
    text: bytes, value: Any, *, is_lost: bool
) -> None:
    """In a single record, in a list of its own, and in a nested object."""
    del is_lost
    converter = Converter()
    record = b'{"id": "2", "novel": {"deep": [1.50, %s]}, "usage": "1.5"}' % text
    one = converter.decode(record, UsageData)
    (listed,) = converter.decode(b"[%s]" % record, list[UsageData])
    assert one == listed
    assert one.usage == Decimal("1.5")
    exact, damaged = one.extra["novel"]["deep"]
    assert (str(exact), str(damaged)) == ("1.50", value)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_is_not_finite_is_none_in_its_field(number: str) -> None:
    page = decode(build_page(b'{"id": "2", "usage": %s}' % number.encode()))
    assert page.items[1].usage is None
    assert page.items[1].extra == {"usage": number}
    (loss,) = page.losses
    assert re.fullmatch(r"a number is not finite, at character [\d,]+", loss)


def test_a_long_number_is_exact_in_its_field() -> None:
    page = decode(build_page(b'{"id": "2", "usage": %s}' % LONG.encode()))
    assert page.items[1].usage == Decimal(LONG)
    assert page.losses == ()


def test_a_key_may_be_damaged() -> None:
    page = decode(build_page(rb'{"id": "2", "a\ud83d": 1, "b": 2}'))
    assert page.items[1].extra == {"a\ufffd": 1, "b": 2}


@pytest.mark.parametrize("opened", ["[", '{"x":'], ids=["lists", "objects"])
def test_a_value_that_is_nested_too_deeply_is_lost_and_nothing_else(
    opened: str,
) -> None:
    closed = "]" if opened == "[" else "}"
    deep = f"{opened * 50_000}1{closed * 50_000}"
    page = decode(build_page(f'{{"id": "2", "x": {deep}, "y": 7}}'.encode()))
    assert page.items[1].extra["y"] == 7
    (loss,) = page.losses
    assert loss.startswith("a value is nested too deeply, at character ")
    repr(page.items[1].extra["x"])


@pytest.mark.parametrize(
    "encoding",
    [
        "utf-8-sig",
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "utf-32",
        "utf-32-le",
        "utf-32-be",
    ],
)
def test_an_encoding_is_found_by_its_mark_or_its_nul_bytes(encoding: str) -> None:
    body = build_page('{"id": "2", "novel": "Mühle"}'.encode()).decode()
    page = decode(body.encode(encoding))
    assert page.items[1].extra == {"novel": "Mühle"}
    assert page.losses == ()


def test_damage_in_the_envelope_costs_no_record() -> None:
    body = build_page(b'{"id": "2"}').replace(b"3,", b'3, "note": "\xff", "n": NaN,')
    page = decode(body)
    assert len(page.items) == page.total == 3
    assert page.extra == {"note": "\ufffd", "n": "NaN"}


@pytest.mark.parametrize(
    "body",
    [
        b'{"id": "2", "novel": "a',
        b"{'id': '2'}",
        b'{"id": "2",}',
        b"<html>NaN</html>",
        b'{"id": NaN',
    ],
)
def test_other_damage_is_an_error(body: bytes) -> None:
    for converter in (Converter(), Converter(is_strict=True)):
        with pytest.raises(DecodeError, match="expected JSON"):
            converter.decode(body, UsageData)


@each_value
def test_strict_decoding_says_where_the_damage_is(
    text: bytes, value: Any, *, is_lost: bool
) -> None:
    if not is_lost:
        return
    body = build_page(b'{"id": "2", "usage": %s}' % text)
    places = r"\(byte \d+\)|, at character \d+"
    with pytest.raises(DecodeError) as caught:
        decode(body, is_strict=True)
    assert re.search(places, str(caught.value))
    assert value not in str(caught.value)


@max_examples(200)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    ),
    st.booleans(),
)
def test_valid_json_is_not_changed(value: Any, is_ascii: bool) -> None:
    # Half a pair cannot be encoded in the first place.
    body = json.dumps(value, ensure_ascii=is_ascii).encode(errors="replace")
    repaired = run_at_once(repair_json(body))
    assert repaired.text == body
    assert repaired.losses == ()


@max_examples(200)
@given(st.binary(max_size=60))
def test_any_bytes_in_a_text_cost_only_that_text(data: bytes) -> None:
    inner = data.replace(b'"', b"").replace(b"\\", b"")
    body = b'[{"id": "1", "novel": "%s"}, {"id": "2", "novel": NaN}]' % inner
    first, second = Converter().decode(body, list[UsageData])
    assert (first.id, second.id) == ("1", "2")
    first.extra["novel"].encode()
    msgspec.json.encode([first.extra, second.extra])


def test_a_long_list_is_repaired_in_steps() -> None:
    rows = b",".join(b'{"id": "%d", "novel": "\xff"}' % n for n in range(20_000))
    steps = sum(1 for _ in repair_json(b"[%s]" % rows))
    assert steps > 20


# In a list, and in the list of companies.


def build_usage(*rows: bytes) -> bytes:
    return b'{"usageData": [%s], "totalUsageData": %d, "totalPages": 1}' % (
        b",".join(rows),
        len(rows),
    )


@pytest.mark.anyio
async def test_losses_are_in_the_receipt_and_every_record_is_delivered(
    make_client: MakeClient,
) -> None:
    """A damaged name of a company does not stop the pull of all others either."""

    async def answer(request: Request[Any]) -> Response:
        body = build_usage(
            rb'{"id": "1", "a": NaN}', rb'{"id": "2", "a": "\ud83d"}', b'{"id": "3"}'
        )
        if request.operation == "companies_list":
            body = b'[{"id": "c", "name": "M\\ud83d"}, {"id": "d", "name": "M\xff"}]'
        return Response(200, {}, body)

    async with make_client(answer) as nectar:
        companies = await nectar.companies.all()
        assert [type(company) for company in companies] == [Company, Company]
        pager = nectar.usage.by_company("c")
        assert [record.id async for record in pager] == ["1", "2", "3"]
        receipt = pager.receipt
        assert receipt.verdict is Verdict.COMPLETE
        assert (receipt.records, receipt.unreadable, receipt.losses) == (3, 2, 2)
        assert len(receipt.problems) == 2
        async with nectar.repository.usage() as records:
            assert len([record async for record in records]) == 6
        assert records.failures == ()
        assert records.receipt.verdict is Verdict.COMPLETE
        assert records.receipt.losses == 2 + 4


@pytest.mark.anyio
async def test_losses_and_left_out_items_are_counted_together(
    make_client: MakeClient,
) -> None:
    body = build_usage(b'{"id": "1", "a": NaN}', b"null", b'{"id": "3"}')

    async def answer(_: Request[Any]) -> Response:
        return Response(200, {}, body)

    async with make_client(answer) as nectar:
        pager = nectar.usage.by_company("c")
        assert [record.id async for record in pager] == ["1", "3"]
    receipt = pager.receipt
    assert receipt.verdict is Verdict.SHORT
    assert (receipt.records, receipt.unreadable, receipt.losses) == (2, 2, 1)
    assert "[1]" in receipt.problems[0]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("charset", "encoding"),
    [
        ("iso-8859-1", "latin-1"),
        ('"ISO-8859-1"', "latin-1"),
        ("windows-1252", "cp1252"),
        ("iso-8859-15", "iso-8859-15"),
        ("UTF-16", "utf-16"),
        ("utf-16le", "utf-16-le"),
        ("utf-8", "utf-8"),
        ("iso-8859-1", "utf-8"),  # a wrong declaration
        ("unknown", "utf-8"),
    ],
)
async def test_a_declared_charset_is_decoded(
    make_client: MakeClient, charset: str, encoding: str
) -> None:
    body = '[{"id": "c", "name": "Mühle", "sites": []}]'.encode(encoding)
    headers = {"Content-Type": f"application/json; charset={charset}"}

    async def answer(_: Request[Any]) -> Response:
        return Response(200, headers, body)

    async with make_client(answer) as nectar:
        (company,) = await nectar.companies.all()
    assert company.name == "Mühle"


@pytest.mark.anyio
async def test_an_unknown_charset_costs_only_the_characters(
    make_client: MakeClient,
) -> None:
    headers = {"Content-Type": "application/json; charset=x-mac-roman"}

    async def answer(_: Request[Any]) -> Response:
        return Response(200, headers, b'[{"id": "c", "name": "M\x9fhle"}]')

    async with make_client(answer) as nectar:
        (company,) = await nectar.companies.all()
    assert company.name == "M\ufffdhle"
