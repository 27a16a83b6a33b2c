"""Operations on documents, the bills, and the download of their files."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from os import PathLike
from uuid import UUID

from nectar_async._files.download import Download, Sink, download_document
from nectar_async._files.progress import ByteProgress
from nectar_async._http.request import Request
from nectar_async._paging.pager import Pager
from nectar_async._types import UNSET, Unset
from nectar_async.errors import InvalidArgumentError
from nectar_async.models.document import Document
from nectar_async.models.enums import CurrencyCode, DateType
from nectar_async.models.page import Listing, Page
from nectar_async.resources._checked_fields import FieldTable, check_dates
from nectar_async.resources._checks import (
    Nullable,
    check_bool,
    check_date,
    decimal_check,
    open_enum_check,
    text_check,
)
from nectar_async.resources._lists import OwnedLists
from nectar_async.resources._resource import Resource
from nectar_async.resources.meters import DatasourceTypes
from nectar_async.resources.usage import USAGE_LISTS

__all__ = ["DOCUMENT_LISTS", "Documents"]

DOCUMENT_LISTS = OwnedLists(
    noun="documents",
    path="/document",
    page=Page[Document],
    listing=Listing(items="documents"),
    filters=FieldTable(
        {**USAGE_LISTS.filters.checks, "is_deleted": check_bool},
        check_together=check_dates,
    ),
)

_CURRENCY_LETTERS = 3


def _check_currency(name: str, value: object) -> object:
    code = str(open_enum_check(CurrencyCode)(name, value))
    if len(code) != _CURRENCY_LETTERS or not code.isalpha():
        raise InvalidArgumentError(
            f"{name} must be an ISO 4217 code of three letters, such as 'USD', not"
            f" {value!r}"
        )
    return code


_FIELDS = FieldTable(
    {
        "bill_date": check_date,
        "due_date": Nullable(check_date),
        "total_charges": decimal_check(),
        "charges_units": _check_currency,
        "invoice_id": Nullable(text_check()),
        "notes": Nullable(text_check()),
        "is_flagged": check_bool,
    }
)


class Documents(Resource):
    """Bills with the data that was read from them.

    https://docs.nectarclimate.com/api-reference/v2-2/documents/get-documents-by-company
    """

    async def get(self, document_id: str | UUID) -> Document:
        """Return one bill with usage, line items and demand. `documents_get`.

        GET /document/{document_id}. The API reference does not show this address; if it
        differs, correct it with
        `Settings(operations={"documents_get": Operation(...)})`. `url` opens the file
        without a key for 24 hours: see `download`.

        Raises:
            NotFoundError, PermissionDeniedError: not found, or not visible to the key.
        """
        return await self._fetch(
            Request.get(
                "documents_get",
                "/document/{document_id}",
                Document,
                document_id=document_id,
            )
        )

    def by_company(
        self,
        company_id: str | UUID,
        *,
        start_date: date | None = None,
        end_date: date | None = None,
        date_type: DateType | str | None = None,
        datasource_type: DatasourceTypes | None = None,
        identifier: str | None = None,
        is_deleted: bool | None = None,
        verify: bool = False,
    ) -> Pager[Document]:
        """List the bills of a company. `documents_list_by_company`.

        GET /document/company/{company_id}.

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
            identifier: an identifier of a meter on the bill, in its normal form; see
                `Usage`.
            is_deleted: True lists the deleted ones too; they are left out otherwise.
            verify: request page 1 again at the end, to find changes that show on it.

        Raises:
            InvalidArgumentError: a filter the API would refuse; nothing was sent.
        """
        return self._pages(
            DOCUMENT_LISTS.build_request("company", company_id, locals()),
            verify=verify,
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
        is_deleted: bool | None = None,
        verify: bool = False,
    ) -> Pager[Document]:
        """List the bills of a connection. `documents_list_by_connection`.

        GET /document/connection/{connection_id}.

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
            identifier: an identifier of a meter on the bill, in its normal form; see
                `Usage`.
            is_deleted: True lists the deleted ones too; they are left out otherwise.
            verify: request page 1 again at the end, to find changes that show on it.

        Raises:
            InvalidArgumentError: a filter the API would refuse; nothing was sent.
        """
        return self._pages(
            DOCUMENT_LISTS.build_request("connection", connection_id, locals()),
            verify=verify,
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
        is_deleted: bool | None = None,
        verify: bool = False,
    ) -> Pager[Document]:
        """List the bills of a site.

        `documents_list_by_site`, GET /document/site/{site_id}.

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
            identifier: an identifier of a meter on the bill, in its normal form; see
                `Usage`.
            is_deleted: True lists the deleted ones too; they are left out otherwise.
            verify: request page 1 again at the end, to find changes that show on it.

        Raises:
            InvalidArgumentError: a filter the API would refuse; nothing was sent.
        """
        return self._pages(
            DOCUMENT_LISTS.build_request("site", site_id, locals()),
            verify=verify,
        )

    async def update(
        self,
        document_id: str | UUID,
        *,
        bill_date: date | Unset = UNSET,
        due_date: date | Unset | None = UNSET,
        total_charges: Decimal | int | str | Unset = UNSET,
        charges_units: CurrencyCode | str | Unset = UNSET,
        invoice_id: str | Unset | None = UNSET,
        notes: str | Unset | None = UNSET,
        is_flagged: bool | Unset = UNSET,
        extra: Mapping[str, object] | None = None,
    ) -> Document:
        """Change a bill. `documents_update`, PATCH /document/{document_id}.

        Fields that are UNSET are not changed; None clears a field.
        The path and the fields are not documented; they are inferred. Correct them with
        `Settings(operations={"documents_update": Operation(..., keys={...})})`. `extra`
        are further keys of the body.

        Raises:
            InvalidArgumentError: an argument the API would refuse; nothing was sent.
        """
        return await self._fetch(
            Request.patch(
                "documents_update",
                "/document/{document_id}",
                Document,
                json=_FIELDS.build_body(locals(), extra),
                is_repeatable=True,
                document_id=document_id,
            )
        )

    async def download(
        self,
        document_id: str | UUID,
        target: str | PathLike[str] | Sink,
        *,
        on_progress: ByteProgress | None = None,
    ) -> Download:
        """Download the file of a bill.

        The link of the document expires after 24 hours, so the document is requested
        first (`documents_get`), and again if the link expires during the download. The
        file comes in ranges of 4 MiB, at most `max_downloads` at once, without the API
        key; each is retried as requests are. A range that does not arrive within
        `attempt_timeout` is requested in smaller ones, of 64 KiB at least, which grow
        again when the link is fast enough. A host without range support sends the whole
        file at once, which has to arrive within that time.

        Until it is complete, the file is called `<path>.part`, and `<path>.part.json`
        records which file it belongs to. A later call, in another process too, resumes
        where that file ends if the host still has the same file; otherwise it starts
        again.

        All bytes come from one version of the file: `ETag`, `Last-Modified` and size
        are compared for every range. If the file changes during the download, the
        download starts again once. If only the `ETag` or only the date changes, as with
        hosts whose servers disagree about them, the whole file is requested in one
        answer.

        Args:
            document_id: ID of the bill.
            target: a path, where an existing file is replaced: its permissions stay,
                and a link stays a link; or a folder, in which the file gets the
                document's file name. Several bills often have the
                same name: if it is taken, the ID is appended, as in
                `march-5f0c9e3a.pdf`, and only a file of that name is replaced. Or an
                object with `write(bytes)`, plain or async.
            on_progress: a function, plain or async, that is called with the number of
                bytes so far and the size (None while it is unknown).

        Raises:
            DownloadError: there is no file, or it differs from what the host announced;
                the host sent an HTML page or an error text in place of a bill;
                it changed twice, or once after a sink had received some of it; or
                another download writes to the same `.part`.
            AttemptTimeoutError: even the smallest range did not arrive in time; the
                `attempt_timeout` is too short for the link.
            OSError: the disk is full or missing. A later call resumes the download.
            InvalidArgumentError: `target` cannot be written to, or `on_progress` is no
                function; nothing was sent.
            NotFoundError, PermissionDeniedError: not found, or not visible to the key.
        """
        return await download_document(
            self._executor, document_id, target, on_progress=on_progress
        )
