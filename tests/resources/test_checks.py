"""An argument that cannot be sent is refused by name; the rest goes as it should."""

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
from nectar_async.resources import _checks, _documents
from nectar_async.resources._checks import Check, Nullable
from nectar_async.resources._field_table import Fields, in_order

BRICK = UUID("3b1e6f0a-7c52-4d19-9a84-5e2f0c6d8b11")
LINK = "https://files.example.com/a.pdf?signature=canary"

TAKEN: list[tuple[Check, Any, object]] = [
    (_checks.text(1, 3), "abc", "abc"),
    (_checks.text(), "", ""),
    (_checks.boolean, False, False),
    (_checks.whole(1, 500), 500, 500),
    (_checks.whole(60), 60, 60),
    (_checks.decimal(), 40, Decimal(40)),
    (_checks.decimal(), "1e3", Decimal(1000)),
    (_checks.decimal(0, 1, places=2), Decimal("0.25"), Decimal("0.25")),
    (_checks.decimal(0, 1, places=2), Decimal("1.00000"), Decimal("1.00")),
    (_checks.day, date(2025, 1, 31), date(2025, 1, 31)),
    (_checks.country, "us", "US"),
    (_checks.email, "ops+bills@mail.example.com", "ops+bills@mail.example.com"),
    (_checks.identity, BRICK, str(BRICK)),
    (_checks.identity, "opaque/1", "opaque/1"),
    (_checks.secret, "hush", Secret("hush")),
    (_checks.secret, Secret("hush"), Secret("hush")),
    (_checks.link, LINK, Secret(LINK)),
    (_checks.one_of(TimeOfUse), "SHOULDER", TimeOfUse("SHOULDER")),
    (_checks.many(_checks.identity), (BRICK, "b"), [str(BRICK), "b"]),
    (_checks.many(_checks.identity), [], []),
    (Nullable(_checks.day), None, None),
    (Nullable(_checks.day), date(2025, 1, 1), date(2025, 1, 1)),
]

REFUSED: list[tuple[Check, Any, str]] = [
    (_checks.text(1), "", "x is empty"),
    (_checks.text(0, 3), "abcd", "x has 4 characters; the API takes 3 at most"),
    (_checks.text(), None, "x must be text, not NoneType"),
    (_checks.boolean, "false", "x must be True or False, not 'false'"),
    (_checks.boolean, 1, "x must be True or False, not 1"),
    (_checks.whole(1, 500), 0, "x must be a whole number from 1 to 500, not 0"),
    (_checks.whole(1, 500), 501, "x must be a whole number from 1 to 500, not 501"),
    (_checks.whole(60), 59, "x must be a whole number from 60, not 59"),
    (_checks.whole(1), True, "x must be a whole number from 1, not True"),
    (_checks.whole(1), 1.0, "x must be a whole number from 1, not 1.0"),
    (_checks.decimal(), 0.1, r"x must be a Decimal, not float; write Decimal\('0.1'\)"),
    (_checks.decimal(), "a lot", "x is no number: 'a lot'"),
    (_checks.decimal(), "NaN", "x is no finite number: NaN"),
    (_checks.decimal(), True, "x must be a Decimal, not bool"),
    (_checks.decimal(0, 100), 101, "x must be from 0 to 100, not 101"),
    (_checks.decimal(0, 1, places=2), "0.125", "x must have 2 decimal places at most"),
    (
        _checks.day,
        datetime(2025, 1, 1, tzinfo=UTC),
        "x must be a day; pass x=x.date()",
    ),
    (_checks.instant, date(2025, 1, 1), "x must be an instant, .*, not date"),
    (_checks.instant, datetime(2025, 1, 1), "x has no time zone"),  # noqa: DTZ001
    (
        _checks.country,
        "USA",
        "x must be an ISO 3166 code of two letters, as 'US', not 'USA'",
    ),
    (_checks.country, None, "x must be an ISO 3166 code"),
    (_checks.email, "ops@example", "x is no e-mail address: 'ops@example'"),
    (_checks.email, "a b@example.com", "x is no e-mail address"),
    (_checks.email, f"{'a' * 250}@example.com", "x is no e-mail address"),
    (_checks.email, None, "x must be an e-mail address, not NoneType"),
    (_checks.identity, " ", "x is empty"),
    (_checks.identity, 5, "x must be an id, not int"),
    (_checks.secret, "", "x is empty"),
    (_checks.secret, b"hush", "x must be text or a Secret, not bytes"),
    (_checks.link, "http://files.example.com/a.pdf", "x is no https link"),
    (_checks.link, "https://[", "x is no https link"),
    (_checks.one_of(TimeOfUse), "", "x must be text, as one of PEAK"),
    (_checks.one_of(TimeOfUse), "peak", "x cannot be 'peak'; write 'PEAK'"),
    (_checks.one_of_known(UsageUnits), "kwh", "x must be .*'kwh'; write 'kWh'"),
    (_documents.BODY.checks["charges_units"], "usd", "x cannot be 'usd'; write 'USD'"),
    (_checks.many(_checks.email), "a@b.example", "x must be a list; write x="),
    (_checks.many(_checks.email), ["a@b.example", "c"], r"x\[1\] is no e-mail"),
    (_checks.many(_checks.email, 1), [], "x is empty; it takes 1 at least"),
]


