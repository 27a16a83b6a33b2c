"""Uploaded files: read after a while, once each, and told on by a job.

What becomes of a job shows in the names of its files, so that tests can order it:
`fail`, `terminate` and `stuck` end it badly or never, and a file with `nonutility` in
its name is no bill.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from attrs import define, field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nectar_async.sandbox.generator.clock import Clock
    from nectar_async.sandbox.generator.portfolio import Portfolio
    from nectar_async.sandbox.server.files import FileStore
    from nectar_async.sandbox.server.messages import FilePart

__all__ = ["SECONDS", "JobRecord", "JobStore", "SubmittedFile"]

SECONDS = 10
"""How long a job takes, by the sandbox's clock."""

_STUCK = "stuck"
_ENDS = {"fail": "FAILED", "terminate": "TERMINATED"}
_NO_BILL = "nonutility"
_REASON = "The files could not be read, and were given up."


@define(frozen=True, kw_only=True)
class SubmittedFile:
    """A file that was handed in."""

    name: str
    digest: bytes
    """The same for the same file."""
    upload: FilePart | None
    """None for a link, from which nothing is fetched."""

    @classmethod
    def of_upload(cls, upload: FilePart) -> SubmittedFile:
        """A file that came with the call."""
        return cls(name=upload.name, digest=_digest(upload.data), upload=upload)

    @classmethod
    def of_link(cls, url: str) -> SubmittedFile:
        """A file at some address; the same address is the same file."""
        path = url.partition("?")[0].partition("#")[0]
        name = path.rstrip("/").rpartition("/")[2]
        return cls(name=name, digest=_digest(path.encode()), upload=None)


@define(kw_only=True, eq=False)
class JobRecord:
    """The work on some files, and what came of it."""

    id: str
    company: int
    """The company's index."""
    site_id: str | None
    sources: Sequence[SubmittedFile]
    status: str = "PENDING"
    termination_reason: str | None = None
    parsed: list[str] = field(factory=list)
    duplicates: list[str] = field(factory=list)
    """Ids of the documents that were there already."""
    non_utility: list[str] = field(factory=list)

    def as_json(self) -> dict[str, Any]:
        """The job as the API sends it; lists are filled when it is completed."""
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

    def __init__(self, portfolio: Portfolio, clock: Clock, files: FileStore) -> None:
        self._portfolio = portfolio
        self._clock = clock
        self._files = files
        self._by_id: dict[str, JobRecord] = {}
        self._read: dict[tuple[int, bytes], str] = {}
        """The document that a company's file became."""

    def submit(
        self, company: int, sources: Sequence[SubmittedFile], site_id: str | None
    ) -> JobRecord:
        """A new one, for the company of that index."""
        job_id = self._portfolio.ids.make("job", company, str(len(self._by_id)))
        job = JobRecord(id=job_id, company=company, site_id=site_id, sources=sources)
        self._by_id[job_id] = job
        if not _is_any_named(sources, _STUCK):
            self._clock.after(SECONDS, lambda: self._work(job))
        return job

    def find(self, job_id: str) -> JobRecord | None:
        """The one of that id."""
        return self._by_id.get(job_id.lower())

    def _work(self, job: JobRecord) -> None:
        for word, status in _ENDS.items():
            if _is_any_named(job.sources, word):
                job.status = status
                job.termination_reason = _REASON if status == "TERMINATED" else None
                return
        for source in job.sources:
            self._read_source(job, source)
        job.status = "COMPLETED"

    def _read_source(self, job: JobRecord, source: SubmittedFile) -> None:
        place = (job.company, source.digest)
        if place in self._read:
            job.duplicates.append(self._read[place])
        elif _is_any_named([source], _NO_BILL):
            serial = f"{job.id}/{len(job.non_utility)}"
            known = self._portfolio.ids.make("no-bill", job.company, serial)
            job.non_utility.append(known)
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
            self._read[place] = document.id
            job.parsed.append(document.id)


def _is_any_named(sources: Sequence[SubmittedFile], word: str) -> bool:
    return any(word in source.name.lower() for source in sources)


def _digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=16).digest()
