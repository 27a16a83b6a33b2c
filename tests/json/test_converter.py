"""The converter decodes and encodes models, and keeps or names misfits."""

from __future__ import annotations

import gc
import json
import logging
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from types import NoneType
from typing import Any
from unittest.mock import patch

import attrs
import msgspec
import pytest
from attrs import evolve, field, frozen
from filled import FILLED
from hypothesis import given, strategies as st
from profiles import max_examples
from strategies import damaged_json, models, words

from nectar_async import Listing, Secret, contract
from nectar_async._json import field_by_field, fields, structs
from nectar_async._json.converter import Converter, get_converter
from nectar_async._json.field_by_field import FieldByFieldReader
from nectar_async._json.json_text import read_page_count
from nectar_async._json.scalars import MisfitError
from nectar_async._types import OpenEnum
from nectar_async.contract.wire_names import to_wire
from nectar_async.errors import DecodeError
from nectar_async.models import (
    Company,
    Connection,
    ConnectionStatus,
    DatasourceType,
    Document,
    DocumentEmbedded,
    Job,
    NetMeteringType,
    Page,
    Site,
    UsageData,
    UtilityProvider,
)

LENIENT = Converter()
STRICT = Converter(is_strict=True)
EXACT = msgspec.json.Decoder(float_hook=Decimal)
SCHEMAS = contract.load()["components"]["schemas"]
USAGE = Listing(items="usage_data")

MODELS: list[type[Any]] = sorted(
    {type(instance) for instance in FILLED}, key=lambda model: str(model.__name__)
)
each_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
many = max_examples(40)


