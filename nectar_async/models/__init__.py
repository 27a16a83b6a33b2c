"""The records of the API as attrs classes, and its enums.

Models are frozen, slotted and hashable, and hold data only.

- A field is the snake_case of its wire name: `startDate` is `start_date`.
- IDs are opaque text, days are `date`s, instants are aware `datetime`s, quantities and
  money are exact `Decimal`s, sequences are tuples, and values that must not be printed
  are `Secret`s.
- A key that is missing or null is None, or `()` for a sequence; so a sequence does not
  distinguish null from empty. Only fields that identify a record are required.
- Enums are open: a value that this version does not know becomes a member, too.
- `extra` has the keys that this version does not know and the values that did not fit
  their field, under their wire names. It is not part of the hash.
"""

from __future__ import annotations

from nectar_async.models.account import Account
from nectar_async.models.advice import AccountAdvice, Advice
from nectar_async.models.company import Company
from nectar_async.models.connection import (
    Connection,
    ConnectionCompany,
    ConnectionDatasource,
    SecurityQuestion,
)
from nectar_async.models.document import DemandMeter, Document, LineItem
from nectar_async.models.embedded_document import DocumentEmbedded
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
