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

from nectar_async._facade import lazy

if TYPE_CHECKING:
    from nectar_async.models.company import Company
    from nectar_async.models.document import DocumentEmbedded
    from nectar_async.models.enums import (
        AccountStatus,
        AccountTrackingStatus,
        ConnectionStatus,
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
        InvitationStatus,
        InvitationType,
        JobStatus,
        LineItemBillingPeriod,
        LineItemChargeType,
        MeterHighLow,
        NetMeteringType,
        RefrigerantType,
        SourceType,
        TimeOfUse,
        WaterType,
    )
    from nectar_async.models.meter import MeterIdentifier
    from nectar_async.models.page import Page
    from nectar_async.models.site import Site
    from nectar_async.models.units import (
        DemandUsageUnits,
        TimeOfUseBreakdownUsageUnits,
        UsageUnits,
    )
    from nectar_async.models.usage import TimeOfUseBreakdownItem, UsageData

__all__ = [
    "AccountStatus",
    "AccountTrackingStatus",
    "Company",
    "ConnectionStatus",
    "CurrencyCode",
    "DatasourceType",
    "DateType",
    "DemandType",
    "DemandUsageUnits",
    "DistrictMediumType",
    "DistrictType",
    "DocumentEmbedded",
    "ElectricityChargeType",
    "ElectricityType",
    "FuelType",
    "GasChargeType",
    "GasType",
    "IdentifierType",
    "InvitationStatus",
    "InvitationType",
    "JobStatus",
    "LineItemBillingPeriod",
    "LineItemChargeType",
    "MeterHighLow",
    "MeterIdentifier",
    "NetMeteringType",
    "Page",
    "RefrigerantType",
    "Site",
    "SourceType",
    "TimeOfUse",
    "TimeOfUseBreakdownItem",
    "TimeOfUseBreakdownUsageUnits",
    "UsageData",
    "UsageUnits",
    "WaterType",
]

_HOMES: Final = {
    "AccountStatus": "enums",
    "AccountTrackingStatus": "enums",
    "Company": "company",
    "ConnectionStatus": "enums",
    "CurrencyCode": "enums",
    "DatasourceType": "enums",
    "DateType": "enums",
    "DemandType": "enums",
    "DemandUsageUnits": "units",
    "DistrictMediumType": "enums",
    "DistrictType": "enums",
    "DocumentEmbedded": "document",
    "ElectricityChargeType": "enums",
    "ElectricityType": "enums",
    "FuelType": "enums",
    "GasChargeType": "enums",
    "GasType": "enums",
    "IdentifierType": "enums",
    "InvitationStatus": "enums",
    "InvitationType": "enums",
    "JobStatus": "enums",
    "LineItemBillingPeriod": "enums",
    "LineItemChargeType": "enums",
    "MeterHighLow": "enums",
    "MeterIdentifier": "meter",
    "NetMeteringType": "enums",
    "Page": "page",
    "RefrigerantType": "enums",
    "Site": "site",
    "SourceType": "enums",
    "TimeOfUse": "enums",
    "TimeOfUseBreakdownItem": "usage",
    "TimeOfUseBreakdownUsageUnits": "units",
    "UsageData": "usage",
    "UsageUnits": "units",
    "WaterType": "enums",
}

if not TYPE_CHECKING:  # a checker that saw these would accept every name
    __getattr__, __dir__ = lazy(__name__, _HOMES)
