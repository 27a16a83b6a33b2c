"""Operations on meters; each measures one commodity at one site."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias
from uuid import UUID

from nectar_async._http.request import Request
from nectar_async._paging.pager import Pager
from nectar_async._types import UNSET, Unset
from nectar_async.errors import InvalidArgumentError
from nectar_async.models.enums import (
    DatasourceType,
    DistrictMediumType,
    DistrictType,
    FuelType,
    GasType,
    IdentifierType,
    MeterHighLow,
    NetMeteringType,
    RefrigerantType,
    TimeOfUse,
    WaterType,
)
from nectar_async.models.meter import Meter, MeterIdentifier
from nectar_async.models.page import Listing, Page
from nectar_async.resources._checked_fields import FieldTable
from nectar_async.resources._checks import (
    Nullable,
    check_anything,
    check_bool,
    check_id,
    closed_enum_check,
    list_check,
    one_or_many_check,
    open_enum_check,
    text_check,
)
from nectar_async.resources._lists import OwnedLists
from nectar_async.resources._resource import Resource

__all__ = ["METER_LISTS", "DatasourceTypes", "Meters", "check_identifiers"]

DatasourceTypes: TypeAlias = DatasourceType | str | Iterable[DatasourceType | str]
"""One commodity or several, as members or as their text."""

METER_LISTS = OwnedLists(
    noun="meters",
    path="/meter",
    page=Page[Meter],
    listing=Listing(items="meters"),
    filters=FieldTable(
        {
            "datasource_type": one_or_many_check(closed_enum_check(DatasourceType)),
            # The documented default is the empty text, which the API refuses. An empty
            # text is most likely a mistake, and not a request for the whole list.
            "identifier": text_check(1),
        }
    ),
)

_IDENTIFIER = {
    "raw_name": text_check(),
    "value": text_check(),
    "name": open_enum_check(IdentifierType),
}


def _check_identifier(name: str, value: object) -> dict[str, object]:
    if not isinstance(value, MeterIdentifier):
        raise InvalidArgumentError(
            f"{name} must be a MeterIdentifier, not {type(value).__name__}"
        )
    fields = {
        part: check(f"{name}.{part}", item)
        for part, check in _IDENTIFIER.items()
        if (item := getattr(value, part)) is not None
    }
    return {**fields, **value.extra}


check_identifiers: Callable[[str, Any], list[object]] = list_check(_check_identifier)
"""Accept `MeterIdentifier`s, and return them without the fields that are None."""

_FIELDS = FieldTable(
    {
        "site": check_id,
        "identifiers": check_identifiers,
        "address": Nullable(text_check()),
        "datasource_type": closed_enum_check(DatasourceType),
        "time_of_use": Nullable(open_enum_check(TimeOfUse)),
        "net_metering_type": Nullable(open_enum_check(NetMeteringType)),
        "water_type": Nullable(open_enum_check(WaterType)),
        "meter_high_low": Nullable(open_enum_check(MeterHighLow)),
        "gas_type": Nullable(open_enum_check(GasType)),
        "fuel_type": Nullable(open_enum_check(FuelType)),
        "district_type": Nullable(open_enum_check(DistrictType)),
        "district_medium_type": Nullable(open_enum_check(DistrictMediumType)),
        "waste_description": Nullable(text_check()),
        "waste_type": Nullable(check_id),
        "waste_stream": Nullable(check_id),
        "refrigerant_type": Nullable(open_enum_check(RefrigerantType)),
        "is_tracked": check_bool,
        "is_duplicated": check_bool,
        "tags": list_check(check_anything),
    }
)


class Meters(Resource):
    """Meters, one at a time and in lists.

    An identifier is the number of the meter, its POD, its account, ... The `identifier`
    filters compare its normal form: without dashes, spaces, underscores, commas,
    slashes and leading zeros, in any case.

    The API reference does not show the addresses of the lists and of `update`; if one
    differs, correct it with
    `Settings(operations={"meters_list_by_site": Operation(...)})`.

    https://docs.nectarclimate.com/api-reference/v2-2/meters/get-meters-by-company
    """

    async def get(self, meter_id: str | UUID) -> Meter:
        """Return one meter. `meters_get`, GET /meter/{meter_id}.

        Raises:
            NotFoundError, PermissionDeniedError: not found, or not visible to the key.
        """
        return await self._fetch(
            Request.get("meters_get", "/meter/{meter_id}", Meter, meter_id=meter_id)
        )

    def by_company(
        self,
        company_id: str | UUID,
        *,
        datasource_type: DatasourceTypes | None = None,
        identifier: str | None = None,
        verify: bool = False,
    ) -> Pager[Meter]:
        """List the meters of a company. `meters_list_by_company`.

        GET /meter/company/{company_id}.

        Args:
            company_id: ID of the company.
            datasource_type: one commodity or several; all by default.
            identifier: any identifier of the meter, in its normal form; see `Meters`.
            verify: request page 1 again at the end, to find changes that show on it.

        Raises:
            InvalidArgumentError: a filter the API would refuse; nothing was sent.
        """
        return self._pages(
            METER_LISTS.build_request("company", company_id, locals()),
            verify=verify,
        )

    def by_connection(
        self,
        connection_id: str | UUID,
        *,
        datasource_type: DatasourceTypes | None = None,
        identifier: str | None = None,
        verify: bool = False,
    ) -> Pager[Meter]:
        """List the meters of a connection. `meters_list_by_connection`.

        GET /meter/connection/{connection_id}.

        Args:
            connection_id: ID of the connection.
            datasource_type: one commodity or several; all by default.
            identifier: any identifier of the meter, in its normal form; see `Meters`.
            verify: request page 1 again at the end, to find changes that show on it.

        Raises:
            InvalidArgumentError: a filter the API would refuse; nothing was sent.
        """
        return self._pages(
            METER_LISTS.build_request("connection", connection_id, locals()),
            verify=verify,
        )

    def by_document(
        self,
        document_id: str | UUID,
        *,
        datasource_type: DatasourceTypes | None = None,
        identifier: str | None = None,
        verify: bool = False,
    ) -> Pager[Meter]:
        """List the meters of a document. `meters_list_by_document`.

        GET /meter/document/{document_id}.

        Args:
            document_id: ID of the bill.
            datasource_type: one commodity or several; all by default.
            identifier: any identifier of the meter, in its normal form; see `Meters`.
            verify: request page 1 again at the end, to find changes that show on it.

        Raises:
            InvalidArgumentError: a filter the API would refuse; nothing was sent.
        """
        return self._pages(
            METER_LISTS.build_request("document", document_id, locals()),
            verify=verify,
        )

    def by_site(
        self,
        site_id: str | UUID,
        *,
        datasource_type: DatasourceTypes | None = None,
        identifier: str | None = None,
        verify: bool = False,
    ) -> Pager[Meter]:
        """List the meters of a site.

        `meters_list_by_site`, GET /meter/site/{site_id}.

        Args:
            site_id: ID of the site.
            datasource_type: one commodity or several; all by default.
            identifier: any identifier of the meter, in its normal form; see `Meters`.
            verify: request page 1 again at the end, to find changes that show on it.

        Raises:
            InvalidArgumentError: a filter the API would refuse; nothing was sent.
        """
        return self._pages(
            METER_LISTS.build_request("site", site_id, locals()), verify=verify
        )

    async def update(
        self,
        meter_id: str | UUID,
        *,
        site: str | UUID | Unset = UNSET,
        identifiers: Iterable[MeterIdentifier] | Unset = UNSET,
        address: str | Unset | None = UNSET,
        datasource_type: DatasourceType | str | Unset = UNSET,
        time_of_use: TimeOfUse | str | Unset | None = UNSET,
        net_metering_type: NetMeteringType | str | Unset | None = UNSET,
        water_type: WaterType | str | Unset | None = UNSET,
        meter_high_low: MeterHighLow | str | Unset | None = UNSET,
        gas_type: GasType | str | Unset | None = UNSET,
        fuel_type: FuelType | str | Unset | None = UNSET,
        district_type: DistrictType | str | Unset | None = UNSET,
        district_medium_type: DistrictMediumType | str | Unset | None = UNSET,
        waste_description: str | Unset | None = UNSET,
        waste_type: str | UUID | Unset | None = UNSET,
        waste_stream: str | UUID | Unset | None = UNSET,
        refrigerant_type: RefrigerantType | str | Unset | None = UNSET,
        is_tracked: bool | Unset = UNSET,
        is_duplicated: bool | Unset = UNSET,
        tags: Iterable[object] | Unset = UNSET,
        extra: Mapping[str, object] | None = None,
    ) -> Meter:
        """Change a meter. `meters_update`, PATCH /meter/{meter_id}.

        Fields that are UNSET are not changed; None clears a field.
        `identifiers` REPLACES the whole list: send `[*meter.identifiers, another]` to
        add one, and `[]` to remove all. All fields except `identifiers` are not
        documented; they are inferred. `extra` are further keys of the body.

        Raises:
            InvalidArgumentError: an argument the API would refuse; nothing was sent.
        """
        return await self._fetch(
            Request.patch(
                "meters_update",
                "/meter/{meter_id}",
                Meter,
                json=_FIELDS.build_body(locals(), extra),
                is_repeatable=True,
                meter_id=meter_id,
            )
        )
