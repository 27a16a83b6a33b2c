"""The types of all public calls, as type checkers infer them. It is never run.

mypy and pyright check it in strict mode. `tests/test_typing.py` checks that it uses
every method of the client.
"""

# mypy: disable-error-code="unused-awaitable"
# A list can be awaited, and these tests leave some alone.

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from types import NoneType
from typing import Any, Literal, assert_type
from uuid import UUID

from nectar_async import (
    UNSET,
    Account,
    AccountAdvice,
    AccountStatus,
    AccountTrackingStatus,
    Advice,
    AiohttpTransport,
    Company,
    Connection,
    ConnectionCompany,
    ConnectionDatasource,
    ConnectionStatus,
    CreatedConnection,
    CurrencyCode,
    DatasourceType,
    DateType,
    DemandMeter,
    Document,
    DocumentEmbedded,
    Download,
    Failure,
    FanOut,
    IdentifierType,
    Interval,
    Invitation,
    InvitationDetail,
    InvitationEvent,
    InvitationPrefill,
    InvitationStatus,
    InvitationType,
    Job,
    JobStatus,
    LineItem,
    Listing,
    MagicLink,
    MemoryTransport,
    Meter,
    MeterIdentifier,
    NectarClient,
    NectarError,
    Operation,
    Page,
    Pager,
    Progress,
    RateLimitedError,
    Receipt,
    Records,
    Request,
    Response,
    RetryPolicy,
    Secret,
    SecurityQuestion,
    Send,
    Settings,
    Site,
    Stage,
    Statistics,
    StatusError,
    Team,
    TimeOfUseBreakdownItem,
    UsageData,
    UsageDataNested,
    UsageUnits,
    UtilityProvider,
    Verdict,
    WaitTimeoutError,
    WebhookPortalLink,
)

ID = UUID("5f0c9e3a-0000-4000-8000-000000000000")
DAY = date(2025, 1, 1)


async def client() -> None:
    nectar = NectarClient("key", settings=Settings(), transport=AiohttpTransport())
    assert_type(nectar, NectarClient)
    assert_type(
        NectarClient(lambda: "key", transport=MemoryTransport({})), NectarClient
    )
    async with nectar as entered:
        assert_type(entered, NectarClient)
    assert_type(await nectar.aclose(), None)
    assert_type(await nectar.ping(), str)
    assert_type(nectar.with_settings(attempt_timeout=120, deadline=None), NectarClient)
    statistics = nectar.statistics()
    assert_type(statistics, Statistics)
    assert_type(statistics.attempts, int)
    assert_type(statistics.queue_seconds, float)


async def escape_hatch(nectar: NectarClient) -> None:
    assert_type(await nectar.send(Request.get("ping_get", "/ping", str)), str)
    one = Request.get("sites_get", "/site/{site_id}", Site, site_id=ID)
    assert_type(one, Request[Site])
    assert_type(await nectar.send(one), Site)
    listing = Listing(items="sites")
    many = Request.get("x", "/site", Page[Site], listing=listing)
    assert_type(await nectar.send(many), Page[Site])
    nothing = Request.delete("x", "/site/{site_id}", NoneType, site_id="s")
    assert_type(await nectar.send(nothing), None)
    made = Request.post("x", "/site", Site, json={"name": "Quay"})
    assert_type(await nectar.send(made), Site)
    changed = Request.patch("x", "/site", Site, json={"name": UNSET})
    assert_type(await nectar.send(changed), Site)


def settings() -> None:
    corrected = Operation("PATCH", "/connection/{connection_id}", keys={"a": "b"})
    patient = Settings(
        retry=RetryPolicy(attempts=2), operations={"connections_confirm": corrected}
    )
    assert_type(patient.deadline, float | None)
    assert_type(patient.operations, Mapping[str, Operation])
    assert_type(Settings.from_env(max_concurrency=5), Settings)


