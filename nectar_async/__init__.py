"""The async SDK for Nectar's utility-data API.

The way of a call: `resources` say what is asked for (`Request`), the pipeline says
how (deadline, retry, gate, timeout, status, key), a transport does it once
(`Response`), the converter gives it meaning (models), and a pager gives it time.
Everything here loads when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nectar_async._lazy import lazy
from nectar_async._version import __version__

if TYPE_CHECKING:
    from nectar_async._files.download import Download
    from nectar_async._files.progress import ByteProgress
    from nectar_async._http.clock import Clock, SystemClock, VirtualClock
    from nectar_async._http.request import Listing, Request
    from nectar_async._http.response import Response
    from nectar_async._http.statistics import Statistics
    from nectar_async._http.transport import Transport
    from nectar_async._paging.fanout import Failure, FanOut, Progress
    from nectar_async._paging.pager import Pager
    from nectar_async._paging.receipt import Receipt, Verdict
    from nectar_async._paging.relaxed_gc import relaxed_gc
    from nectar_async._types import Secret
    from nectar_async._unset import UNSET
    from nectar_async.client import NectarClient
    from nectar_async.errors import (
        AttemptTimeoutError,
        AuthenticationError,
        BadRequestError,
        BodyCorruptError,
        BodyTooLargeError,
        ClientClosedError,
        ConfigurationError,
        ConflictError,
        ConnectionFailedError,
        DeadlineExceededError,
        DecodeError,
        DownloadError,
        InvalidArgumentError,
        MaintenanceError,
        NectarError,
        NotFoundError,
        PaginationError,
        PermissionDeniedError,
        RateLimitedError,
        RecordingError,
        RedirectedError,
        ServerError,
        ServerTimeoutError,
        StaleRecordingError,
        StatusError,
        TransportError,
        UnmatchedRequestError,
        UnprocessableError,
        UnusedRecordingError,
        WaitTimeoutError,
        WrongLoopError,
    )
    from nectar_async.models import (
        Account,
        AccountAdvice,
        AccountStatus,
        AccountTrackingStatus,
        Advice,
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
        DemandType,
        DemandUsageUnits,
        DistrictMediumType,
        DistrictType,
        Document,
        DocumentEmbedded,
        ElectricityChargeType,
        ElectricityType,
        FuelType,
        GasChargeType,
        GasType,
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
        LineItemBillingPeriod,
        LineItemChargeType,
        MagicLink,
        Meter,
        MeterHighLow,
        MeterIdentifier,
        NetMeteringType,
        Page,
        RefrigerantType,
        SecurityQuestion,
        Site,
        SourceType,
        Team,
        TimeOfUse,
        TimeOfUseBreakdownItem,
        TimeOfUseBreakdownUsageUnits,
        UsageData,
        UsageDataNested,
        UsageUnits,
        UtilityProvider,
        WaterType,
        WebhookPortalLink,
    )
    from nectar_async.settings import Operation, RetryPolicy, Settings
    from nectar_async.transports import AiohttpTransport, MemoryTransport

__all__ = [
    "UNSET",
    "Account",
    "AccountAdvice",
    "AccountStatus",
    "AccountTrackingStatus",
    "Advice",
    "AiohttpTransport",
    "AttemptTimeoutError",
    "AuthenticationError",
    "BadRequestError",
    "BodyCorruptError",
    "BodyTooLargeError",
    "ByteProgress",
    "ClientClosedError",
    "Clock",
    "Company",
    "ConfigurationError",
    "ConflictError",
    "Connection",
    "ConnectionCompany",
    "ConnectionDatasource",
    "ConnectionFailedError",
    "ConnectionStatus",
    "CreatedConnection",
    "CurrencyCode",
    "DatasourceType",
    "DateType",
    "DeadlineExceededError",
    "DecodeError",
    "DemandMeter",
    "DemandType",
    "DemandUsageUnits",
    "DistrictMediumType",
    "DistrictType",
    "Document",
    "DocumentEmbedded",
    "Download",
    "DownloadError",
    "ElectricityChargeType",
    "ElectricityType",
    "Failure",
    "FanOut",
    "FuelType",
    "GasChargeType",
    "GasType",
    "IdentifierType",
    "Interval",
    "InvalidArgumentError",
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
    "MaintenanceError",
    "MemoryTransport",
    "Meter",
    "MeterHighLow",
    "MeterIdentifier",
    "NectarClient",
    "NectarError",
    "NetMeteringType",
    "NotFoundError",
    "Operation",
    "Page",
    "Pager",
    "PaginationError",
    "PermissionDeniedError",
    "Progress",
    "RateLimitedError",
    "Receipt",
    "RecordingError",
    "RedirectedError",
    "RefrigerantType",
    "Request",
    "Response",
    "RetryPolicy",
    "Secret",
    "SecurityQuestion",
    "ServerError",
    "ServerTimeoutError",
    "Settings",
    "Site",
    "SourceType",
    "StaleRecordingError",
    "Statistics",
    "StatusError",
    "SystemClock",
    "Team",
    "TimeOfUse",
    "TimeOfUseBreakdownItem",
    "TimeOfUseBreakdownUsageUnits",
    "Transport",
    "TransportError",
    "UnmatchedRequestError",
    "UnprocessableError",
    "UnusedRecordingError",
    "UsageData",
    "UsageDataNested",
    "UsageUnits",
    "UtilityProvider",
    "Verdict",
    "VirtualClock",
    "WaitTimeoutError",
    "WaterType",
    "WebhookPortalLink",
    "WrongLoopError",
    "__version__",
    "relaxed_gc",
]

_NAMES: Final = {
    "_callback": "ByteProgress",
    "_clock": "Clock SystemClock VirtualClock",
    "_collector": "relaxed_gc",
    "_download": "Download",
    "_fanout": "Failure FanOut Progress",
    "_pager": "Pager",
    "_pages": "Receipt Verdict",
    "_request": "Listing Request",
    "_response": "Response",
    "_secret": "Secret",
    "_statistics": "Statistics",
    "_transport": "Transport",
    "_unset": "UNSET",
    "client": "NectarClient",
    "errors": (
        "AttemptTimeoutError AuthenticationError BadRequestError BodyCorruptError "
        "BodyTooLargeError ClientClosedError ConfigurationError ConflictError "
        "ConnectionFailedError DeadlineExceededError DecodeError DownloadError "
        "InvalidArgumentError MaintenanceError NectarError NotFoundError "
        "PaginationError PermissionDeniedError RateLimitedError RecordingError "
        "RedirectedError ServerError ServerTimeoutError StaleRecordingError "
        "StatusError TransportError UnmatchedRequestError UnprocessableError "
        "UnusedRecordingError WaitTimeoutError WrongLoopError"
    ),
    "models": (
        "Account AccountAdvice AccountStatus AccountTrackingStatus Advice Company "
        "Connection ConnectionCompany ConnectionDatasource ConnectionStatus "
        "CreatedConnection CurrencyCode DatasourceType DateType DemandMeter "
        "DemandType DemandUsageUnits DistrictMediumType DistrictType Document "
        "DocumentEmbedded ElectricityChargeType ElectricityType FuelType "
        "GasChargeType GasType IdentifierType Interval Invitation InvitationDetail "
        "InvitationEvent InvitationPrefill InvitationStatus InvitationType Job "
        "JobStatus LineItem LineItemBillingPeriod LineItemChargeType MagicLink Meter "
        "MeterHighLow MeterIdentifier NetMeteringType Page RefrigerantType "
        "SecurityQuestion Site SourceType Team TimeOfUse TimeOfUseBreakdownItem "
        "TimeOfUseBreakdownUsageUnits UsageData UsageDataNested UsageUnits "
        "UtilityProvider WaterType WebhookPortalLink"
    ),
    "settings": "Operation RetryPolicy Settings",
    "transports": "AiohttpTransport MemoryTransport",
}
"""The home of each name: by submodule, so that this page stays short."""

_HOMES: Final = {name: home for home, names in _NAMES.items() for name in names.split()}

if not TYPE_CHECKING:  # a checker that saw these would accept every name
    __getattr__, __dir__ = lazy(__name__, _HOMES)
