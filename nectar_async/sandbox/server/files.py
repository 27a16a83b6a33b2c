"""The files of documents, behind signed links that expire, as in a storage bucket.

A link works without an API key (and a request with one is refused), supports range
requests, and expires after 24 hours of the sandbox's time.

Usage records are encoded once and sent many times, while a link's address and signature
are known only when it is sent. So `mark_link` puts a marker in their JSON, and
`insert_links` replaces the markers in a reply.
"""

from __future__ import annotations

import hmac
import re
from email.utils import formatdate
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

from attrs import field, frozen

from nectar_async.sandbox.generator.pdf import draw_file_size, make_pdf
from nectar_async.sandbox.server.messages import RefusalError, Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nectar_async.sandbox.generator.server_clock import ServerClock
    from nectar_async.sandbox.server.messages import FilePart

__all__ = [
    "FILES_PATH",
    "FileStore",
    "FilesRefusalError",
    "build_expired_error",
    "build_missing_error",
    "mark_link",
]

FILES_PATH = "/_files"
"""The prefix of the paths of files."""

_LIFETIME = 24 * 3_600
_MINUTE = 60
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)
_NAME = re.compile(rf"{FILES_PATH}/([0-9a-f-]{{36}})\.pdf")
_FORBIDDEN = 403
_NOT_FOUND = 404
_PARTIAL = 206
_OUT_OF_RANGE = 416
_TYPES = {".pdf": "application/pdf", ".png": "image/png"}
_OTHER_TYPE = "image/jpeg"
# A long marker makes the search in a page of 200 kB faster: it skips more at a time.
_MARK = f"{{{'@' * 22}}}"
_MARK_BYTES = _MARK.encode()


def mark_link(document_id: str) -> str:
    """Build the marker for a link to a document's file."""
    return f"{_MARK}{document_id}.pdf{_MARK}"


