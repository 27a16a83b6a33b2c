"""The nouns of the API as values.

Models are frozen, slotted and hashable attrs classes that hold data and do nothing.

- A field is the snake_case of its wire name: `startDate` is `start_date`.
- Ids are opaque text, days are `date`, instants are aware `datetime`s, quantities and
  money are exact `Decimal`s, sequences are tuples, and what must not be printed is a
  `Secret`.
- A key that is missing or null is None, or `()` for a sequence, which therefore does
  not tell null from empty. Only what identifies a record is required.
- Enums are open: a value that this version does not know stays a member.
- `extra` keeps, under their wire names, the keys that this version does not know and
  the values that did not fit their field. It does not count for the hash.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nectar_async._lazy import lazy

if TYPE_CHECKING:
    from nectar_async.models.account import Account
    from nectar_async.models.advice import AccountAdvice, Advice
    from nectar_async.models.bill import DocumentEmbedded
    from nectar_async.models.company import Company
    from nectar_async.models.connection import (
        Connection,
        ConnectionCompany,
        ConnectionDatasource,
        SecurityQuestion,
    )
    from nectar_async.models.document import DemandMeter, Document, LineItem
    from nectar_async.models.enums import (
        CurrencyCode,
        DatasourceType,
        DateType,
        DemandType,
        DistrictMediumType,
        DistrictType,
        ElectricityChargeType,
        ElectricityType,
        FuelType,
        GasChargeType,
        GasType,
        IdentifierType,
        InvitationType,
        LineItemBillingPeriod,
        LineItemChargeType,
        MeterHighLow,
        NetMeteringType,
        RefrigerantType,
        SourceType,
        TimeOfUse,
        WaterType,
    )
    from nectar_async.models.interval import Interval
    from nectar_async.models.invitation import (
        CreatedConnection,
        Invitation,
        InvitationDetail,
        InvitationEvent,
        InvitationPrefill,
    )
    from nectar_async.models.job import Job
    from nectar_async.models.link import MagicLink, WebhookPortalLink
    from nectar_async.models.meter import Meter, MeterIdentifier
    from nectar_async.models.page import Page
    from nectar_async.models.provider import UtilityProvider
    from nectar_async.models.site import Site
    from nectar_async.models.statuses import (
        AccountStatus,
        AccountTrackingStatus,
        ConnectionStatus,
        InvitationStatus,
        JobStatus,
    )
    from nectar_async.models.team import Team
    from nectar_async.models.units import (
        DemandUsageUnits,
        TimeOfUseBreakdownUsageUnits,
        UsageUnits,
    )
    from nectar_async.models.usage import (
        TimeOfUseBreakdownItem,
        UsageData,
        UsageDataNested,
    )

__all__ = [
    "Account",
    "AccountAdvice",
    "AccountStatus",
    "AccountTrackingStatus",
    "Advice",
    "Company",
    "Connection",
    "ConnectionCompany",
    "ConnectionDatasource",
    "ConnectionStatus",
    "CreatedConnection",
    "CurrencyCode",
    "DatasourceType",
    "DateType",
    "DemandMeter",
    "DemandType",
    "DemandUsageUnits",
    "DistrictMediumType",
    "DistrictType",
    "Document",
    "DocumentEmbedded",
    "ElectricityChargeType",
    "ElectricityType",
    "FuelType",
    "GasChargeType",
    "GasType",
    "IdentifierType",
    "Interval",
    "Invitation",
    "InvitationDetail",
    "InvitationEvent",
    "InvitationPrefill",
    "InvitationStatus",
    "InvitationType",
    "Job",
    "JobStatus",
    "LineItem",
    "LineItemBillingPeriod",
    "LineItemChargeType",
    "MagicLink",
    "Meter",
    "MeterHighLow",
    "MeterIdentifier",
    "NetMeteringType",
    "Page",
    "RefrigerantType",
    "SecurityQuestion",
    "Site",
    "SourceType",
    "Team",
    "TimeOfUse",
    "TimeOfUseBreakdownItem",
    "TimeOfUseBreakdownUsageUnits",
    "UsageData",
    "UsageDataNested",
    "UsageUnits",
    "UtilityProvider",
    "WaterType",
    "WebhookPortalLink",
]

_HOMES: Final = {
    "Account": "account",
    "AccountAdvice": "advice",
    "AccountStatus": "statuses",
    "AccountTrackingStatus": "statuses",
    "Advice": "advice",
    "Company": "company",
    "Connection": "connection",
    "ConnectionCompany": "connection",
    "ConnectionDatasource": "connection",
    "ConnectionStatus": "statuses",
    "CreatedConnection": "invitation",
    "CurrencyCode": "enums",
    "DatasourceType": "enums",
    "DateType": "enums",
    "DemandMeter": "document",
    "DemandType": "enums",
    "DemandUsageUnits": "units",
    "DistrictMediumType": "enums",
    "DistrictType": "enums",
    "Document": "document",
    "DocumentEmbedded": "bill",
    "ElectricityChargeType": "enums",
    "ElectricityType": "enums",
    "FuelType": "enums",
    "GasChargeType": "enums",
    "GasType": "enums",
    "IdentifierType": "enums",
    "Interval": "interval",
    "Invitation": "invitation",
    "InvitationDetail": "invitation",
    "InvitationEvent": "invitation",
    "InvitationPrefill": "invitation",
    "InvitationStatus": "statuses",
    "InvitationType": "enums",
    "Job": "job",
    "JobStatus": "statuses",
    "LineItem": "document",
    "LineItemBillingPeriod": "enums",
    "LineItemChargeType": "enums",
    "MagicLink": "link",
    "Meter": "meter",
    "MeterHighLow": "enums",
    "MeterIdentifier": "meter",
    "NetMeteringType": "enums",
    "Page": "page",
    "RefrigerantType": "enums",
    "SecurityQuestion": "connection",
    "Site": "site",
    "SourceType": "enums",
    "Team": "team",
    "TimeOfUse": "enums",
    "TimeOfUseBreakdownItem": "usage",
    "TimeOfUseBreakdownUsageUnits": "units",
    "UsageData": "usage",
    "UsageDataNested": "usage",
    "UsageUnits": "units",
    "UtilityProvider": "provider",
    "WaterType": "enums",
    "WebhookPortalLink": "link",
}

if not TYPE_CHECKING:  # a checker that saw these would accept every name
    __getattr__, __dir__ = lazy(__name__, _HOMES)
