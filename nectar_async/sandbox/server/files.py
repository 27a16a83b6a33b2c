"""The documents' files, behind links that are signed and expire, as in a bucket.

What a link has in common with a real one: no key opens it (and none may be sent along),
ranges can be asked for, and after 24 hours of the sandbox's time it is dead.
"""

from __future__ import annotations

import hmac
import re
from email.utils import formatdate
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

from attrs import field, frozen

from nectar_async.sandbox.generator.pdf import make_pdf, usual_size
from nectar_async.sandbox.server.links import FILES_PATH, with_links
from nectar_async.sandbox.server.messages import Call, RefusalError, Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nectar_async.sandbox.generator.clock import Clock
    from nectar_async.sandbox.server.messages import FilePart

__all__ = [
    "FileStore",
    "FilesRefusalError",
    "expired",
    "missing",
]

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


class FilesRefusalError(RefusalError):
    """A refusal in the words of a bucket: XML, and no `detail`."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(status, detail)
        self.code = code

    @property
    def reply(self) -> Reply:
        """The refusal as an answer."""
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
    """What lies behind the links of documents.

    Args:
        seed: Signs the links.
        clock: Says when they expire.
        size: Bytes of each generated file; None for sizes like those of bills.
    """

    def __init__(self, *, seed: int, clock: Clock, size: int | None = None) -> None:
        self._clock = clock
        self._size = size
        self._key = f"{seed}/files".encode()
        self._modified = formatdate(clock.unix(), usegmt=True)
        self._uploads: dict[str, FilePart] = {}

    def put(self, document_id: str, upload: FilePart) -> None:
        """Serve these bytes for a document from now on, and no generated ones."""
        self._uploads[document_id] = upload

    def params(self, path: str) -> Mapping[str, str]:
        """The id in a link's path, and the revision of its file.

        Raises:
            FilesRefusalError: 404 for the path of no file.
        """
        found = _NAME.fullmatch(path)
        if found is None:
            raise missing()
        return {"document_id": found[1], "revision": "0"}

    def with_links(self, body: bytes, address: str) -> bytes:
        """The body with real links in the place of marks; `address` is the server's."""
        return with_links(body, address, self.stamp())

    def stamp(self) -> str:
        """The query of a link that is good for the next 24 hours.

        It is the same for a minute, as answers that are the same are easier to compare.
        """
        minutes = int(self._clock.unix()) // _MINUTE + 1
        expires = str(minutes * _MINUTE + _LIFETIME)
        return f"expires={expires}&signature={self._signature(expires)}"

    async def serve(self, call: Call) -> Reply:
        """The file, or the part of it that the request's `Range` names.

        Raises:
            FilesRefusalError: 403 for a link that is not signed or has expired, 404
                where there is no such document.
        """
        self._check(call.query)
        if call.portfolio.find_document(call.params["document_id"]) is None:
            raise missing()
        file = self._file(call)
        headers = {
            "Content-Type": file.content_type,
            "Accept-Ranges": "bytes",
            "ETag": file.etag,
            "Last-Modified": self._modified,
        }
        asked = call.headers.get("Range")
        bounds = None
        if asked is not None and self._is_current(file, call.headers.get("If-Range")):
            bounds = _bounds(asked, len(file.data))
        if bounds is None:
            return Reply(headers=headers, body=file.data)
        start, end = bounds
        total = len(file.data)
        if start >= end:
            headers["Content-Range"] = f"bytes */{total}"
            return Reply(status=_OUT_OF_RANGE, headers=headers)
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{total}"
        return Reply(status=_PARTIAL, headers=headers, body=file.data[start:end])

    def _check(self, query: Mapping[str, tuple[str, ...]]) -> None:
        expires = query.get("expires", ("",))[-1]
        signature = query.get("signature", ("",))[-1]
        right = self._signature(expires).encode()
        if not hmac.compare_digest(signature.encode(errors="surrogateescape"), right):
            raise FilesRefusalError(
                _FORBIDDEN, "SignatureDoesNotMatch", "The signature is wrong."
            )
        if int(expires) <= self._clock.unix():
            raise expired()

    def _file(self, call: Call) -> _StoredFile:
        document_id, revision = call.params["document_id"], int(call.params["revision"])
        upload = self._uploads.get(document_id)
        if upload is None:
            size = usual_size(document_id) if self._size is None else self._size
            return _generated(document_id, size, revision)
        name = upload.name.lower()
        kind = next((kind for end, kind in _TYPES.items() if name.endswith(end)), None)
        data = upload.data + b"\n" * revision
        return _StoredFile(data, kind or _OTHER_TYPE, _etag(data))

    def _is_current(self, file: _StoredFile, condition: str | None) -> bool:
        return condition is None or condition in {file.etag, self._modified}

    def _signature(self, expires: str) -> str:
        text = expires.encode(errors="surrogateescape")
        return hmac.digest(self._key, text, "sha256").hex()


def expired() -> FilesRefusalError:
    """The refusal for a link that is out of date."""
    return FilesRefusalError(_FORBIDDEN, "AccessDenied", "The link has expired.")


def missing() -> FilesRefusalError:
    """The refusal for a file that is not there."""
    return FilesRefusalError(_NOT_FOUND, "NoSuchKey", "The file does not exist.")


def _bounds(text: str, total: int) -> tuple[int, int] | None:
    """First byte and the one after the last; None where the header means nothing."""
    found = _RANGE.fullmatch(text.strip())
    if found is None:
        return None
    first, last = found.groups()
    if not first:
        return (max(0, total - int(last)), total) if last else None
    if not last:
        return int(first), total
    is_backwards = int(last) < int(first)
    return None if is_backwards else (int(first), min(int(last) + 1, total))


@lru_cache(maxsize=8)
def _generated(document_id: str, size: int, revision: int) -> _StoredFile:
    data = make_pdf(document_id, size=size, revision=revision)
    return _StoredFile(data, _TYPES[".pdf"], _etag(data))


def _etag(data: bytes) -> str:
    return f'"{blake2b(data, digest_size=16).hexdigest()}"'
