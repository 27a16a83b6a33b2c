"""Jobs: uploads of bills on their way through the machinery."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from nectar_async.models._base import Model
from nectar_async.models._extra import names_of
from nectar_async.models.statuses import JobStatus

__all__ = ["Job"]


@frozen(kw_only=True)
class Job(Model):
    """The processing of one upload, of one bill or of several.

    What became of the files is empty until the job is COMPLETED.
    """

    id: str
    """The guides call it the job id; on a document it is `job_id`."""
    status: JobStatus | None = None
    parsed_document_ids: tuple[str, ...] = ()
    """The documents that the upload became."""
    duplicates: int | None = None
    """How many files were bills that are there already: a count."""
    duplicate_document_ids: tuple[str, ...] = ()
    """The documents of which the files were duplicates, or those duplicates: the API
    does not say which."""
    non_utility_document_ids: tuple[str, ...] = ()
    """What turned out to be no utility bill."""
    termination_reason: str | None = None
    """Why the job was terminated; None for every other end."""
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=names_of)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""
