"""Logins at portals: which credentials open them, and when that is known.

Nothing runs in the background: a connection says when its next check is due, and
`settled` tells what it is by then.
"""

from __future__ import annotations

from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from attrs import asdict, evolve, filters

from nectar_async.sandbox.generator.dates import Instant
from nectar_async.sandbox.generator.entities import ConnectionRecord, LoginCheck
from nectar_async.sandbox.generator.providers import providers

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "CHECK_SECONDS",
    "ERROR_DETAILS",
    "SAMPLE_SECONDS",
    "SANDBOX_LOGIN",
    "Login",
    "checked",
    "confirmed",
    "later",
    "next_turn",
    "portal_of",
    "same_portal",
    "settled",
    "state_of",
]


class Login(NamedTuple):
    """What it takes to log in at a portal."""

    url: str
    username: str
    password: str


SANDBOX_LOGIN = Login(
    "https://nectarclimate.com", "nectar-sandbox-username", "nectar-sandbox-password"
)
"""What the public guides print for sandboxes; it opens nothing else."""

CHECK_SECONDS = 5
"""How long it takes until a login is known to have worked or not."""

SAMPLE_SECONDS = 20
"""How long it takes until sample data is there; the guides promise 30 at most."""

ERROR_DETAILS: Mapping[str, str] = MappingProxyType(
    {
        "PASSWORD_INCORRECT": "The portal refused the user name or the password.",
        "MFA_TOKEN_EXPIRED": "The portal asked for a second factor.",
    }
)
"""What a connection says of its status, where something is wrong."""

_NANOSECONDS = 1_000_000_000
_FRACTION_DIGITS = 6


def later(moment: Instant, seconds: int) -> Instant:
    """The moment so many seconds after another."""
    nanoseconds = moment.nanoseconds + seconds * _NANOSECONDS
    return Instant.at(nanoseconds, digits=_FRACTION_DIGITS)


@cache
def portal_of(utility: str) -> str:
    """The URL at which that utility's customers log in."""
    return next(known.url for known in providers() if known.name == utility)


def same_portal(first: str, second: str) -> bool:
    """Whether two URLs lead to one portal; case and a last slash make no difference."""
    return first.rstrip("/").lower() == second.rstrip("/").lower()


def checked(
    connection: ConnectionRecord, moment: Instant, *, password: str | None
) -> ConnectionRecord:
    """The connection with a check of its login under way.

    `password` is the one that came with it; None leaves the one that it has. The
    sandbox's credentials are right at the sandbox's portal, and at those of generated
    connections, so that these can be reconnected as well.
    """
    knows = connection.knows_password
    if password is not None:
        knows = password == SANDBOX_LOGIN.password
    is_sandbox = same_portal(connection.url, SANDBOX_LOGIN.url)
    if connection.brings_samples:
        is_user = connection.username == SANDBOX_LOGIN.username
        succeeds = is_sandbox and is_user and knows
    else:
        own = portal_of(connection.utility)
        succeeds = knows and (is_sandbox or same_portal(connection.url, own))
    samples_due = connection.samples_due
    if connection.brings_samples and samples_due is None and succeeds:
        samples_due = later(moment, SAMPLE_SECONDS)
    elif samples_due is not None and samples_due > moment and not succeeds:
        samples_due = None
    return evolve(
        connection,
        knows_password=knows,
        check=LoginCheck(due=later(moment, CHECK_SECONDS), succeeds=succeeds),
        samples_due=samples_due,
    )


def settled(connection: ConnectionRecord, now: Instant) -> ConnectionRecord:
    """The connection as it is by now: a check that is due has come to its end."""
    check = connection.check
    if check is None or now < check.due:
        return connection
    status = "CONNECTED" if check.succeeds else "PASSWORD_INCORRECT"
    return evolve(_with_status(connection, status, check.due), check=None)


def next_turn(connection: ConnectionRecord, now: Instant) -> Instant | None:
    """When the connection changes by itself for the next time."""
    due = None if connection.check is None else connection.check.due
    turns = [
        moment
        for moment in (due, connection.samples_due)
        if moment is not None and moment > now
    ]
    return min(turns, default=None)


def confirmed(connection: ConnectionRecord, now: Instant) -> ConnectionRecord:
    """The connection as CONNECTED, whatever its portal said."""
    return evolve(_with_status(connection, "CONNECTED", now), check=None)


def state_of(connection: ConnectionRecord) -> dict[str, Any]:
    """All fields that a change may have changed, to be laid over the connection."""
    return asdict(
        connection, recurse=False, filter=filters.exclude("id", "created", "accounts")
    )


def _with_status(
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
