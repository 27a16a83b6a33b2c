"""What the connection calls are made of: bodies, and the list that others ask too."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

import attrs

from nectar_async._http.request import Request
from nectar_async._types import Secret
from nectar_async.errors import InvalidArgumentError
from nectar_async.models.connection import Connection, SecurityQuestion
from nectar_async.models.enums import DatasourceType
from nectar_async.models.page import Listing, Page
from nectar_async.resources._checks import (
    Nullable,
    boolean,
    country,
    day,
    email,
    identity,
    many,
    one_of_known,
    secret,
    text,
)
from nectar_async.resources._field_table import Fields

__all__ = [
    "CONFIRM_BODY",
    "CREATE_BODY",
    "CREATE_NEEDS",
    "UPDATE_BODY",
    "by_company",
    "has_credentials",
    "is_settled",
]

_CREDENTIALS = frozenset({"username", "password", "security_questions"})


def _question(name: str, value: object) -> dict[str, object]:
    if not isinstance(value, SecurityQuestion):
        kind = type(value.reveal() if isinstance(value, Secret) else value).__name__
        raise InvalidArgumentError(f"{name} must be a SecurityQuestion, not {kind}")
    return {
        field.name: secret(f"{name}.{field.name}", getattr(value, field.name))
        for field in attrs.fields(SecurityQuestion)
        if field.name != "extra"
    }


def _questions(name: str, value: object) -> list[object]:
    """Questions with their answers, from a mapping or a list."""
    if isinstance(value, Mapping):
        pairs = enumerate(value.items())
        return [
            {
                "key": secret(f"{name}[{place}].key", question),
                "value": secret(f"{name}[{place}].value", answer),
            }
            for place, (question, answer) in pairs
        ]
    return many(_question)(name, value)


_COMMON = {
    "url": text(1),
    "username": secret,
    "password": secret,
    "country": country,
    "security_questions": _questions,
    "initial_datasource_types": many(one_of_known(DatasourceType)),
    "workflow_owner_email": email,
    "multiply_by_occupancy": boolean,
}

CREATE_BODY = Fields(
    {
        **_COMMON,
        "sites": many(identity, 1),
        "data_collection_start_date": day,
        "external_id": text(),
    }
)

CREATE_NEEDS = frozenset({"url", "username", "password", "sites"})
"""What a login cannot do without."""

UPDATE_BODY = Fields(
    {
        **_COMMON,
        "is_active": boolean,
        "external_id": Nullable(text()),
        "initial_sites": many(identity),
        "data_collection_start_date": Nullable(day),
    }
)

CONFIRM_BODY = Fields({"confirm": boolean})


def by_company(
    company_id: str | UUID, filters: dict[str, object]
) -> Request[Page[Connection]]:
    """The request for a company's connections; the cross-company view asks it too."""
    return Request.get(
        "connections_list_by_company",
        "/connection/company/{company_id}",
        Page[Connection],
        query=filters,
        listing=Listing(items="connections"),
        company_id=company_id,
    )


def has_credentials(body: Mapping[str, object]) -> bool:
    """Whether a body renews the login: repeating it could log in again."""
    return not _CREDENTIALS.isdisjoint(body)


def is_settled(connection: Connection) -> bool:
    """Whether there is nothing to wait for."""
    if connection.is_active is False:
        return True
    return connection.status is not None and connection.status.is_settled
