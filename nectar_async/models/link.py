"""Magic links and links to the webhook portal; neither needs a sign-in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from nectar_async._types import Secret
from nectar_async.models._base import Model
from nectar_async.models._extra import format_keys

__all__ = ["MagicLink", "WebhookPortalLink"]


@frozen(kw_only=True)
class MagicLink(Model):
    """A link by which a customer connects accounts to a company.

    Magic links are deprecated: invitations expire, can be revoked, and keep a log.
    """

    company_magic_link_secret: Secret[str] | None = None
    """The last part of `magic_link_url`."""
    public_company_id: str | None = None
    """ID of the company in magic links only; it differs from the company's ID."""
    magic_link_url: Secret[str] | None = None
    """The link for the customer. It is masked, because it needs no sign-in."""
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=format_keys)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""


@frozen(kw_only=True)
class WebhookPortalLink(Model):
    """A link to the portal for webhooks and their deliveries.

    The shape of this answer is not documented: other keys are in `extra`.
    """

    url: Secret[str] | None = None
    """Valid for seven days. It is masked, because it needs no sign-in."""
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=format_keys)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""
