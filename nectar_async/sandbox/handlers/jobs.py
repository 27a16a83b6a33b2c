"""Handlers of jobs, which read uploaded files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nectar_async.sandbox.generator.pdf import count_pages
from nectar_async.sandbox.handlers import lookup
from nectar_async.sandbox.server.api_call import Call
from nectar_async.sandbox.server.messages import FilePart, RefusalError, Reply
from nectar_async.sandbox.server.upload_jobs import SubmittedFile

if TYPE_CHECKING:
    from nectar_async.sandbox.generator.entities import CompanyRecord

__all__ = ["get", "submit_bulk", "submit_document"]

_EXTENSIONS = (".pdf", ".png", ".jpg", ".jpeg")
_MAX_BYTES = 25 * 2**20
_MAX_PAGES = 150
_CREATED = 201
_BAD_REQUEST = 400


async def submit_document(call: Call) -> Reply:
    """Create a job for a file in a multipart form."""
    company = lookup.find_company(call)
    upload = call.files.get("document")
    if upload is None:
        raise _build_refusal("The submitted data was not a file.")
    _check_file(upload)
    site_id = _parse_site_id(call, company)
    source = SubmittedFile.from_upload(upload)
    job = call.state.jobs.submit(company.index, [source], site_id)
    return Reply.json(job.as_json(), status=_CREATED)


async def submit_bulk(call: Call) -> Reply:
    """Create a job for many files, each given as a URL."""
    company = lookup.find_company(call)
    site_id = _parse_site_id(call, company)
    sources = [SubmittedFile.from_link(url) for url in call.json["documents"]]
    if not sources:
        raise RefusalError(_BAD_REQUEST, "documents: This list may not be empty.")
    job = call.state.jobs.submit(company.index, sources, site_id)
    return Reply.json(job.as_json(), status=_CREATED)


async def get(call: Call) -> Reply:
    """Get a job."""
    job = lookup.require(call.state.jobs.find(call.params["job_id"]))
    return Reply.json(job.as_json())


def _check_file(upload: FilePart) -> None:
    name = upload.name.lower()
    if not name.endswith(_EXTENSIONS):
        raise _build_refusal(f"The file's name must end with {', '.join(_EXTENSIONS)}.")
    if not upload.data:
        raise _build_refusal("The submitted file is empty.")
    if len(upload.data) > _MAX_BYTES:
        raise _build_refusal(f"The file may have at most {_MAX_BYTES} bytes.")
    if name.endswith(".pdf") and count_pages(upload.data) > _MAX_PAGES:
        raise _build_refusal(f"The file may have at most {_MAX_PAGES} pages.")


def _parse_site_id(call: Call, company: CompanyRecord) -> str | None:
    site_id: str | None = call.json.get("siteId")
    if site_id is None:
        return None
    if site_id.lower() not in {site.id for site in company.sites}:
        detail = f"siteId: The company has no such site: {site_id}."
        raise RefusalError(_BAD_REQUEST, detail)
    return site_id.lower()


def _build_refusal(text: str) -> RefusalError:
    return RefusalError(_BAD_REQUEST, f"document: {text}")
