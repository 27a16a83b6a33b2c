"""Operations on jobs: upload bills, and wait until they are processed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from uuid import UUID

from attrs import evolve

from nectar_async._files.multipart import MultipartForm
from nectar_async._files.progress import ByteProgress
from nectar_async._files.upload import Upload, Uploadable
from nectar_async._http.callbacks import check_callback
from nectar_async._http.request import Request
from nectar_async._types import UNSET, Secret
from nectar_async.errors import InvalidArgumentError
from nectar_async.models.job import Job
from nectar_async.resources._checks import (
    check_https_link,
    check_id,
    list_check,
    text_check,
)
from nectar_async.resources._polling import poll
from nectar_async.resources._resource import Resource

__all__ = ["Jobs"]

_MAX_ID_LENGTH = 255
_check_id_length = text_check(1, _MAX_ID_LENGTH)
_check_links = list_check(check_https_link, 1)


class Jobs(Resource):
    """Uploads of bills and their processing.

    ```python
    job = await nectar.jobs.submit_document(company_id, "march.pdf")
    job = await nectar.jobs.wait(job.id)
    for document_id in job.parsed_document_ids: ...
    ```

    The company must be active. Duplicates are found during processing and reported on
    the job.

    https://docs.nectarclimate.com/api-reference/v2-2/jobs/get-job-status-details
    """

    async def submit_document(
        self,
        company_id: str | UUID,
        file: Uploadable,
        *,
        site_id: str | UUID | None = None,
        file_name: str | None = None,
        on_progress: ByteProgress | None = None,
    ) -> Job:
        """Upload one bill. `jobs_submit_document`, POST /job/company/{company_id}.

        The file is a PDF, PNG or JPEG of at most 25 MB and 150 pages. Its type, by the
        first bytes, and its size are checked before anything is sent; pages are counted
        for a path or bytes only, and only with the extra `pdf`. The file is sent in
        chunks and never held in memory as a whole. `attempt_timeout` is the time
        without progress.

        The API cannot tell a repeat from a second bill, so an upload that broke off
        after it began is not repeated: look at the company's documents before you do.

        https://docs.nectarclimate.com/api-reference/v2-2/jobs/submit-job-via-single-document-upload

        Args:
            company_id: ID of the company.
            file: a path, bytes, an open binary file (read from its current position),
                or an async stream of bytes (which is never sent a second time).
            site_id: ID of the site that the bill belongs to.
            file_name: the name to send, if the file has none or one whose extension is
                not that of its type.
            on_progress: a function, plain or async, that is called with the number of
                bytes sent so far and the size (None for a stream). It starts again from
                zero when the file is sent again.

        Raises:
            InvalidArgumentError: a file the API would refuse, or one that changes while
                it is sent; nothing was submitted.
        """
        request = Request.post(
            "jobs_submit_document",
            "/job/company/{company_id}",
            Job,
            company_id=company_id,
        )
        check_callback("on_progress", on_progress)
        keys = self._executor.get_keys(request.operation)
        site_key = keys.get("siteId", "siteId")
        site = {} if site_id is None else {site_key: check_id("site_id", site_id)}
        async with AsyncExitStack() as stack:
            opened = stack.enter_async_context(Upload(file, file_name))
            upload = await self._executor.run_within_deadline(opened)
            form = MultipartForm(
                name=keys.get("document", "document"),
                file_name=upload.name,
                content_type=upload.content_type,
                size=upload.size,
                chunks=lambda: upload.chunks(on_progress),
                fields=site,
            )
            body = form.body if upload.can_resend else form.body()
            return await self._fetch(evolve(request, headers=form.headers, body=body))

    async def submit_bulk(
        self,
        company_id: str | UUID,
        documents: Iterable[str | Secret[str]],
        *,
        site_id: str | UUID | None = None,
    ) -> Job:
        """Submit links from which the API fetches bills, as one job.

        `jobs_submit_bulk`, POST /job/company/{company_id}/bulk.

        Args:
            company_id: ID of the company.
            documents: `https` links, public or pre-signed, that stay valid until they
                are fetched. No error shows them.
            site_id: ID of the site that all of the bills belong to.

        Raises:
            InvalidArgumentError: there is no link, or one is not an `https` link; it is
                named by its index.

        https://docs.nectarclimate.com/api-reference/v2-2/jobs/submit-job-via-bulk-document-upload
        """
        links, error = _mask_links(documents)
        del documents  # a traceback may show the local variables of a frame
        if error is not None:
            raise error
        site = UNSET if site_id is None else check_id("site_id", site_id)
        return await self._fetch(
            Request.post(
                "jobs_submit_bulk",
                "/job/company/{company_id}/bulk",
                Job,
                json={"documents": links, "site_id": site},
                company_id=company_id,
            )
        )

    async def get(self, job_id: str | UUID) -> Job:
        """Return a job with its status. `jobs_get`, GET /job/{job_id}.

        Raises:
            NotFoundError, PermissionDeniedError: not found, or not visible to the key.
            InvalidArgumentError: the ID is longer than 255 characters.
        """
        return await self._fetch(
            Request.get("jobs_get", "/job/{job_id}", Job, job_id=_check_job_id(job_id))
        )

    async def wait(
        self,
        job_id: str | UUID,
        *,
        timeout: float | None = 600.0,
        on_progress: Callable[[Job], object] | None = None,
    ) -> Job:
        """Poll a job until it has ended, and return it.

        COMPLETED, FAILED and TERMINATED are results, not errors: `status` and
        `termination_reason` say what happened. A status that this version does not know
        counts as still running.

        Args:
            job_id: ID of the job.
            timeout: seconds for all requests and waits; None for no bound. One more
                request, of one second at most, is made at the end. Server errors and
                broken connections are retried until then.
            on_progress: a function, plain or async, that is called with each `Job`.

        Raises:
            WaitTimeoutError: the job did not end in time, or the server asks for a
                longer wait than is left. The job goes on: wait again. `last` is the
                latest state, and a failure after it is the cause.
            NotFoundError, PermissionDeniedError, AuthenticationError: at once.
        """
        _check_job_id(job_id)
        with self._executor.open_call():
            return await poll(
                self._executor.clock,
                lambda: self.get(job_id),
                _has_ended,
                timeout=timeout,
                goal=f"job {job_id} to end",
                on_progress=on_progress,
            )


def _mask_links(
    documents: Iterable[str | Secret[str]],
) -> tuple[list[object], InvalidArgumentError | None]:
    """Return the links as secrets, or an error without the frames that show them."""
    try:
        return _check_links("documents", documents), None
    except InvalidArgumentError as error:
        return [], error.with_traceback(None)


def _check_job_id(job_id: str | UUID) -> str:
    return _check_id_length("job_id", check_id("job_id", job_id))


def _has_ended(job: Job) -> bool:
    return job.status is not None and job.status.is_terminal
