"""Download the file of a document: chunk by chunk, and checked to be one file."""

from __future__ import annotations

from contextlib import AsyncExitStack
from http import HTTPStatus
from os import PathLike
from pathlib import Path
from typing import Final
from uuid import UUID

from attrs import evolve, frozen

from nectar_async._files.destination import (
    PathDestination,
    Sink,
    SinkDestination,
    build_destination,
)
from nectar_async._files.download_link import DownloadLink
from nectar_async._files.file_kind import describe_page
from nectar_async._files.partial_file import OVERLAP
from nectar_async._files.progress import ByteProgress
from nectar_async._files.validators import Validators
from nectar_async._http.callbacks import check_callback, run_callback
from nectar_async._http.executor import Executor
from nectar_async._http.file_response import ContentRange, is_compressed
from nectar_async._http.response import Response
from nectar_async.errors import DownloadError

__all__ = ["Download", "Sink", "download_document"]

_OVERLAP_SHARE: Final = 16
"""The overlap is at most this part of a chunk, so that small chunks advance too."""


@frozen(kw_only=True)
class Download:
    """The result of a download."""

    path: Path | None
    """The path of the file; None if it was written to a sink."""
    size: int
    """The size of the file in bytes."""
    resumed_from: int
    """How many of its bytes an earlier, interrupted download had written."""
    file_name: str | None
    """The file name in the document."""
    links: int
    """How many links were requested; more than one when the first ones expired."""


async def download_document(
    executor: Executor,
    document_id: str | UUID,
    target: str | PathLike[str] | Sink,
    *,
    on_progress: ByteProgress | None = None,
) -> Download:
    """Save the file of a document; see `Documents.download`."""
    check_callback("on_progress", on_progress)
    link = DownloadLink(executor, document_id)
    destination = await executor.run_within_deadline(build_destination(target))
    await link.open()
    try:
        async with AsyncExitStack() as stack:
            reserved = destination.reserve(link.file_name, link.document_id)
            await executor.run_within_deadline(stack.enter_async_context(reserved))
            download = _ActiveDownload(executor, link, destination, on_progress)
            return await download.run()
    except DownloadError as error:
        link.add_details(error)
        raise


