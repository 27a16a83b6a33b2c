"""Rows are inserted and deleted at a place of a list, as in a plain Python list."""

from __future__ import annotations

import pytest

from nectar_async.sandbox import Portfolio


@pytest.fixture
def portfolio() -> Portfolio:
    """A portfolio that a test may change."""
    return Portfolio(companies=1)


def list_ids(portfolio: Portfolio, site_id: str | None = None) -> list[str]:
    return [
        record.id
        for record in portfolio.company_data(0).records
        if site_id in {None, record.meter.site.id}
    ]


def change_list(ids: list[str], insert: int, delete: int, at: int | str) -> list[str]:
    """Change a plain list; `new` stands for inserted rows."""
    begin = at - 1 if isinstance(at, int) else 0
    if at == "end":
        begin = max(0, len(ids) - delete)
    return [*ids[:begin], *["new"] * insert, *ids[begin + delete :]]


def mark_new(now: list[str], before: list[str]) -> list[str]:
    assert len(now) == len(set(now))
    return [item if item in before else "new" for item in now]


@pytest.mark.parametrize("at", ["front", "end", 1, 2, 100, 101, 10_000])
@pytest.mark.parametrize(("insert", "delete"), [(3, 0), (0, 3), (2, 5), (4, 10_000)])
def test_rows_are_inserted_and_deleted_at_the_given_place(
    portfolio: Portfolio, insert: int, delete: int, at: int | str
) -> None:
    before = list_ids(portfolio)
    assert len(before) > 200
    portfolio.change_usage(0, insert=insert, delete=delete, at=at)
    assert mark_new(list_ids(portfolio), before) == change_list(
        before, insert, delete, at
    )


@pytest.mark.parametrize("at", ["front", "end", 1, 5, 120])
def test_repeated_changes_apply_at_the_given_place(
    portfolio: Portfolio, at: int | str
) -> None:
    for insert, delete in ((3, 0), (2, 1), (1, 2), (4, 4)):
        before = list_ids(portfolio)
        portfolio.change_usage(0, insert=insert, delete=delete, at=at)
        assert mark_new(list_ids(portfolio), before) == change_list(
            before, insert, delete, at
        )


@pytest.mark.parametrize("at", ["front", "end", 3])
def test_a_place_counts_rows_of_the_sites_list(
    portfolio: Portfolio, at: int | str
) -> None:
    site_id = portfolio.company(0).sites[-1].id
    before, others = list_ids(portfolio, site_id), set(list_ids(portfolio))
    others -= set(before)
    portfolio.change_usage(0, insert=2, delete=1, at=at, site_id=site_id)
    assert mark_new(list_ids(portfolio, site_id), before) == change_list(
        before, 2, 1, at
    )
    assert others <= set(list_ids(portfolio))


@pytest.mark.parametrize("at", ["end", 7])
def test_a_row_inserted_after_another_has_its_date(
    portfolio: Portfolio, at: int | str
) -> None:
    """So the dates stay sorted, as in all lists."""
    portfolio.change_usage(0, insert=2, at=at)
    moments = [
        record.created.nanoseconds for record in portfolio.company_data(0).records
    ]
    assert moments == sorted(moments, reverse=True)
