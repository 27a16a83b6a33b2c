"""One instance of every model with many fields; each secret holds a canary."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import attrs

from nectar_async._types import Secret
from nectar_async.models import (
    Account,
    AccountStatus,
    AccountTrackingStatus,
    Company,
    Connection,
    ConnectionCompany,
    ConnectionDatasource,
    ConnectionStatus,
    CreatedConnection,
    DatasourceType,
    DemandMeter,
    DemandUsageUnits,
    Document,
    DocumentEmbedded,
    IdentifierType,
    Interval,
    Invitation,
    InvitationDetail,
    InvitationEvent,
    InvitationPrefill,
    InvitationType,
    Job,
    JobStatus,
    LineItem,
    MagicLink,
    Meter,
    MeterIdentifier,
    SecurityQuestion,
    Site,
    Team,
    TimeOfUseBreakdownItem,
    UsageData,
    UsageDataNested,
    UsageUnits,
    UtilityProvider,
    WebhookPortalLink,
)

__all__ = ["CANARY", "FILLED", "LINK", "USAGE"]

CANARY = "canary"
LINK = f"https://files.example.com/bill-1.pdf?signature={CANARY}"
AT = datetime(2024, 2, 20, 9, 15, 43, tzinfo=UTC)
SITE = Site(id="s-1", name="Harbor Street Office", path=("US", "IL"))
NESTED = UsageDataNested(
    id="u-1",
    created=AT,
    start_date=date(2024, 1, 15),
    end_date=date(2024, 2, 14),
    usage=Decimal("3100.00"),
    usage_units=UsageUnits.KWH,
    time_of_use_breakdown=(TimeOfUseBreakdownItem(usage=Decimal("1240.00")),),
    site=SITE,
    identifiers=(MeterIdentifier(value="MTR-A12345", name=IdentifierType.METER),),
    datasource_type=DatasourceType("HYDROGEN"),
    additional_fields={"rate": [1, 2]},
    extra={"newKey": {"deep": [1]}},
)
USAGE = UsageData(
    **{
        attribute.name: getattr(NESTED, attribute.name)
        for attribute in attrs.fields(UsageDataNested)
    },
    document=DocumentEmbedded(id="d-1", created=AT, url=Secret(LINK)),
)
DOCUMENT = Document(
    id="d-1",
    url=Secret(LINK),
    total_charges=Decimal("310.00"),
    company="c-1",
    usage_data=(NESTED,),
    demand_meters=(
        DemandMeter(
            demand_usage=Decimal("22.5"),
            demand_usage_units=DemandUsageUnits.KW,
            usage_data_ids=("u-1",),
        ),
    ),
    line_items=(
        LineItem(
            rate=Decimal("0.10"),
            multipliers=(Decimal(1), Decimal("1.05")),
            account_ids=("a-1",),
            electricity_is_demand=False,
        ),
    ),
)
CONNECTION = Connection(
    id="n-1",
    created=AT,
    connection_magic_link_secret=Secret(CANARY),
    datasource=ConnectionDatasource(name="Example Power and Light"),
    accounts=(
        Account(
            id="a-1",
            meters=("m-1",),
            is_tracked=True,
            is_duplicated=False,
            tracking_status=AccountTrackingStatus.UNSET,
            datasource_types=(DatasourceType.GAS, DatasourceType.WATER),
            status=AccountStatus.ONBOARDED,
            status_last_update_time=AT,
            status_first_seen_time=AT,
            status_error_detail="the portal shows no bills",
        ),
    ),
    company=ConnectionCompany(id="c-1", external_id="CO-42"),
    status=ConnectionStatus.CONNECTED,
    initial_sites=("s-1",),
    username=Secret(CANARY),
    is_active=True,
)
INVITATION = InvitationDetail(
    id="i-1",
    token=Secret(CANARY),
    invitation_type=InvitationType.CREATE_CONNECTION,
    invitation_url=Secret(f"https://dash.example.com/p/i/{CANARY}"),
    allowed_emails=("ops@example.com",),
    expires_at=AT,
    max_uses=2,
    use_count=1,
    prefill=InvitationPrefill(
        initial_sites=("s-1",), utility_types=(DatasourceType.GAS,)
    ),
    created_connections=(
        CreatedConnection(id="n-1", status=ConnectionStatus.PENDING, created=AT),
    ),
    events=(InvitationEvent(event_type="VIEWED", created_at=AT),),
)
FILLED: list[Any] = [
    Company(id="c-1", name="Example", sites=(SITE,), users=("ops@example.com",)),
    SITE,
    USAGE,
    NESTED,
    *NESTED.time_of_use_breakdown,
    *NESTED.identifiers,
    USAGE.document,
    DOCUMENT,
    *DOCUMENT.demand_meters,
    *DOCUMENT.line_items,
    CONNECTION,
    CONNECTION.datasource,
    *CONNECTION.accounts,
    CONNECTION.company,
    SecurityQuestion(key="First pet?", value=CANARY),
    INVITATION,
    INVITATION.prefill,
    *INVITATION.created_connections,
    *INVITATION.events,
    Invitation(id="i-2", token=Secret(CANARY), invitation_url=Secret(LINK)),
    UtilityProvider(id="p-1", name="Example Power and Light"),
    MagicLink(
        company_magic_link_secret=Secret(CANARY),
        public_company_id="pc-1",
        magic_link_url=Secret(LINK),
    ),
    WebhookPortalLink(url=Secret(LINK)),
    Meter(
        id="m-1",
        identifiers=NESTED.identifiers,
        is_duplicated=True,
        tags=("roof", 7, {"deep": [1]}),
    ),
    Interval(id="v-1", start=AT, end=AT, usage=Decimal("1.25"), usage_units="kWh"),
    Job(
        id="j-1",
        status=JobStatus.COMPLETED,
        parsed_document_ids=("d-1",),
        duplicates=1,
    ),
    Team(id="t-1", users=("ops@example.com",), billing=Secret({"card": [CANARY]})),
]
