"""End to end: a client and a sandbox over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta

import anyio
import pytest
import pytest_asyncio
from attrs import evolve

from nectar_async import (
    AuthenticationError,
    ConnectionFailedError,
    NectarClient,
    NotFoundError,
    PermissionDeniedError,
    RetryPolicy,
    ServerTimeoutError,
    Settings,
    UsageData,
    VirtualClock,
)
from nectar_async.sandbox import (
    Answer,
    Change,
    Disconnect,
    DropBody,
    Fault,
    RepeatPage,
    Sandbox,
)

pytestmark = pytest.mark.asyncio

USAGE = "usage_list_by_company"


@pytest_asyncio.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(companies=8, seed=7) as sandbox:
        yield sandbox


@pytest_asyncio.fixture
async def nectar(sandbox: Sandbox) -> AsyncIterator[NectarClient]:
    """Build a client with a virtual clock."""
    async with NectarClient(
        sandbox.api_key, settings=sandbox.settings, clock=VirtualClock()
    ) as nectar:
        yield nectar
        assert nectar.statistics().in_flight == 0
        assert nectar.statistics().peak_in_flight <= 10
        assert sandbox.witness.peak_in_flight <= 10


async def find_largest(nectar: NectarClient) -> str:
    """Find the company with the most pages of usage, at least three."""
    sizes: dict[str, int] = {}
    for company in await nectar.companies.all():
        async for page in nectar.usage.by_company(company.id).pages():
            sizes[company.id] = page.total_pages
            break
    largest = max(sizes, key=lambda company: sizes[company])
    assert sizes[largest] > 2
    return largest


async def test_single_lists_and_the_repository_deliver_the_same_records(
    nectar: NectarClient,
) -> None:
    one_by_one: set[UsageData] = set()
    for company in await nectar.companies.all():
        async for record in nectar.usage.by_company(company.id):
            one_by_one.add(record)
    async with nectar.repository.usage() as records:
        at_once = [record async for record in records]
    async with nectar.usage.by_company(await find_largest(nectar)).prefetch() as ahead:
        assert {record async for record in ahead} < one_by_one
    assert len(at_once) == len(one_by_one)
    assert set(at_once) == one_by_one
    assert records.receipt.verdict == "complete"
    assert ahead.receipt.verdict == "complete"


async def test_a_pull_takes_ten_permits_and_never_more() -> None:
    async with (
        Sandbox(companies=12, seed=7, latency=0.05) as slow,
        NectarClient(slow.api_key, settings=slow.settings) as nectar,
        nectar.repository.usage() as records,
    ):
        assert [record async for record in records]
        assert nectar.statistics().peak_in_flight == 10
    assert 1 < slow.witness.peak_in_flight <= 10


async def test_filters_of_the_client_match_those_of_the_api(
    nectar: NectarClient,
) -> None:
    company = await find_largest(nectar)
    everything = [record async for record in nectar.usage.by_company(company)]
    start, end = date(2025, 3, 1), date(2025, 5, 31)
    overlapping = {
        record.id
        for record in everything
        if record.start_date is not None
        and record.end_date is not None
        and record.start_date <= end
        and record.end_date >= start
    }
    walk = nectar.usage.by_company(
        company, start_date=start, end_date=end, date_type="USAGE_PERIOD"
    )
    assert {record.id async for record in walk} == overlapping
    assert overlapping
    billed = {
        record.id
        for record in everything
        if record.document is not None
        and record.document.bill_date is not None
        and start <= record.document.bill_date <= end
    }
    default = nectar.usage.by_company(company, start_date=start, end_date=end)
    assert {record.id async for record in default} == billed


async def test_sites_come_with_their_usage(nectar: NectarClient) -> None:
    company = await nectar.companies.get(await find_largest(nectar))
    sites = [site async for site in nectar.sites.by_company(company.id)]
    assert sites == list(company.sites)
    for site in sites:
        async for record in nectar.usage.by_site(site.id):
            assert record.site == site
            break


async def test_sites_in_an_envelope_are_the_same_sites() -> None:
    async with (
        Sandbox(companies=3, seed=7, site_list="envelope") as sandbox,
        NectarClient(sandbox.api_key, settings=sandbox.settings) as nectar,
    ):
        for company in await nectar.companies.all():
            walk = nectar.sites.by_company(company.id)
            assert [site async for site in walk] == list(company.sites)
            assert walk.receipt.total_first == len(company.sites)


@pytest.mark.parametrize("version", ["v2.2", "v2.1", "v2.0"])
async def test_every_version_answers(sandbox: Sandbox, version: str) -> None:
    settings = Settings(base_url=sandbox.url, api_version=version, strict=False)
    async with NectarClient(sandbox.api_key, settings=settings) as nectar:
        assert "pong" in await nectar.ping()
        async with nectar.repository.usage() as records:
            async for record in records:
                assert not record.extra
    assert records.receipt.verdict == "complete"


@pytest.mark.parametrize(
    "change",
    [
        {"insert": 3},
        {"delete": 3},
        {"insert": 1, "delete": 4},
    ],
    ids=str,
)
async def test_rows_that_change_during_a_walk_show_on_the_receipt(
    sandbox: Sandbox, nectar: NectarClient, change: dict[str, int]
) -> None:
    company = await find_largest(nectar)
    fault = Fault(Change(**change), operation=USAGE, company=company, page=2, times=1)
    sandbox.faults.add(fault)
    walk = nectar.usage.by_company(company)
    ids = [record.id async for record in walk]
    assert len(ids) == len(set(ids))
    assert walk.receipt.verdict in {"drifted", "short"}


async def test_leaving_early_shows_on_the_receipt(nectar: NectarClient) -> None:
    walk = nectar.usage.by_company(await find_largest(nectar))
    async for _ in walk:
        break
    assert walk.receipt.verdict == "unfinished"
    async with nectar.repository.usage() as records:
        async for _ in records:
            break
    assert records.receipt.verdict == "unfinished"


@pytest.mark.parametrize(
    "effect",
    [
        Answer(status=429),
        Answer(status=429, headers={"Retry-After": "7"}),
        Answer(status=429, headers={"Retry-After": "Fri, 01 Jan 2026 00:00:30 GMT"}),
        Answer(status=500),
        Answer(status=502, headers={"Content-Type": "text/html"}, body=b"<html>"),
        Answer(status=503),
        Disconnect(),
        DropBody(),
    ],
    ids=repr,
)
async def test_temporary_failures_are_retried_and_no_record_is_lost(
    sandbox: Sandbox, nectar: NectarClient, effect: Answer | Disconnect | DropBody
) -> None:
    async with nectar.repository.usage() as records:
        calm = {record.id async for record in records}
    sandbox.faults.add(Fault(effect, operation=USAGE, times=4))
    async with nectar.repository.usage() as records:
        assert {record.id async for record in records} == calm
    assert records.receipt.verdict == "complete"
    assert nectar.statistics().retries == 4


async def test_a_company_that_fails_does_not_stop_the_others(
    sandbox: Sandbox, nectar: NectarClient
) -> None:
    broken = await find_largest(nectar)
    gateway = Fault(Answer(status=502), operation=USAGE, company=broken, page=2)
    sandbox.faults.add(gateway)
    async with nectar.repository.usage(on_error="collect") as records:
        delivered = [record async for record in records]
    (failure,) = records.failures
    assert failure.company_id == broken
    assert isinstance(failure.error, ServerTimeoutError)
    assert (failure.error.operation, failure.error.page) == (USAGE, 2)
    others = [receipt for key, receipt in records.receipts.items() if key != broken]
    assert {receipt.verdict for receipt in others} == {"complete"}
    assert len(delivered) > sum(receipt.records for receipt in others)
    # The list can be resumed where it failed.
    sandbox.faults.clear()
    rest = nectar.usage.by_company(broken).resume(failure.error.cursor or "")
    more = [record async for record in rest]
    assert {record.id for record in more}.isdisjoint(record.id for record in delivered)
    assert rest.receipt.verdict == "complete"


async def read_until_killed(nectar: NectarClient, sandbox: Sandbox) -> None:
    async with nectar.repository.usage(look_ahead=2) as records:
        async for _ in records:
            sandbox.kill()


async def test_the_error_of_a_killed_server_names_company_and_page(
    sandbox: Sandbox,
) -> None:
    settings = Settings(base_url=sandbox.url, retry=RetryPolicy(attempts=2))
    async with NectarClient(
        sandbox.api_key, settings=settings, clock=VirtualClock()
    ) as nectar:
        with pytest.raises(ConnectionFailedError) as caught:
            await read_until_killed(nectar, sandbox)
    error = caught.value
    assert error.operation == USAGE
    assert error.page is not None
    assert "company " in str(error)
    assert f"page {error.page}" in str(error)


async def test_refusals_raise_their_own_errors(sandbox: Sandbox) -> None:
    async with NectarClient("wrong", settings=sandbox.settings) as stranger:
        with pytest.raises(AuthenticationError):
            await stranger.companies.all()
    async with NectarClient(sandbox.api_key, settings=sandbox.settings) as nectar:
        company = (await nectar.companies.all())[0].id
        sandbox.restricted.add(company)
        with pytest.raises(PermissionDeniedError, match=company):
            await nectar.companies.get(company)
        with pytest.raises(NotFoundError, match="no-such-company"):
            await nectar.companies.get("no-such-company")


async def test_a_rotated_key_is_fetched_again(sandbox: Sandbox) -> None:
    keys = iter(["withdrawn", sandbox.api_key])
    async with NectarClient(lambda: next(keys), settings=sandbox.settings) as nectar:
        assert "pong" in await nectar.ping()
    assert [entry.status for entry in sandbox.witness.log] == [401, 200]


async def test_pages_that_do_not_advance_are_an_error(
    sandbox: Sandbox, nectar: NectarClient
) -> None:
    company = await find_largest(nectar)
    sandbox.faults.add(Fault(RepeatPage(), operation=USAGE, company=company, page=2))
    async with nectar.repository.usage(
        companies=[company], on_error="collect"
    ) as records:
        ids = [record.id async for record in records]
    assert len(ids) == len(set(ids))
    assert [failure.error.page for failure in records.failures] == [2]


async def test_adjacent_windows_share_no_bill(nectar: NectarClient) -> None:
    company = await find_largest(nectar)
    first, last = date(2025, 1, 1), date(2025, 1, 31)
    whole = nectar.usage.by_company(company, start_date=first, end_date=last)
    parts: list[str] = []
    middle = first + timedelta(days=14)
    for start, end in ((first, middle), (middle + timedelta(days=1), last)):
        walk = nectar.usage.by_company(company, start_date=start, end_date=end)
        parts += [record.id async for record in walk]
    assert sorted(parts) == sorted([record.id async for record in whole])


async def test_a_ping_during_three_pulls_waits_for_few_attempts() -> None:
    async with Sandbox(companies=6, seed=7, latency=0.01) as sandbox:
        settings = evolve(sandbox.settings, max_concurrency=2)
        async with NectarClient(sandbox.api_key, settings=settings) as nectar:
            is_running = anyio.Event()

            async def pull() -> None:
                async with nectar.repository.usage() as records:
                    async for _ in records:
                        is_running.set()

            async with anyio.create_task_group() as group:
                for _ in range(3):
                    group.start_soon(pull)
                await is_running.wait()
                before = sandbox.witness.requests
                await nectar.ping()
                between = sandbox.witness.requests - before
                group.cancel_scope.cancel()
        # Two are in flight; then one of each pull, in turn, may go first.
        assert between <= 2 + 3 + 2
        assert sandbox.witness.peak_in_flight <= 2