@pytest.fixture(autouse=True)
def _forget_logged_fields_and_learned_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each test start without the fields and keys of earlier tests."""
    monkeypatch.setattr(field_by_field, "_logged_fields", set())
    monkeypatch.setitem(globals(), "LENIENT", Converter())
    monkeypatch.setitem(globals(), "STRICT", Converter(is_strict=True))


@pytest.fixture(params=["lenient", "strict"])
def converter(request: pytest.FixtureRequest) -> Converter:
    """The lenient and the strict converter."""
    return Converter(is_strict=request.param == "strict")


def decode_usage(text: str, converter: Converter | None = None) -> UsageData:
    """Decode a usage record from the JSON text of its keys; the id is added."""
    converter = converter or LENIENT
    return converter.decode(f'{{"id": "u-1", {text}}}'.encode(), UsageData)


def decode_page(
    body: object, converter: Converter | None = None, number: int = 1, **keys: str
) -> Page[UsageData]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    converter = converter or LENIENT
    return converter.decode_page(raw, UsageData, USAGE, number, keys)


def read_failure(
    body: bytes, converter: Converter | None = None, kind: Any = UsageData
) -> str:
    """Return the message of the error, and check that nothing else is shown."""
    with pytest.raises(DecodeError) as caught:
        (converter or LENIENT).decode(body, kind)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return str(caught.value)


@each_model
@given(data=st.data())
@many
def test_what_is_encoded_decodes_to_the_same(model: type[Any], data: Any) -> None:
    value = data.draw(models(model))
    assert LENIENT.decode(LENIENT.encode(value), model) == value


@each_model
@given(data=st.data())
@max_examples(20)
def test_strict_and_lenient_agree_on_what_fits(model: type[Any], data: Any) -> None:
    value = evolve(data.draw(models(model)), extra={})
    body = LENIENT.encode(value)
    assert STRICT.encode(value) == body
    lenient = LENIENT.decode(body, model)
    assert lenient == value
    try:
        strict = STRICT.decode(body, model)
    except DecodeError as error:
        # Only an `extra` of a nested model, or invented values of enums.
        assert all(  # noqa: PT017  either outcome is fine
            problem.startswith("unknown ") for problem in error.problems
        )
    else:
        assert strict == lenient


@given(models(UsageData))
@many
def test_encoded_json_has_wire_names_and_is_one_line(value: UsageData) -> None:
    body = LENIENT.encode(value)
    assert b"\n" not in body
    keys = EXACT.decode(body).keys()
    assert set(SCHEMAS["UsageData"]["properties"]) <= set(keys)


@each_model
@given(data=st.data())
@max_examples(20)
def test_lines_are_the_records_with_their_owners_in_front(
    model: type[Any], data: Any
) -> None:
    values = data.draw(st.lists(models(model), max_size=3))
    with_secrets = data.draw(st.booleans())
    owners = {"ownerId": 'c\n"1', "ownerName": "n"}
    text = LENIENT.encode_lines(values, owners, with_secrets=with_secrets)
    assert text.count(b"\n") == len(values)
    for line, value in zip(text.splitlines(), values, strict=True):
        plain = LENIENT.encode(value, with_secrets=with_secrets)
        is_its_own = not owners.keys().isdisjoint(value.extra)
        assert line == plain or not is_its_own
        assert list(EXACT.decode(line).items()) == [
            *({} if is_its_own else owners).items(),
            *EXACT.decode(plain).items(),
        ]


def test_a_record_that_has_the_key_of_an_owner_is_encoded_without_owners() -> None:
    values = [decode_usage(text) for text in ('"tariff": "A"', '"companyId": 7')]
    lines = LENIENT.encode_lines(values, {"companyId": "c"}, with_secrets=False)
    first, second = map(EXACT.decode, lines.splitlines())
    assert [next(iter(first)), first["companyId"]] == ["companyId", "c"]
    assert [next(iter(second)), second["companyId"]] == ["id", 7]


def test_encoding_is_deterministic() -> None:
    value = decode_usage('"usage": "1.50", "zz": {"b": 1, "a": 0.10}')
    assert LENIENT.encode(value) == STRICT.encode(value)
    assert b'"usage":"1.50"' in LENIENT.encode(value)
    assert b'"zz":{"b":1,"a":0.10}' in LENIENT.encode(value)


def test_a_list_of_models_is_encoded_as_its_models() -> None:
    site = Site(id="s", name="x", external_id="e")
    for several in ([site], (site,)):
        (encoded,) = EXACT.decode(LENIENT.encode(several))
        assert encoded["externalId"] == "e"


@pytest.mark.parametrize("wrap", [dict, Page])
def test_models_in_lists_and_mappings_have_wire_names(wrap: type) -> None:
    site = Site(id="s", name="x", external_id="e")
    value = Page(items=(site,)) if wrap is Page else {"items": [site]}
    assert b'"externalId":"e"' in LENIENT.encode(value)


def test_none_type_decodes_an_empty_body() -> None:
    assert LENIENT.decode(b"", NoneType) is None
    assert LENIENT.decode(b"rubbish", NoneType) is None


@pytest.mark.parametrize(
    ("body", "kind", "value"),
    [
        (b'{"a": 1.50}', dict, {"a": Decimal("1.50")}),
        (b'"pong"', str, "pong"),
        (b"null", object, None),
        (b"[1]", object, [1]),
        (b"[1]", list, [1]),
        (b"5", int, 5),
        (b"1.50", Decimal, Decimal("1.50")),
        (b'{"a": 1}', dict[str, Any], {"a": 1}),
        (b"[]", list[Site], []),
    ],
)
def test_plain_json_is_decoded_as_it_is(body: bytes, kind: Any, value: object) -> None:
    assert LENIENT.decode(body, kind) == value


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (
            b"[]",
            dict,
            "the answer is not a valid object: expected object, got a list @ $",
        ),
        (b"5", str, "the answer is not a valid text: expected text, got a number @ $"),
        (b"true", int, "the answer is not a valid int"),
        (
            b"{}",
            list[Site],
            "not a valid list of Site: expected a list, got an object @ $",
        ),
        (b'[{"name": "s"}]', list[Site], "not a valid list of Site: missing @ $[0].id"),
        (
            b"[]",
            Site,
            "the answer is not a valid Site: expected an object, got a list @ $",
        ),
    ],
)
def test_json_of_another_type_is_named_in_the_error(
    body: bytes, kind: Any, words: str
) -> None:
    assert words in read_failure(body, kind=kind)


def test_the_lenient_and_the_strict_converter_are_shared() -> None:
    assert get_converter(is_strict=True) is get_converter(is_strict=True)
    assert get_converter(is_strict=False) is not get_converter(is_strict=True)


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("0.1", "0.1"),
        ('"3100.00"', "3100.00"),
        ("3100.00", "3100.00"),
        ("-0.0", "-0.0"),
        ('"-0.0"', "-0.0"),
        ("1e999", "1E+999"),
        ("1E-400", "1E-400"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("0.123456789012345678901234567890", "0.123456789012345678901234567890"),
        ("12345678901234567890.0000000001", "12345678901234567890.0000000001"),
    ],
)
def test_quantities_keep_every_digit(
    text: str, digits: str, converter: Converter
) -> None:
    assert str(decode_usage(f'"usage": {text}', converter).usage) == digits


@pytest.mark.parametrize("text", ["0.1", "1e999", "3100.00", "9" * 30])
def test_numbers_in_unknown_keys_keep_every_digit(text: str) -> None:
    value = decode_usage(f'"newKey": {{"deep": [{text}]}}').extra["newKey"]["deep"][0]
    assert Decimal(value) == Decimal(text)
    assert not isinstance(value, float)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2025-01-31T12:00:00", datetime(2025, 1, 31, 12, tzinfo=UTC)),
        ("2025-01-31T12:00:00Z", datetime(2025, 1, 31, 12, tzinfo=UTC)),
        ("2025-01-31T14:00:00+02:00", datetime(2025, 1, 31, 12, tzinfo=UTC)),
        (
            "2025-01-31T12:00:00.123456789Z",
            datetime(2025, 1, 31, 12, 0, 0, 123456, tzinfo=UTC),
        ),
        (
            "2025-01-31T12:00:00.999999999",
            datetime(2025, 1, 31, 12, 0, 0, 999999, tzinfo=UTC),
        ),
    ],
)
def test_datetimes_are_aware_and_default_to_utc(
    text: str, instant: datetime, converter: Converter
) -> None:
    created = decode_usage(f'"created": "{text}"', converter).created
    assert created == instant
    assert created.utcoffset() is not None


def test_an_offset_is_kept() -> None:
    created = decode_usage('"created": "2025-01-31T14:00:00+02:00"').created
    assert created is not None
    assert created.utcoffset() == timedelta(hours=2)


def test_a_record_with_an_unknown_enum_value_is_decoded() -> None:
    record = decode_usage('"datasourceType": "HYDROGEN", "usageUnits": "barrel"')
    assert record.datasource_type == "HYDROGEN"
    assert isinstance(record.datasource_type, DatasourceType)
    assert not record.datasource_type.is_known
    assert record.extra == {}


@frozen(kw_only=True)
class Link:
    """A model of a user; its enum has an alias."""

    id: str
    status: ConnectionStatus | None = None
    extra: Mapping[str, Any] = field(factory=dict, hash=False)


def test_an_alias_of_an_enum_is_its_member(converter: Converter) -> None:
    for text in ("INCORRECT_PASSWORD", "PASSWORD_INCORRECT"):
        link = converter.decode(json.dumps({"id": "1", "status": text}).encode(), Link)
        assert link.status is ConnectionStatus.PASSWORD_INCORRECT
        assert b'"PASSWORD_INCORRECT"' in converter.encode(link)


def test_unknown_keys_are_kept_and_encoded_again() -> None:
    record = decode_usage('"newKey": {"a": [1, null, 0.10]}, "other_key": "x"')
    assert record.extra == {
        "newKey": {"a": [1, None, Decimal("0.10")]},
        "other_key": "x",
    }
    assert b'"newKey":{"a":[1,null,0.10]}' in LENIENT.encode(record)


def test_a_python_name_on_the_wire_is_an_unknown_key() -> None:
    record = decode_usage('"start_date": "2025-01-01", "extra": {"x": 1}')
    assert record.start_date is None
    assert record.extra == {"start_date": "2025-01-01", "extra": {"x": 1}}


def test_missing_and_null_fields_are_none(converter: Converter) -> None:
    missing = converter.decode(b'{"id": "u-1"}', UsageData)
    nulls = dict.fromkeys(SCHEMAS["UsageData"]["properties"]) | {"id": "u-1"}
    null = converter.decode(json.dumps(nulls).encode(), UsageData)
    assert missing == null == UsageData(id="u-1")
    assert null.extra == {}


def test_the_last_of_two_equal_keys_counts() -> None:
    assert LENIENT.decode(b'{"id": "1", "id": "2"}', UsageData).id == "2"


@pytest.mark.parametrize(
    ("key", "text", "name", "default"),
    [
        ("usage", '"n/a"', "usage", None),
        ("usage", '"NaN"', "usage", None),
        ("usage", "true", "usage", None),
        ("startDate", '"2025-13-01"', "start_date", None),
        ("startDate", "20250131", "start_date", None),
        ("created", '"noon"', "created", None),
        ("isImplied", '"true"', "is_implied", None),
        ("isImplied", "1", "is_implied", None),
        ("meter", "true", "meter", None),
        ("datasourceType", "5", "datasource_type", None),
        ("datasourceType", '["GAS"]', "datasource_type", None),
        ("site", '"s-1"', "site", None),
        ("site", '{"name": "s-1"}', "site", None),
        ("identifiers", "{}", "identifiers", ()),
        ("identifiers", "[null]", "identifiers", ()),
        ("identifiers", "false", "identifiers", ()),
        ("identifiers", '""', "identifiers", ()),
        ("additionalFields", "[]", "additional_fields", None),
        ("document", '{"url": null}', "document", None),
    ],
)
def test_a_value_that_does_not_fit_is_kept_in_extra(
    key: str, text: str, name: str, default: object
) -> None:
    record = decode_usage(f'"{key}": {text}, "tariff": "A", "newKey": 1')
    assert getattr(record, name) == default
    assert record.tariff == "A"
    assert record.extra == {"newKey": 1, key: EXACT.decode(text)}
    assert EXACT.decode(LENIENT.encode(record))[key] == EXACT.decode(text)


def test_a_misfit_of_a_nested_model_is_kept_in_its_own_extra() -> None:
    record = decode_usage(
        '"site": {"id": "s", "name": "n", "path": "x"},'
        '"timeOfUseBreakdown": [{"usage": "1"}, {"usage": "x"}]'
    )
    assert record.extra == {}
    assert record.site is not None
    assert record.site.extra == {"path": "x"}
    first, second = record.time_of_use_breakdown
    assert (first.usage, first.extra) == (Decimal(1), {})
    assert (second.usage, second.extra) == (None, {"usage": "x"})


def decode_odd_items(text: str, rows: int = 1) -> list[UsageData]:
    body = b"[%s]" % b", ".join(
        b'{"id": "%d", %s}' % (number, text.encode()) for number in range(rows)
    )
    return LENIENT.decode(body, list[UsageData])


def test_the_other_items_of_a_list_with_an_odd_item_are_kept(
    caplog: pytest.LogCaptureFixture,
) -> None:
    text = '"identifiers": [{"value": "a"}, "canary", {"value": "b"}, null]'
    for record in decode_odd_items(text, rows=3):
        assert [identifier.value for identifier in record.identifiers] == ["a", "b"]
        assert record.extra == {"identifiers": ["canary", None]}
    (line,) = [record.getMessage() for record in caplog.records]
    assert "expected an object, got text @ $[0].identifiers[1]" in line
    assert "canary" not in line


@pytest.mark.parametrize(
    "text",
    [
        '[{"id": null}, {"id": "a2"}]',
        '[{"id": "a2"}, {"accountNumber": "7"}]',
        '["a1", {"id": "a2"}, 5]',
    ],
)
def test_the_other_accounts_are_kept_if_one_has_no_id(text: str) -> None:
    body = b'{"id": "n", "accounts": %s}' % text.encode()
    decoded = LENIENT.decode(body, Connection)
    assert [account.id for account in decoded.accounts] == ["a2"]
    odd = [account for account in EXACT.decode(text) if account != {"id": "a2"}]
    assert decoded.extra == {"accounts": odd}
    with pytest.raises(DecodeError, match=r"@ \$\.accounts\[\d\]"):
        STRICT.decode(body, Connection)


def test_odd_items_are_encoded_behind_the_others() -> None:
    (record,) = decode_odd_items('"identifiers": [7, {"value": "a"}]')
    written = EXACT.decode(LENIENT.encode(record))["identifiers"]
    assert [written[0]["value"], written[1]] == ["a", 7]
    assert LENIENT.decode(LENIENT.encode(record), UsageData) == record


def test_an_odd_item_shows_no_secret() -> None:
    body = b'{"id": "d", "usageData": [], "lineItems": [[{"rate": "1"}], "x"]}'
    assert LENIENT.decode(body, Document).extra == {"lineItems": [[{"rate": "1"}], "x"]}
    deep = b"[" * 400 + b"]" * 400
    decoded = LENIENT.decode(b'{"id": "d", "lineItems": [%s]}' % deep, Document)
    assert decoded.line_items == ()
    assert len(LENIENT.encode(decoded, with_secrets=False)) > 100


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ('"datasourceType": "gas"', "datasource_type", DatasourceType.GAS),
        ('"netMeteringType": "Import"', "net_metering_type", NetMeteringType.IMPORT),
        ('"meter": 5', "meter", "5"),
        ('"startDate": "2025-01-31T00:00:00Z"', "start_date", date(2025, 1, 31)),
        (
            '"created": "2025-01-31t24:00:00z"',
            "created",
            datetime(2025, 2, 1, tzinfo=UTC),
        ),
    ],
)
def test_other_spellings_are_accepted_by_lenient_decoding_only(
    text: str, name: str, value: object
) -> None:
    record = decode_usage(text)
    assert (getattr(record, name), record.extra) == (value, {})
    assert type(getattr(record, name)) is type(value)
    if name == "created":  # ISO 8601 has both spellings
        assert decode_usage(text, STRICT) == record
        return
    with pytest.raises(DecodeError):
        decode_usage(text, STRICT)


@pytest.mark.parametrize("id_", ["7", "7.50", "123456789012345678901234567890"])
def test_an_id_may_be_a_number(id_: str) -> None:
    kinds: tuple[type[Any], ...] = (UtilityProvider, DocumentEmbedded)
    for kind in kinds:
        body = b'{"id": %s}' % id_.encode()
        assert LENIENT.decode(body, kind).id == id_
        assert "expected text" in read_failure(body, STRICT, kind)
    odd = LENIENT.decode(b'{"id": true}', UtilityProvider)
    assert (odd.id, odd.extra) == (None, {"id": True})


def test_a_count_may_be_text() -> None:
    body = b'{"id": "j", "duplicates": "3"}'
    assert LENIENT.decode(body, Job).duplicates == 3
    assert "a whole number" in read_failure(body, STRICT, Job)


def test_a_misfit_is_logged_once_without_its_value(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for _ in range(3):
        decode_usage('"usage": "canary", "startDate": "canary"')
    lines = [
        (record.name, record.levelno, record.getMessage()) for record in caplog.records
    ]
    assert len(lines) == 2
    for name, level, words_ in lines:
        assert (name, level) == ("nectar_async", logging.WARNING)
        assert "canary" not in words_
    assert "UsageData.start_date does not fit and is kept in .extra" in lines[0][2]
    assert "expected a decimal, got text @ $.usage" in lines[1][2]


def test_an_item_that_cannot_be_read_is_named_by_its_index() -> None:
    rows: list[Any] = [{"id": str(number)} for number in range(9)]
    rows[3], rows[5], rows[6], rows[7] = {}, {"id": ["5"]}, None, 7
    problems = (
        "missing @ $.usageData[3].id",
        "expected text, got a list @ $.usageData[5].id",
        "expected an object, got null @ $.usageData[6]",
        "expected an object, got a number @ $.usageData[7]",
    )
    with pytest.raises(DecodeError) as caught:
        decode_page({"usageData": rows}, STRICT)
    assert caught.value.problems == problems
    for body in ({"usageData": rows}, rows):
        page = decode_page(body, LENIENT)
        assert [record.id for record in page.items] == ["0", "1", "2", "4", "8"]
        assert [problem.replace("usageData", "") for problem in page.problems] == [
            problem.replace("usageData", "").replace("$.", "$")
            if body is rows
            else problem.replace("usageData", "")
            for problem in problems
        ]


def test_a_lenient_error_names_only_required_fields() -> None:
    words_ = read_failure(b'{"usage": "x", "newKey": 1, "isImplied": 5}')
    assert words_ == "the answer is not a valid UsageData: missing @ $.id"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('"newKey": 1', "unknown key @ $.newKey"),
        ('"datasourceType": "HYDROGEN"', "unknown DatasourceType @ $.datasourceType"),
        ('"usage": "x"', "expected a decimal, got text @ $.usage"),
        ('"site": {"name": "s"}', "missing @ $.site.id"),
        (
            '"identifiers": [{}, {"name": "ODD"}]',
            "unknown IdentifierType @ $.identifiers[1].name",
        ),
        ('"identifiers": [{"zz": 1}]', "unknown key @ $.identifiers[0].zz"),
        ('"document": {"id": "d", "zz": 1}', "unknown key @ $.document.zz"),
    ],
)
def test_a_strict_error_names_each_problem_by_its_path(text: str, problem: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decode_usage(text, STRICT)
    assert caught.value.problems == (problem,)
    decode_usage(text)


@pytest.mark.parametrize("is_strict", [True, False], ids=["strict", "lenient"])
@pytest.mark.parametrize("item", ["{}", "1"])
def test_a_page_of_odd_records_only_fails_soon(item: str, is_strict: bool) -> None:
    body = f"""{{"usageData": [{",".join([item] * 10_000)}]}}""".encode()
    converter = STRICT if is_strict else LENIENT
    with pytest.raises(DecodeError) as caught:
        converter.decode_page(body, UsageData, Listing(items="usage_data"), 1)
    assert len(caught.value.problems) < 200


def test_a_list_in_a_record_with_too_many_odd_items_is_odd_as_a_whole() -> None:
    record = decode_usage(f'"identifiers": [{",".join(["1"] * 5_000)}]')
    assert record.identifiers == ()
    assert len(record.extra["identifiers"]) == 5_000


def test_a_strict_error_names_several_problems() -> None:
    with pytest.raises(DecodeError) as caught:
        decode_usage(
            '"newKey": 1, "usage": "x", "site": {"name": 5}, "isImplied": 1', STRICT
        )
    assert set(caught.value.problems) == {
        "unknown key @ $.newKey",
        "expected a decimal, got text @ $.usage",
        "missing @ $.site.id",
        "expected text, got a number @ $.site.name",
        "expected a boolean, got a number @ $.isImplied",
    }


def examples() -> Iterator[Any]:
    for name in ("Company", "Site", "UsageData", "UsageDataNested"):
        kind = {"Company": Company, "Site": Site}.get(name, UsageData)
        for number, value in enumerate(SCHEMAS[name]["examples"]):
            yield pytest.param(kind, value, id=f"{name}-{number}")


def example_pages() -> Iterator[Any]:
    for name, kind, items in (
        ("CompanyList", Company, "companies"),
        ("SiteList", Site, "sites"),
        ("UsageDataPage", UsageData, "usage_data"),
    ):
        for number, value in enumerate(SCHEMAS[name]["examples"]):
            yield pytest.param(kind, items, value, id=f"{name}-{number}")


@pytest.mark.parametrize(("kind", "value"), [*examples()])
def test_every_example_of_the_contract_decodes_in_strict_mode(
    kind: type[Any], value: Any
) -> None:
    decoded = STRICT.decode(json.dumps(value).encode(), kind)
    assert decoded.id == value["id"]
    assert decoded == LENIENT.decode(json.dumps(value).encode(), kind)
    assert LENIENT.decode(LENIENT.encode(decoded), kind) == decoded


@pytest.mark.parametrize(("kind", "items", "value"), [*example_pages()])
def test_every_example_of_a_list_decodes(
    kind: type[Any], items: str, value: Any, converter: Converter
) -> None:
    listing = Listing(items=items)
    page = converter.decode_page(json.dumps(value).encode(), kind, listing, 1)
    assert page.items
    assert all(type(record) is kind for record in page.items)
    assert page.extra == {}


def decode_slowly(value: Any, model: type[Any]) -> Any:
    """Structure a value with the hook of cattrs, which takes the slow path."""
    return LENIENT.cattrs.structure(value, model)


@each_model
@given(data=st.data())
@many
def test_the_fast_and_the_slow_path_agree(model: type[Any], data: Any) -> None:
    body = LENIENT.encode(data.draw(damaged_json(model)))
    expected = None
    with suppress(MisfitError):
        expected = decode_slowly(EXACT.decode(body), model)
    if expected is None:
        assert "$." in read_failure(body, kind=model)
        return
    for _ in range(2):  # a learned key changes nothing
        decoded = LENIENT.decode(body, model)
        assert decoded == expected
        assert describe_value(decoded) == describe_value(expected)


def describe_value(value: Any) -> Any:
    """Return a value with types and digits, to tell a member from its text."""
    if attrs.has(type(value)):
        names = [attribute.name for attribute in attrs.fields(type(value))]
        return type(value), {
            name: describe_value(getattr(value, name)) for name in names
        }
    if isinstance(value, dict):
        return {key: describe_value(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value), [describe_value(inner) for inner in value]
    return type(value), repr(value)


@each_model
@given(data=st.data())
@many
def test_a_damaged_record_is_lost_only_without_its_required_fields(
    model: type[Any], data: Any
) -> None:
    value = data.draw(damaged_json(model))
    body = LENIENT.encode(value)
    required = [
        to_wire(attribute.name)
        for attribute in attrs.fields(model)
        if attribute.default is attrs.NOTHING
    ]
    if all(type(value.get(key)) in {str, int, Decimal} for key in required):
        decoded = LENIENT.decode(body, model)
        assert LENIENT.decode(LENIENT.encode(decoded), model) == decoded
    else:
        assert "$." in read_failure(body, kind=model)


def decode_fast(body: bytes, kind: Any, converter: Converter) -> Any:
    """Decode with the slow path disabled."""
    error = AssertionError("the slow path was taken")
    with patch.object(FieldByFieldReader, "read_model", side_effect=error):
        return converter.decode(body, kind)


@each_model
@given(data=st.data())
@max_examples(20)
def test_records_that_fit_take_the_fast_path(model: type[Any], data: Any) -> None:
    value = data.draw(models(model, with_extra=False))
    assert decode_fast(LENIENT.encode(value), model, LENIENT) == value


def test_every_example_of_the_contract_takes_the_fast_path() -> None:
    for parameters in examples():
        kind, value = parameters.values
        decode_fast(json.dumps(value).encode(), kind, Converter())


@pytest.mark.slow
def test_structs_are_freed_while_their_models_are_made() -> None:
    converter = Converter()
    lists: list[int] = []

    def read_and_count_lists(value: Any, _: object = None) -> DatasourceType:
        lists.append(sum(type(thing) is list for thing in gc.get_objects()))
        return read_shouted(value)

    converter.cattrs.register_structure_hook(DatasourceType, read_and_count_lists)
    record = '{"id":"u","datasourceType":"gas","identifiers":[{"value":"a"}]}'
    for _ in range(2):
        lists.clear()
        decode_page(f'{{"usageData": [{",".join([record] * 20)}]}}'.encode(), converter)
    assert lists[0] - lists[-1] >= 19


def test_a_new_key_makes_one_record_slow_and_not_all() -> None:
    converter = Converter()
    body = b'[{"id": "1", "newKey": 1.50}, {"id": "2", "newKey": null}, {"id": "3"}]'
    slow = converter.decode(body, list[UsageData])
    assert [record.extra for record in slow] == [
        {"newKey": Decimal("1.50")},
        {"newKey": None},
        {},
    ]
    assert decode_fast(body, list[UsageData], converter) == slow


@pytest.mark.parametrize(
    "key",
    [
        *("", '"', "\\", "\n", "\0", "\x7f", "é", "😀", "a b", "'", "\u2028"),
        *("__class__", "tag", "type", "extra", "start_date", "learned_0", "o", "v"),
        *("x" * 200, "x" * 201, "x" * 10_000),
    ],
    ids=lambda key: ascii(key)[:20],
)
def test_a_new_key_may_have_any_spelling(key: str) -> None:
    converter = Converter()
    body = json.dumps([{"id": "1", key: 1}, {"id": "2", key: 2}]).encode()
    for _ in range(2):
        decoded = converter.decode(body, list[UsageData])
        assert [record.extra for record in decoded] == [{key: 1}, {key: 2}]
    assert converter.decode(b'{"id": "3"}', UsageData).extra == {}


def test_the_number_of_learned_keys_is_bounded() -> None:
    converter = Converter()
    for number in range(500):
        key = f"key{number}"
        body = b'{"id": "1", "%s": %d}' % (key.encode(), number)
        assert converter.decode(body, UsageData).extra == {key: number}


@pytest.mark.parametrize("step", range(6))
def test_a_key_that_another_thread_learns_meanwhile_is_not_lost(
    step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another thread decodes an unknown key while this one builds its decoders."""
    converter = Converter()
    body = b'[{"id": "2", "novel": 7}]'
    steps = count()
    compile_function = fields.compile_function

    def compile_while_another_thread_learns(*arguments: Any) -> Any:
        if next(steps) == step:
            with ThreadPoolExecutor() as threads:
                threads.submit(converter.decode, body, list[UsageData]).result()
        return compile_function(*arguments)

    monkeypatch.setattr(
        structs, "compile_function", compile_while_another_thread_learns
    )
    converter.decode(b'{"id": "1"}', UsageData)
    for _ in range(2):
        (record,) = converter.decode(body, list[UsageData])
        assert record.extra == {"novel": 7}


