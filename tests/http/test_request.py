"""A request encodes its path, query and body, each value once."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes, urlsplit
from uuid import UUID

import pytest
from hypothesis import example, given, strategies as st
from strategies import finite_decimals, words

from nectar_async import (
    UNSET,
    ConfigurationError,
    DatasourceType,
    InvalidArgumentError,
    Listing,
    Operation,
    Page,
    Request,
)

BASE = "https://nectar.example/v2.2"
ID = UUID("3b1e6f0a-7c52-4d19-9a84-5e2f0c6d8b11")


class Shade(Enum):
    """An enum of a user."""

    DARK = "dark"
    TWO = 2


def build_request(**query: object) -> Request[dict[str, Any]]:
    return Request.get("things_list", "/thing", dict, query=query)


def of(thing_id: Any) -> Request[dict[str, Any]]:
    return Request.get("things_get", "/thing/{thing_id}/x", dict, thing_id=thing_id)


def build_list_request(
    *, is_array: bool = False, **query: object
) -> Request[Page[Any]]:
    listing = Listing(items="things", is_array=is_array)
    return Request.get("things_list", "/thing", Page, query=query, listing=listing)


def encode_body(value: Any) -> Any:
    request = Request.patch("things_update", "/thing", dict, json=value)
    request = request.resolve(BASE)
    assert isinstance(request.body, bytes)
    return json.loads(request.body)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a b&c=d", "a b&c=d"),
        ("", ""),
        (5, "5"),
        (-(10**30), "-" + "1" + "0" * 30),
        (True, "true"),
        (False, "false"),
        (ID, "3b1e6f0a-7c52-4d19-9a84-5e2f0c6d8b11"),
        (Decimal("1.50"), "1.50"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0E-7"), "0.0000000"),
        (DatasourceType.ELECTRICITY, "ELECTRICITY"),
        (DatasourceType("HYDROGEN"), "HYDROGEN"),
        (Shade.DARK, "dark"),
        (Shade.TWO, "2"),
        (date(2025, 1, 2), "2025-01-02"),
        (datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC), "2025-01-02T03:04:05Z"),
        (
            datetime(2025, 1, 2, 0, 0, 0, 5, tzinfo=timezone(timedelta(hours=2))),
            "2025-01-01T22:00:00.000005Z",
        ),
    ],
)
def test_each_type_has_one_text(value: object, text: str) -> None:
    assert build_request(some_key=value).query == (("someKey", text),)
    assert encode_body({"some_key": value}) == {
        "someKey": value if type(value) in {int, bool} else text
    }


@pytest.mark.parametrize("many", [list, tuple])
def test_a_list_repeats_its_key(many: Callable[[Any], object]) -> None:
    request = build_request(datasource_type=many(["A", DatasourceType.GAS]), page=2)
    assert request.resolve(BASE).url == (
        f"{BASE}/thing?datasourceType=A&datasourceType=GAS&page=2"
    )


def test_a_set_repeats_its_key() -> None:
    assert set(build_request(a={"x", "y"}).query) == {("a", "x"), ("a", "y")}


@pytest.mark.parametrize("value", [None, UNSET, [], ()])
def test_unset_and_none_are_left_out_of_a_query(value: object) -> None:
    request = build_request(some_key=value)
    assert request.query == ()
    assert request.resolve(BASE).url == f"{BASE}/thing"


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (1.5, "float"),
        (float("nan"), "float"),
        (b"x", "bytes"),
        ({"a": 1}, "dict"),
        ([1.5], "float"),
        ([None], "NoneType"),
        ([[1]], "list"),
        (object(), "object"),
    ],
)
def test_values_without_a_single_text_are_refused_by_name(
    value: object, kind: str
) -> None:
    with pytest.raises(InvalidArgumentError, match=rf"^some_key cannot be a {kind}"):
        build_request(some_key=value)


def test_a_float_is_refused_with_the_advice_to_use_a_decimal() -> None:
    with pytest.raises(InvalidArgumentError, match=r"write Decimal\('...'\)"):
        build_request(usage=0.1)
    with pytest.raises(InvalidArgumentError, match=r"^usage .* Decimal\('...'\)"):
        encode_body({"rows": [{"usage": 0.1}]})


@pytest.mark.parametrize("text", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_a_decimal_that_is_not_finite_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^usage "):
        build_request(usage=Decimal(text))
    with pytest.raises(InvalidArgumentError, match=r"^usage "):
        encode_body({"usage": Decimal(text)})


def test_unset_in_a_list_is_never_sent_as_text() -> None:
    with pytest.raises(InvalidArgumentError, match=r"^some_key "):
        build_request(some_key=[UNSET])
    with pytest.raises(InvalidArgumentError, match=r"^some_key "):
        encode_body({"some_key": [UNSET]})


def test_an_instant_without_a_time_zone_is_refused_with_advice() -> None:
    naive = datetime(2025, 1, 2, 3, 4)  # noqa: DTZ001  the point of the test
    with pytest.raises(
        InvalidArgumentError,
        match=r"^start_date has no time zone: write 2025-01-02T03:04:00\+00:00",
    ):
        build_request(start_date=naive)


@pytest.mark.parametrize("year", [1, 9999])
def test_an_instant_beyond_the_calendar_is_refused_by_name(year: int) -> None:
    hours = 2 if year == 1 else -2
    edge = datetime.min if year == 1 else datetime.max  # noqa: DTZ901  it gets a zone
    instant = edge.replace(tzinfo=timezone(timedelta(hours=hours)))
    with pytest.raises(InvalidArgumentError, match=r"^start_date "):
        build_request(start_date=instant)


def test_text_that_utf8_cannot_encode_is_refused_by_name() -> None:
    with pytest.raises(InvalidArgumentError, match=r"^identifier is not valid text"):
        build_request(identifier="\ud800")
    with pytest.raises(InvalidArgumentError, match=r"^identifier is not valid text"):
        encode_body({"identifier": "\ud800"})


@given(st.lists(st.tuples(words, words | finite_decimals | st.integers()), max_size=4))
def test_a_query_can_be_parsed_back_from_the_url(
    pairs: list[tuple[str, object]],
) -> None:
    request = Request.get("o", "/p", dict, query=dict(pairs))
    url = request.resolve(BASE).url
    assert url.isascii()
    assert not set(url) & set(" \r\n\t#")
    query = urlsplit(url).query
    assert tuple(parse_qsl(query, keep_blank_values=True)) == request.query


@given(finite_decimals)
def test_decimals_keep_every_digit(number: Decimal) -> None:
    ((_, text),) = build_request(usage=number).query
    assert Decimal(text) == number
    assert "e" not in text.lower()


@given(st.text(max_size=8))
@example("/")
@example("..")
@example(".")
@example("../..")
@example("?")
@example("#")
@example("%2F")
@example("%2e%2e")
@example("a\r\nX-Evil: 1")
@example("\0")
@example("\ud800")
@example("é/日本")
@example(";v=1")
@example("\\")
@example("@evil.example")
def test_an_id_is_one_segment_that_decodes_back_or_is_refused(text: str) -> None:
    try:
        url = of(text).resolve(BASE).url
    except InvalidArgumentError:
        assert text in {"", ".", ".."} or not text.isprintable()
        return
    assert url.isascii()
    path = urlsplit(url).path
    head, middle, segment, tail = path.removeprefix("/v2.2").split("/")
    assert (head, middle, tail) == ("", "thing", "x")
    assert unquote_to_bytes(segment) == text.encode()
    assert segment not in {".", "..", ""}
    assert urlsplit(url).query == urlsplit(url).fragment == ""
    assert urlsplit(url).netloc == "nectar.example"


@pytest.mark.parametrize(
    "text", ["", ".", "..", "a\rb", "a\nb", "\0", "\x1f", "\x7f", "\ud800", "a\udfff"]
)
def test_a_value_that_cannot_be_an_id_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^thing_id "):
        of(text)


@pytest.mark.parametrize("value", [5, None, b"x", 1.5, UNSET, ["x"]])
def test_an_id_is_text_or_a_uuid(value: object) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^thing_id must be text, not "):
        of(value)


def test_a_uuid_is_sent_as_text() -> None:
    assert of(ID).parts == {"thing_id": str(ID)}
    assert of(ID) == of(str(ID))


def test_a_missing_part_is_named_with_the_present_ones() -> None:
    request = Request.get("things_get", "/thing/{thing_id}", dict, site_id="s")
    with pytest.raises(ConfigurationError, match=r"\{thing_id\}.*site_id"):
        request.resolve(BASE)
    with pytest.raises(ConfigurationError, match="no parts"):
        Request.get("things_get", "/thing/{thing_id}", dict).resolve(BASE)


def test_another_page_is_the_same_list() -> None:
    request = build_list_request(start_date=date(2025, 1, 1))
    assert request.page == 1
    third = request.at(3)
    assert third.query == (("startDate", "2025-01-01"), ("page", "3"))
    assert third.page == 3
    assert third.at(4).query == (("startDate", "2025-01-01"), ("page", "4"))
    assert request.query == (("startDate", "2025-01-01"),)


def test_the_first_page_of_a_bare_array_has_no_number() -> None:
    request = build_list_request(is_array=True)
    assert request.at(1).query == ()
    assert request.at(2).at(1).query == ()
    assert request.at(2).query == (("page", "2"),)
    assert build_list_request().at(1).query == (("page", "1"),)


def test_a_request_that_is_not_for_a_list_has_no_page() -> None:
    assert of("x").page is None
    assert build_request(page=4).page is None


@given(st.integers(1, 10**9))
def test_the_page_of_a_request_is_read_from_its_query(page: int) -> None:
    assert build_list_request().at(page).page == page


def test_the_target_names_the_parts_and_the_page() -> None:
    assert of("t-1").target == "thing t-1"
    request = Request.get(
        "o", "/{company_id}/{meter_id}", Page, listing=Listing(items="x"),
        company_id="c", meter_id="m",
    )  # fmt: skip
    assert request.at(3).target == "company c, meter m, page 3"
    assert Request.get("ping_get", "/ping", str).target == ""


def test_a_listing_names_the_key_of_its_total() -> None:
    assert Listing(items="usage_data").total == "total_usage_data"


def test_without_a_correction_the_address_is_the_base_and_the_path() -> None:
    assert of("t").url == ""
    request = of("t").resolve(BASE)
    assert (request.method, request.url) == ("GET", f"{BASE}/thing/t/x")


def test_a_correction_changes_method_path_and_query_keys() -> None:
    request = Request.get(
        "o", "/old/{thing_id}", dict, query={"search": "a b", "page": 2}, thing_id="t/1"
    )
    corrected = request.resolve(
        BASE, Operation("POST", "/new/{thing_id}/y", keys={"search": "q"})
    )
    assert corrected.method == "POST"
    assert corrected.url == f"{BASE}/new/t%2F1/y?q=a%20b&page=2"
    assert corrected.query == (("q", "a b"), ("page", "2"))
    assert (corrected.operation, corrected.path) == ("o", "/new/{thing_id}/y")


def test_an_empty_correction_changes_nothing() -> None:
    assert of("t").resolve(BASE, Operation()) == of("t").resolve(BASE)


def test_a_correction_that_names_an_unknown_part_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"things_get names \{meter_id\}"):
        of("t").resolve(BASE, Operation(path="/meter/{meter_id}"))


def test_a_correction_changes_the_keys_of_the_body() -> None:
    request = Request.patch(
        "connections_confirm", "/c/{connection_id}", dict,
        json={"confirm": True}, connection_id="c",
    )  # fmt: skip
    corrected = request.resolve(BASE, Operation(keys={"confirm": "isConfirmed"}))
    assert isinstance(corrected.body, bytes)
    assert json.loads(corrected.body) == {"isConfirmed": True}


def test_the_page_is_read_from_a_corrected_key() -> None:
    corrected = (
        build_list_request().at(3).resolve(BASE, Operation(keys={"page": "pageNumber"}))
    )
    assert corrected.url == f"{BASE}/thing?pageNumber=3"
    assert corrected.page == 3
    assert corrected.target == "page 3"


def test_unset_null_and_empty_differ_on_the_wire() -> None:
    assert encode_body({"users": UNSET}) == {}
    assert encode_body({"users": None}) == {"users": None}
    assert encode_body({"users": []}) == {"users": []}
    assert encode_body({}) == {}


def test_a_request_without_a_body_has_none() -> None:
    for request in (
        of("t"),
        Request.delete("o", "/x", dict),
        Request.patch("o", "/x", dict),
        Request.post("o", "/x", dict, json=None),
    ):
        assert request.resolve(BASE).body is None
        assert request.headers == {}


def test_a_body_has_a_content_type() -> None:
    request = Request.post("o", "/x", dict, json={}).resolve(BASE)
    assert request.body == b"{}"
    assert request.headers == {"Content-Type": "application/json"}


def test_names_in_a_body_are_wire_names_at_every_depth() -> None:
    assert encode_body(
        {
            "external_id": "x",
            "line_items": [{"start_date": date(2025, 1, 2), "note": UNSET}],
            "some_map": {"inner_key": None},
        }
    ) == {
        "externalId": "x",
        "lineItems": [{"startDate": "2025-01-02"}],
        "someMap": {"innerKey": None},
    }


def test_a_body_key_that_is_not_text_is_refused() -> None:
    with pytest.raises(InvalidArgumentError):
        encode_body({1: 2})


def test_two_keys_that_become_one_are_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="someKey"):
        encode_body({"some_key": 1, "someKey": 2})


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | words,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.from_regex(r"[a-z]+", fullmatch=True), inner, max_size=3
            )
        ),
    )
)
def test_plain_json_is_sent_unchanged(value: object) -> None:
    assert encode_body({"key": value}) == {"key": value}


def test_amounts_in_a_body_are_text() -> None:
    request = Request.post("o", "/x", dict, json={"usage": Decimal("3100.00")})
    assert request.resolve(BASE).body == b'{"usage":"3100.00"}'


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (Request.get("o", "/x", dict), True),
        (Request.delete("o", "/x", dict), True),
        (Request.post("o", "/x", dict), False),
        (Request.patch("o", "/x", dict), False),
        (Request.post("o", "/x", dict, is_repeatable=True), True),
        (Request.patch("o", "/x", dict, is_repeatable=True), True),
        (Request(operation="o", method="POST", path="/x", returns=dict), False),
    ],
)
def test_the_verb_decides_whether_a_request_is_repeatable(
    request_: Request[Any], expected: object
) -> None:
    assert request_.is_repeatable is expected


async def chunks() -> AsyncIterator[bytes]:
    yield b"x"


@pytest.mark.parametrize(
    ("body", "expected"),
    [(None, True), (b"", True), (b"x", True), (chunks, True), (chunks(), False)],
)
def test_a_body_can_be_sent_again_unless_it_is_a_stream(
    body: Any, expected: object
) -> None:
    request = Request(operation="o", method="PUT", path="/x", returns=dict, body=body)
    assert request.can_resend is expected


def test_no_repr_shows_a_header_or_the_body() -> None:
    request = Request(
        operation="o",
        method="POST",
        path="/x",
        returns=dict,
        headers={"X-API-Key": "canary-key"},
        body=b"canary-body",
        json={"key": "canary-json"},
    )
    for text in (repr(request), str(request), repr(request.resolve(BASE))):
        assert "canary" not in text


def test_requests_with_equal_fields_are_equal() -> None:
    assert of("t") == of("t")
    assert of("t") != of("u")