async def companies(nectar: NectarClient) -> None:
    assert_type(await nectar.companies.all(), list[Company])
    company = await nectar.companies.get(ID)
    assert_type(company, Company)
    assert_type(
        await nectar.companies.create(
            "Harbor",
            external_id=None,
            data_collection_start_date=DAY,
            implied_metering_fraction=Decimal("0.5"),
            users=["a@example.com"],
        ),
        Company,
    )
    assert_type(await nectar.companies.update("c", name=UNSET, users=()), Company)
    assert_type(await nectar.companies.delete("c"), None)
    assert_type(company.id, str)
    assert_type(company.sites, tuple[Site, ...])
    assert_type(company.users, tuple[str, ...])
    assert_type(company.data_collection_start_date, date | None)
    assert_type(company.implied_metering_fraction, Decimal | None)
    assert_type(company.extra, Mapping[str, Any])


async def sites(nectar: NectarClient) -> None:
    assert_type(nectar.sites.by_company("c"), Pager[Site])
    site = await nectar.sites.get(ID)
    assert_type(site, Site)
    assert_type(await nectar.sites.create("c", "Quay", path=["Europe"]), Site)
    assert_type(await nectar.sites.update("s", occupancy_percent=None), Site)
    assert_type(await nectar.sites.delete("s"), None)
    assert_type(site.path, tuple[str, ...])
    assert_type(site.occupancy_percent, Decimal | None)
    assert_type(site.data_collection_stop_date, date | None)


async def accounts(nectar: NectarClient) -> None:
    account = await nectar.accounts.update("a", is_tracked=True, update_meters=UNSET)
    assert_type(account, Account)
    changed = await nectar.accounts.bulk_update("c", ["a", ID], False, extra={"x": 1})
    assert_type(changed, list[Account])
    assert_type(account.meters, tuple[str, ...])
    assert_type(account.tracking_status, AccountTrackingStatus | None)
    assert_type(account.datasource_types, tuple[DatasourceType, ...])
    assert_type(account.last_service_date, date | None)
    assert_type(AccountStatus.DETECTED.advice, AccountAdvice)
    assert_type(AccountStatus.DETECTED.advice.is_in_analytics, bool | None)


async def connections(nectar: NectarClient) -> None:
    by_company = nectar.connections.by_company(
        "c",
        connection_owner_email="a@example.com",
        limit=500,
        sites=[ID, "s"],
        status=ConnectionStatus.CONNECTED,
    )
    assert_type(by_company, Pager[Connection])
    assert_type(await nectar.connections.get(ID), Connection)
    assert_type(
        await nectar.connections.create(
            "c",
            url="https://utility.example.com",
            username="u",
            password=Secret("p"),
            sites=["s"],
            security_questions={"First pet?": "Rex"},
            initial_datasource_types=["GAS", DatasourceType.WATER],
        ),
        Connection,
    )
    question = SecurityQuestion(key="First pet?", value="Rex")
    assert_type(question.value, Secret[str])
    assert_type(
        await nectar.connections.update(
            "x", external_id=None, security_questions=[question]
        ),
        Connection,
    )
    assert_type(await nectar.connections.activate("x"), Connection)
    assert_type(await nectar.connections.deactivate("x"), Connection)
    assert_type(await nectar.connections.confirm("x"), Connection)
    settled = await nectar.connections.wait_until_settled(
        "x", timeout=None, on_progress=lambda seen: seen.status
    )
    assert_type(settled, Connection)


def a_connection(connection: Connection) -> None:
    assert_type(connection.username, Secret[str] | None)
    assert_type(connection.accounts, tuple[Account, ...])
    assert_type(connection.datasource, ConnectionDatasource | None)
    assert_type(connection.company, ConnectionCompany | None)
    assert_type(connection.created, datetime | None)
    assert_type(connection.data_collection_start_date, date | None)
    assert_type(connection.is_active, bool | None)
    assert_type(connection.status, ConnectionStatus | None)
    status = ConnectionStatus("BRAND_NEW")
    assert_type(status.is_known, bool)
    assert_type(status.is_settled, bool)
    assert_type(status.advice, Advice)
    assert_type(status.advice.does_invitation_help, bool | None)
    assert_type(
        status.advice.who_acts,
        Literal["nobody", "nectar", "provider", "customer", "unknown"],
    )


