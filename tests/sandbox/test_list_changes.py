"""Rows that come and go at a place of a list, against a list that is cut by hand."""

from __future__ import annotations

import pytest

from nectar_async.sandbox import Portfolio


@pytest.fixture
def portfolio() -> Portfolio:
    """One that a test may change."""
    return Portfolio(companies=1)


def ids_of(portfolio: Portfolio, site_id: str | None = None) -> list[str]:
    return [
        record.id
        for record in portfolio.company_data(0).records
        if site_id in {None, record.meter.site.id}
    ]


def moved(ids: list[str], insert: int, delete: int, at: int | str) -> list[str]:
    """The list as it is to be; `new` stands for what is inserted."""
    begin = at - 1 if isinstance(at, int) else 0
    if at == "end":
        begin = max(0, len(ids) - delete)
    return [*ids[:begin], *["new"] * insert, *ids[begin + delete :]]


def shown(now: list[str], before: list[str]) -> list[str]:
    assert len(now) == len(set(now))
    return [one if one in before else "new" for one in now]


@pytest.mark.parametrize("at", ["front", "end", 1, 2, 100, 101, 10_000])
@pytest.mark.parametrize(("insert", "delete"), [(3, 0), (0, 3), (2, 5), (4, 10_000)])
def test_rows_come_and_go_at_the_place_that_was_said(
    portfolio: Portfolio, insert: int, delete: int, at: int | str
) -> None:
    before = ids_of(portfolio)
    assert len(before) > 200
    portfolio.change_usage(0, insert=insert, delete=delete, at=at)
    assert shown(ids_of(portfolio), before) == moved(before, insert, delete, at)


@pytest.mark.parametrize("at", ["front", "end", 1, 5, 120])
def test_rows_stand_among_new_ones_wherever_those_came_in(
    portfolio: Portfolio, at: int | str
) -> None:
    for insert, delete in ((3, 0), (2, 1), (1, 2), (4, 4)):
        before = ids_of(portfolio)
        portfolio.change_usage(0, insert=insert, delete=delete, at=at)
        assert shown(ids_of(portfolio), before) == moved(before, insert, delete, at)


@pytest.mark.parametrize("at", ["front", "end", 3])
def test_a_place_is_one_of_the_sites_own_list(
    portfolio: Portfolio, at: int | str
) -> None:
    site_id = portfolio.company(0).sites[-1].id
    before, others = ids_of(portfolio, site_id), set(ids_of(portfolio))
    others -= set(before)
    portfolio.change_usage(0, insert=2, delete=1, at=at, site_id=site_id)
    assert shown(ids_of(portfolio, site_id), before) == moved(before, 2, 1, at)
    assert others <= set(ids_of(portfolio))


@pytest.mark.parametrize("at", ["end", 7])
def test_what_is_put_behind_a_row_came_in_with_it(
    portfolio: Portfolio, at: int | str
) -> None:
    """So that dates go down the list, as they do in all lists."""
    portfolio.change_usage(0, insert=2, at=at)
    moments = [
        record.created.nanoseconds for record in portfolio.company_data(0).records
    ]
    assert moments == sorted(moments, reverse=True)
