"""Operations on usage records, the amounts of meters in billing periods."""

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
from nectar_async.models.page import Listing, Page
from nectar_async.models.units import UsageUnits
from nectar_async.models.usage import UsageData
from nectar_async.resources._checked_fields import FieldTable, check_dates
from nectar_async.resources._checks import (
    check_bool,
    check_date,
    check_id,
    closed_enum_check,
    decimal_check,
    text_check,
)
from nectar_async.resources._lists import OwnedLists
from nectar_async.resources._resource import Resource
from nectar_async.resources.meters import (
    METER_LISTS,
    DatasourceTypes,
    check_identifiers,
)

__all__ = ["USAGE_LISTS", "Usage"]

_Number: TypeAlias = Decimal | int | str | Unset

USAGE_LISTS = OwnedLists(
    noun="usage",
    path="/usage",
    page=Page[UsageData],
    listing=Listing(items="usage_data"),
    filters=FieldTable(
        {
            "start_date": check_date,
            "end_date": check_date,
            "date_type": closed_enum_check(DateType),
            **METER_LISTS.filters.checks,
        },
        check_together=check_dates,
    ),
)

_FIELDS = FieldTable(
    {
        "start_date": check_date,
        "end_date": check_date,
        "usage": decimal_check(),
        "usage_units": closed_enum_check(UsageUnits),
        "exclusion": check_bool,
        "is_estimated": check_bool,
        "is_implied": check_bool,
        "tariff": text_check(),
        "current_reading": decimal_check(),
        "previous_reading": decimal_check(),
        "multiplier": decimal_check(),
        "multiplier_description": text_check(),
        "multiplier2": decimal_check(),
        "multiplier2_description": text_check(),
        "billed_demand": decimal_check(),
        "fraction_renewable": decimal_check(),
        "net_metering_generated_kwh": decimal_check(),
        "net_metering_grid_import_kwh": decimal_check(),
        "net_metering_grid_export_kwh": decimal_check(),
        "supplier_name": text_check(),
        "utility_name": text_check(),
        "country": text_check(),
        "meter": check_id,
        "site": check_id,
        "identifiers": check_identifiers,
    },
    check_together=check_dates,
)