async def providers(nectar: NectarClient) -> None:
    found = nectar.providers.search("power")
    assert_type(found, Pager[UtilityProvider])
    async for provider in found:
        assert_type(provider.name, str | None)


async def invitations(nectar: NectarClient) -> None:
    prefill = InvitationPrefill(url="https://x.example", initial_sites=("s",))
    created = await nectar.invitations.create(
        "c", allowed_emails=["a@example.com"], expires_in_seconds=60, prefill=prefill
    )
    assert_type(created, Invitation)
    assert_type(
        await nectar.invitations.create_reconnect("x", send_email=True), Invitation
    )
    listed = nectar.invitations.by_company(
        "c", status="ACTIVE", invitation_type=InvitationType("RECONNECT")
    )
    assert_type(listed, Pager[Invitation])
    detail = await nectar.invitations.get(ID)
    assert_type(detail, InvitationDetail)
    assert_type(await nectar.invitations.revoke("i"), Invitation)
    assert_type(detail.events, tuple[InvitationEvent, ...])
    assert_type(detail.created_connections, tuple[CreatedConnection, ...])
    assert_type(created.token, Secret[str] | None)
    assert_type(created.invitation_url, Secret[str] | None)
    assert_type(created.status, InvitationStatus | None)
    assert_type(created.expires_at, datetime | None)
    assert_type(created.prefill, InvitationPrefill | None)


async def magic_links(nectar: NectarClient) -> None:
    # All are deprecated; the checker reports a comment that ignores nothing.
    link = await nectar.magic_links.create("c")  # type: ignore[deprecated]
    assert_type(link, MagicLink)
    prefilled = await nectar.magic_links.create_prefilled(  # type: ignore[deprecated]
        "c", sites=["s"], data_collection_start_date=DAY
    )
    assert_type(prefilled, MagicLink)
    edit = await nectar.magic_links.create_edit("x")  # type: ignore[deprecated]
    assert_type(edit, Connection)
    assert_type(link.magic_link_url, Secret[str] | None)


async def documents(nectar: NectarClient) -> None:
    by_company = nectar.documents.by_company(
        "c", start_date=DAY, date_type=DateType.BILL_DATE, is_deleted=True
    )
    assert_type(by_company, Pager[Document])
    by_connection = nectar.documents.by_connection("x", identifier="M-1")
    assert_type(by_connection, Pager[Document])
    assert_type(nectar.documents.by_site("s", datasource_type="GAS"), Pager[Document])
    document = await nectar.documents.get(ID)
    assert_type(document, Document)
    changed = await nectar.documents.update(
        "d", total_charges=Decimal("1.50"), charges_units="USD", notes=None
    )
    assert_type(changed, Document)
    saved = await nectar.documents.download("d", Path("bills"))
    assert_type(saved, Download)
    assert_type(saved.path, Path | None)
    assert_type(saved.resumed_from, int)
    assert_type(await nectar.documents.download("d", "bill.pdf"), Download)
    assert_type(
        await nectar.documents.download("d", BytesIO(), on_progress=print), Download
    )
    assert_type(document.url, Secret[str] | None)
    assert_type(document.total_charges, Decimal | None)
    assert_type(document.charges_units, CurrencyCode | None)
    assert_type(document.bill_date, date | None)
    assert_type(document.usage_data, tuple[UsageDataNested, ...])
    assert_type(document.line_items, tuple[LineItem, ...])
    assert_type(document.demand_meters, tuple[DemandMeter, ...])


