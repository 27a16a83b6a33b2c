"""Arguments are checked: a wrong one is named, and the others are converted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from nectar_async import (
    UNSET,
    InvalidArgumentError,
    MemoryTransport,
    NectarClient,
    Secret,
    TimeOfUse,
    UsageUnits,
)
from nectar_async.resources import _checks, documents
from nectar_async.resources._checked_fields import FieldTable, check_dates
from nectar_async.resources._checks import Check, Nullable

ID = UUID("3b1e6f0a-7c52-4d19-9a84-5e2f0c6d8b11")
LINK = "https://files.example.com/a.pdf?signature=canary"

ACCEPTED: list[tuple[Check, Any, object]] = [
    (_checks.text_check(1, 3), "abc", "abc"),
    (_checks.text_check(), "", ""),
    (_checks.check_bool, False, False),
    (_checks.int_check(1, 500), 500, 500),
    (_checks.int_check(60), 60, 60),
    (_checks.decimal_check(), 40, Decimal(40)),
    (_checks.decimal_check(), "1e3", Decimal(1000)),
    (_checks.decimal_check(0, 1, places=2), Decimal("0.25"), Decimal("0.25")),
    (_checks.decimal_check(0, 1, places=2), Decimal("1.00000"), Decimal("1.00")),
    (_checks.check_date, date(2025, 1, 31), date(2025, 1, 31)),
    (_checks.check_country, "us", "US"),
    (_checks.check_email, "ops+bills@mail.example.com", "ops+bills@mail.example.com"),
    (_checks.check_id, ID, str(ID)),
    (_checks.check_id, "opaque/1", "opaque/1"),
    (_checks.check_secret, "hush", Secret("hush")),
    (_checks.check_secret, Secret("hush"), Secret("hush")),
    (_checks.check_https_link, LINK, Secret(LINK)),
    (_checks.open_enum_check(TimeOfUse), "SHOULDER", TimeOfUse("SHOULDER")),
    (_checks.list_check(_checks.check_id), (ID, "b"), [str(ID), "b"]),
    (_checks.list_check(_checks.check_id), [], []),
    (Nullable(_checks.check_date), None, None),
    (Nullable(_checks.check_date), date(2025, 1, 1), date(2025, 1, 1)),
]

REFUSED: list[tuple[Check, Any, str]] = [
    (_checks.text_check(1), "", "x is empty"),
    (_checks.text_check(0, 3), "abcd", "x has 4 characters; the API takes 3 at most"),
    (_checks.text_check(), None, "x must be text, not NoneType"),
    (_checks.check_bool, "false", "x must be True or False, not 'false'"),
    (_checks.check_bool, 1, "x must be True or False, not 1"),
    (_checks.int_check(1, 500), 0, "x must be a whole number from 1 to 500, not 0"),
    (_checks.int_check(1, 500), 501, "x must be a whole number from 1 to 500, not 501"),
    (_checks.int_check(60), 59, "x must be a whole number from 60, not 59"),
    (_checks.int_check(1), True, "x must be a whole number from 1, not True"),
    (_checks.int_check(1), 1.0, "x must be a whole number from 1, not 1.0"),
    (
        _checks.decimal_check(),
        0.1,
        r"x must be a Decimal, not float; write Decimal\('0.1'\)",
    ),
    (_checks.decimal_check(), "a lot", "x is no number: 'a lot'"),
    (_checks.decimal_check(), "NaN", "x is no finite number: NaN"),
    (_checks.decimal_check(), True, "x must be a Decimal, not bool"),
    (_checks.decimal_check(0, 100), 101, "x must be from 0 to 100, not 101"),
    (
        _checks.decimal_check(0, 1, places=2),
        "0.125",
        "x must have at most 2 decimal places",
    ),
    (
        _checks.check_date,
        datetime(2025, 1, 1, tzinfo=UTC),
        "x must be a day; pass x=x.date()",
    ),
    (_checks.check_datetime, date(2025, 1, 1), "x must be an instant, .*, not date"),
    (_checks.check_datetime, datetime(2025, 1, 1), "x has no time zone"),  # noqa: DTZ001
    (
        _checks.check_country,
        "USA",
        "x must be an ISO 3166 code of two letters, such as 'US', not 'USA'",
    ),
    (_checks.check_country, None, "x must be an ISO 3166 code"),
    (_checks.check_email, "ops@example", "x is no e-mail address: 'ops@example'"),
    (_checks.check_email, "a b@example.com", "x is no e-mail address"),
    (_checks.check_email, f"{'a' * 250}@example.com", "x is no e-mail address"),
    (_checks.check_email, None, "x must be an e-mail address, not NoneType"),
    (_checks.check_id, " ", "x is empty"),
    (_checks.check_id, 5, "x must be an id, not int"),
    (_checks.check_secret, "", "x is empty"),
    (_checks.check_secret, b"hush", "x must be text or a Secret, not bytes"),
    (_checks.check_https_link, "http://files.example.com/a.pdf", "x is no https link"),
    (_checks.check_https_link, "https://[", "x is no https link"),
    (_checks.open_enum_check(TimeOfUse), "", "x must be text, such as one of PEAK"),
    (_checks.open_enum_check(TimeOfUse), "peak", "x cannot be 'peak'; write 'PEAK'"),
    (_checks.closed_enum_check(UsageUnits), "kwh", "x must be .*'kwh'; write 'kWh'"),
    (
        documents._FIELDS.checks["charges_units"],
        "usd",
        "x cannot be 'usd'; write 'USD'",
    ),
    (
        _checks.list_check(_checks.check_email),
        "a@b.example",
        "x must be a list; write x=",
    ),
    (
        _checks.list_check(_checks.check_email),
        ["a@b.example", "c"],
        r"x\[1\] is no e-mail",
    ),
    (_checks.list_check(_checks.check_email, 1), [], "x is empty; it takes 1 at least"),
]


@pytest.mark.parametrize(("check", "value", "expected"), ACCEPTED, ids=lambda _: "case")
def test_an_accepted_value_is_returned_as_it_is_sent(
    check: Check, value: Any, expected: object
) -> None:
    assert check("x", value) == expected


@pytest.mark.parametrize(("check", "value", "words"), REFUSED, ids=lambda _: "case")
def test_a_refused_value_is_named(check: Check, value: Any, words: str) -> None:
    with pytest.raises(InvalidArgumentError, match=rf"^{words}"):
        check("x", value)


def test_a_link_that_is_refused_is_not_shown() -> None:
    for wrong in (LINK.replace("https", "ftp"), LINK.replace("//", "")):
        with pytest.raises(InvalidArgumentError) as caught:
            _checks.check_https_link("documents[0]", wrong)
        assert "canary" not in str(caught.value)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=0, max_value=100))
def test_a_decimal_is_sent_exactly_or_not_at_all(number: Decimal) -> None:
    check = _checks.decimal_check(0, 100, places=4)
    try:
        sent = check("x", number)
    except InvalidArgumentError:
        assert round(number, 4) != number
    else:
        assert sent == number
        assert isinstance(sent, Decimal)
        assert len(format(sent, "f").partition(".")[2]) <= 4


FIELDS = FieldTable(
    {
        "name": _checks.text_check(1),
        "note": Nullable(_checks.text_check()),
        "start_date": _checks.check_date,
    }
)


def test_unset_is_left_out_and_none_is_null() -> None:
    arguments = {"name": UNSET, "note": None, "start_date": UNSET, "self": object()}
    assert FIELDS.build_body(arguments) == {"note": None}


def test_none_for_a_field_that_cannot_be_cleared_says_what_to_do() -> None:
    arguments = {"name": None, "note": UNSET, "start_date": UNSET}
    with pytest.raises(
        InvalidArgumentError, match=r"^name cannot be None; leave it out"
    ):
        FIELDS.build_body(arguments)


def test_none_for_a_required_field_says_that_it_is_required() -> None:
    arguments = {"name": None, "note": UNSET, "start_date": UNSET}
    with pytest.raises(InvalidArgumentError) as caught:
        FIELDS.build_body(arguments, required={"name"})
    assert str(caught.value) == "name cannot be None; it is required"


async def _create(nectar: NectarClient, name: str) -> None:
    anything: Any = None
    login: Any = {"url": "u", "username": "n", "password": None, "sites": ["s"]}
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "company": lambda: nectar.companies.create(anything),
        "site": lambda: nectar.sites.create("c", anything),
        "connection": lambda: nectar.connections.create("c", **login),
        "accounts": lambda: nectar.accounts.bulk_update("c", anything, True),
    }
    await calls[name]()


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["company", "site", "connection", "accounts"])
async def test_a_call_refuses_none_for_its_required_arguments(name: str) -> None:
    transport = MemoryTransport({})
    async with NectarClient(transport=transport) as nectar:
        with pytest.raises(
            InvalidArgumentError, match="cannot be None; it is required"
        ):
            await _create(nectar, name)
    assert transport.requests == []


def test_extra_keys_are_sent_as_they_are() -> None:
    arguments = {"name": "a", "note": UNSET, "start_date": UNSET}
    assert FIELDS.build_body(arguments, {"new": [1]}) == {"name": "a", "new": [1]}


def test_a_filter_that_is_none_is_no_filter() -> None:
    assert FIELDS.build_query({"name": None, "note": UNSET, "start_date": None}) == {}


def test_a_window_may_be_one_day_long_but_not_reversed() -> None:
    day = date(2025, 1, 1)
    check_dates({"start_date": day, "end_date": day})
    check_dates({"start_date": day})
    with pytest.raises(InvalidArgumentError, match=r"start_date .* is after end_date"):
        check_dates({"start_date": date(2025, 1, 2), "end_date": day})
