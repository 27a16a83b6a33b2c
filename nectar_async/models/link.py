"""Links that open a page of Nectar for a while."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from nectar_async._types import Secret
from nectar_async.models._base import Model
from nectar_async.models._extra import names_of

__all__ = ["MagicLink", "WebhookPortalLink"]


@frozen(kw_only=True)
class MagicLink(Model):
    """A link by which a customer connects accounts to a company.

    Magic links are deprecated: invitations expire, can be revoked, and keep a log.
    """

    company_magic_link_secret: Secret[str] | None = None
    """The last part of `magic_link_url`."""
    public_company_id: str | None = None
    """Id of the company in magic links and nowhere else: it is not the company's id."""
    magic_link_url: Secret[str] | None = None
    """The link to hand to the customer. It opens without a sign-in, so it is masked."""
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=names_of)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""


@frozen(kw_only=True)
class WebhookPortalLink(Model):
    """A link to the portal where webhooks are set up and their deliveries are seen.

    The API does not publish the shape of this answer: what else it sends is in `extra`.
    """

    url: Secret[str] | None = None
    """Good for seven days. It opens without a sign-in, so it is masked."""
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=names_of)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""