ENVELOPE: dict[str, Any] = {
    "usageData": [{"id": "1"}, {"id": "2"}],
    "totalUsageData": 102,
    "perPage": 100,
    "totalPages": 2,
    "currentPage": 2,
    "hasNext": False,
    "hasPrevious": True,
}


def test_an_envelope_is_a_page(converter: Converter) -> None:
    assert decode_page(ENVELOPE, converter, number=3) == Page(
        items=(UsageData(id="1"), UsageData(id="2")),
        number=3,
        current_page=2,
        total=102,
        total_pages=2,
        per_page=100,
        has_next=False,
        has_previous=True,
    )


def test_a_bare_array_is_one_page_without_totals(converter: Converter) -> None:
    page = decode_page([{"id": "1"}], converter)
    assert page == Page(items=(UsageData(id="1"),))
    assert (page.total, page.total_pages, page.has_next) == (None, 1, False)
    assert decode_page([], converter, number=4).current_page == 4


def test_an_envelope_needs_only_its_items() -> None:
    assert decode_page({"usageData": []}, number=2) == Page(
        items=(), number=2, current_page=2
    )


def test_an_only_list_under_another_key_is_found() -> None:
    page = decode_page({"records": [{"id": "1"}], "totalUsageData": 1})
    assert [record.id for record in page.items] == ["1"]
    assert page.extra == {}
    bodies: list[object] = [{"a": [], "b": []}, {}, {"a": {}}]
    for body in bodies:
        with pytest.raises(DecodeError, match=r"expected a list.*\$\.usageData$"):
            decode_page(body)
    with pytest.raises(DecodeError, match=r"expected a list.*\$\.usageData$"):
        decode_page({"records": [{"id": "1"}]}, STRICT)


