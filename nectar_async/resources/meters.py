"""Meters: what is read and billed, one commodity at one site each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from nectar_async._http.request import Request
from nectar_async._paging.pager import Pager
from nectar_async._types import UNSET, Unset
from nectar_async.models.enums import (
    DatasourceType,
    DistrictMediumType,
    DistrictType,
    FuelType,
    GasType,
    MeterHighLow,
    NetMeteringType,
    RefrigerantType,
    TimeOfUse,
    WaterType,
)
from nectar_async.models.meter import Meter, MeterIdentifier
from nectar_async.resources import _meters
from nectar_async.resources._lists import METERS, DatasourceTypes
from nectar_async.resources._resource import Resource

__all__ = ["Meters"]


class Meters(Resource):
    """Meters: lists of them, and one at a time.

    An identifier is a number of the meter, its POD, account, ...: dashes, spaces,
    underscores, commas, slashes, leading zeros and case do not count in it.

    The API's own pages do not show the addresses of the lists and of `update`; if one
    is another, correct it with
    `Settings(operations={"meters_list_by_site": Operation(...)})`.

    https://docs.nectarclimate.com/api-reference/v2-2/meters/get-meters-by-company
    """

    async def get(self, meter_id: str | UUID) -> Meter:
        """One meter. `meters_get`, GET /meter/{meter_id}.

        Raises:
            NotFoundError, PermissionDeniedError: there is none that the key may see.
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
        """Meters of a company. `meters_list_by_company`.

        GET /meter/company/{company_id}.

        Args:
            company_id: whose they are.
            datasource_type: one commodity or several; all when left out.
            identifier: any of theirs, by its normal form; see `Meters`.
            verify: ask for page 1 again at the end; finds the moves that show on it.

        Raises:
            InvalidArgumentError: a filter that the API would refuse; nothing was sent.
        """
        return self._pages(
            _meters.by_owner("company", company_id, METERS.query(locals())),
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
        """Meters of a connection. `meters_list_by_connection`.

        GET /meter/connection/{connection_id}.

        Args:
            connection_id: whose accounts they belong to.
            datasource_type: one commodity or several; all when left out.
            identifier: any of theirs, by its normal form; see `Meters`.
            verify: ask for page 1 again at the end; finds the moves that show on it.

        Raises:
            InvalidArgumentError: a filter that the API would refuse; nothing was sent.
        """
        return self._pages(
            _meters.by_owner("connection", connection_id, METERS.query(locals())),
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
        """Meters of a document. `meters_list_by_document`.

        GET /meter/document/{document_id}.

        Args:
            document_id: the bill that names them.
            datasource_type: one commodity or several; all when left out.
            identifier: any of theirs, by its normal form; see `Meters`.
            verify: ask for page 1 again at the end; finds the moves that show on it.

        Raises:
            InvalidArgumentError: a filter that the API would refuse; nothing was sent.
        """
        return self._pages(
            _meters.by_owner("document", document_id, METERS.query(locals())),
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
        """Meters of a site. `meters_list_by_site`, GET /meter/site/{site_id}.

        Args:
            site_id: where they are.
            datasource_type: one commodity or several; all when left out.
            identifier: any of theirs, by its normal form; see `Meters`.
            verify: ask for page 1 again at the end; finds the moves that show on it.

        Raises:
            InvalidArgumentError: a filter that the API would refuse; nothing was sent.
        """
        return self._pages(
            _meters.by_owner("site", site_id, METERS.query(locals())), verify=verify
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

        What is UNSET stays as it is, None clears. `identifiers` REPLACES the whole
        list: all present ones are deleted and made anew from what is sent, so send
        `[*meter.identifiers, another]` to add one, and `[]` to have none. All fields
        but `identifiers` are likely, not documented; `extra` are further keys.

        Raises:
            InvalidArgumentError: a value that the API would refuse; nothing was sent.
        """
        return await self._fetch(
            Request.patch(
                "meters_update",
                "/meter/{meter_id}",
                Meter,
                json=_meters.BODY.body(locals(), extra),
                is_repeatable=True,
                meter_id=meter_id,
            )
        )
