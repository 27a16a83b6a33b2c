"""Documents: the bills."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from os import PathLike
from uuid import UUID

from nectar_async._files.download import Download, Sink, download
from nectar_async._files.progress import ByteProgress
from nectar_async._http.request import Request
from nectar_async._paging.pager import Pager
from nectar_async._types import UNSET, Unset
from nectar_async.models.document import Document
from nectar_async.models.enums import CurrencyCode, DateType
from nectar_async.resources import _documents
from nectar_async.resources._lists import DOCUMENTS, DatasourceTypes
from nectar_async.resources._resource import Resource

__all__ = ["Documents"]


class Documents(Resource):
    """Bills, with what was read from them.

    https://docs.nectarclimate.com/api-reference/v2-2/documents/get-documents-by-company
    """

    async def get(self, document_id: str | UUID) -> Document:
        """One bill with usage, line items and demand. `documents_get`.

        GET /document/{document_id}. The API's own pages do not show this address; if it
        is another, correct it with
        `Settings(operations={"documents_get": Operation(...)})`. `url` opens the file
        without a key for 24 hours: see `download`.

        Raises:
            NotFoundError, PermissionDeniedError: there is none that the key may see.
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
        """Bills of a company. `documents_list_by_company`.

        GET /document/company/{company_id}.

        Args:
            company_id: whose they are.
            start_date: the first day, inclusive; may be given alone.
            end_date: the last day, inclusive; with `CREATED_DATE` and `UPDATED_DATE`
                only its first instant, 00:00 UTC: ask for the day after.
            date_type: what both are compared with: `BILL_DATE` (where nothing is
                said), `USAGE_PERIOD`, `CREATED_DATE` or `UPDATED_DATE`.
            datasource_type: one commodity or several; all when left out.
            identifier: of a meter on the bill, by its normal form; see `Usage`.
            is_deleted: True lists the deleted ones too; they are left out otherwise.
            verify: ask for page 1 again at the end; finds the moves that show on it.

        Raises:
            InvalidArgumentError: a filter that the API would refuse; nothing was sent.
        """
        return self._pages(
            _documents.by_owner("company", company_id, DOCUMENTS.query(locals())),
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
        """Bills of a connection. `documents_list_by_connection`.

        GET /document/connection/{connection_id}.

        Args:
            connection_id: that brought them.
            start_date: the first day, inclusive; may be given alone.
            end_date: the last day, inclusive; with `CREATED_DATE` and `UPDATED_DATE`
                only its first instant, 00:00 UTC: ask for the day after.
            date_type: what both are compared with: `BILL_DATE` (where nothing is
                said), `USAGE_PERIOD`, `CREATED_DATE` or `UPDATED_DATE`.
            datasource_type: one commodity or several; all when left out.
            identifier: of a meter on the bill, by its normal form; see `Usage`.
            is_deleted: True lists the deleted ones too; they are left out otherwise.
            verify: ask for page 1 again at the end; finds the moves that show on it.

        Raises:
            InvalidArgumentError: a filter that the API would refuse; nothing was sent.
        """
        return self._pages(
            _documents.by_owner("connection", connection_id, DOCUMENTS.query(locals())),
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
        """Bills of a site. `documents_list_by_site`, GET /document/site/{site_id}.

        Args:
            site_id: that they are for.
            start_date: the first day, inclusive; may be given alone.
            end_date: the last day, inclusive; with `CREATED_DATE` and `UPDATED_DATE`
                only its first instant, 00:00 UTC: ask for the day after.
            date_type: what both are compared with: `BILL_DATE` (where nothing is
                said), `USAGE_PERIOD`, `CREATED_DATE` or `UPDATED_DATE`.
            datasource_type: one commodity or several; all when left out.
            identifier: of a meter on the bill, by its normal form; see `Usage`.
            is_deleted: True lists the deleted ones too; they are left out otherwise.
            verify: ask for page 1 again at the end; finds the moves that show on it.

        Raises:
            InvalidArgumentError: a filter that the API would refuse; nothing was sent.
        """
        return self._pages(
            _documents.by_owner("site", site_id, DOCUMENTS.query(locals())),
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

        What is UNSET stays as it is, None clears. Address and fields are likely, not
        documented: correct them with
        `Settings(operations={"documents_update": Operation(..., keys={...})})`; `extra`
        are further keys.

        Raises:
            InvalidArgumentError: a value that the API would refuse; nothing was sent.
        """
        return await self._fetch(
            Request.patch(
                "documents_update",
                "/document/{document_id}",
                Document,
                json=_documents.BODY.body(locals(), extra),
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
        """Save the file of a bill.

        Asks for the document first (`documents_get`), because its link lives 24 hours,
        and again when the link expires on the way. The file comes in chunks of 4 MiB,
        at most `max_downloads` at once, without the key; each is repeated as requests
        are. One that does not come within `attempt_timeout` is asked for in smaller
        ones, of 64 KiB at the least, which grow again where the link allows. A host
        that knows no ranges gives the whole file at once, which has to be there in that
        time.

        Until it is whole it is called `<path>.part`, and `<path>.part.json` says whose
        bytes it has. Called again after an interruption, in another process too, it
        goes on where that file ends, if the host says that it is the same one still;
        otherwise it begins anew.

        What is saved is all of one file: `ETag`, `Last-Modified` and size are compared
        with every chunk. A file that changes on the way is begun again, once. Where
        one of ETag and date changes and nothing else does, as on hosts whose machines
        count them each for itself, one answer has to give the whole file.

        Args:
            document_id: the bill.
            target: a path, where a file that is there is replaced; or a folder, in
                which the file gets the name that the document has. Several bills often
                have the same: where it is taken, the id is put behind it, as in
                `march-5f0c9e3a.pdf`, and only a file of that name is replaced. Or
                anything with `write(bytes)`, plain or async.
            on_progress: a function, plain or async, that is given the bytes that are
                there and the size (None while nobody said it).

        Raises:
            DownloadError: there is no file, or it is not what was announced; it changed
                twice, or once after a sink was given some of it; or something else
                writes to the same `.part`.
            AttemptTimeoutError: not even the least came in time; `attempt_timeout` is
                too short for the link.
            OSError: the disk is full or gone. What is there is gone on with later.
            InvalidArgumentError: nothing can be written to `target`, or `on_progress`
                is no function; nothing was sent.
            NotFoundError, PermissionDeniedError: no document that the key may see.
        """
        return await download(
            self._executor, document_id, target, on_progress=on_progress
        )