@pytest.mark.parametrize(
    ("body", "ids", "total"),
    [
        ({"totalRows": 7, "rows": [{"id": "1"}], "hints": []}, ["1"], 7),
        ({"totalRows": 1, "hints": [{"id": "x"}], "rows": [{"id": "1"}]}, ["1"], 1),
        ({"hasNext": False, "rows": [], "hints": [{"id": "x"}]}, [], None),
        ({"totalPages": 1, "errors": [], "rows": [{"id": "1"}]}, ["1"], None),
        ({"totalPages": 1, "tags": ["x"], "rows": [{"id": "1"}]}, ["1"], None),
        ({"totalFound": 3, "totalCost": 9, "rows": [{"id": "1"}]}, ["1"], 3),
        ({"totalCost": 9, "totalRows": 1, "rows": [{"id": "1"}]}, ["1"], 1),
        ({"total": 4, "results": [{"id": "1"}], "facets": []}, ["1"], 4),
    ],
)
def test_the_first_of_several_lists_under_other_keys_is_taken(
    body: dict[str, Any], ids: list[str], total: int | None
) -> None:
    page = decode_page(body)
    assert ([record.id for record in page.items], page.total) == (ids, total)
    with pytest.raises(DecodeError, match=r"\$\.usageData$"):
        decode_page(body, STRICT)