def name_of(value: object) -> str:
    return "case"


@pytest.mark.parametrize(("check", "value", "expected"), TAKEN, ids=name_of)
def test_what_the_api_takes_goes_on_the_wire(
    check: Check, value: Any, expected: object
) -> None:
    assert check("x", value) == expected


@pytest.mark.parametrize(("check", "value", "words"), REFUSED, ids=name_of)
def test_what_the_api_would_refuse_is_named(
    check: Check, value: Any, words: str
) -> None:
    with pytest.raises(InvalidArgumentError, match=rf"^{words}"):
        check("x", value)


def test_a_link_that_is_refused_is_not_shown() -> None:
    for wrong in (LINK.replace("https", "ftp"), LINK.replace("//", "")):
        with pytest.raises(InvalidArgumentError) as caught:
            _checks.link("documents[0]", wrong)
        assert "canary" not in str(caught.value)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=0, max_value=100))
def test_a_decimal_is_sent_exactly_or_not_at_all(number: Decimal) -> None:
    check = _checks.decimal(0, 100, places=4)
    try:
        sent = check("x", number)
    except InvalidArgumentError:
        assert round(number, 4) != number
    else:
        assert sent == number
        assert isinstance(sent, Decimal)
        assert len(format(sent, "f").partition(".")[2]) <= 4


FIELDS = Fields(
    {
        "name": _checks.text(1),
        "note": Nullable(_checks.text()),
        "start_date": _checks.day,
    }
)


def test_unset_stays_at_home_and_none_is_null() -> None:
    given_ = {"name": UNSET, "note": None, "start_date": UNSET, "self": object()}
    assert FIELDS.body(given_) == {"note": None}


def test_none_for_what_cannot_be_cleared_says_what_to_do() -> None:
    given_ = {"name": None, "note": UNSET, "start_date": UNSET}
    with pytest.raises(
        InvalidArgumentError, match=r"^name cannot be None; leave it out"
    ):
        FIELDS.body(given_)


def test_none_for_what_is_required_is_not_to_be_left_out() -> None:
    given_ = {"name": None, "note": UNSET, "start_date": UNSET}
    with pytest.raises(InvalidArgumentError) as caught:
        FIELDS.body(given_, required={"name"})
    assert str(caught.value) == "name cannot be None; it is required"


async def _created(nectar: NectarClient, name: str) -> None:
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
async def test_a_call_says_so_of_its_own_required_arguments(name: str) -> None:
    transport = MemoryTransport({})
    async with NectarClient(transport=transport) as nectar:
        with pytest.raises(
            InvalidArgumentError, match="cannot be None; it is required"
        ):
            await _created(nectar, name)
    assert transport.requests == []


def test_further_keys_are_sent_as_they_are() -> None:
    given_ = {"name": "a", "note": UNSET, "start_date": UNSET}
    assert FIELDS.body(given_, {"new": [1]}) == {"name": "a", "new": [1]}


def test_a_filter_that_is_none_is_no_filter() -> None:
    assert FIELDS.query({"name": None, "note": UNSET, "start_date": None}) == {}


def test_a_window_of_one_day_is_in_order() -> None:
    day = date(2025, 1, 1)
    in_order({"start_date": day, "end_date": day})
    in_order({"start_date": day})
    with pytest.raises(InvalidArgumentError, match=r"start_date .* is after end_date"):
        in_order({"start_date": date(2025, 1, 2), "end_date": day})
