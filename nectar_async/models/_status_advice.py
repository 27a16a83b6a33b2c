"""The advice for each status, and for unknown ones."""

from __future__ import annotations

from typing import Final

from nectar_async.models.advice import AccountAdvice, Advice

__all__ = ["ACCOUNTS", "CONNECTIONS", "UNKNOWN_ACCOUNT", "UNKNOWN_CONNECTION"]

CONNECTIONS: Final[dict[str, Advice]] = {
    "PENDING": Advice(
        meaning="The connection is new and waits for its first check.",
        group="standard",
        who_acts="nectar",
        customer_must_act=False,
        is_healthy=True,
        collection="not yet",
        does_invitation_help=False,
        action="Wait: it takes some hours, and up to two days.",
    ),
    "UNDER_INVESTIGATION": Advice(
        meaning="Nectar's staff looks into it, as after a redesign of the portal.",
        group="standard",
        who_acts="nectar",
        customer_must_act=False,
        is_healthy=True,
        collection="unknown",
        does_invitation_help=False,
        action="Wait some business days; after that, ask Nectar's support.",
    ),
    "CONNECTED": Advice(
        meaning="The login works, and bills are collected every week.",
        group="standard",
        who_acts="nobody",
        customer_must_act=False,
        is_healthy=True,
        collection="running",
        does_invitation_help=False,
        action="Nothing.",
    ),
    "MFA_TOKEN_EXPIRED": Advice(
        meaning="The portal asks for a second factor that the login cannot give.",
        group="customer_action",
        who_acts="customer",
        customer_must_act=True,
        is_healthy=False,
        collection="stopped",
        does_invitation_help=True,
        action=(
            "Send a reconnect invitation: it leads the customer through the forwarding "
            "of codes, which the API cannot set up. Uploading the bills, or switching "
            "the second factor off at the portal, spares them that."
        ),
    ),
    "PASSWORD_INCORRECT": Advice(
        meaning="The portal refused the stored user name or password.",
        group="customer_action",
        who_acts="customer",
        customer_must_act=True,
        is_healthy=False,
        collection="stopped",
        does_invitation_help=True,
        action="Send a reconnect invitation, or enter the right password yourself.",
    ),
    "NEW_PASSWORD_NEEDED": Advice(
        meaning="The portal wants a new password, as many do every 60 to 90 days.",
        group="customer_action",
        who_acts="customer",
        customer_must_act=True,
        is_healthy=False,
        collection="stopped",
        does_invitation_help=True,
        action="Have the password changed at the portal, then reconnect with it.",
    ),
    "ADDITIONAL_CREDENTIALS_NEEDED": Advice(
        meaning="The portal asks for more: security questions, a PIN, an identity.",
        group="customer_action",
        who_acts="customer",
        customer_must_act=True,
        is_healthy=False,
        collection="stopped",
        does_invitation_help=True,
        action="Send a reconnect invitation, so that the customer can answer.",
    ),
    "WEBSITE_DOWN": Advice(
        meaning="The portal is down for now.",
        group="website",
        who_acts="provider",
        customer_must_act=False,
        is_healthy=False,
        collection="interrupted",
        does_invitation_help=False,
        action="Wait: it is tried again with the weekly check.",
    ),
    "NO_ACCOUNTS_FOUND": Advice(
        meaning="The login works but shows no accounts.",
        group="website",
        who_acts="customer",
        customer_must_act=True,
        is_healthy=False,
        collection="stopped",
        does_invitation_help=None,
        action="Check that this login has accounts, or reconnect with one that has.",
    ),
    "OTHER_ERROR": Advice(
        meaning="Something failed that has no status of its own.",
        group="website",
        who_acts="nectar",
        customer_must_act=False,
        is_healthy=False,
        collection="unknown",
        does_invitation_help=None,
        action="Read `status_error_detail` and ask Nectar's support.",
    ),
    "COMPANY_INACTIVE": Advice(
        meaning="The company that owns the connection was deactivated.",
        group="system",
        who_acts="customer",
        customer_must_act=True,
        is_healthy=False,
        collection="stopped",
        does_invitation_help=False,
        action="Have the company activated again.",
    ),
    "URL_INACCESSIBLE": Advice(
        meaning="The address of the portal cannot be reached.",
        group="website",
        who_acts="customer",
        customer_must_act=True,
        is_healthy=False,
        collection="stopped",
        does_invitation_help=None,
        action="Check the `url` and correct it; if it is right, ask Nectar's support.",
    ),
}
"""The advice for each value of `ConnectionStatus`."""

UNKNOWN_CONNECTION: Final = Advice(
    meaning="This version of the package does not know the status.",
    group="unknown",
    who_acts="unknown",
    customer_must_act=False,
    is_healthy=False,
    collection="unknown",
    does_invitation_help=None,
    action=(
        "Keep a default branch for it and check `status_error_detail` and "
        "`is_active`; a newer version may know it."
    ),
)

ACCOUNTS: Final[dict[str, AccountAdvice]] = {
    "DETECTED": AccountAdvice(
        meaning="The account was found and is not yet set up.",
        is_in_analytics=False,
        action="Wait, or confirm the connection.",
    ),
    "ONBOARDED": AccountAdvice(
        meaning="The account is confirmed and tracked.",
        is_in_analytics=True,
        action="Nothing.",
    ),
    "PULL_COMPLETED": AccountAdvice(
        meaning="The latest bills of the account were collected.",
        is_in_analytics=None,
        action="Nothing.",
    ),
    "CUSTOMER_NOT_TRACKED": AccountAdvice(
        meaning="Tracking of the account was switched off.",
        is_in_analytics=None,
        action="To collect its bills again, update it with `is_tracked=True`.",
    ),
    "NEEDS_PULL": AccountAdvice(
        meaning="A week has passed since the last collection, and another one is due.",
        is_in_analytics=None,
        action="Nothing.",
    ),
    "ONBOARDING": AccountAdvice(
        meaning="The account has been initialised.",
        is_in_analytics=None,
        action="Wait.",
    ),
    "WAITING_CONFIRMATION": AccountAdvice(
        meaning="Somebody has to confirm the account, judging by the status's name.",
        is_in_analytics=None,
        action="Look at the connection on the dashboard, or ask Nectar's support.",
    ),
}
"""The advice for each value of `AccountStatus`."""

UNKNOWN_ACCOUNT: Final = AccountAdvice(
    meaning="This version of the package does not know the status; the API has more.",
    is_in_analytics=None,
    action="Keep a default branch for it and check `tracking_status`.",
)
