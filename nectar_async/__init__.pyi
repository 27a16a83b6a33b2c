# The public names, each with the module that it lives in. `_lazy` reads this file.

from nectar_async._files.download import Download as Download
from nectar_async._files.progress import ByteProgress as ByteProgress
from nectar_async._http.clock import (
    Clock as Clock,
    SystemClock as SystemClock,
)
from nectar_async._http.request import Request as Request
from nectar_async._http.response import Response as Response
from nectar_async._http.statistics import Statistics as Statistics
from nectar_async._http.transport import (
    Send as Send,
    Stage as Stage,
    Transport as Transport,
)
from nectar_async._paging.fanout import (
    FanOut as FanOut,
    Progress as Progress,
)
from nectar_async._paging.pager import Pager as Pager
from nectar_async._paging.receipt import (
    Receipt as Receipt,
    Verdict as Verdict,
)
from nectar_async._paging.records import (
    Failure as Failure,
    Records as Records,
)
from nectar_async._paging.relaxed_gc import relaxed_gc as relaxed_gc
from nectar_async._types import UNSET as UNSET, Secret as Secret
from nectar_async.client import NectarClient as NectarClient
from nectar_async.errors import (
    AttemptTimeoutError as AttemptTimeoutError,
    AuthenticationError as AuthenticationError,
    BadRequestError as BadRequestError,
    BodyCorruptError as BodyCorruptError,
    BodyTooLargeError as BodyTooLargeError,
    ClientClosedError as ClientClosedError,
    ConfigurationError as ConfigurationError,
    ConflictError as ConflictError,
    ConnectionFailedError as ConnectionFailedError,
    DeadlineExceededError as DeadlineExceededError,
    DecodeError as DecodeError,
    DownloadError as DownloadError,
    InvalidArgumentError as InvalidArgumentError,
    MaintenanceError as MaintenanceError,
    NectarError as NectarError,
    NotFoundError as NotFoundError,
    PaginationError as PaginationError,
    PermissionDeniedError as PermissionDeniedError,
    RateLimitedError as RateLimitedError,
    RecordingError as RecordingError,
    RedirectedError as RedirectedError,
    ServerError as ServerError,
    ServerTimeoutError as ServerTimeoutError,
    StaleRecordingError as StaleRecordingError,
    StatusError as StatusError,
    TransportError as TransportError,
    UnmatchedRequestError as UnmatchedRequestError,
    UnprocessableError as UnprocessableError,
    UnusedRecordingError as UnusedRecordingError,
    WaitTimeoutError as WaitTimeoutError,
    WrongLoopError as WrongLoopError,
)
from nectar_async.models import (
    Account as Account,
    AccountAdvice as AccountAdvice,
    AccountStatus as AccountStatus,
    AccountTrackingStatus as AccountTrackingStatus,
    Advice as Advice,
    Company as Company,
    Connection as Connection,
    ConnectionCompany as ConnectionCompany,
    ConnectionDatasource as ConnectionDatasource,
    ConnectionStatus as ConnectionStatus,
    CreatedConnection as CreatedConnection,
    CurrencyCode as CurrencyCode,
    DatasourceType as DatasourceType,
    DateType as DateType,
    DemandMeter as DemandMeter,
    DemandType as DemandType,
    DemandUsageUnits as DemandUsageUnits,
    DistrictMediumType as DistrictMediumType,
    DistrictType as DistrictType,
    Document as Document,
    DocumentEmbedded as DocumentEmbedded,
    ElectricityChargeType as ElectricityChargeType,
    ElectricityType as ElectricityType,
    FuelType as FuelType,
    GasChargeType as GasChargeType,
    GasType as GasType,
    IdentifierType as IdentifierType,
    Interval as Interval,
    Invitation as Invitation,
    InvitationDetail as InvitationDetail,
    InvitationEvent as InvitationEvent,
    InvitationPrefill as InvitationPrefill,
    InvitationStatus as InvitationStatus,
    InvitationType as InvitationType,
    Job as Job,
    JobStatus as JobStatus,
    LineItem as LineItem,
    LineItemBillingPeriod as LineItemBillingPeriod,
    LineItemChargeType as LineItemChargeType,
    MagicLink as MagicLink,
    Meter as Meter,
    MeterHighLow as MeterHighLow,
    MeterIdentifier as MeterIdentifier,
    NetMeteringType as NetMeteringType,
    Page as Page,
    RefrigerantType as RefrigerantType,
    SecurityQuestion as SecurityQuestion,
    Site as Site,
    SourceType as SourceType,
    Team as Team,
    TimeOfUse as TimeOfUse,
    TimeOfUseBreakdownItem as TimeOfUseBreakdownItem,
    TimeOfUseBreakdownUsageUnits as TimeOfUseBreakdownUsageUnits,
    UsageData as UsageData,
    UsageDataNested as UsageDataNested,
    UsageUnits as UsageUnits,
    UtilityProvider as UtilityProvider,
    WaterType as WaterType,
    WebhookPortalLink as WebhookPortalLink,
)
from nectar_async.models.page import Listing as Listing
from nectar_async.settings import (
    Operation as Operation,
    RetryPolicy as RetryPolicy,
    Settings as Settings,
)
from nectar_async.tables.cattrs_converter import make_converter as make_converter
from nectar_async.tables.dicts import to_dict as to_dict, to_json as to_json
from nectar_async.testing.virtual_clock import VirtualClock as VirtualClock
from nectar_async.transports import (
    AiohttpTransport as AiohttpTransport,
    MemoryTransport as MemoryTransport,
)

__all__: list[str]  # noqa: PYI035  read from this file by `_lazy`
__version__: str
