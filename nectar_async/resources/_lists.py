"""The filters of the lists: one table for each kind of list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from nectar_async.models.enums import DatasourceType, DateType, InvitationType
from nectar_async.models.statuses import ConnectionStatus, InvitationStatus
from nectar_async.resources._checks import (
    boolean,
    day,
    email,
    identity,
    instant,
    one_of_known,
    several,
    text,
    whole,
)
from nectar_async.resources._field_table import Fields, in_order

__all__ = [
    "CONNECTIONS",
    "DOCUMENTS",
    "INTERVALS",
    "INVITATIONS",
    "METERS",
    "PROVIDERS",
    "USAGE",
    "DatasourceTypes",
]

DatasourceTypes: TypeAlias = DatasourceType | str | Iterable[DatasourceType | str]
"""One commodity or several, as members or as their text."""

_LARGEST_PAGE = 500


# The API's own default for it is the empty text, which it refuses. Most likely a
# variable of the caller's was empty, and the whole list is not what was meant.
_identifier = text(1)


def _search(name: str, value: object) -> object:
    """Where the empty text is no filter: a search for nothing finds everything."""
    return text()(name, value) or None


_METER = {
    "datasource_type": several(one_of_known(DatasourceType)),
    "identifier": _identifier,
}

METERS = Fields(_METER)

USAGE = Fields(
    {
        "start_date": day,
        "end_date": day,
        "date_type": one_of_known(DateType),
        **_METER,
    },
    together=in_order,
)

DOCUMENTS = Fields({**USAGE.checks, "is_deleted": boolean}, together=in_order)

INTERVALS = Fields(
    {"start_date": instant, "end_date": instant, **_METER}, together=in_order
)

CONNECTIONS = Fields(
    {
        "connection_owner_email": email,
        "limit": whole(1, _LARGEST_PAGE),
        "sites": several(identity),
        "status": one_of_known(ConnectionStatus),
    }
)

INVITATIONS = Fields(
    {
        "status": one_of_known(InvitationStatus),
        "invitation_type": one_of_known(InvitationType),
    }
)

PROVIDERS = Fields({"search": _search})
