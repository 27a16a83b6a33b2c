"""Jobs: uploads of bills and their processing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from nectar_async.models._base import Model
from nectar_async.models._extra import format_keys
from nectar_async.models.statuses import JobStatus

__all__ = ["Job"]


@frozen(kw_only=True)
class Job(Model):
    """The processing of one upload, of one bill or of several.

    The lists of documents are empty until the job is COMPLETED.
    """

    id: str
    """A document calls it `job_id`."""
    status: JobStatus | None = None
    parsed_document_ids: tuple[str, ...] = ()
    """IDs of the documents that were created from the upload."""
    duplicates: int | None = None
    """How many files were bills that exist already."""
    duplicate_document_ids: tuple[str, ...] = ()
    """IDs of the duplicates, or of the documents that they duplicate; which of them is
    not documented."""
    non_utility_document_ids: tuple[str, ...] = ()
    """IDs of documents that are no utility bills."""
    termination_reason: str | None = None
    """Why the job was terminated; None if it ended in another way."""
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=format_keys)
    """Keys that this version does not know, and values that did not fit their field,
    under their wire names."""
