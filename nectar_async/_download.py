"""The file of a document: from link to link and chunk to chunk, until all is there."""

from __future__ import annotations

from http import HTTPStatus
from os import PathLike
from pathlib import Path
from typing import Final
from uuid import UUID

from attrs import frozen

from nectar_async._callback import Callback, tell
from nectar_async._chunk import (
    OPERATION,
    REDIRECTS,
    Span,
    address_of,
    chunk_request,
    etag_of,
    is_packed,
    redirected,
)
from nectar_async._core import Core
from nectar_async._request import Request
from nectar_async._response import Response
from nectar_async._secret import Secret
from nectar_async._target import PathTarget, Sink, SinkTarget, target_of
from nectar_async.errors import DownloadError, StatusError
from nectar_async.models.document import Document

__all__ = ["Download", "Sink", "document_request", "download"]

_CHUNK: Final = 4 * 1024 * 1024
_MOST_REDIRECTS: Final = 3

# A link that expired, was withdrawn or has its signature refused; stores differ.
_REFUSED: Final = frozenset({400, 401, 403, 404, 410})
_MOST_REFUSALS: Final = 2


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


def document_request(document_id: str | UUID) -> Request[Document]:
    """The request for a document."""
    return Request.get(
        "documents_get", "/document/{document_id}", Document, document_id=document_id
    )


async def download(
    core: Core,
    document_id: str | UUID,
    target: str | PathLike[str] | Sink,
    *,
    on_progress: Callback | None = None,
) -> Download:
    """Save the file of a document; see `Documents.download`."""
    request = document_request(document_id)
    place = await target_of(target)
    return await _Walk(core, request, place, on_progress).run()


