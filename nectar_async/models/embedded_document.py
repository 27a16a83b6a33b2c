"""The bill without its details, as it comes inside a usage record."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import attrs
from attrs import field, frozen

from nectar_async._types import Secret
from nectar_async.models._base import Model
from nectar_async.models._extra import format_keys
from nectar_async.models.enums import CurrencyCode, SourceType

__all__ = ["DocumentEmbedded"]


# `Document` inherits these fields in a module that does not import their types.
@attrs.resolve_types
@frozen(kw_only=True)
class DocumentEmbedded(Model):
    """The bill that a usage record was read from, as it comes inside that record.

    It has no company, usage data, line items and demand meters; request the document by
    its ID for those. Amounts are in `charges_units`.
    """

    id: str
    created: datetime | None = None
    audit_trail_url: str | None = None
    url: Secret[str] | None = None
    """Pre-signed link to the file. It is masked, because it opens the bill without a
    key. It expires after 24 hours: request the document again instead of storing it."""
    bill_date: date | None = None
    """The last day of the billing period."""
    charges_units: CurrencyCode | None = None
    """The currency of every amount here."""
    utility_company: str | None = None
    status: str | None = None
    """Free text: its values are not published."""
    flagged_status: str | None = None
    """Free text: its values are not published."""
    revised_document_id: str | None = None
    """Links a bill with its revision. Only the revision counts in totals. The bill that
    has the link is most likely the old one; the API does not document it."""
    updated: datetime | None = None
    file_name: str | None = None
    email: str | None = None
    """The mailbox that the bill was received from, if it was mailed."""
    job_id: str | None = None
    """The upload job that brought the file, if it was uploaded."""
    notes: str | None = None
    due_date: date | None = None
    total_charges: Decimal | None = None
    source_type: SourceType | None = None
    is_flagged: bool | None = None
    invoice_id: str | None = None
    previous_close_balance: Decimal | None = None
    after_previous_total_payment: Decimal | None = None
    after_previous_charges: Decimal | None = None
    after_previous_credits: Decimal | None = None
    current_open_balance: Decimal | None = None
    current_charges: Decimal | None = None
    credits: Decimal | None = None
    tax_charges: Decimal | None = None
    interest_charges: Decimal | None = None
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=format_keys)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""