@pytest.mark.parametrize(
    "body",
    [
        {"errors": [], "detail": "try later"},
        {"errors": [], "warnings": [], "hasNext": False},
        {"errors": [{"id": "1"}], "totalPages": 0},
        {"messages": ["try later"], "totalPages": 0},
        {"detail": [], "total": None},
    ],
)
def test_an_object_without_keys_of_an_envelope_is_no_empty_page(
    body: dict[str, Any],
) -> None:
    with pytest.raises(DecodeError, match=r"expected a list, got nothing"):
        decode_page(body)


def test_the_keys_of_an_envelope_can_be_corrected(converter: Converter) -> None:
    page = decode_page(
        {"rows": [{"id": "1"}], "count": 5, "pages": 9},
        converter,
        usageData="rows",
        totalUsageData="count",
        totalPages="pages",
    )
    assert [record.id for record in page.items] == ["1"]
    assert (page.total, page.total_pages) == (5, 9)


def test_corrections_of_other_keys_do_not_change_a_page() -> None:
    assert decode_page(ENVELOPE, confirm="isConfirmed") == decode_page(ENVELOPE)


def test_unknown_keys_of_an_envelope_are_kept() -> None:
    page = decode_page({**ENVELOPE, "took": 1.5})
    assert page.extra == {"took": Decimal("1.5")}


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"totalUsageData": 3, "perPage": 2, "totalPages": 2, "currentPage": 1},
        {"totalUsageData": "3", "hasNext": "true", "hasPrevious": "FALSE"},
        {"totalPages": None, "hasNext": True},
        {"totalPages": -1, "currentPage": [], "perPage": 1.5, "hasNext": "yes"},
        {"totalUsageData": 10**30},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "record", [{"id": "u-1"}, {"id": "u-1", "usage": [], "new": 1}]
)
def test_an_unknown_key_does_not_change_the_rest_of_an_envelope(
    facts: dict[str, Any], record: dict[str, Any]
) -> None:
    envelope = {**facts, "usageData": [record]}
    plain = decode_page(envelope)
    changed = decode_page({**envelope, "unheard": "of"})
    assert changed.extra == {**plain.extra, "unheard": "of"}
    assert attrs.evolve(changed, extra=plain.extra) == plain
    assert decode_page(envelope) == plain


