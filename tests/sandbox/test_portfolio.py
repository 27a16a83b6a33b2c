"""The generated portfolio is consistent, and the same for the same seed."""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from datetime import date
from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from nectar_async import contract
from nectar_async.errors import ConfigurationError
from nectar_async.sandbox import Portfolio
from nectar_async.sandbox.generator import portfolio as portfolios
from nectar_async.sandbox.generator.charges import build_line_items
from nectar_async.sandbox.generator.dates import BillingCycle, find_first_day
from nectar_async.sandbox.generator.lru_cache import LruCache
from nectar_async.sandbox.server.entity_json import company_json, encode_rows
from nectar_async.sandbox.server.messages import encode_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nectar_async.sandbox.generator.entities import MeterRecord, UsageRecord

FIRST = date(2024, 1, 1).toordinal()
LAST = date(2025, 12, 31).toordinal()


def iterate_records(portfolio: Portfolio) -> Iterator[UsageRecord]:
    for index in range(len(portfolio)):
        yield from portfolio.company_data(index).records


def iterate_meters(portfolio: Portfolio) -> Iterator[MeterRecord]:
    for index in range(len(portfolio)):
        for connection in portfolio.company_data(index).connections:
            for account in connection.accounts:
                yield from account.meters


def encode_everything(portfolio: Portfolio) -> bytes:
    companies = b"".join(encode_json(company_json(company)) for company in portfolio)
    company_data = (
        encode_rows(portfolio.company_data(index), "v2.2")
        for index in range(len(portfolio))
    )
    return companies + b"".join(b"".join(lines) for lines in company_data)


def test_the_same_seed_gives_the_same_bytes_in_whatever_order_they_are_read() -> None:
    forwards, backwards = Portfolio(companies=4), Portfolio(companies=4)
    for index in reversed(range(4)):
        backwards.company_data(index)
    assert encode_everything(forwards) == encode_everything(backwards)


def test_the_bytes_are_the_same_on_every_machine_and_python() -> None:
    """A change of the digest needs a line in the changelog."""
    digest = hashlib.sha256(encode_everything(Portfolio(companies=6))).hexdigest()
    assert digest == "a94f0d6c63e96253ad5406b54fb2220ed5c43372e6701de6c56bfaaabe6aac0d"


def test_a_company_does_not_depend_on_how_many_others_there_are() -> None:
    small, large = Portfolio(companies=3), Portfolio(companies=9_000)
    assert encode_rows(small.company_data(2), "v2.2") == encode_rows(
        large.company_data(2), "v2.2"
    )


def test_another_seed_gives_other_bytes() -> None:
    assert encode_everything(Portfolio(companies=2)) != encode_everything(
        Portfolio(companies=2, seed=8)
    )


@pytest.mark.slow
def test_ten_thousand_companies_are_listed_without_making_usage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("usage was made")

    monkeypatch.setattr(
        "nectar_async.sandbox.generator.company_data.make_usage", refuse
    )
    began = time.perf_counter()
    companies = list(Portfolio(companies=10_000))
    assert time.perf_counter() - began < 10
    assert len({company.name for company in companies}) == 10_000
    assert len({company.id for company in companies}) == 10_000


def test_the_company_is_found_by_any_id() -> None:
    portfolio = Portfolio(companies=10_000)
    for index in (0, 1, 4_711, 9_999):
        company = portfolio.company(index)
        assert portfolio.find_company(company.id) is company
        assert portfolio.find_company(company.id.upper()) is company
        site = company.sites[-1]
        assert portfolio.find_site(site.id) == (company, site)
        assert portfolio.find_company(site.id) is None
        assert portfolio.find_site(company.id) is None
    record = portfolio.company_data(4_711).records[0]
    assert record.document is not None
    for some_id in (record.id, record.meter.id, record.document.id):
        owner = portfolio.owner(some_id)
        assert owner is not None
        assert owner.index == 4_711