async def usage(nectar: NectarClient) -> None:
    by_company = nectar.usage.by_company(
        "c",
        start_date=DAY,
        end_date=DAY,
        date_type="USAGE_PERIOD",
        datasource_type=[DatasourceType.ELECTRICITY, "GAS"],
        identifier="M-1",
    )
    assert_type(by_company, Pager[UsageData])
    assert_type(nectar.usage.by_site(ID), Pager[UsageData])
    assert_type(nectar.usage.by_meter("m"), Pager[UsageData])
    assert_type(nectar.usage.by_connection("x"), Pager[UsageData])
    assert_type(nectar.usage.by_document("d"), Pager[UsageData])
    record = await nectar.usage.get("u")
    assert_type(record, UsageData)
    changed = await nectar.usage.update(
        "u",
        usage="12.50",
        usage_units=UsageUnits.KWH,
        multiplier=Decimal(2),
        identifiers=[MeterIdentifier(value="M-1")],
        extra={"new": 1},
    )
    assert_type(changed, UsageData)
    assert_type(await nectar.usage.delete("u"), None)
    assert_type(record.usage, Decimal | None)
    assert_type(record.usage_units, UsageUnits | None)
    assert_type(record.start_date, date | None)
    assert_type(record.created, datetime | None)
    assert_type(record.site, Site | None)
    assert_type(record.document, DocumentEmbedded | None)
    assert_type(record.identifiers, tuple[MeterIdentifier, ...])
    assert_type(record.time_of_use_breakdown, tuple[TimeOfUseBreakdownItem, ...])
    assert_type(record.additional_fields, Mapping[str, Any] | None)


async def meters(nectar: NectarClient) -> None:
    assert_type(nectar.meters.by_company("c", datasource_type="GAS"), Pager[Meter])
    assert_type(nectar.meters.by_connection("x", identifier="M-1"), Pager[Meter])
    assert_type(nectar.meters.by_document("d"), Pager[Meter])
    assert_type(nectar.meters.by_site(ID), Pager[Meter])
    meter = await nectar.meters.get("m")
    assert_type(meter, Meter)
    another = MeterIdentifier(value="M-2", name=IdentifierType("METER"))
    changed = await nectar.meters.update(
        "m", identifiers=[*meter.identifiers, another], water_type=None, is_tracked=True
    )
    assert_type(changed, Meter)
    assert_type(meter.site, str | None)
    assert_type(meter.datasource_type, DatasourceType | None)
    assert_type(meter.is_duplicated, bool | None)
    assert_type(meter.tags, tuple[Any, ...])


async def intervals(nectar: NectarClient, moment: datetime) -> None:
    readings = nectar.intervals.by_connection("x", start_date=moment, end_date=moment)
    assert_type(readings, Pager[Interval])
    async for reading in readings:
        assert_type(reading.start, datetime | None)
        assert_type(reading.usage, Decimal | None)


async def jobs(nectar: NectarClient, stream: AsyncIterator[bytes]) -> None:
    job = await nectar.jobs.submit_document(
        "c", Path("march.pdf"), site_id=ID, on_progress=print
    )
    assert_type(job, Job)
    assert_type(await nectar.jobs.submit_document("c", b"%PDF-"), Job)
    assert_type(
        await nectar.jobs.submit_document("c", stream, file_name="march.pdf"), Job
    )
    links: list[str | Secret[str]] = ["https://x.example/a", Secret("https://b")]
    assert_type(await nectar.jobs.submit_bulk("c", links, site_id="s"), Job)
    assert_type(await nectar.jobs.get(job.id), Job)
    assert_type(await nectar.jobs.wait(job.id, timeout=60), Job)
    assert_type(job.status, JobStatus | None)
    assert_type(JobStatus.PENDING.is_terminal, bool)
    assert_type(job.parsed_document_ids, tuple[str, ...])
    assert_type(job.duplicates, int | None)
    assert_type(job.termination_reason, str | None)


