"""Connections to utilities' portals: new ones, and whether their logins succeed.

Nothing runs in the background: a connection says when its login check is due, and
`settle_login` applies the result from then on.
"""

from __future__ import annotations

from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from attrs import asdict, evolve, filters

from nectar_async.sandbox.generator.entities import ConnectionRecord, LoginCheck
from nectar_async.sandbox.generator.providers import list_providers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nectar_async.sandbox.generator.dates import Instant
    from nectar_async.sandbox.generator.entities import CompanyRecord
    from nectar_async.sandbox.generator.ids import Ids

__all__ = [
    "CHECK_SECONDS",
    "ERROR_DETAILS",
    "SAMPLE_SECONDS",
    "SANDBOX_LOGIN",
    "Login",
    "build_connection",
    "confirm_login",
    "find_next_change",
    "find_portal_url",
    "is_same_portal",
    "normalize_ids",
    "read_editable_fields",
    "settle_login",
    "start_login_check",
]


class Login(NamedTuple):
    """The URL and the credentials of a portal."""

    url: str
    username: str
    password: str


SANDBOX_LOGIN = Login(
    "https://nectarclimate.com", "nectar-sandbox-username", "nectar-sandbox-password"
)
"""The public credentials of Nectar's guides, which bring sample data."""

CHECK_SECONDS = 5
"""Seconds from a login's start until its result is known."""

SAMPLE_SECONDS = 20
"""Seconds until the sample data appears; Nectar's guides promise 30 at most."""

ERROR_DETAILS: Mapping[str, str] = MappingProxyType(
    {
        "PASSWORD_INCORRECT": "The portal refused the user name or the password.",
        "MFA_TOKEN_EXPIRED": "The portal asked for a second factor.",
    }
)
"""The `statusErrorDetail` of each status that has one."""

_SANDBOX_UTILITY = "Nectar Sandbox Utility"


def build_connection(
    ids: Ids,
    company: CompanyRecord,
    fields: Mapping[str, Any],
    moment: Instant,
    *,
    serial: int,
) -> ConnectionRecord:
    """Build a PENDING connection, whose login is checked a little later.

    Args:
        ids: Makes its id.
        company: The company it belongs to.
        fields: The fields of the contract's `ConnectionCreate`.
        moment: When it is created.
        serial: How many connections of this company were created before.
    """
    types = fields.get("initialDatasourceTypes")
    connection = ConnectionRecord(
        id=ids.make("connection", company.index, f"created-{serial}"),
        utility=_find_utility(fields["url"]),
        url=fields["url"],
        username=fields["username"],
        country=fields.get("country", company.region.country),
        status="PENDING",
        created=moment,
        updated=moment,
        status_seen=moment,
        status_checked=moment,
        owner_email=fields.get("workflowOwnerEmail") or next(iter(company.users), None),
        accounts=(),
        external_id=fields.get("externalId"),
        sites=normalize_ids(fields["sites"]),
        datasource_types=tuple(types) if types else None,
        start_date=fields.get("dataCollectionStartDate"),
        multiplies_by_occupancy=fields.get("multiplyByOccupancy", False),
        has_sample_data=True,
    )
    return start_login_check(connection, moment, password=fields["password"])


def normalize_ids(some_ids: Iterable[str]) -> tuple[str, ...]:
    """Write ids in lower case, and drop repetitions."""
    return tuple(dict.fromkeys(some_id.lower() for some_id in some_ids))


@cache
def find_portal_url(utility: str) -> str:
    """Find the URL at which a utility's customers log in."""
    return next(
        provider.url for provider in list_providers() if provider.name == utility
    )


def is_same_portal(first: str, second: str) -> bool:
    """Whether two URLs are equal, apart from case and a trailing slash."""
    return first.rstrip("/").lower() == second.rstrip("/").lower()


def start_login_check(
    connection: ConnectionRecord, moment: Instant, *, password: str | None
) -> ConnectionRecord:
    """Start a check of the connection's login.

    The sandbox's credentials are right at the sandbox's portal. At the portals of
    generated connections its password is right too, so that these can be reconnected.

    Args:
        connection: The connection, with its new URL and user name.
        moment: When the check starts.
        password: The new password; None if it did not change.
    """
    is_correct = connection.is_password_right
    if password is not None:
        is_correct = password == SANDBOX_LOGIN.password
    is_sandbox = is_same_portal(connection.url, SANDBOX_LOGIN.url)
    if connection.has_sample_data:
        is_user = connection.username == SANDBOX_LOGIN.username
        succeeds = is_sandbox and is_user and is_correct
    else:
        portal = find_portal_url(connection.utility)
        succeeds = is_correct and (is_sandbox or is_same_portal(connection.url, portal))
    samples_due = connection.samples_due
    if connection.has_sample_data and samples_due is None and succeeds:
        samples_due = moment.plus(SAMPLE_SECONDS)
    elif samples_due is not None and samples_due > moment and not succeeds:
        samples_due = None
    return evolve(
        connection,
        is_password_right=is_correct,
        check=LoginCheck(due=moment.plus(CHECK_SECONDS), succeeds=succeeds),
        samples_due=samples_due,
    )


def settle_login(connection: ConnectionRecord, now: Instant) -> ConnectionRecord:
    """Apply the result of the login check, if it is due."""
    check = connection.check
    if check is None or now < check.due:
        return connection
    status = "CONNECTED" if check.succeeds else "PASSWORD_INCORRECT"
    return evolve(_set_status(connection, status, check.due), check=None)


def find_next_change(connection: ConnectionRecord, now: Instant) -> Instant | None:
    """Find when the connection next changes without a request."""
    due = None if connection.check is None else connection.check.due
    moments = [
        moment
        for moment in (due, connection.samples_due)
        if moment is not None and moment > now
    ]
    return min(moments, default=None)


def confirm_login(connection: ConnectionRecord, now: Instant) -> ConnectionRecord:
    """Set the connection to CONNECTED, whatever the result of its login check."""
    return evolve(_set_status(connection, "CONNECTED", now), check=None)


def read_editable_fields(connection: ConnectionRecord) -> dict[str, Any]:
    """Read all fields that can change, to store them in `Changes.edits`."""
    return asdict(
        connection, recurse=False, filter=filters.exclude("id", "created", "accounts")
    )


def _set_status(
    connection: ConnectionRecord, status: str, moment: Instant
) -> ConnectionRecord:
    is_new = status != connection.status
    return evolve(
        connection,
        status=status,
        error_detail=ERROR_DETAILS.get(status),
        updated=moment,
        status_checked=moment,
        status_seen=moment if is_new else connection.status_seen,
    )


def _find_utility(url: str) -> str:
    """Find the name of the utility at a URL; for an unknown URL it is the host."""
    if is_same_portal(url, SANDBOX_LOGIN.url):
        return _SANDBOX_UTILITY
    names = (
        provider.name
        for provider in list_providers()
        if is_same_portal(provider.url, url)
    )
    return next(names, urlsplit(url).hostname or url)