def test_an_unknown_key_of_an_envelope_is_a_problem_when_strict() -> None:
    with pytest.raises(DecodeError, match=r"unknown key @ \$\.took"):
        decode_page({**ENVELOPE, "took": 1}, STRICT)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"currentPage": 0}, {"current_page": 0}),
        ({"totalPages": 0}, {"total_pages": 1}),
        ({"totalPages": 10**30}, {"total_pages": 10**30}),
        ({"totalUsageData": 10**30}, {"total": 10**30}),
        ({"totalUsageData": 0}, {"total": 0}),
        ({"totalUsageData": None}, {"total": None}),
        ({"hasNext": None, "totalPages": 1}, {"has_next": False}),
        ({"hasNext": None, "totalPages": 2}, {"has_next": True}),
    ],
)
def test_odd_values_of_an_envelope_are_interpreted(
    facts: dict[str, Any], expected: dict[str, Any]
) -> None:
    page = decode_page({**ENVELOPE, **facts})
    assert {name: getattr(page, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"totalPages": "5"}, {"total_pages": 5}),
        ({"totalUsageData": "500"}, {"total": 500}),
        ({"hasNext": "false"}, {"has_next": False}),
        ({"hasNext": "true"}, {"has_next": True}),
    ],
)
def test_values_of_an_envelope_in_text_are_not_misread(
    facts: dict[str, Any], expected: dict[str, Any]
) -> None:
    # If these values were misread or ignored, a list would end early or never.
    page = decode_page({**ENVELOPE, **facts})
    actual = {name: getattr(page, name) for name in expected}
    assert actual == expected or facts.items() <= page.extra.items()
    with pytest.raises(DecodeError):
        decode_page({**ENVELOPE, **facts}, STRICT)