class _Walk:
    """One download on its way."""

    def __init__(
        self,
        core: Core,
        request: Request[Document],
        place: PathTarget | SinkTarget,
        on_progress: Callback | None,
    ) -> None:
        self._core = core
        self._request = request
        self._id = request.parts["document_id"]
        self._place = place
        self._on_progress = on_progress
        self._address: Secret[str]
        self._file_name: str | None = None
        self._links = 0
        self._refusals = 0  # links refused since the last byte that was new
        self._restarts = 0
        self._in_ranges = True
        self._is_over = False
        self._done = 0
        self._tail = b""  # the end of what is done that is still to be compared
        self._resumed = 0
        self._total: int | None = None
        self._etag: str | None = None

    async def run(self) -> Download:
        """Go all the way."""
        await self._renew()
        with self._place.reserved(self._file_name, self._id):
            self._done, self._tail = await self._place.begin()
            self._resumed = self._done
            while not self._is_over:
                await self._take(await self._ask())
            found = await self._place.finish(self._done)
        if found != self._done:
            raise self._error(
                f"{self._done:,} bytes were written and the .part file has {found:,}:"
                " something else writes there too; download to another path"
            )
        return Download(
            path=self._place.path,
            size=self._done,
            resumed_from=self._resumed,
            file_name=self._file_name,
            links=self._links,
        )

    async def _renew(self) -> None:
        """Have a fresh link."""
        document = await self._core.send(self._request)
        self._links += 1
        if self._links == 1:
            self._file_name = document.file_name
        if document.url is None:
            raise self._error(
                "it has no file (its url is null); it may still be in processing: look"
                " again later"
            )
        address = address_of(document.url)
        if address is None:
            raise self._error("its link is no web address; report it to the support")
        self._address = address

    @property
    def _span(self) -> tuple[int, int]:
        """The bytes to ask for next, the end excluded."""
        start = self._done - len(self._tail)
        return start, start + min(_CHUNK, self._core.settings.max_body_bytes)

    async def _ask(self) -> Response:
        """The answer to the next chunk, over as many links as it takes."""
        while True:
            try:
                return await self._follow()
            except StatusError as error:
                if error.status not in _REFUSED:
                    raise
                status = error.status
            if self._refusals == _MOST_REFUSALS:
                raise self._error(
                    f"the file host refused {_MOST_REFUSALS + 1} links in a row, the"
                    f" last with {status}, though each was fresh; try again later, and"
                    " tell the support if it stays so"
                )
            self._refusals += 1
            await self._renew()

    async def _follow(self) -> Response:
        """The answer of the last host of a few."""
        start, stop = self._span
        for _ in range(_MOST_REDIRECTS + 1):
            response = await self._core.fetch(
                chunk_request(
                    self._id, self._address, start, stop if self._in_ranges else None
                )
            )
            if response.status not in REDIRECTS:
                return response
            address = redirected(self._address, response)
            if address is None:
                raise self._error(
                    "the file host redirects to nowhere, to itself, or from https to"
                    " http, which is not followed; report it to the support"
                )
            self._address = address
        raise self._error(
            f"the file host redirects more than {_MOST_REDIRECTS} times; report it to"
            " the support"
        )

    async def _take(self, response: Response) -> None:
        if response.status == HTTPStatus.PARTIAL_CONTENT:
            await self._take_part(response)
        elif response.status == HTTPStatus.OK:
            await self._take_whole(response)
        else:
            await self._take_end(response)

    async def _take_part(self, response: Response) -> None:
        """206: some of the bytes that were asked for, from the first one on."""
        is_useless = is_packed(response)  # parts of a packed form cannot be unpacked
        if is_useless and self._in_ranges:
            self._in_ranges = False
            return
        start, stop = self._span
        span = Span.of(response)
        if is_useless or span is None or span.start != start or span.stop > stop:
            raise self._error(
                "the file host gave other bytes than were asked for; try again later"
            )
        if self._is_changed(span.total, response):
            self._start_over()
            return
        if not response.body.startswith(self._tail):
            self._forget()  # what is there is of another file
            return
        body, self._tail = response.body[len(self._tail) :], b""
        await self._add(body)
        self._is_over = self._done == self._total

    async def _take_whole(self, response: Response) -> None:
        """200: the host does not know of ranges, and gives everything."""
        if self._place.can_restart:
            self._forget()
        size = len(response.body)
        if self._is_changed(size, response) or size < self._done:
            self._start_over()
            self._total = size
        await self._add(response.body[self._done :])
        self._is_over = True

    async def _take_end(self, response: Response) -> None:
        """416: there is nothing at that place; the end, or another file."""
        span = Span.of(response)
        size = None if span is None else span.total
        is_end = size is None and self._total is None and self._done > 0
        if self._tail:
            self._forget()  # what is there is longer than the file
        elif size == self._done or is_end:
            self._total = self._done
            await self._add(b"")
            self._is_over = True
        elif size is None and self._done == 0 and self._in_ranges:
            self._in_ranges = False  # so some say that the file is empty
        else:
            self._start_over()

    def _is_changed(self, total: int | None, response: Response) -> bool:
        """Whether this is another file than before; notes what it is."""
        etag = etag_of(response)
        known = ((self._total, total), (self._etag, etag))
        if any(None not in pair and pair[0] != pair[1] for pair in known):
            return True
        self._total = self._total if total is None else total
        self._etag = self._etag or etag
        return False

    def _start_over(self) -> None:
        """The file changed on the way: once more, from the beginning."""
        if self._done and not self._place.can_restart:
            raise self._error(
                "the file changed after a part of it was given to the sink; clear that"
                " and download again"
            )
        if self._restarts:
            raise self._error(
                "the file changed twice while it was downloaded; try again later"
            )
        self._restarts += 1
        self._forget()

    def _forget(self) -> None:
        """Begin at the beginning; the first bytes replace what is there."""
        self._done = self._resumed = 0
        self._tail = b""
        self._total = self._etag = None

    async def _add(self, data: bytes) -> None:
        if data or not self._done:
            await self._place.write(self._done, data)
        self._done += len(data)
        if data:
            self._refusals = 0
        await tell(self._on_progress, self._done, self._total)

    def _error(self, words: str) -> DownloadError:
        error = DownloadError(words)
        error.operation = OPERATION
        error.target = self._request.target
        return error
