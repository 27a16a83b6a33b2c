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
from nectar_async.models.page import Listing, Page
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
    "Listing",
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
