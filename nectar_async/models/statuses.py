"""The statuses of the API. All are open enums: see `OpenEnum`."""

from __future__ import annotations

from typing import Self

from nectar_async._types import OpenEnum
from nectar_async.models import _status_advice as advices
from nectar_async.models.advice import AccountAdvice, Advice

__all__ = [
    "AccountStatus",
    "AccountTrackingStatus",
    "ConnectionStatus",
    "InvitationStatus",
    "JobStatus",
]


class AccountStatus(OpenEnum):
    """The progress of the set-up of a utility account; more values exist.

    DETECTED: found and not yet set up. ONBOARDED: confirmed and tracked.
    PULL_COMPLETED: the latest bills were collected. CUSTOMER_NOT_TRACKED: tracking was
    switched off.

    NEEDS_PULL, ONBOARDING and WAITING_CONFIRMATION are known by the labels of the
    dashboard only; their spelling here follows from those labels.
    """

    DETECTED = "DETECTED"
    ONBOARDED = "ONBOARDED"
    PULL_COMPLETED = "PULL_COMPLETED"
    CUSTOMER_NOT_TRACKED = "CUSTOMER_NOT_TRACKED"
    NEEDS_PULL = "NEEDS_PULL"
    ONBOARDING = "ONBOARDING"
    WAITING_CONFIRMATION = "WAITING_CONFIRMATION"

    @property
    def advice(self) -> AccountAdvice:
        """The meaning of the status and what to do; the same for all unknown ones."""
        return advices.ACCOUNTS.get(self, advices.UNKNOWN_ACCOUNT)


class AccountTrackingStatus(OpenEnum):
    """Whether bills of an account are collected. The list is complete.

    UNSET means that there was no decision; the account is tracked.
    """

    ENABLED = "ENABLED"
    DISABLED = "DISABLED"
    UNSET = "UNSET"


class ConnectionStatus(OpenEnum):
    """Whether the login to a utility's portal works. The list is probably complete.

    Standard: PENDING, UNDER_INVESTIGATION, CONNECTED. The customer has to act:
    PASSWORD_INCORRECT, MFA_TOKEN_EXPIRED, NEW_PASSWORD_NEEDED,
    ADDITIONAL_CREDENTIALS_NEEDED. A problem of the portal: WEBSITE_DOWN,
    URL_INACCESSIBLE, NO_ACCOUNTS_FOUND, OTHER_ERROR. COMPANY_INACTIVE: the company was
    deactivated. A deactivated connection has no status of its own: see `is_active`.

    `INCORRECT_PASSWORD`, a spelling in some guides, is read as PASSWORD_INCORRECT, the
    only spelling that the API accepts.
    """

    PENDING = "PENDING"
    UNDER_INVESTIGATION = "UNDER_INVESTIGATION"
    CONNECTED = "CONNECTED"
    MFA_TOKEN_EXPIRED = "MFA_TOKEN_EXPIRED"
    PASSWORD_INCORRECT = "PASSWORD_INCORRECT"
    NEW_PASSWORD_NEEDED = "NEW_PASSWORD_NEEDED"
    ADDITIONAL_CREDENTIALS_NEEDED = "ADDITIONAL_CREDENTIALS_NEEDED"
    WEBSITE_DOWN = "WEBSITE_DOWN"
    NO_ACCOUNTS_FOUND = "NO_ACCOUNTS_FOUND"
    OTHER_ERROR = "OTHER_ERROR"
    COMPANY_INACTIVE = "COMPANY_INACTIVE"
    URL_INACCESSIBLE = "URL_INACCESSIBLE"

    @property
    def advice(self) -> Advice:
        """The meaning of the status and what to do; the same for all unknown ones."""
        return advices.CONNECTIONS.get(self, advices.UNKNOWN_CONNECTION)

    @property
    def is_settled(self) -> bool:
        """Whether the first check, or an investigation, is over, with any result.

        False for PENDING and UNDER_INVESTIGATION only. An unknown status is settled, so
        that `wait_until_settled` returns it instead of waiting for ever.
        """
        return self not in {"PENDING", "UNDER_INVESTIGATION"}

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if value == "INCORRECT_PASSWORD":
            return cls("PASSWORD_INCORRECT")
        return super()._missing_(value)


class InvitationStatus(OpenEnum):
    """Whether an invitation can still be used. The list is complete.

    EXPIRED: past its expiry, cannot be revived. REVOKED: withdrawn. FULFILLED: used as
    often as allowed.
    """

    ACTIVE = "ACTIVE"
    EXPIRED = "EXPIRED"
    REVOKED = "REVOKED"
    FULFILLED = "FULFILLED"


class JobStatus(OpenEnum):
    """The progress of an upload. The list is probably complete.

    TERMINATED is mentioned in the guides only.
    """

    PENDING = "PENDING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    TERMINATED = "TERMINATED"

    @property
    def is_terminal(self) -> bool:
        """Whether the job is over: COMPLETED, FAILED or TERMINATED.

        A job with an unknown status counts as still running.
        """
        return self in {"COMPLETED", "FAILED", "TERMINATED"}
