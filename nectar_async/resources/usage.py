"""Usage: what the meters used, period by period, as the bills say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from types import NoneType
from typing import TypeAlias
from uuid import UUID

from nectar_async._http.request import Request
from nectar_async._paging.pager import Pager
from nectar_async._types import UNSET, Unset
from nectar_async.models.enums import DateType
from nectar_async.models.meter import MeterIdentifier
from nectar_async.models.units import UsageUnits
from nectar_async.models.usage import UsageData
from nectar_async.resources import _usage
from nectar_async.resources._lists import USAGE, DatasourceTypes
from nectar_async.resources._resource import Resource

__all__ = ["Usage"]

_Number: TypeAlias = Decimal | int | str | Unset


class Usage(Resource):
    """Usage records: lists of them, and one at a time.

    With `USAGE_PERIOD` a list has the periods that share a day or more with the window.
    An identifier is a number of the meter, its POD, account, ...: dashes, spaces,
    underscores, commas, slashes, leading zeros and case do not count in it.

    https://docs.nectarclimate.com/api-reference/v2-2/usage-data/get-usage-data-by-company
    """

    def by_company(
        self,
        company_id: str | UUID,
        *,
        start_date: date | None = None,
        end_date: date | None = None,
        date_type: DateType | str | None = None,
        datasource_type: DatasourceTypes | None = None,
        identifier: str | None = None,
        verify: bool = False,
    ) -> Pager[UsageData]:
        """Usage of a company. `usage_list_by_company`, GET /usage/company/{company_id}.

        Args:
            company_id: whose it is.
            start_date: the first day, inclusive; may be given alone.
            end_date: the last day, inclusive; with `CREATED_DATE` and `UPDATED_DATE`
                only its first instant, 00:00 UTC: ask for the day after.
            date_type: what both are compared with: `BILL_DATE` (where nothing is
                said), `USAGE_PERIOD`, `CREATED_DATE` or `UPDATED_DATE`.
            datasource_type: one commodity or several; all when left out.
            identifier: of the meter, by its normal form; see `Usage`.
            verify: ask for page 1 again at the end; finds the moves that show on it.

        Raises:
            InvalidArgumentError: a filter that the API would refuse; nothing was sent.
        """
        return self._pages(
            _usage.by_owner("company", company_id, USAGE.query(locals())), verify=verify
        )

    def by_site(
        self,
        site_id: str | UUID,
        *,
        start_date: date | None = None,
        end_date: date | None = None,
        date_type: DateType | str | None = None,
        datasource_type: DatasourceTypes | None = None,
        identifier: str | None = None,
        verify: bool = False,
    ) -> Pager[UsageData]:
        """Usage of a site. `usage_list_by_site`, GET /usage/site/{site_id}.

        Args:
            site_id: where it was used.
            start_date: the first day, inclusive; may be given alone.
            end_date: the last day, inclusive; with `CREATED_DATE` and `UPDATED_DATE`
                only its first instant, 00:00 UTC: ask for the day after.
            date_type: what both are compared with: `BILL_DATE` (where nothing is
                said), `USAGE_PERIOD`, `CREATED_DATE` or `UPDATED_DATE`.
            datasource_type: one commodity or several; all when left out.
            identifier: of the meter, by its normal form; see `Usage`.
            verify: ask for page 1 again at the end; finds the moves that show on it.

        Raises:
            InvalidArgumentError: a filter that the API would refuse; nothing was sent.
        """
        return self._pages(
            _usage.by_owner("site", site_id, USAGE.query(locals())), verify=verify
        )

    def by_meter(
        self,
        meter_id: str | UUID,
        *,
        start_date: date | None = None,
        end_date: date | None = None,
        date_type: DateType | str | None = None,
        datasource_type: DatasourceTypes | None = None,
        identifier: str | None = None,
        verify: bool = False,
    ) -> Pager[UsageData]:
        """Usage of a meter. `usage_list_by_meter`, GET /usage/meter/{meter_id}.

        The API's own pages do not show this address; if it is another, correct it with
        `Settings(operations={"usage_list_by_meter": Operation(...)})`.

        Args:
            meter_id: which measured it.
            start_date: the first day, inclusive; may be given alone.
            end_date: the last day, inclusive; with `CREATED_DATE` and `UPDATED_DATE`
                only its first instant, 00:00 UTC: ask for the day after.
            date_type: what both are compared with: `BILL_DATE` (where nothing is
                said), `USAGE_PERIOD`, `CREATED_DATE` or `UPDATED_DATE`.
            datasource_type: one commodity or several; all when left out.
            identifier: of the meter, by its normal form; see `Usage`.
            verify: ask for page 1 again at the end; finds the moves that show on it.

        Raises:
            InvalidArgumentError: a filter that the API would refuse; nothing was sent.
        """
        return self._pages(
            _usage.by_owner("meter", meter_id, USAGE.query(locals())), verify=verify
        )

    def by_connection(
        self,
        connection_id: str | UUID,
        *,
        start_date: date | None = None,
        end_date: date | None = None,
        date_type: DateType | str | None = None,
        datasource_type: DatasourceTypes | None = None,
        identifier: str | None = None,
        verify: bool = False,
    ) -> Pager[UsageData]:
        """Usage of a connection. `usage_list_by_connection`.

        GET /usage/connection/{connection_id}.

        Args:
            connection_id: whose bills told it.
            start_date: the first day, inclusive; may be given alone.
            end_date: the last day, inclusive; with `CREATED_DATE` and `UPDATED_DATE`
                only its first instant, 00:00 UTC: ask for the day after.
            date_type: what both are compared with: `BILL_DATE` (where nothing is
                said), `USAGE_PERIOD`, `CREATED_DATE` or `UPDATED_DATE`.
            datasource_type: one commodity or several; all when left out.
            identifier: of the meter, by its normal form; see `Usage`.
            verify: ask for page 1 again at the end; finds the moves that show on it.

        Raises:
            InvalidArgumentError: a filter that the API would refuse; nothing was sent.
        """
        return self._pages(
            _usage.by_owner("connection", connection_id, USAGE.query(locals())),
            verify=verify,
        )

    def by_document(
        self,
        document_id: str | UUID,
        *,
        start_date: date | None = None,
        end_date: date | None = None,
        date_type: DateType | str | None = None,
        datasource_type: DatasourceTypes | None = None,
        identifier: str | None = None,
        verify: bool = False,
    ) -> Pager[UsageData]:
        """Usage of a document. `usage_list_by_document`.

        GET /usage/document/{document_id}. Here alone the window is compared with the
        USAGE_PERIOD where `date_type` is not given.

        Args:
            document_id: the bill that says it.
            start_date: the first day, inclusive; may be given alone.
            end_date: the last day, inclusive; with `CREATED_DATE` and `UPDATED_DATE`
                only its first instant, 00:00 UTC: ask for the day after.
            date_type: what both are compared with: `USAGE_PERIOD` (where nothing is
                said), `BILL_DATE`, `CREATED_DATE` or `UPDATED_DATE`.
            datasource_type: one commodity or several; all when left out.
            identifier: of the meter, by its normal form; see `Usage`.
            verify: ask for page 1 again at the end; finds the moves that show on it.

        Raises:
            InvalidArgumentError: a filter that the API would refuse; nothing was sent.
        """
        return self._pages(
            _usage.by_owner("document", document_id, USAGE.query(locals())),
            verify=verify,
        )

    async def get(self, usage_data_id: str | UUID) -> UsageData:
        """One record. `usage_get`, GET /usage/{usage_data_id}.

        Raises:
            NotFoundError, PermissionDeniedError: there is none that the key may see.
        """
        return await self._fetch(
            Request.get(
                "usage_get",
                "/usage/{usage_data_id}",
                UsageData,
                usage_data_id=usage_data_id,
            )
        )

    async def update(
        self,
        usage_data_id: str | UUID,
        *,
        start_date: date | Unset = UNSET,
        end_date: date | Unset = UNSET,
        usage: _Number = UNSET,
        usage_units: UsageUnits | str | Unset = UNSET,
        exclusion: bool | Unset = UNSET,
        is_estimated: bool | Unset = UNSET,
        is_implied: bool | Unset = UNSET,
        tariff: str | Unset = UNSET,
        current_reading: _Number = UNSET,
        previous_reading: _Number = UNSET,
        multiplier: _Number = UNSET,
        multiplier_description: str | Unset = UNSET,
        multiplier2: _Number = UNSET,
        multiplier2_description: str | Unset = UNSET,
        billed_demand: _Number = UNSET,
        fraction_renewable: _Number = UNSET,
        net_metering_generated_kwh: _Number = UNSET,
        net_metering_grid_import_kwh: _Number = UNSET,
        net_metering_grid_export_kwh: _Number = UNSET,
        supplier_name: str | Unset = UNSET,
        utility_name: str | Unset = UNSET,
        country: str | Unset = UNSET,
        meter: str | UUID | Unset = UNSET,
        site: str | UUID | Unset = UNSET,
        identifiers: Iterable[MeterIdentifier] | Unset = UNSET,
        extra: Mapping[str, object] | None = None,
    ) -> UsageData:
        """Change a record. `usage_update`, PATCH /usage/{usage_data_id}.

        What is UNSET stays as it is. `meter` and `identifiers` carry through to the
        meter, whose list of identifiers is presumably REPLACED. Rows of demand are
        refused since v2.1. The address is likely, not documented: correct it with
        `Settings(operations={"usage_update": Operation(...)})`; `extra` are keys that
        this version does not know.

        Raises:
            InvalidArgumentError: a value that the API would refuse; nothing was sent.
        """
        return await self._fetch(
            Request.patch(
                "usage_update",
                "/usage/{usage_data_id}",
                UsageData,
                json=_usage.BODY.body(locals(), extra),
                is_repeatable=True,
                usage_data_id=usage_data_id,
            )
        )

    async def delete(self, usage_data_id: str | UUID) -> None:
        """Delete a record. `usage_delete`, DELETE /usage/{usage_data_id}.

        The API's own pages do not show this address; if it is another, correct it with
        `Settings(operations={"usage_delete": Operation(...)})`.

        Raises:
            NotFoundError, PermissionDeniedError: there is none that the key may see.
        """
        return await self._fetch(
            Request.delete(
                "usage_delete",
                "/usage/{usage_data_id}",
                NoneType,
                usage_data_id=usage_data_id,
            )
        )
