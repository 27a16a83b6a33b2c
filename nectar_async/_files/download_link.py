"""The host of one file: fresh links, redirects, and as many bytes at once as it can."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from nectar_async._files.ranges import address_of, chunk_request, redirected
from nectar_async._http.executor import Executor
from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async._http.status import REDIRECTS
from nectar_async._types import Secret
from nectar_async.contract.operation_ids import DOWNLOAD
from nectar_async.errors import (
    AttemptTimeoutError,
    BodyTooLargeError,
    DownloadError,
    ServerTimeoutError,
    StatusError,
)
from nectar_async.models.document import Document

__all__ = ["Host", "document_request"]

_CHUNK: Final = 4 * 1024 * 1024
_LEAST: Final = 64 * 1024
_MOST_REDIRECTS: Final = 3

# A chunk that took too long is cut to a quarter, and grows to the double only where
# that has time enough: what is thrown away is what slow links have least of.
_CUT: Final = 4
_GROWTH: Final = 2

# A link that expired, was withdrawn or has its signature refused; stores differ.
_REFUSED: Final = frozenset({400, 401, 403, 404, 410})
_MOST_REFUSALS: Final = 2


def document_request(document_id: str | UUID) -> Request[Document]:
    """The request for a document."""
    return Request.get(
        "documents_get", "/document/{document_id}", Document, document_id=document_id
    )


class Host:
    """Where the file of a document is; `open` comes first.

    Raises:
        InvalidArgumentError: `document_id` is none.
    """

    def __init__(self, executor: Executor, document_id: str | UUID) -> None:
        self._executor = executor
        self._request = document_request(document_id)
        self.document_id: str = self._request.parts["document_id"]
        self.file_name: str | None = None
        """What the document calls the file."""
        self.links: int = 0
        """How many links were asked for."""
        self.most_whole: int = executor.settings.max_body_bytes
        """The largest file that can come in one answer."""
        self._address: Secret[str]
        self._refusals = 0  # links refused since the last byte that was new
        self._size = min(_CHUNK, self.most_whole)
        self._can_condition = True

    async def open(self) -> None:
        """Have a link.

        Raises:
            DownloadError: the document has none that can be used.
        """
        await self._renew()

    def advanced(self) -> None:
        """Note that bytes came that were new."""
        self._refusals = 0

    async def whole(self, size: int | None) -> Response:
        """The answer to the whole file at once, of that size if it is known."""
        return await self._ask(None if size is None else (0, size), None)

    async def chunk(self, start: int, condition: str | None) -> Response:
        """The answer to the next chunk, over as many links and sizes as it takes.

        Args:
            start: the first byte.
            condition: what tells which file it has to be. It is left out from where a
                host answers it with more than can be had.
        """
        while True:
            if not self._can_condition:
                condition = None
            span = (start, start + self._size)
            try:
                response = await self._ask(
                    span, condition, can_halve=self._size > _LEAST
                )
            except (AttemptTimeoutError, ServerTimeoutError):
                self._can_condition = False  # the whole file may have been on its way
                if not self._shrunk() and condition is None:
                    raise
            except BodyTooLargeError:
                if condition is None:
                    raise
                self._can_condition = False
            else:
                self._grow(response)
                return response

    def error(self, words: str) -> DownloadError:
        """An error that says of which document it is."""
        return self.described(DownloadError(words))

    def described(self, error: DownloadError) -> DownloadError:
        """The error, with what it is about."""
        error.operation = DOWNLOAD
        error.target = self._request.target
        return error

    async def _renew(self) -> None:
        document = await self._executor.send(self._request)
        self.links += 1
        if self.links == 1:
            self.file_name = document.file_name
        if document.url is None:
            raise self.error(
                "it has no file (its url is null); it may still be in processing: look"
                " again later"
            )
        address = address_of(document.url)
        if address is None:
            raise self.error("its link is no web address; report it to the support")
        self._address = address

    async def _refused(self, status: int) -> None:
        """Have another link, unless that did not help before."""
        if self._refusals == _MOST_REFUSALS:
            raise self.error(
                f"the file host refused {_MOST_REFUSALS + 1} links in a row, the last"
                f" with {status}, though each was fresh; try again later, and tell the"
                " support if it stays so"
            )
        self._refusals += 1
        await self._renew()

    async def _ask(
        self,
        span: tuple[int, int] | None,
        condition: str | None,
        *,
        can_halve: bool = False,
    ) -> Response:
        """The answer, over as many links as it takes."""
        while True:
            try:
                return await self._follow(span, condition, can_halve=can_halve)
            except StatusError as error:
                if error.status not in _REFUSED:
                    raise
                status = error.status
            except AttemptTimeoutError as error:
                _advise(error)
                raise
            await self._refused(status)

    async def _follow(
        self,
        span: tuple[int, int] | None,
        condition: str | None,
        *,
        can_halve: bool,
    ) -> Response:
        """The answer of the last host of a few."""
        for _ in range(_MOST_REDIRECTS + 1):
            response = await self._executor.fetch_file(
                chunk_request(
                    self.document_id,
                    self._address,
                    span,
                    condition=condition,
                    can_halve=can_halve,
                )
            )
            if response.status not in REDIRECTS:
                return response
            address = redirected(self._address, response)
            if address is None:
                raise self.error(
                    "the file host redirects to nowhere, to itself, or from https to"
                    " http, which is not followed; report it to the support"
                )
            self._address = address
        raise self.error(
            f"the file host redirects more than {_MOST_REDIRECTS} times; report it to"
            " the support"
        )

    def _shrunk(self) -> bool:
        """Whether fewer bytes can be asked for; then they are from now on."""
        if self._size <= _LEAST:
            return False
        self._size = max(_LEAST, self._size // _CUT)
        return True

    def _grow(self, response: Response) -> None:
        """Ask for more at once, if this came so quickly that twice of it may come."""
        seconds = self._executor.settings.attempt_timeout
        took = 0.0 if response.timing is None else response.timing.network_seconds
        if seconds is None or took * _GROWTH**2 <= seconds:
            self._size = min(self._size * _GROWTH, _CHUNK, self.most_whole)


def _advise(error: AttemptTimeoutError | ServerTimeoutError) -> None:
    """Say on the error of a slow host what there is to do."""
    if isinstance(error, AttemptTimeoutError):
        error.message += (
            "; fewer bytes at once cannot be had (a host that ignores ranges gives the"
            " whole file): set a longer attempt_timeout"
        )
        error.args = (error.message,)