async def team_and_portal(nectar: NectarClient) -> None:
    team = await nectar.team.get()
    assert_type(team, Team)
    assert_type(await nectar.team.update(["a@example.com"]), Team)
    assert_type(team.users, tuple[str, ...])
    assert_type(team.billing, Secret[Mapping[str, Any]] | None)
    portal = await nectar.webhook_portal.get()
    assert_type(portal, WebhookPortalLink)
    assert_type(portal.url, Secret[str] | None)
    assert_type(Secret("text").reveal(), str)


async def walks(nectar: NectarClient) -> None:
    pager = nectar.usage.by_company("c")
    async for record in pager:
        assert_type(record, UsageData)
    async for page in pager.pages():
        assert_type(page, Page[UsageData])
        assert_type(page.items, tuple[UsageData, ...])
        assert_type(page.total, int | None)
    assert_type(pager.resume("cursor"), Pager[UsageData])
    assert_type(await pager, Records[UsageData])
    assert_type(await pager.collect(limit=10), Records[UsageData])
    assert_type(await pager.collect(progress=True), Records[UsageData])
    with pager.show_progress() as shown:
        assert_type(shown, Pager[UsageData])
    assert_type(await pager.first(), UsageData | None)
    async with pager.prefetch(look_ahead=4) as records:
        async for record in records:
            assert_type(record, UsageData)
        async for page in records.pages():
            assert_type(page, Page[UsageData])
        assert_type(records.receipt, Receipt)
    assert_type(pager.receipt, Receipt)
    assert_type(pager.receipt.verdict, Verdict)
    assert_type(pager.receipt.total_first, int | None)


async def repository(nectar: NectarClient, company: Company) -> None:
    assert_type(nectar.repository.connections(limit=500), FanOut[Connection])
    collected = await nectar.repository.connections()
    assert_type(collected, Records[Connection])
    assert_type(collected[0], Connection)
    assert_type(collected[:2], Records[Connection])
    assert_type(collected.failures, tuple[Failure, ...])
    assert_type(await nectar.repository.usage().collect(limit=1), Records[UsageData])
    assert_type(await nectar.repository.usage().first(), UsageData | None)
    assert_type(nectar.repository.accounts(status="CONNECTED"), FanOut[Account])
    assert_type(nectar.repository.meters(companies=[company, ID]), FanOut[Meter])
    assert_type(nectar.repository.documents(is_deleted=False), FanOut[Document])
    view = nectar.repository.usage(
        companies=["c"], start_date=DAY, on_error="collect", look_ahead=8
    )
    assert_type(view, FanOut[UsageData])
    async with view as records:
        assert_type(records, FanOut[UsageData])
        async for record in records:
            assert_type(record, UsageData)
        async for company_id, page in records.pages():
            assert_type(company_id, str)
            assert_type(page, Page[UsageData])
        assert_type(await records.next_page(), tuple[str, Page[UsageData]])
    assert_type(view.receipt, Receipt)
    assert_type(view.receipts, Mapping[str, Receipt])
    assert_type(view.progress, Progress)
    assert_type(view.failures, tuple[Failure, ...])
    for failure in view.failures:
        assert_type(failure.company_id, str)
        assert_type(failure.error, NectarError)
        assert_type(failure.error.cursor, str | None)


async def stage(request: Request[Any], send: Send) -> Response:
    response = await send(request)
    assert_type(response, Response)
    return response


def stages() -> NectarClient:
    known: list[Stage] = [stage]
    assert_type(NectarClient(stages=[stage]), NectarClient)
    return NectarClient(stages=(*known, stage))


def errors(error: StatusError, waited: WaitTimeoutError) -> None:
    assert_type(error.status, int)
    assert_type(error.operation, str | None)
    assert_type(error.detail, str | None)
    assert_type(error.attempts, int)
    assert_type(waited.last, Any)
    if isinstance(error, RateLimitedError):
        assert_type(error.retry_after, float | None)
