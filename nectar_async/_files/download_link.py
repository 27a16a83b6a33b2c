"""The link of a document's file: replaced when it expires, and redirects followed.

Anyone with the link of a file can read a bill without a key. So links are kept as
`Secret` until they are put in a request. No error contains the text of a file host's
response, because object stores print the signature of the link in it.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, urljoin, urlsplit
from uuid import UUID

from nectar_async._http.executor import Executor
from nectar_async._http.file_response import REDIRECTS
from nectar_async._http.request import Request
from nectar_async._http.response import Response
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

__all__ = ["DownloadLink"]

_CHUNK: Final = 4 * 1024 * 1024
_MIN_CHUNK: Final = 64 * 1024
_MAX_REDIRECTS: Final = 3

# After a timeout, chunks have a quarter of the size. They are doubled only when there
# is time for that: a request that times out wastes the bytes of a slow connection.
_CUT: Final = 4
_GROWTH: Final = 2

# The statuses of a link that expired, was withdrawn, or has a refused signature, for
# different object stores.
_REFUSED: Final = frozenset({400, 401, 403, 404, 410})
_MAX_REFUSALS: Final = 2

# The characters that a URL may contain; others are escaped, as browsers do.
_URL_CHARACTERS: Final = "!#$%&'()*+,/:;=?@[]~"


class DownloadLink:
    """Fetches bytes of a document's file; `open` must be called first.

    Raises:
        InvalidArgumentError: `document_id` is not valid.
    """

    def __init__(self, executor: Executor, document_id: str | UUID) -> None:
        self._executor = executor
        self._request: Request[Document] = Request.get(
            "documents_get",
            "/document/{document_id}",
            Document,
            document_id=document_id,
        )
        self.document_id: str = self._request.parts["document_id"]
        self.file_name: str | None = None
        """The file name in the document."""
        self.links: int = 0
        """How many links were requested."""
        self.max_whole_size: int = executor.settings.max_body_bytes
        """The size of the largest file that one response can bring."""
        self._url: Secret[str]
        self._refusals = 0  # links refused since the last new byte
        self._size = min(_CHUNK, self.max_whole_size)
        self._can_condition = True

    async def open(self) -> None:
        """Request the first link.

        Raises:
            DownloadError: the document has no link, or one that is no URL.
        """
        await self._request_link()

    def reset_refusals(self) -> None:
        """Note that new bytes arrived, so the link works."""
        self._refusals = 0

    async def fetch_whole(self, size: int | None) -> Response:
        """Fetch the whole file in one response; `size` is None if it is not known."""
        return await self._fetch(None if size is None else (0, size), None)

    async def fetch_chunk(self, start: int, condition: str | None) -> Response:
        """Fetch the next chunk, with as many links and sizes as it takes.

        Args:
            start: the first byte.
            condition: the validator of the file; see `build_range_request`. It is left
                out once a host has answered it with too many bytes.
        """
        while True:
            if not self._can_condition:
                condition = None
            span = (start, start + self._size)
            try:
                response = await self._fetch(
                    span, condition, can_halve=self._size > _MIN_CHUNK
                )
            except (AttemptTimeoutError, ServerTimeoutError):
                self._can_condition = False  # perhaps the whole file was being sent
                if not self._shrink() and condition is None:
                    raise
            except BodyTooLargeError:
                if condition is None:
                    raise
                self._can_condition = False
            else:
                self._grow(response)
                return response

    def add_details(self, error: DownloadError) -> DownloadError:
        """Set the operation and the document of an error."""
        error.operation = DOWNLOAD
        error.target = self._request.target
        return error

    async def _request_link(self) -> None:
        document = await self._executor.send(self._request)
        self.links += 1
        if self.links == 1:
            self.file_name = document.file_name
        if document.url is None:
            raise self._build_error(
                "it has no file (its url is null); it may still be in processing: try"
                " again later"
            )
        url = _parse_link(document.url)
        if url is None:
            raise self._build_error("its link is no web address; report it to support")
        self._url = url

    async def _replace_link(self, status: int) -> None:
        """Request another link, unless several were refused already.

        Raises:
            DownloadError: too many links were refused since the last new byte.
        """
        if self._refusals == _MAX_REFUSALS:
            raise self._build_error(
                f"the file host refused {_MAX_REFUSALS + 1} links in a row, the last"
                f" with {status}, though each was new; try again later, and report it"
                " to support if it persists"
            )
        self._refusals += 1
        await self._request_link()

    async def _fetch(
        self,
        span: tuple[int, int] | None,
        condition: str | None,
        *,
        can_halve: bool = False,
    ) -> Response:
        """Fetch a range, with as many links as it takes."""
        while True:
            try:
                return await self._follow(span, condition, can_halve=can_halve)
            except StatusError as error:
                if error.status not in _REFUSED:
                    raise
                status = error.status
            except AttemptTimeoutError as error:
                _add_advice(error)
                raise
            await self._replace_link(status)

    async def _follow(
        self,
        span: tuple[int, int] | None,
        condition: str | None,
        *,
        can_halve: bool,
    ) -> Response:
        """Fetch a range from the link; follow and remember redirects."""
        for _ in range(_MAX_REDIRECTS + 1):
            response = await self._executor.fetch_file(
                _build_range_request(
                    self.document_id,
                    self._url,
                    span,
                    condition=condition,
                    can_halve=can_halve,
                )
            )
            if response.status not in REDIRECTS:
                return response
            url = _resolve_redirect(self._url, response)
            if url is None:
                raise self._build_error(
                    "the file host redirects to nowhere, to itself, or from https to"
                    " http, which is not followed; report it to support"
                )
            self._url = url
        raise self._build_error(
            f"the file host redirects more than {_MAX_REDIRECTS} times; report it to"
            " support"
        )

    def _build_error(self, message: str) -> DownloadError:
        return self.add_details(DownloadError(message))

    def _shrink(self) -> bool:
        """Make later chunks smaller, and return whether that is possible."""
        if self._size <= _MIN_CHUNK:
            return False
        self._size = max(_MIN_CHUNK, self._size // _CUT)
        return True

    def _grow(self, response: Response) -> None:
        """Make later chunks larger, if this response was fast enough for that."""
        limit = self._executor.settings.attempt_timeout
        timing = response.timing
        seconds = 0.0 if timing is None else timing.network_seconds
        if limit is None or seconds * _GROWTH**2 <= limit:
            self._size = min(self._size * _GROWTH, _CHUNK, self.max_whole_size)


def _add_advice(error: AttemptTimeoutError) -> None:
    """Add to the error of a slow host what the user can do."""
    error.message += (
        "; smaller ranges are not possible (a host that ignores ranges sends the whole"
        " file): set a longer attempt_timeout"
    )
    error.args = (error.message,)


def _build_range_request(
    document_id: str,
    url: Secret[str],
    span: tuple[int, int] | None,
    *,
    condition: str | None = None,
    can_halve: bool = False,
) -> Request[bytes]:
    """Build a request for a range of bytes, or for the whole file.

    Args:
        document_id: the document, for errors and recordings.
        url: the link.
        span: the first byte and the one after the last; None for the whole file.
        condition: the validator for `If-Range`: if the file is another one, the host
            sends it as a whole.
        can_halve: whether fewer bytes may be requested when these take too long.
    """
    headers = {"Accept-Encoding": "identity"}
    if span is not None:
        headers["Range"] = f"bytes={span[0]}-{span[1] - 1}"
        if condition is not None:
            headers["If-Range"] = condition
    return Request(
        operation=DOWNLOAD,
        method="GET",
        path="",
        returns=bytes,
        parts={"document_id": document_id},
        headers=headers,
        is_repeatable=True,
        url=url.reveal(),
        can_halve=can_halve,
    )


def _parse_link(link: Secret[str]) -> Secret[str] | None:
    """Check and escape a link; returns None if it is no http or https URL."""
    text = quote(link.reveal().strip(), safe=_URL_CHARACTERS)
    try:
        parts = urlsplit(text)
        is_web = parts.scheme in {"http", "https"} and bool(parts.hostname)
        _port = parts.port
    except ValueError:
        return None
    return Secret(text) if is_web else None


def _resolve_redirect(url: Secret[str], response: Response) -> Secret[str] | None:
    """Resolve the target of a redirect.

    Returns None if there is none, if it is the same URL, and for a redirect from https
    to http.
    """
    try:
        joined = urljoin(url.reveal(), response.headers.get("location", ""))
    except ValueError:
        return None
    target = _parse_link(Secret(joined))
    if target is None or target == url:
        return None
    is_secure = url.reveal().startswith("https:")
    if is_secure and not target.reveal().startswith("https:"):
        return None
    return target
