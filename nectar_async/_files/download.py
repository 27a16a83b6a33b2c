"""The file of a document: chunk by chunk, until all of it is there, and of one file."""

from __future__ import annotations

from http import HTTPStatus
from os import PathLike
from pathlib import Path
from typing import Final
from uuid import UUID

from attrs import evolve, frozen

from nectar_async._files.destination import PathTarget, Sink, SinkTarget, target_of
from nectar_async._files.download_link import Host, document_request
from nectar_async._files.partial_file import OVERLAP
from nectar_async._files.progress import ByteProgress, callback, tell
from nectar_async._files.validators import Validators
from nectar_async._http.executor import Executor
from nectar_async._http.response import Response
from nectar_async._http.status import ContentRange, is_compressed
from nectar_async.errors import DownloadError

__all__ = ["Download", "Sink", "document_request", "download"]

_OVERLAP_SHARE: Final = 16
"""An overlap is at most this part of a chunk, so that short ones get on as well."""


@frozen(kw_only=True)
class Download:
    """A file that was saved."""

    path: Path | None
    """Where it is; None when it went to a sink."""
    size: int
    """Its bytes."""
    resumed_from: int
    """The bytes of it that were there from an earlier, interrupted download."""
    file_name: str | None
    """What the document calls it, as the API has it."""
    links: int
    """How many links were asked for; more than one when the first ones expired."""


async def download(
    executor: Executor,
    document_id: str | UUID,
    target: str | PathLike[str] | Sink,
    *,
    on_progress: ByteProgress | None = None,
) -> Download:
    """Save the file of a document; see `Documents.download`."""
    callback("on_progress", on_progress)
    host = Host(executor, document_id)
    place = await target_of(target)
    await host.open()
    try:
        async with place.reserved(host.file_name, host.document_id):
            return await _Walk(host, place, on_progress).run()
    except DownloadError as error:
        host.described(error)
        raise