class _ActiveDownload:
    """A download in progress.

    The validators of every response are compared with the known ones. If the file
    changes, the download restarts, once. If the host has no strong ETag, each chunk
    begins with the last bytes of the one before, which are compared.
    """

    def __init__(
        self,
        executor: Executor,
        link: DownloadLink,
        destination: PathDestination | SinkDestination,
        on_progress: ByteProgress | None,
    ) -> None:
        self._within_deadline = executor.run_within_deadline
        self._open_call = executor.open_call
        self._link = link
        self._destination = destination
        self._on_progress = on_progress
        self._validators = Validators()
        self._restarts = 0
        self._is_ranged = True
        self._whole_size: int | None = None  # to expect from a request without range
        self._is_finished = False
        self._done = 0
        self._tail = b""  # the last bytes, not yet compared with the next chunk
        self._resumed = 0

    async def run(self) -> Download:
        """Download the file to its end."""
        begin = self._destination.begin(self._link.document_id)
        resumed = await self._within_deadline(begin)
        self._done = self._resumed = resumed.size
        self._tail, self._validators = resumed.tail, resumed.validators
        while not self._is_finished:
            await self._process(await self._fetch())
        await self._within_deadline(self._destination.finish(self._done))
        return Download(
            path=self._destination.path,
            size=self._done,
            resumed_from=self._resumed,
            file_name=self._link.file_name,
            links=self._link.links,
        )

    @property
    def _start(self) -> int:
        """The offset of the first byte to request."""
        return self._done - len(self._tail) if self._is_ranged else 0

    @property
    def _is_resuming(self) -> bool:
        """Whether all bytes written so far are from an earlier download."""
        return 0 < self._resumed == self._done

    async def _fetch(self) -> Response:
        if not self._is_ranged:
            return await self._link.fetch_whole(self._whole_size)
        condition = self._validators.condition if self._done else None
        return await self._link.fetch_chunk(self._start, condition)

    async def _process(self, response: Response) -> None:
        if response.status == HTTPStatus.PARTIAL_CONTENT:
            await self._process_part(response)
        elif response.status == HTTPStatus.OK:
            await self._process_whole(response)
        else:
            await self._process_end(response)

    async def _process_part(self, response: Response) -> None:
        """Process a response with status 206, which has a part of the file."""
        span = ContentRange.parse(response)
        # A range of a compressed body cannot be decompressed.
        if span is None or is_compressed(response) or span.start != self._start:
            self._give_up_ranges()
        elif not self._is_ranged:
            if span.stop != span.total:
                self._give_up_ranges()
            await self._process_whole(response)
        else:
            validators = Validators.from_headers(response.headers, span.total)
            await self._process_chunk(validators, response.body)

    def _give_up_ranges(self) -> None:
        """Request the whole file next, because the host sent other bytes.

        Raises:
            DownloadError: the whole file was requested already.
        """
        if not self._is_ranged:
            raise DownloadError(
                "the file host sent other bytes than were requested, also without a"
                " range; try again later"
            )
        self._is_ranged = False

    async def _process_chunk(self, validators: Validators, body: bytes) -> None:
        """Add the new bytes of a chunk, if it continues the bytes written so far."""
        cannot_be_compared = self._is_resuming and not validators.is_known
        if cannot_be_compared or self._validators.differs_from(validators):
            self._restart(validators)
            return
        self._validators = self._validators.merge(validators)
        compared = min(len(self._tail), len(body))
        if body[:compared] != self._tail[:compared]:
            self._restart()
            return
        self._tail = self._tail[compared:]
        if self._tail:
            return  # the chunk was short; the next one is compared with the rest
        new = body[compared:]
        await self._add(new)
        self._is_finished = self._done == self._validators.size
        overlap = min(OVERLAP, len(new) // _OVERLAP_SHARE)
        if overlap and not validators.is_strong:
            self._tail = new[-overlap:]

    async def _process_whole(self, response: Response) -> None:
        """Process a response that has the whole file."""
        if not isinstance(self._destination, SinkDestination):
            self._reset()
        elif not await self._destination.has_written(response.body[: self._done]):
            raise self._build_changed_error()
        size = len(response.body)
        self._validators = Validators.from_headers(response.headers, size)
        await self._add(response.body[self._done :])
        self._is_finished = True

    async def _process_end(self, response: Response) -> None:
        """Process a response with status 416: the file has ended, or has changed."""
        span = ContentRange.parse(response)
        size = None if span is None else span.total
        is_end = size is None and self._validators.size is None and self._done > 0
        if self._tail:
            self._restart()  # the file is shorter than the bytes so far
        elif size == self._done or is_end:
            self._validators = evolve(self._validators, size=self._done)
            await self._add(b"")
            self._is_finished = True
        elif size is None and self._done == 0 and self._is_ranged:
            self._is_ranged = False  # some hosts answer so for an empty file
        else:
            self._restart()

    def _check_kind(self, data: bytes) -> None:
        """Refuse a page that the host sent in place of the file, with status 200.

        Args:
            data: the first bytes of the file, all of them if it is short.
        """
        page = describe_page(data, self._link.file_name)
        if page is not None:
            raise DownloadError(
                f"the file host sent {page} in place of the file, and nothing was"
                " written; try again later"
            )

    def _restart(self, validators: Validators | None = None) -> None:
        """Start again, because a response belongs to another file.

        Args:
            validators: the validators of the response. If some of them did not
                change, the host is inconsistent, and the whole file is requested at
                once.

        Raises:
            DownloadError: the file changed twice, or is written to a sink.
        """
        if self._is_resuming:
            self._reset()
            return
        if self._restarts or (self._done and not self._destination.can_restart):
            if validators is None or not self._can_request_whole(validators):
                raise self._build_changed_error()
            self._is_ranged, self._whole_size = False, validators.size
        self._restarts += 1
        if self._destination.can_restart:
            self._reset()

    def _can_request_whole(self, validators: Validators) -> bool:
        """Whether to request the whole file at once from an inconsistent host."""
        max_size = self._link.max_whole_size
        is_small = validators.size is not None and validators.size <= max_size
        is_inconsistent = self._validators.is_inconsistent_with(validators)
        return is_small and self._is_ranged and is_inconsistent

    def _build_changed_error(self) -> DownloadError:
        if self._done and not self._destination.can_restart:
            return DownloadError(
                "the file changed after a part of it was written to the sink; clear the"
                " sink and download again"
            )
        return DownloadError(
            "the file changed twice while it was downloaded; try again later"
        )

    def _reset(self) -> None:
        """Start at the first byte; the next write replaces all bytes so far."""
        self._done = self._resumed = 0
        self._tail = b""
        self._validators = Validators()

    async def _add(self, data: bytes) -> None:
        if not self._done:
            self._check_kind(data)
        if data or not self._done:
            write = self._destination.write(self._done, data, self._validators)
            await self._within_deadline(write)
        self._done += len(data)
        if data:
            self._link.reset_refusals()
        with self._open_call():
            await run_callback(self._on_progress, self._done, self._validators.size)
