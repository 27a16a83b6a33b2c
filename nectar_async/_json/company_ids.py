"""Set the `company_id` of records: the list tells it, or the record itself.

Only records that were just decoded are changed, before anybody else has them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nectar_async.models.account import Account
from nectar_async.models.connection import Connection
from nectar_async.models.document import Document
from nectar_async.models.meter import Meter
from nectar_async.models.usage import UsageData

__all__ = ["MODELS_WITH_COMPANY", "set_company_ids"]

# Assigning to a slot of a frozen class needs its descriptor.
_SETTERS = {
    model: model.company_id.__set__  # type: ignore[union-attr]
    for model in (Account, Connection, Document, Meter, UsageData)
}
_set_of_account = _SETTERS[Account]

MODELS_WITH_COMPANY = frozenset(_SETTERS)


def set_company_ids(records: Iterable[Any], company_id: str | None) -> None:
    """Set the id of the company of each record.

    Args:
        records: records that were just decoded, all of one kind.
        company_id: the company of the list; None if the list does not tell it.
    """
    records = tuple(records)
    kind = type(records[0]) if records else None
    if kind is Connection:
        for connection in records:
            owner = connection.company and connection.company.id
            _SETTERS[Connection](connection, owner or company_id)
            for account in connection.accounts:
                _set_of_account(account, owner or company_id)
    elif kind is Document:
        for document in records:
            _SETTERS[Document](document, document.company or company_id)
    elif kind in _SETTERS and company_id is not None:
        set_id = _SETTERS[kind]
        for record in records:
            set_id(record, company_id)
