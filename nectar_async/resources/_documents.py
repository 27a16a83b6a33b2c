"""What the document calls are made of: the body, and the lists."""

from __future__ import annotations

from uuid import UUID

from nectar_async._http.request import Request
from nectar_async.errors import InvalidArgumentError
from nectar_async.models.document import Document
from nectar_async.models.enums import CurrencyCode
from nectar_async.models.page import Listing, Page
from nectar_async.resources._checks import (
    Nullable,
    boolean,
    day,
    decimal,
    one_of,
    text,
)
from nectar_async.resources._field_table import Fields

__all__ = ["BODY", "by_company", "by_owner"]

_LISTING = Listing(items="documents")
_LETTERS = 3


def _currency(name: str, value: object) -> object:
    code = str(one_of(CurrencyCode)(name, value))
    if len(code) != _LETTERS or not code.isalpha():
        raise InvalidArgumentError(
            f"{name} must be an ISO 4217 code of three letters, as 'USD', not {value!r}"
        )
    return code


BODY = Fields(
    {
        "bill_date": day,
        "due_date": Nullable(day),
        "total_charges": decimal(),
        "charges_units": _currency,
        "invoice_id": Nullable(text()),
        "notes": Nullable(text()),
        "is_flagged": boolean,
    }
)


def by_owner(
    owner: str, owner_id: str | UUID, filters: dict[str, object]
) -> Request[Page[Document]]:
    """The request for the bills of a company, connection or site."""
    return Request.get(
        f"documents_list_by_{owner}",
        f"/document/{owner}/{{{owner}_id}}",
        Page[Document],
        query=filters,
        listing=_LISTING,
        **{f"{owner}_id": owner_id},
    )


def by_company(
    company_id: str | UUID, filters: dict[str, object]
) -> Request[Page[Document]]:
    """The same for a company; the cross-company view asks it of each."""
    return by_owner("company", company_id, filters)
