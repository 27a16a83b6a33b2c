"""Single JSON values are converted exactly, or refused as misfits."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, strategies as st
from strategies import finite_decimals, json_values

from nectar_async import DatasourceType, Secret
from nectar_async._json.scalars import (
    LENIENT_HOOKS,
    STRICT_HOOKS,
    MisfitError,
    SecretObject,
    build_enum_table,
    describe_json_type,
)
from nectar_async._types import TextFlag
from nectar_async.models import ConnectionStatus, JobStatus, UsageUnits

# Marker types are converted to other types.
PYTHON_TYPES: dict[Any, type] = {SecretObject: Secret, TextFlag: bool}

INSTANT = "expected an instant as 2025-01-31T12:00:00Z, got text"

each_leaf = pytest.mark.parametrize(
    "kind", STRICT_HOOKS, ids=lambda kind: kind.__name__
)


@pytest.mark.parametrize(
    ("kind", "wire", "value"),
    [
        (str, "x", "x"),
        (bool, True, True),
        (int, 5, 5),
        (int, 10**40, 10**40),
        (dict, {"a": 1}, {"a": 1}),
        (Secret, "x", Secret("x")),
        (date, "2025-01-31", date(2025, 1, 31)),
        (date, "0001-01-01", date(1, 1, 1)),
        (datetime, "2025-01-31T12:00:00Z", datetime(2025, 1, 31, 12, tzinfo=UTC)),
        (datetime, "2025-01-31T12:00:00", datetime(2025, 1, 31, 12, tzinfo=UTC)),
        (
            datetime,
            "2025-01-31T12:00:00.123456789",
            datetime(2025, 1, 31, 12, 0, 0, 123456, tzinfo=UTC),
        ),
        (datetime, "2025-01-31t12:00:00z", datetime(2025, 1, 31, 12, tzinfo=UTC)),
        (datetime, "2025-01-31T24:00:00Z", datetime(2025, 2, 1, tzinfo=UTC)),
        (datetime, "2025-01-31t24:00", datetime(2025, 2, 1, tzinfo=UTC)),
        (
            datetime,
            "2024-02-28T24:00:00.000+02:00",
            datetime(2024, 2, 29, tzinfo=timezone(timedelta(hours=2))),
        ),
        (
            datetime,
            "2025-01-31T12:00:00.1Z",
            datetime(2025, 1, 31, 12, 0, 0, 100000, tzinfo=UTC),
        ),
        (
            datetime,
            "2025-01-31T12:00:00.123456789+05:30",
            datetime(
                2025, 1, 31, 12, 0, 0, 123456,
                tzinfo=timezone(timedelta(hours=5, minutes=30)),
            ),
        ),
        (Decimal, "3100.00", Decimal("3100.00")),
        (Decimal, "-1e5", Decimal("-1e5")),
        (Decimal, 5, Decimal(5)),
        (Decimal, Decimal("0.1"), Decimal("0.1")),
    ],
)  # fmt: skip
def test_a_value_that_fits_is_converted(kind: Any, wire: Any, value: Any) -> None:
    converted = STRICT_HOOKS[kind](wire, kind)
    assert converted == value
    assert type(converted) is type(value)
    assert str(converted) == str(value)
    assert (
        not isinstance(converted, datetime)
        or converted.utcoffset() == value.utcoffset()
    )


@pytest.mark.parametrize(
    ("kind", "wire", "words"),
    [
        (str, 5, "expected text, got a number"),
        (str, None, "expected text, got null"),
        (bool, 1, "expected a boolean, got a number"),
        (bool, "true", "expected a boolean, got text"),
        (int, True, "expected a whole number, got a boolean"),
        (int, Decimal("1.0"), "expected a whole number, got a number"),
        (int, "5", "expected a whole number, got text"),
        (dict, [], "expected an object, got a list"),
        (Secret, 5, "expected text, got a number"),
        (date, 20250131, "expected a day as 2025-01-31, got a number"),
        (date, "2025-01-31T00:00:00", "expected a day as 2025-01-31, got text"),
        (datetime, "2025-01-31T24:01:00Z", INSTANT),
        (datetime, "2025-01-31T24:00:00.1Z", INSTANT),
        (datetime, "9999-12-31T24:00:00Z", INSTANT),
        (date, "2025-02-30", "expected a day as 2025-01-31, got text"),
        (date, [], "expected a day as 2025-01-31, got a list"),
        (datetime, 5, "expected an instant as 2025-01-31T12:00:00Z, got a number"),
        (datetime, "noon", "expected an instant as 2025-01-31T12:00:00Z, got text"),
        (Decimal, "x", "expected a decimal, got text"),
        (Decimal, "", "expected a decimal, got text"),
        (Decimal, True, "expected a decimal, got a boolean"),
        (Decimal, 1.5, "expected a decimal, got float"),
        (Decimal, "NaN", "expected a finite decimal, got text"),
        (Decimal, "-Infinity", "expected a finite decimal, got text"),
    ],
)
def test_a_misfit_names_the_expected_and_the_actual_type(
    kind: Any, wire: Any, words: str
) -> None:
    with pytest.raises(MisfitError) as caught:
        STRICT_HOOKS[kind](wire, kind)
    assert str(caught.value) == words


@pytest.mark.parametrize(
    ("kind", "wire", "value"),
    [
        (str, 7, "7"),
        (str, 10**40, "1" + "0" * 40),
        (str, Decimal("7.50"), "7.50"),
        (str, "x", "x"),
        (Secret, 4711, Secret("4711")),
        (int, "5", 5),
        (int, "-007", -7),
        (int, 5, 5),
        (date, "2025-01-31T00:00:00", date(2025, 1, 31)),
        (date, "2025-01-31T00:00:00Z", date(2025, 1, 31)),
        (date, "2025-01-31t00:00:00.000z", date(2025, 1, 31)),
        (date, "2025-01-31T00:00:00+05:30", date(2025, 1, 31)),
        (date, "2025-01-31", date(2025, 1, 31)),
    ],
)
def test_lenient_hooks_accept_other_spellings(kind: Any, wire: Any, value: Any) -> None:
    converted = LENIENT_HOOKS[kind](wire, kind)
    assert converted == value
    assert type(converted) is type(value)


@pytest.mark.parametrize(
    ("kind", "wire"),
    [
        (str, True),
        (str, None),
        (str, ["x"]),
        (Secret, False),
        (int, "5.0"),
        (int, "five"),
        (int, "\u0665"),
        (int, "9" * 5_000),
        (int, Decimal("1.0")),
        (date, "2025-01-31T00:00:01Z"),
        (date, "2025-01-31T22:00:00Z"),
        (date, "noon"),
        (date, 20250131),
    ],
)
def test_lenient_hooks_refuse_other_values(kind: Any, wire: Any) -> None:
    with pytest.raises(MisfitError) as strict:
        STRICT_HOOKS[kind](wire, kind)
    with pytest.raises(MisfitError) as lenient:
        LENIENT_HOOKS[kind](wire, kind)
    assert str(lenient.value) == str(strict.value)


@pytest.mark.parametrize(
    "hooks", [STRICT_HOOKS, LENIENT_HOOKS], ids=["strict", "lenient"]
)
@each_leaf
@given(value=json_values)
def test_every_value_is_converted_or_a_misfit(
    kind: Any, hooks: Any, value: Any
) -> None:
    try:
        converted = hooks[kind](value, kind)
    except MisfitError:
        return
    assert type(converted) is PYTHON_TYPES.get(kind, kind)


@each_leaf
@given(value=json_values)
def test_both_kinds_of_hooks_convert_a_fitting_value_alike(
    kind: Any, value: Any
) -> None:
    try:
        converted = STRICT_HOOKS[kind](value, kind)
    except MisfitError:
        return
    assert LENIENT_HOOKS[kind](value, kind) == converted


@pytest.mark.parametrize("kind", [date, datetime, Decimal, Secret, bool, int, dict])
def test_no_misfit_shows_the_value(kind: Any) -> None:
    value = ["canary-4711"] if kind is Secret else "canary-4711"
    with pytest.raises(MisfitError) as caught:
        STRICT_HOOKS[kind](value, kind)
    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None


@given(finite_decimals)
def test_decimals_keep_every_digit(number: Decimal) -> None:
    assert str(STRICT_HOOKS[Decimal](str(number))) == str(number)
    assert str(STRICT_HOOKS[Decimal](number)) == str(number)


@given(st.dates())
def test_dates_are_parsed_from_their_text(day: date) -> None:
    assert STRICT_HOOKS[date](day.isoformat()) == day


@given(st.datetimes(timezones=st.just(UTC)))
def test_datetimes_are_parsed_from_their_text(instant: datetime) -> None:
    converted = STRICT_HOOKS[datetime](instant.isoformat())
    assert converted == instant
    assert converted.utcoffset() == timedelta(0)


def test_the_table_of_an_enum_makes_members_of_unknown_texts() -> None:
    table = build_enum_table(DatasourceType)
    assert table["GAS"] is DatasourceType.GAS
    unknown = table["HYDROGEN"]
    assert isinstance(unknown, DatasourceType)
    assert not unknown.is_known
    assert table["HYDROGEN"] is unknown


def test_a_table_of_an_enum_knows_its_aliases() -> None:
    table = build_enum_table(ConnectionStatus)
    assert table["INCORRECT_PASSWORD"] is ConnectionStatus.PASSWORD_INCORRECT


@pytest.mark.parametrize("text", ["completed", "Completed", "cOMPLETED"])
def test_case_is_ignored_if_all_values_are_in_capitals(
    text: str,
) -> None:
    assert build_enum_table(JobStatus)[text] is JobStatus.COMPLETED
    exact = build_enum_table(JobStatus, is_exact=True)[text]
    assert (exact, exact.is_known) == (text, False)


def test_the_case_of_an_alias_is_ignored_too() -> None:
    table = build_enum_table(ConnectionStatus)
    assert table["incorrect_password"] is ConnectionStatus.PASSWORD_INCORRECT


@pytest.mark.parametrize("text", ["cal", "mgal", "kwh", "KWH", "kw"])
def test_the_case_of_a_unit_matters(text: str) -> None:
    unit = build_enum_table(UsageUnits)[text]
    assert (unit, unit.is_known) == (text, False)


def test_the_size_of_a_table_is_bounded() -> None:
    table = build_enum_table(DatasourceType)
    for number in range(6_000):
        assert table[f"X{number}"].value == f"X{number}"
    assert len(table) <= 4_096


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("x", "text"),
        (True, "a boolean"),
        (5, "a number"),
        (Decimal("1.5"), "a number"),
        ({}, "an object"),
        ([], "a list"),
        (None, "null"),
    ],
)
def test_types_have_their_names_in_json(value: object, name: str) -> None:
    assert describe_json_type(value) == name