def test_the_last_of_two_lists_with_the_same_key_counts() -> None:
    page = decode_page(b'{"usageData": [], "usageData": [{"id": "1"}]}')
    assert len(page.items) == 1


@pytest.mark.parametrize("items", [None, {}, "x", 5, False])
def test_items_that_are_no_list_are_an_error(
    items: object, converter: Converter
) -> None:
    with pytest.raises(DecodeError, match=r"expected a list, got .* @ \$\.usageData$"):
        decode_page({"usageData": items}, converter)


@pytest.mark.parametrize(
    ("text", "pages"),
    [
        (b'{"totalPages": 5, "usageData": [{"id": 1}]}', 5),
        (b'{"totalPages": 0}', 1),
        (b'{"totalPages": -5}', 1),
        (b'{"totalPages": null}', 1),
        (b'{"totalPages": "x"}', 1),
        (b"{}", 1),
        (b"[]", 1),
        (b"", 1),
        (b"<html>", 1),
        (b"\xff", 1),
        (b"[" * 100_000, 1),
        (b'{"x": ' + b"[" * 100_000, 1),
        (b'{"totalPages": 5', 1),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_the_page_count_is_read_from_an_envelope(text: bytes, pages: int) -> None:
    assert read_page_count(text) == pages


@given(st.integers(1, 10**12))
def test_the_page_count_is_the_same_as_on_the_decoded_page(total: int) -> None:
    body = f'{{"usageData": [], "totalPages": {total}}}'.encode()
    assert read_page_count(body) == decode_page(body).total_pages == total


NO_JSON = [
    (b"", "an empty body"),
    (b" \n", "an empty body"),
    (b"<html><body>canary</body></html>", "HTML or XML"),
    (b'{"id": "canary', "expected JSON"),
    (b"canary", "expected JSON"),
    (b"\xff\xfe", "expected JSON"),
    (b'{"canary": ' * 100_000, "nested too deeply"),
    (b"[" * 100_000, "nested too deeply"),
]
# A lenient converter repairs these: see test_damaged_json.py.
DAMAGED = [
    (b"NaN", "expected JSON"),
    (b'{"id": "canary\xff"}', "expected JSON"),
    (b'{"id": "u", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "too deeply"),
    (b'{"canary": ' + b"9" * 5_000 + b"}", "expected JSON"),
    (b'{"canary": "\\ud800"}', "a text has invalid characters, at character 11"),
    (b'{"id": "u", "usage": 1e9999999999999999999}', "a number beyond all bounds"),
]


@pytest.mark.parametrize(
    ("body", "words_", "converter"),
    [
        *((*case, Converter(is_strict=False)) for case in NO_JSON),
        *((*case, Converter(is_strict=True)) for case in NO_JSON + DAMAGED),
    ],
    ids=range(2 * len(NO_JSON) + len(DAMAGED)),
)
def test_the_error_of_invalid_json_shows_none_of_it(
    body: bytes, words_: str, converter: Converter
) -> None:
    text = read_failure(body, converter)
    assert text.startswith("the answer is not a valid UsageData: expected JSON")
    assert words_ in text
    assert "canary" not in text
    assert len(text) < 200
    with pytest.raises(DecodeError, match="not a valid page of UsageData") as caught:
        decode_page(body, converter)
    assert "canary" not in str(caught.value)


@given(st.binary(max_size=100))
def test_any_bytes_are_a_record_or_a_decode_error(body: bytes) -> None:
    for converter in (LENIENT, STRICT):
        for kind in (UsageData, list[Site], dict):
            try:
                converter.decode(body, kind)
            except DecodeError as error:
                assert error.problems  # noqa: PT017  either outcome is fine


def test_an_error_contains_no_value_of_the_answer() -> None:
    body = json.dumps(
        {
            "usageData": [
                {
                    "id": ["canary"],
                    "usage": "canary",
                    "datasourceType": "canary",
                    "document": {"id": 5, "url": ["canary"]},
                }
            ]
        }
    ).encode()
    with pytest.raises(DecodeError) as caught:
        decode_page(body, STRICT)
    error = caught.value
    assert "canary" not in repr(vars(error)) + repr(error.args) + str(error)
    assert error.__cause__ is None
    assert error.__context__ is None
    assert "canary" not in repr(decode_page(body, LENIENT).problems)


def test_a_secret_is_masked_and_left_out_when_asked() -> None:
    record = decode_usage('"document": {"id": "d", "url": "https://x/?canary"}')
    assert "canary" not in repr(record)
    assert record.document is not None
    assert record.document.url == Secret("https://x/?canary")
    assert b"canary" in LENIENT.encode(record)
    for value in (record, [record], record.document):
        body = LENIENT.encode(value, with_secrets=False)
        assert b"canary" not in body
        assert b'"url"' not in body


def test_a_missing_secret_is_null() -> None:
    document = DocumentEmbedded(id="d")
    assert b'"url":null' in LENIENT.encode(document)
    assert b'"url"' not in LENIENT.encode(document, with_secrets=False)


def test_an_unknown_key_that_is_sensitive_elsewhere_is_left_out_with_the_secrets() -> (
    None
):
    text = (
        '"password": "canary", "token": {"x": ["canary"]}, "newKey": 1.50,'
        '"login": [{"username": "canary", "name": "n", "token": null}],'
        '"identifiers": [[], {"value": "v", "password": "canary"}]'
    )
    record = decode_usage(text)
    assert record.extra["password"] == "canary"
    assert LENIENT.encode(record).count(b"canary") == 4
    for value in (record, [record], {"one": record}, Page(items=(record,))):
        body = LENIENT.encode(value, with_secrets=False)
        assert b"canary" not in body
        assert b'"newKey":1.50' in body
        assert b'"login":[{"name":"n","token":null}]' in body
        assert b'"value":"v"' in body  # the value of an identifier is no secret
    page: Page[UsageData] = Page(items=(), extra={"token": "canary", "took": 1})
    assert b"canary" in LENIENT.encode(page)
    body = LENIENT.encode(page, with_secrets=False)
    assert (b"canary" in body, b'"took":1' in body) == (False, True)


def test_a_misfit_of_a_plain_field_is_encoded_if_its_key_is_sensitive_elsewhere() -> (
    None
):
    body = b'{"id": "n", "url": ["odd"], "accounts": [{"id": null, "token": "canary"}]}'
    written = LENIENT.encode(LENIENT.decode(body, Connection), with_secrets=False)
    assert b'"url":["odd"]' in written
    assert b'"accounts":[{"id":null}]' in written


@pytest.mark.parametrize(
    "document",
    [
        '{"id": "d", "url": ["canary"]}',
        '{"id": "d", "url": {"href": "canary"}}',
        '{"id": null, "url": "canary"}',
        '{"url": "canary"}',
        '[{"id": "d", "url": "canary"}]',
    ],
)
def test_a_misfit_shows_no_secret_anywhere(
    document: str, caplog: pytest.LogCaptureFixture
) -> None:
    record = decode_usage(f'"document": {document}')
    assert record.id == "u-1"
    assert "canary" not in repr(record)
    assert "canary" not in caplog.text
    assert b"canary" not in LENIENT.encode(record, with_secrets=False)


@given(words)
def test_no_secret_survives_without_secrets(text: str) -> None:
    document = DocumentEmbedded(id="d", url=Secret(f"canary{text}"))
    assert b"canary" not in LENIENT.encode(document, with_secrets=False)


def read_shouted(value: Any, _: object = None) -> DatasourceType:
    return DatasourceType(value.rstrip("!").upper())


@pytest.mark.parametrize("is_strict", [False, True])
def test_a_hook_for_an_enum_is_respected(is_strict: object) -> None:
    converter = Converter(is_strict=bool(is_strict))
    converter.cattrs.register_structure_hook(DatasourceType, read_shouted)
    assert decode_usage('"datasourceType": "gas!"', converter).datasource_type == "GAS"
    assert decode_usage('"datasourceType": "gas!"').datasource_type == "gas!"


@pytest.mark.parametrize("is_strict", [False, True])
def test_a_hook_for_decimals_is_respected(is_strict: object) -> None:
    converter = Converter(is_strict=bool(is_strict))
    converter.cattrs.register_structure_hook(
        Decimal, lambda value, _: Decimal(str(value).replace(",", ""))
    )
    assert decode_usage('"usage": "1,000.50"', converter).usage == Decimal("1000.50")


@pytest.mark.parametrize(
    ("is_strict", "oddity"),
    [(False, ""), (False, ', "usage": "x"'), (False, ', "newKey": 1'), (True, "")],
)
def test_a_hook_for_a_model_is_used_at_every_depth(
    is_strict: object, oddity: str
) -> None:
    converter = Converter(is_strict=bool(is_strict))
    converter.cattrs.register_structure_hook(Site, lambda *_: Site(id="mine", name="x"))
    record = decode_usage(f'"site": {{"id": "s", "name": "n"}}{oddity}', converter)
    assert record.site == Site(id="mine", name="x")


def test_a_hook_for_text_does_not_apply_to_enums() -> None:
    converter = Converter()
    converter.cattrs.register_structure_hook(str, lambda value, _: value.strip())
    record = converter.decode(b'{"id": " u ", "datasourceType": "GAS"}', UsageData)
    assert record.id == "u"
    assert record.datasource_type is DatasourceType.GAS


def test_a_failing_hook_is_a_misfit_without_its_message() -> None:
    def failing(value: Any, _: object) -> OpenEnum:
        raise RuntimeError(f"canary {value}")

    lenient, strict = Converter(), Converter(is_strict=True)
    for converter in (lenient, strict):
        converter.cattrs.register_structure_hook(DatasourceType, failing)
    record = decode_usage('"datasourceType": "GAS"', lenient)
    assert record.extra == {"datasourceType": "GAS"}
    words_ = read_failure(b'{"id": "u", "datasourceType": "GAS"}', strict)
    assert words_.endswith("a hook raised RuntimeError @ $.datasourceType")
