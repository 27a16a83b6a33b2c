"""Cursors: short texts that say where to continue a list."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, strategies as st

from nectar_async import InvalidArgumentError, Listing, Page, Request
from nectar_async._paging.cursor import Cursor

LIST: Request[Any] = Request.get(
    "usage_list_by_company",
    "/usage/company/{company_id}",
    Page[Any],
    query={"start_date": "2025-01-01", "datasource_type": ["GAS", "WATER"]},
    listing=Listing(items="usage_data"),
    company_id="c1",
)

day = st.dates().map(str)


@given(st.integers(1, 10**9), st.lists(st.tuples(day, day), max_size=3))
def test_a_cursor_survives_a_round_trip_through_its_text(
    number: int, windows: list[tuple[str, str]]
) -> None:
    cursor = Cursor.from_request(LIST.at(number), tuple(windows))
    assert cursor.page == number
    assert Cursor.parse(str(cursor)) == cursor
    cursor.check(LIST)
    cursor.check(LIST.at(7))


def test_a_cursor_may_have_windows_of_instants() -> None:
    window = ("2025-01-01T00:00:00Z", "2025-01-31T12:30:00.250000Z")
    cursor = Cursor.from_request(LIST, (window, window))
    assert Cursor.parse(str(cursor)) == cursor


def test_a_cursor_of_another_list_is_refused() -> None:
    others = [
        evolve(LIST, operation="usage_list_by_site"),
        evolve(LIST, parts={"company_id": "c2"}),
        evolve(LIST, query=LIST.query[:-1]),
        evolve(LIST, query=(*LIST.query, ("identifier", "1"))),
    ]
    for other in others:
        with pytest.raises(InvalidArgumentError, match="another list"):
            Cursor.from_request(other.at(2)).check(LIST)


MARK = "9f86d081884c"


@pytest.mark.parametrize(
    "cursor",
    [
        *("", ":", "::", "x", "a:b:0", "a:b:-1", "a:b:1.5", "a:b:²", "a:b:c:1"),
        *(f"a:{MARK}:1:", f"a:{MARK}:1:x", f"a:{MARK}:1:2025-01-01"),
        *(f"a:{MARK}:1:2025-01-01..", f"a:{MARK}:1:2025-01-01..2025-01-02,"),
        f"a:{MARK}:1" + "0" * 5000,
    ],
)
def test_a_text_that_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidArgumentError, match="cursor is not valid"):
        Cursor.parse(cursor)


@given(st.text())
def test_any_text_parses_or_is_an_invalid_argument(text: str) -> None:
    with pytest.raises(InvalidArgumentError):
        Cursor.parse(text)