def test_only_the_companies_read_last_are_cached(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(portfolios, "_CACHED_RECORDS", 1_000)
    shared = LruCache(portfolios._make_shared_data, max_weight=1)
    monkeypatch.setattr(portfolios, "_shared_data", shared)
    portfolio = Portfolio(companies=10)
    first, last = [portfolio.company_data(index) for index in range(10)][::9]
    assert portfolio.company_data(9) is last
    again = portfolio.company_data(0)
    assert again is not first
    assert encode_rows(again, "v2.2") == encode_rows(first, "v2.2")


def test_portfolios_of_one_seed_share_what_was_not_changed() -> None:
    one, other = Portfolio(companies=2), Portfolio(companies=3)
    assert one.company_data(1) is other.company_data(1)
    one.change_usage(1, delete=1)
    deleted = len(other.company_data(1).records) - len(one.company_data(1).records)
    assert deleted == 1
    for different in (
        Portfolio(companies=2, seed=8),
        Portfolio(companies=2, last_day=date(2024, 12, 31)),
    ):
        assert different.company_data(1).records != other.company_data(1).records


@pytest.mark.parametrize("companies", [0, -1, 2**24 + 1])
def test_an_invalid_number_of_companies_is_refused(companies: int) -> None:
    with pytest.raises(ConfigurationError, match="companies"):
        Portfolio(companies=companies)


def test_ids_are_unique_uuids(portfolio: Portfolio) -> None:
    ids = [record.id for record in iterate_records(portfolio)]
    ids += [meter.id for meter in iterate_meters(portfolio)]
    ids += [site.id for company in portfolio for site in company.sites]
    assert len(set(ids)) == len(ids)
    assert all(UUID(some_id).version == 4 for some_id in ids)


@pytest.mark.slow
def test_fifty_companies_make_about_two_hundred_pages() -> None:
    portfolio = Portfolio(companies=50)
    counts = [len(portfolio.company_data(index).records) for index in range(50)]
    assert 180 <= sum(max(1, ceil(count / 100)) for count in counts) <= 240
    assert min(counts) == 0
    assert 1_000 <= max(counts) <= 2_000


@pytest.mark.parametrize("seed", [0, 1, 7])
def test_every_datasource_type_occurs_among_twenty_companies(seed: int) -> None:
    known = contract.load()["components"]["schemas"]["DatasourceTypeStrict"]["enum"]
    portfolio = Portfolio(companies=20, seed=seed)
    results = {r.meter.commodity.datasource_type for r in iterate_records(portfolio)}
    assert results == set(known)


def test_units_are_of_the_contract_and_mixed(portfolio: Portfolio) -> None:
    enum = contract.load()["components"]["schemas"]["UsageUnitsStrict"]["enum"]
    by_type = defaultdict(set)
    for meter in iterate_meters(portfolio):
        by_type[meter.commodity.datasource_type].add(meter.unit.name)
    assert set().union(*by_type.values()) <= set(enum)
    assert by_type["ELECTRICITY"] == {"kWh", "MWh"}
    assert {"thm (US)", "CCF"} <= by_type["GAS"]


def test_records_belong_to_a_meter_of_the_company_and_it_to_a_site(
    portfolio: Portfolio,
) -> None:
    for index in range(len(portfolio)):
        company_data = portfolio.company_data(index)
        meters = {
            meter.id: (meter, account)
            for connection in company_data.connections
            for account in connection.accounts
            for meter in account.meters
        }
        for record in company_data.records:
            meter, account = meters[record.meter.id]
            assert record.meter is meter
            assert meter.site in company_data.company.sites
            assert meter.account_id == account.id
            if record.document is not None:
                assert record.document.account_id == account.id


def test_periods_are_contiguous_with_few_gaps(portfolio: Portfolio) -> None:
    periods = defaultdict(set)
    cycles = {}
    for index in range(len(portfolio)):
        for connection in portfolio.company_data(index).connections:
            for account in connection.accounts:
                cycles[account.id] = account.cycle
    for record in iterate_records(portfolio):
        assert FIRST <= record.start < record.end <= LAST
        periods[record.meter.id, record.meter.account_id].add(
            (record.start, record.end)
        )
    gaps = steps = 0
    first, last = date.fromordinal(FIRST), date.fromordinal(LAST)
    for (_, account_id), results in periods.items():
        assert results <= set(cycles[account_id or ""].list_periods(first, last))
        for (_, end), (start, _) in pairwise(sorted(results)):
            assert start > end
            steps += 1
            gaps += start != end + 1
    assert 0 < gaps < steps * 0.05
    assert {cycle.months for cycle in cycles.values()} == {1, 2, 3}


def test_nothing_is_billed_after_a_site_is_archived(portfolio: Portfolio) -> None:
    archived = 0
    for record in iterate_records(portfolio):
        stop = record.meter.site.stop_day
        if stop is not None:
            archived += 1
            assert record.end <= stop
    assert archived


def test_meters_of_an_account_share_its_bills(portfolio: Portfolio) -> None:
    shared = 0
    for index in range(len(portfolio)):
        for document, records in portfolio.company_data(index).list_documents():
            assert len({(record.start, record.end) for record in records}) == 1
            assert len({record.meter.id for record in records}) == len(records)
            shared += len(records) > 1
            if document.bill_day is not None:
                assert 0 < document.bill_day - records[0].end <= 6
    assert shared


def test_line_items_add_up_to_the_total(portfolio: Portfolio) -> None:
    for index in range(0, len(portfolio), 5):
        for document, records in portfolio.company_data(index).list_documents():
            items = build_line_items(document, records)
            cents = sum(int(item["totalCharge"].replace(".", "")) for item in items)
            assert cents == document.total_cents


def test_a_revised_bill_names_its_replacement(
    portfolio: Portfolio,
) -> None:
    documents = {
        record.document.id: record.document
        for record in iterate_records(portfolio)
        if record.document is not None
    }
    former = [
        document for document in documents.values() if document.revised_document_id
    ]
    assert 0.004 < len(former) / len(documents) < 0.025
    for document in former:
        assert document.revised_document_id in documents
        assert documents[document.revised_document_id].created > document.created


def test_peak_usage_never_exceeds_the_usage(portfolio: Portfolio) -> None:
    split = [
        record
        for record in iterate_records(portfolio)
        if record.peak_amount is not None
    ]
    assert split
    for record in split:
        assert record.amount is not None
        assert record.peak_amount is not None
        assert 0 < record.peak_amount < record.amount


def test_solar_sites_import_generate_and_export(portfolio: Portfolio) -> None:
    groups: defaultdict[str, dict[str, UsageRecord]] = defaultdict(dict)
    for record in iterate_records(portfolio):
        kind = record.meter.kind.get("netMeteringType")
        if kind and record.document and not record.document.revised_document_id:
            groups[record.document.id][kind] = record
    whole = [group for group in groups.values() if len(group) == 3]
    assert whole
    for group in whole:
        bought = group["IMPORT"]
        assert bought.imported == bought.amount
        assert bought.generated == group["GENERATION"].amount
        assert bought.exported == group["EXPORT"].amount
        assert 0 < (bought.exported or 0) < (bought.generated or 0)


def test_implied_sewer_is_the_companys_share_of_the_water(portfolio: Portfolio) -> None:
    results = 0
    for index in range(len(portfolio)):
        company_data = portfolio.company_data(index)
        for _, records in company_data.list_documents():
            for record in records:
                if not record.meter.is_implied:
                    continue
                results += 1
                percent = company_data.company.sewer_percent
                assert percent is not None
                assert record.places == record.meter.unit.places + 2
                assert record.amount in {
                    (water.amount or 0) * percent
                    for water in records
                    if water.meter.kind.get("waterType") == "POTABLE_WATER"
                }
    assert results


def test_unusual_records_are_few(portfolio: Portfolio) -> None:
    records = list(iterate_records(portfolio))
    odd = {
        "estimated": sum(record.is_estimated for record in records),
        "excluded": sum(record.exclusion for record in records),
        "no document": sum(record.document is None for record in records),
        "no bill date": sum(
            record.document is not None and record.document.bill_day is None
            for record in records
        ),
        "no usage": sum(record.amount is None for record in records),
        "untracked": sum(not record.meter.is_tracked for record in records),
    }
    assert all(0 < count < len(records) / 4 for count in odd.values()), odd
    assert any(not company.name.isascii() for company in portfolio)


def test_instants_have_none_six_or_nine_fraction_digits(portfolio: Portfolio) -> None:
    lengths = {
        len(record.created.text.partition(".")[2].rstrip("Z"))
        for record in iterate_records(portfolio)
    }
    assert lengths == {0, 6, 9}


@pytest.mark.parametrize(
    ("last", "first"),
    [
        (date(2025, 12, 31), date(2024, 1, 1)),
        (date(2024, 2, 28), date(2022, 2, 28)),
        (date(2026, 6, 30), date(2024, 7, 1)),
    ],
)
def test_the_portfolio_covers_the_two_years_up_to_its_last_day(
    last: date, first: date
) -> None:
    assert find_first_day(last) == first
    portfolio = Portfolio(companies=1, last_day=last)
    records = portfolio.company_data(0).records
    assert all(first.toordinal() <= record.start for record in records)
    assert all(record.end <= last.toordinal() for record in records)


def test_a_range_shorter_than_a_cycle_has_no_period() -> None:
    cycle = BillingCycle(months=3, day=15)
    assert cycle.list_periods(date(2024, 1, 16), date(2024, 3, 1)) == []
