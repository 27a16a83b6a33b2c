"""A file host in memory that misbehaves as a test scripts it."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from nectar_async import MemoryTransport, Request, Response

CHUNK = 96 * 1024  # instead of 4 MiB, so that the tests are quick
SIGNATURE = "sIgNaTuRe-5d41402a"
LINK = f"https://files.example/b/d-1.pdf?X-Sig={SIGNATURE}"
BILL = (b"%PDF-1.7" + os.urandom(CHUNK - 8)) * 2 + b"the end"  # three chunks

Answer = Response | BaseException
Trick = Callable[[Request[Any]], "Answer | Awaitable[Answer | None] | None"]


class FileHost:
    """Serves a document and its file, with scripted responses ("tricks") in order.

    Each request for a chunk uses one trick; if that returns None, the file is served.

    Attributes:
        etag: the ETag of the file; None leaves it out.
        modified: the `Last-Modified` of the file; None leaves it out.
        knows_conditions: whether the host supports `If-Range`.
    """

    def __init__(
        self, data: bytes = BILL, *, file_name: str | None = "bill.pdf"
    ) -> None:
        self.data = data
        self.etag: str | None = '"v1"'
        self.modified: str | None = None
        self.knows_conditions = True
        self.document: dict[str, Any] = {"id": "d-1", "fileName": file_name}
        self.tricks: list[Trick] = []
        self.links = 0
        self.transport = MemoryTransport(
            {"documents_get": self.get, "documents_download": self.download}
        )

    @property
    def chunk_requests(self) -> list[Request[Any]]:
        """The requests for chunks."""
        return [
            request
            for request in self.transport.requests
            if request.operation == "documents_download"
        ]

    @property
    def ranges(self) -> list[str | None]:
        return [request.headers.get("Range") for request in self.chunk_requests]

    def get(self, _: Request[Any]) -> dict[str, Any]:
        self.links += 1
        return {"url": f"{LINK}&link={self.links}", **self.document}

    async def download(self, request: Request[Any]) -> Answer:
        if self.tricks:
            answer: Any = self.tricks.pop(0)(request)
            answer = await answer if hasattr(answer, "__await__") else answer
            if answer is not None:
                return answer  # type: ignore[no-any-return]
        return self.serve_range(request)

    def serve_range(self, request: Request[Any]) -> Response:
        """Answer as a host that supports ranges."""
        range_header = request.headers.get("Range")
        condition = request.headers.get("If-Range", self.etag)
        is_other = condition not in {self.etag, self.modified}
        if range_header is None or (is_other and self.knows_conditions):
            return self.serve_whole(request)
        first, _, last = range_header.removeprefix("bytes=").partition("-")
        start, stop, size = int(first), int(last) + 1, len(self.data)
        if start >= size:
            return Response(416, {"Content-Range": f"bytes */{size}"}, b"<Error/>")
        body = self.data[start:stop]
        span = f"bytes {start}-{start + len(body) - 1}/{size}"
        return Response(206, {"Content-Range": span, **self.validators}, body)

    def serve_whole(self, _: Request[Any]) -> Response:
        """Answer as a host without ranges."""
        headers = {"Content-Length": str(len(self.data)), **self.validators}
        return Response(200, headers, self.data)

    @property
    def validators(self) -> dict[str, str]:
        """The headers with the validators of the file."""
        given = {"ETag": self.etag, "Last-Modified": self.modified}
        return {name: text for name, text in given.items() if text is not None}

    def change(self, data: bytes) -> None:
        """Serve another file from now on."""
        self.data, self.etag = data, '"v2"'


def respond(
    status: int, headers: dict[str, str] | None = None, body: bytes = b""
) -> Trick:
    return lambda _: Response(status, headers or {}, body)


def serve_file(_: Request[Any]) -> None:
    """Serve the file."""


def leave_part(path: Path, data: bytes, **changes: object) -> None:
    """Write the partial file and metadata of an interrupted download.

    Args:
        path: the path that the finished file would have.
        data: the bytes of the partial file.
        changes: other values for the metadata.
    """
    path.with_name(f"{path.name}.part").write_bytes(data)
    metadata = {"document": "d-1", "size": len(BILL), "etag": '"v1"', "modified": None}
    note = json.dumps({**metadata, "owner": "gone", **changes})
    path.with_name(f"{path.name}.part.json").write_text(note)