class _Walk:
    """One download on its way.

    What the host says of the file is compared with every answer. A file that changes is
    begun again, once. Where the host promises nothing firm (no strong ETag), each chunk
    begins with the end of the one before.
    """

    def __init__(
        self,
        host: Host,
        place: PathTarget | SinkTarget,
        on_progress: ByteProgress | None,
    ) -> None:
        self._host = host
        self._place = place
        self._on_progress = on_progress
        self._known = Validators()
        self._restarts = 0
        self._in_ranges = True
        self._whole: int | None = None  # how much to ask for when not in ranges
        self._is_over = False
        self._done = 0
        self._tail = b""  # the end of what is done that is still to be compared
        self._resumed = 0

    async def run(self) -> Download:
        """Go all the way."""
        rest = await self._place.begin(self._host.document_id)
        self._done = self._resumed = rest.size
        self._tail, self._known = rest.tail, rest.validators
        while not self._is_over:
            await self._take(await self._ask())
        await self._place.finish(self._done)
        return Download(
            path=self._place.path,
            size=self._done,
            resumed_from=self._resumed,
            file_name=self._host.file_name,
            links=self._host.links,
        )

    @property
    def _start(self) -> int:
        """The first byte to ask for."""
        return self._done - len(self._tail)

    @property
    def _is_resuming(self) -> bool:
        """Whether all that is there is from another time."""
        return 0 < self._resumed == self._done

    async def _ask(self) -> Response:
        if not self._in_ranges:
            return await self._host.whole(self._whole)
        condition = self._known.condition if self._done else None
        return await self._host.chunk(self._start, condition)

    async def _take(self, response: Response) -> None:
        if response.status == HTTPStatus.PARTIAL_CONTENT:
            await self._take_part(response)
        elif response.status == HTTPStatus.OK:
            await self._take_whole(response)
        else:
            await self._take_end(response)

    async def _take_part(self, response: Response) -> None:
        """206: some of the bytes that were asked for, from the first one on."""
        span = ContentRange.parse(response)
        # Parts of a packed form cannot be unpacked.
        if span is None or is_compressed(response) or span.start != self._wanted:
            self._give_up_ranges()
        elif not self._in_ranges:
            if span.stop != span.total:
                self._give_up_ranges()
            await self._take_whole(response)
        else:
            found = Validators.of(response.headers, span.total)
            await self._take_chunk(found, response.body)

    @property
    def _wanted(self) -> int:
        return self._start if self._in_ranges else 0

    def _give_up_ranges(self) -> None:
        """The host gave other bytes than were asked for: ask for all of them, once."""
        if not self._in_ranges:
            raise DownloadError(
                "the file host gave other bytes than were asked for, without ranges as"
                " well; try again later"
            )
        self._in_ranges = False

    async def _take_chunk(self, found: Validators, body: bytes) -> None:
        """Add what is new of a chunk, if it goes on from what is there."""
        is_unproven = self._is_resuming and not found.is_known
        if is_unproven or self._known.differs(found):
            self._begin_again(found)
            return
        self._known = self._known.merged(found)
        known = min(len(self._tail), len(body))
        if body[:known] != self._tail[:known]:
            self._begin_again()
            return
        self._tail = self._tail[known:]
        if self._tail:
            return  # a short answer; the rest of the tail is compared next
        new = body[known:]
        await self._add(new)
        self._is_over = self._done == self._known.size
        kept = min(OVERLAP, len(new) // _OVERLAP_SHARE)
        if kept and not found.is_strong:
            self._tail = new[-kept:]

    async def _take_whole(self, response: Response) -> None:
        """The whole file in one answer, so all of it is of one file."""
        if not isinstance(self._place, SinkTarget):
            self._forget()
        elif not await self._place.has(response.body[: self._done]):
            raise self._changed()
        size = len(response.body)
        self._known = Validators.of(response.headers, size)
        await self._add(response.body[self._done :])
        self._is_over = True

    async def _take_end(self, response: Response) -> None:
        """416: there is nothing at that place; the end, or another file."""
        span = ContentRange.parse(response)
        size = None if span is None else span.total
        is_end = size is None and self._known.size is None and self._done > 0
        if self._tail:
            self._begin_again()  # what is there is longer than the file
        elif size == self._done or is_end:
            self._known = evolve(self._known, size=self._done)
            await self._add(b"")
            self._is_over = True
        elif size is None and self._done == 0 and self._in_ranges:
            self._in_ranges = False  # so some say that the file is empty
        else:
            self._begin_again()

    def _begin_again(self, found: Validators | None = None) -> None:
        """What came does not go on from what is there: it is of another file.

        Args:
            found: what the host says of it. If some of that is as before, the host does
                not agree with itself: then one answer has to give the whole file.
        """
        if self._is_resuming:
            self._forget()
            return
        if self._restarts or (self._done and not self._place.can_restart):
            if found is None or not self._can_be_whole(found):
                raise self._changed()
            self._in_ranges, self._whole = False, found.size
        self._restarts += 1
        if self._place.can_restart:
            self._forget()

    def _can_be_whole(self, found: Validators) -> bool:
        """Whether one answer may end it, where the host does not agree with itself."""
        is_small = found.size is not None and found.size <= self._host.most_whole
        return is_small and self._in_ranges and self._known.is_divided(found)

    def _changed(self) -> DownloadError:
        if self._done and not self._place.can_restart:
            return DownloadError(
                "the file changed after a part of it was given to the sink; clear that"
                " and download again"
            )
        return DownloadError(
            "the file changed twice while it was downloaded; try again later"
        )

    def _forget(self) -> None:
        """Begin at the beginning; the first bytes replace what is there."""
        self._done = self._resumed = 0
        self._tail = b""
        self._known = Validators()

    async def _add(self, data: bytes) -> None:
        if data or not self._done:
            await self._place.write(self._done, data, self._known)
        self._done += len(data)
        if data:
            self._host.advanced()
        await tell(self._on_progress, self._done, self._known.size)