class FilesRefusalError(RefusalError):
    """A refusal in the format of a storage bucket: XML, without `detail`."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(status, detail)
        self.code = code

    @property
    def reply(self) -> Reply:
        """The reply with this status, code and message."""
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<Error><Code>{self.code}</Code><Message>{self.detail}</Message></Error>"
        )
        headers = {"Content-Type": "application/xml"}
        return Reply(status=self.status, headers=headers, body=body.encode())


@frozen
class _StoredFile:
    data: bytes = field(repr=False)
    content_type: str
    etag: str


class FileStore:
    """The files of all documents, generated or uploaded.

    Args:
        seed: The seed of the key that signs the links.
        clock: Decides when links expire.
        size: The size of each generated file in bytes; None for varying sizes.
    """

    def __init__(
        self, *, seed: int, clock: ServerClock, size: int | None = None
    ) -> None:
        self._clock = clock
        self._size = size
        self._key = f"{seed}/files".encode()
        self._modified = formatdate(clock.unix(), usegmt=True)
        self._uploads: dict[str, FilePart] = {}

    def put(self, document_id: str, upload: FilePart) -> None:
        """Store an uploaded file for a document, instead of a generated one."""
        self._uploads[document_id] = upload

    def parse_path(self, path: str) -> Mapping[str, str]:
        """Parse a link's path to the document's id and the file's revision, 0.

        Raises:
            FilesRefusalError: 404 for a path that names no file.
        """
        match = _NAME.fullmatch(path)
        if match is None:
            raise build_missing_error()
        return {"document_id": match[1], "revision": "0"}

    def insert_links(self, body: bytes, address: str) -> bytes:
        """Replace the markers in a body with signed links to files at `address`."""
        parts = body.split(_MARK_BYTES)
        pieces = [b""] * (2 * len(parts) - 1)
        pieces[::2] = parts
        links = len(parts) // 2
        pieces[1::4] = [f"{address}{FILES_PATH}/".encode()] * links
        pieces[3::4] = [f"?{self.sign_query()}".encode()] * links
        return b"".join(pieces)

    def sign_query(self) -> str:
        """Build the query of a link that expires after 24 hours.

        It stays the same for a minute, so that equal replies can be compared.
        """
        minutes = int(self._clock.unix()) // _MINUTE + 1
        expires = str(minutes * _MINUTE + _LIFETIME)
        return f"expires={expires}&signature={self._sign(expires)}"

    def check_query(self, query: Mapping[str, tuple[str, ...]]) -> None:
        """Check the query of a link.

        Raises:
            FilesRefusalError: 403 for a wrong signature or an expired link.
        """
        expires = query.get("expires", ("",))[-1]
        signature = query.get("signature", ("",))[-1]
        expected = self._sign(expires).encode()
        sent = signature.encode(errors="surrogateescape")
        if not hmac.compare_digest(sent, expected):
            raise FilesRefusalError(
                _FORBIDDEN, "SignatureDoesNotMatch", "The signature is wrong."
            )
        if int(expires) <= self._clock.unix():
            raise build_expired_error()

    def read(
        self, document_id: str, revision: int, headers: Mapping[str, str]
    ) -> Reply:
        """Read a document's file, or the part of it that a `Range` header selects."""
        file = self._find_file(document_id, revision)
        reply_headers = {
            "Content-Type": file.content_type,
            "Accept-Ranges": "bytes",
            "ETag": file.etag,
            "Last-Modified": self._modified,
        }
        text = headers.get("Range")
        bounds = None
        if text is not None and self._is_current(file, headers.get("If-Range")):
            bounds = _parse_range(text, len(file.data))
        if bounds is None:
            return Reply(headers=reply_headers, body=file.data)
        start, end = bounds
        total = len(file.data)
        if start >= end:
            reply_headers["Content-Range"] = f"bytes */{total}"
            return Reply(status=_OUT_OF_RANGE, headers=reply_headers)
        reply_headers["Content-Range"] = f"bytes {start}-{end - 1}/{total}"
        body = file.data[start:end]
        return Reply(status=_PARTIAL, headers=reply_headers, body=body)

    def _find_file(self, document_id: str, revision: int) -> _StoredFile:
        upload = self._uploads.get(document_id)
        if upload is None:
            size = draw_file_size(document_id) if self._size is None else self._size
            return _make_file(document_id, size, revision)
        name = upload.name.lower()
        kind = next((kind for end, kind in _TYPES.items() if name.endswith(end)), None)
        data = upload.data + b"\n" * revision
        return _StoredFile(data, kind or _OTHER_TYPE, _compute_etag(data))

    def _is_current(self, file: _StoredFile, condition: str | None) -> bool:
        return condition is None or condition in {file.etag, self._modified}

    def _sign(self, expires: str) -> str:
        text = expires.encode(errors="surrogateescape")
        return hmac.digest(self._key, text, "sha256").hex()


def build_expired_error() -> FilesRefusalError:
    """Build the refusal of an expired link."""
    return FilesRefusalError(_FORBIDDEN, "AccessDenied", "The link has expired.")


def build_missing_error() -> FilesRefusalError:
    """Build the refusal of a link to a file that does not exist."""
    return FilesRefusalError(_NOT_FOUND, "NoSuchKey", "The file does not exist.")


def _parse_range(text: str, total: int) -> tuple[int, int] | None:
    """Parse a `Range` header to the first byte and the one after the last.

    Returns None for a header that must be ignored.
    """
    match = _RANGE.fullmatch(text.strip())
    if match is None:
        return None
    first, last = match.groups()
    if not first:
        return (max(0, total - int(last)), total) if last else None
    if not last:
        return int(first), total
    is_backwards = int(last) < int(first)
    return None if is_backwards else (int(first), min(int(last) + 1, total))


@lru_cache(maxsize=8)
def _make_file(document_id: str, size: int, revision: int) -> _StoredFile:
    data = make_pdf(document_id, size=size, revision=revision)
    return _StoredFile(data, _TYPES[".pdf"], _compute_etag(data))


def _compute_etag(data: bytes) -> str:
    return f'"{blake2b(data, digest_size=16).hexdigest()}"'
