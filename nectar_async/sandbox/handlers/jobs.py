"""Uploads, and the jobs that read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nectar_async.sandbox.generator.pdf import page_count
from nectar_async.sandbox.handlers import companies
from nectar_async.sandbox.server.jobs import SubmittedFile
from nectar_async.sandbox.server.messages import Call, FilePart, RefusalError, Reply

if TYPE_CHECKING:
    from nectar_async.sandbox.generator.entities import CompanyRecord

__all__ = ["get", "submit_bulk", "submit_document"]

_EXTENSIONS = (".pdf", ".png", ".jpg", ".jpeg")
_MAX_BYTES = 25 * 2**20
_MAX_PAGES = 150
_CREATED = 201
_BAD_REQUEST = 400
_NOT_FOUND = 404


async def submit_document(call: Call) -> Reply:
    """A job for one file, which is a part of the form."""
    company = companies.by_id(call)
    upload = call.files.get("document")
    if upload is None:
        raise _refusal("The submitted data was not a file.")
    _check(upload)
    site_id = _site_id(call, company)
    source = SubmittedFile.of_upload(upload)
    job = call.state.jobs.submit(company.index, [source], site_id)
    return Reply.json(job.as_json(), status=_CREATED)


async def submit_bulk(call: Call) -> Reply:
    """One job for many files, each known by its link."""
    company = companies.by_id(call)
    site_id = _site_id(call, company)
    sources = [SubmittedFile.of_link(url) for url in call.json["documents"]]
    if not sources:
        raise RefusalError(_BAD_REQUEST, "documents: This list may not be empty.")
    job = call.state.jobs.submit(company.index, sources, site_id)
    return Reply.json(job.as_json(), status=_CREATED)


async def get(call: Call) -> Reply:
    """How far a job has come."""
    job = call.state.jobs.find(call.params["job_id"])
    if job is None:
        raise RefusalError(_NOT_FOUND, "Not found.")
    return Reply.json(job.as_json())


def _check(upload: FilePart) -> None:
    name = upload.name.lower()
    if not name.endswith(_EXTENSIONS):
        raise _refusal(f"The file's name must end with {', '.join(_EXTENSIONS)}.")
    if not upload.data:
        raise _refusal("The submitted file is empty.")
    if len(upload.data) > _MAX_BYTES:
        raise _refusal(f"The file may have at most {_MAX_BYTES} bytes.")
    if name.endswith(".pdf") and page_count(upload.data) > _MAX_PAGES:
        raise _refusal(f"The file may have at most {_MAX_PAGES} pages.")


def _site_id(call: Call, company: CompanyRecord) -> str | None:
    site_id: str | None = call.json.get("siteId")
    if site_id is None:
        return None
    if site_id.lower() not in {site.id for site in company.sites}:
        detail = "siteId: This is no site of the company."
        raise RefusalError(_BAD_REQUEST, detail)
    return site_id.lower()


def _refusal(text: str) -> RefusalError:
    return RefusalError(_BAD_REQUEST, f"document: {text}")
