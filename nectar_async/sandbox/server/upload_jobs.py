"""Jobs that read uploaded files.

Tests choose a job's result by the names of its files: `fail` in a name gives the
status FAILED, `terminate` gives TERMINATED, and with `stuck` the job stays PENDING. A
file with `nonutility` in its name is reported as not a bill.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from attrs import define, field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nectar_async.sandbox.generator.portfolio import Portfolio
    from nectar_async.sandbox.server.files import FileStore
    from nectar_async.sandbox.server.messages import FilePart

__all__ = ["SECONDS", "JobRecord", "JobStore", "SubmittedFile"]

SECONDS = 10
"""How long a job takes by the sandbox's clock."""

_STUCK = "stuck"
_RESULTS = {"fail": "FAILED", "terminate": "TERMINATED"}
_NOT_A_BILL = "nonutility"
_REASON = "The files could not be read."


@define(frozen=True, kw_only=True)
class SubmittedFile:
    """A file that a job reads."""

    name: str
    digest: bytes
    """A hash by which equal files are recognised."""
    upload: FilePart | None
    """The file itself; None for a link, which is not downloaded."""

    @classmethod
    def from_upload(cls, upload: FilePart) -> SubmittedFile:
        """Build it from a file in the request."""
        return cls(name=upload.name, digest=_hash(upload.data), upload=upload)

    @classmethod
    def from_link(cls, url: str) -> SubmittedFile:
        """Build it from a URL; URLs with the same path are equal files."""
        path = url.partition("?")[0].partition("#")[0]
        name = path.rstrip("/").rpartition("/")[2]
        return cls(name=name, digest=_hash(path.encode()), upload=None)


@define(kw_only=True, eq=False)
class JobRecord:
    """A job and its result."""

    id: str
    company: int
    """The index of its company."""
    site_id: str | None
    sources: Sequence[SubmittedFile]
    status: str = "PENDING"
    termination_reason: str | None = None
    parsed: list[str] = field(factory=list)
    duplicates: list[str] = field(factory=list)
    """Ids of the existing documents that some files repeat."""
    non_utility: list[str] = field(factory=list)

    def as_json(self) -> dict[str, Any]:
        """Build the job's JSON; only a completed job has lists of documents."""
        is_done = self.status == "COMPLETED"
        return {
            "id": self.id,
            "status": self.status,
            "parsedDocumentIds": self.parsed if is_done else None,
            "duplicates": len(self.duplicates) if is_done else None,
            "duplicateDocumentIds": self.duplicates if is_done else None,
            "nonUtilityDocumentIds": self.non_utility if is_done else None,
            "terminationReason": self.termination_reason,
        }


class JobStore:
    """All jobs of a sandbox."""

    def __init__(self, portfolio: Portfolio, files: FileStore) -> None:
        self._portfolio = portfolio
        self._clock = portfolio.clock
        self._files = files
        self._by_id: dict[str, JobRecord] = {}
        self._documents: dict[tuple[int, bytes], str] = {}
        """Ids of documents by company and file hash."""

    def submit(
        self, company: int, sources: Sequence[SubmittedFile], site_id: str | None
    ) -> JobRecord:
        """Create a job for the company at an index."""
        job_id = self._portfolio.ids.make("job", company, str(len(self._by_id)))
        job = JobRecord(id=job_id, company=company, site_id=site_id, sources=sources)
        self._by_id[job_id] = job
        if not _has_name_with(sources, _STUCK):
            self._clock.after(SECONDS, lambda: self._run(job))
        return job

    def find(self, job_id: str) -> JobRecord | None:
        """Find a job by its id."""
        return self._by_id.get(job_id.lower())

    def _run(self, job: JobRecord) -> None:
        for word, status in _RESULTS.items():
            if _has_name_with(job.sources, word):
                job.status = status
                job.termination_reason = _REASON if status == "TERMINATED" else None
                return
        for source in job.sources:
            self._read_source(job, source)
        job.status = "COMPLETED"

    def _read_source(self, job: JobRecord, source: SubmittedFile) -> None:
        key = (job.company, source.digest)
        if key in self._documents:
            job.duplicates.append(self._documents[key])
        elif _has_name_with([source], _NOT_A_BILL):
            serial = f"{job.id}/{len(job.non_utility)}"
            document_id = self._portfolio.ids.make("no-bill", job.company, serial)
            job.non_utility.append(document_id)
        else:
            document = self._portfolio.add_document(
                job.company,
                file_name=source.name,
                job_id=job.id,
                site_id=job.site_id,
                moment=self._clock.now(),
            )
            if source.upload is not None:
                self._files.put(document.id, source.upload)
            self._documents[key] = document.id
            job.parsed.append(document.id)


def _has_name_with(sources: Sequence[SubmittedFile], word: str) -> bool:
    return any(word in source.name.lower() for source in sources)


def _hash(data: bytes) -> bytes:
    return blake2b(data, digest_size=16).digest()
