"""Jobs: bills on their way from a file to records."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from uuid import UUID

from attrs import evolve

from nectar_async._files.multipart import Form
from nectar_async._files.progress import ByteProgress, callback
from nectar_async._files.upload import Upload, Uploadable
from nectar_async._http.request import Request
from nectar_async._types import UNSET, Secret
from nectar_async.errors import InvalidArgumentError
from nectar_async.models.job import Job
from nectar_async.resources._checks import identity, link, many, text
from nectar_async.resources._polling import poll
from nectar_async.resources._resource import Resource

__all__ = ["Jobs"]

_LONGEST_ID = 255
_as_long_as_ids = text(1, _LONGEST_ID)
_links = many(link, 1)


class Jobs(Resource):
    """Uploads of bills, and what becomes of them.

    ```python
    job = await nectar.jobs.submit_document(company_id, "march.pdf")
    job = await nectar.jobs.wait(job.id)
    for document_id in job.parsed_document_ids: ...
    ```

    The company must be active. Duplicates are found in processing, and are on the job.

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

        A PDF, PNG or JPEG of 25 MB and 150 pages at most; all of that is checked before
        anything is sent, pages only of a path or bytes, and only with the extra `pdf`.
        It is sent in chunks and never held as a whole. `attempt_timeout` is the time
        without progress.

        The API cannot tell a repeat from a second bill, so an upload that broke off
        after it began is not sent again; look at the company's documents before you do.

        https://docs.nectarclimate.com/api-reference/v2-2/jobs/submit-job-via-single-document-upload

        Args:
            company_id: whose bill it is.
            file: a path, bytes, an open binary file (read from where it stands), or an
                async stream of bytes (which cannot be sent a second time, whatever
                happens).
            site_id: the site that it belongs to.
            file_name: what the API is told that it is called; needed where neither
                the path nor the first bytes tell what it is.
            on_progress: a function, plain or async, that is given the bytes of the file
                that were sent and its size (None for a stream). It starts anew when the
                file is sent again.

        Raises:
            InvalidArgumentError: a file that the API would refuse, or one that changes
                while it is sent; nothing was submitted.
        """
        request = Request.post(
            "jobs_submit_document",
            "/job/company/{company_id}",
            Job,
            company_id=company_id,
        )
        callback("on_progress", on_progress)
        keys = self._executor.get_keys(request.operation)
        site_key = keys.get("siteId", "siteId")
        site = {} if site_id is None else {site_key: identity("site_id", site_id)}
        async with Upload(file, file_name) as upload:
            form = Form(
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
        """Have bills fetched from links, as one job.

        `jobs_submit_bulk`, POST /job/company/{company_id}/bulk.

        Args:
            company_id: whose bills they are.
            documents: `https` links, public or signed, that stay valid while they are
                fetched. No error shows them.
            site_id: the site that all of them belong to.

        Raises:
            InvalidArgumentError: no link, or one that is none, named by its place.

        https://docs.nectarclimate.com/api-reference/v2-2/jobs/submit-job-via-bulk-document-upload
        """
        links, refused = _hidden(documents)
        del documents  # a traceback may show the locals of a frame
        if refused is not None:
            raise refused
        site = UNSET if site_id is None else identity("site_id", site_id)
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
        """How far a job is. `jobs_get`, GET /job/{job_id}.

        Raises:
            NotFoundError, PermissionDeniedError: there is none that the key may see.
            InvalidArgumentError: the id is longer than any.
        """
        return await self._fetch(
            Request.get("jobs_get", "/job/{job_id}", Job, job_id=_checked(job_id))
        )

    async def wait(
        self,
        job_id: str | UUID,
        *,
        timeout: float | None = 600.0,
        on_progress: Callable[[Job], object] | None = None,
    ) -> Job:
        """The job at its end, whichever it is; it is asked for again and again.

        COMPLETED, FAILED and TERMINATED are results, not errors: `status` and
        `termination_reason` say what happened. A status that this version does not know
        is no end.

        Args:
            job_id: as the submission gave it.
            timeout: seconds to wait at most, requests and their repeats included; a
                look at the very end has one more. None for no bound. A failing server
                or connection is looked at again until then.
            on_progress: a function, plain or async, that is given each `Job` seen.

        Raises:
            WaitTimeoutError: it did not end in time, or the server asks to wait for
                longer than is left. It goes on: wait again. `last` is the job as it was
                seen last; a failure since then is the error's cause.
            NotFoundError, PermissionDeniedError, AuthenticationError: at once.
        """
        _checked(job_id)
        return await poll(
            self._executor.clock,
            lambda: self.get(job_id),
            _is_over,
            timeout=timeout,
            what=f"job {job_id} to end",
            on_progress=on_progress,
        )


def _hidden(
    documents: Iterable[str | Secret[str]],
) -> tuple[list[object], InvalidArgumentError | None]:
    """The links as secrets, or an error without the frames that hold them as text."""
    try:
        return _links("documents", documents), None
    except InvalidArgumentError as error:
        return [], error.with_traceback(None)


def _checked(job_id: str | UUID) -> str:
    return _as_long_as_ids("job_id", identity("job_id", job_id))


def _is_over(job: Job) -> bool:
    return job.status is not None and job.status.is_terminal