class Usage(Resource):
    """Usage records, one at a time and in lists.

    With `date_type=USAGE_PERIOD` a list has the records whose period shares at least
    one day with the window.

    An identifier is the number of the meter, its POD, its account, ... The `identifier`
    filters compare its normal form: without dashes, spaces, underscores, commas,
    slashes and leading zeros, in any case.

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
        """List the usage of a company.

        `usage_list_by_company`, GET /usage/company/{company_id}.

        Args:
            company_id: ID of the company.
            start_date: first day of the window, inclusive; works without `end_date`.
            end_date: last day of the window, inclusive. `CREATED_DATE` and
                `UPDATED_DATE` include only its first instant, 00:00 UTC: ask for the
                day after.
            date_type: the date that has to be in the window: `BILL_DATE` (the default,
                which leaves out records without a bill), `USAGE_PERIOD`,
                `CREATED_DATE` or `UPDATED_DATE`.
            datasource_type: one commodity or several; all by default.
            identifier: an identifier of the meter, in its normal form; see `Usage`.
            verify: request page 1 again at the end, to find changes that show on it.

        Raises:
            InvalidArgumentError: a filter the API would refuse; nothing was sent.
        """
        return self._pages(
            USAGE_LISTS.build_request("company", company_id, locals()), verify=verify
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
        """List the usage of a site. `usage_list_by_site`, GET /usage/site/{site_id}.

        Args:
            site_id: ID of the site.
            start_date: first day of the window, inclusive; works without `end_date`.
            end_date: last day of the window, inclusive. `CREATED_DATE` and
                `UPDATED_DATE` include only its first instant, 00:00 UTC: ask for the
                day after.
            date_type: the date that has to be in the window: `BILL_DATE` (the default,
                which leaves out records without a bill), `USAGE_PERIOD`,
                `CREATED_DATE` or `UPDATED_DATE`.
            datasource_type: one commodity or several; all by default.
            identifier: an identifier of the meter, in its normal form; see `Usage`.
            verify: request page 1 again at the end, to find changes that show on it.

        Raises:
            InvalidArgumentError: a filter the API would refuse; nothing was sent.
        """
        return self._pages(
            USAGE_LISTS.build_request("site", site_id, locals()), verify=verify
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
        """List the usage of a meter.

        `usage_list_by_meter`, GET /usage/meter/{meter_id}.

        The API reference does not show this address; if it differs, correct it with
        `Settings(operations={"usage_list_by_meter": Operation(...)})`.

        Args:
            meter_id: ID of the meter.
            start_date: first day of the window, inclusive; works without `end_date`.
            end_date: last day of the window, inclusive. `CREATED_DATE` and
                `UPDATED_DATE` include only its first instant, 00:00 UTC: ask for the
                day after.
            date_type: the date that has to be in the window: `BILL_DATE` (the default,
                which leaves out records without a bill), `USAGE_PERIOD`,
                `CREATED_DATE` or `UPDATED_DATE`.
            datasource_type: one commodity or several; all by default.
            identifier: an identifier of the meter, in its normal form; see `Usage`.
            verify: request page 1 again at the end, to find changes that show on it.

        Raises:
            InvalidArgumentError: a filter the API would refuse; nothing was sent.
        """
        return self._pages(
            USAGE_LISTS.build_request("meter", meter_id, locals()), verify=verify
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
        """List the usage of a connection. `usage_list_by_connection`.

        GET /usage/connection/{connection_id}.

        Args:
            connection_id: ID of the connection.
            start_date: first day of the window, inclusive; works without `end_date`.
            end_date: last day of the window, inclusive. `CREATED_DATE` and
                `UPDATED_DATE` include only its first instant, 00:00 UTC: ask for the
                day after.
            date_type: the date that has to be in the window: `BILL_DATE` (the default,
                which leaves out records without a bill), `USAGE_PERIOD`,
                `CREATED_DATE` or `UPDATED_DATE`.
            datasource_type: one commodity or several; all by default.
            identifier: an identifier of the meter, in its normal form; see `Usage`.
            verify: request page 1 again at the end, to find changes that show on it.

        Raises:
            InvalidArgumentError: a filter the API would refuse; nothing was sent.
        """
        return self._pages(
            USAGE_LISTS.build_request("connection", connection_id, locals()),
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
        """List the usage of a document. `usage_list_by_document`.

        GET /usage/document/{document_id}. Only this list compares the window
        with the USAGE_PERIOD by default.

        Args:
            document_id: ID of the bill.
            start_date: first day of the window, inclusive; works without `end_date`.
            end_date: last day of the window, inclusive. `CREATED_DATE` and
                `UPDATED_DATE` include only its first instant, 00:00 UTC: ask for the
                day after.
            date_type: the date that has to be in the window: `USAGE_PERIOD` (the
                default here), `BILL_DATE`, `CREATED_DATE` or `UPDATED_DATE`.
            datasource_type: one commodity or several; all by default.
            identifier: an identifier of the meter, in its normal form; see `Usage`.
            verify: request page 1 again at the end, to find changes that show on it.

        Raises:
            InvalidArgumentError: a filter the API would refuse; nothing was sent.
        """
        return self._pages(
            USAGE_LISTS.build_request("document", document_id, locals()),
            verify=verify,
        )

    async def get(self, usage_data_id: str | UUID) -> UsageData:
        """Return one record. `usage_get`, GET /usage/{usage_data_id}.

        Raises:
            NotFoundError, PermissionDeniedError: not found, or not visible to the key.
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

        UNSET leaves a field as it is. `meter` and `identifiers` change the meter
        too, whose list of identifiers is presumably REPLACED. Since v2.1 the API
        refuses to change records of demand. The address is likely, not documented:
        correct it with `Settings(operations={"usage_update": Operation(...)})`; `extra`
        are further keys of the body.

        Raises:
            InvalidArgumentError: an argument the API would refuse; nothing was sent.
        """
        return await self._fetch(
            Request.patch(
                "usage_update",
                "/usage/{usage_data_id}",
                UsageData,
                json=_FIELDS.build_body(locals(), extra),
                is_repeatable=True,
                usage_data_id=usage_data_id,
            )
        )

    async def delete(self, usage_data_id: str | UUID) -> None:
        """Delete a record. `usage_delete`, DELETE /usage/{usage_data_id}.

        The API reference does not show this address; if it differs, correct it with
        `Settings(operations={"usage_delete": Operation(...)})`.

        Raises:
            NotFoundError, PermissionDeniedError: not found, or not visible to the key.
        """
        return await self._fetch(
            Request.delete(
                "usage_delete",
                "/usage/{usage_data_id}",
                NoneType,
                usage_data_id=usage_data_id,
            )
        )
