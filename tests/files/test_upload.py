"""Uploads: accepted files, and bodies that are streamed."""

from __future__ import annotations

import errno
import io
import logging
import os
import re
import tempfile
import threading
import tracemalloc
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import anyio
import pypdf
import pytest
from doubles import MakeClient

from nectar_async import (
    InvalidArgumentError,
    MemoryTransport,
    Request,
    Response,
    RetryPolicy,
    VirtualClock,
)
from nectar_async._files.pdf_pages import count_pages
from nectar_async._files.upload import MAX_BYTES, Upload
from nectar_async._files.upload_source import CHUNK
from nectar_async.errors import (
    AttemptTimeoutError,
    ConnectionFailedError,
    RateLimitedError,
    StatusError,
    TransportError,
)

pytestmark = pytest.mark.anyio

PDF = b"%PDF-1.7 " + bytes(range(256)) * 3_000
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 40


async def read_content(upload: Upload) -> bytes:
    return b"".join([chunk async for chunk in upload.chunks()])


async def read_sizes(upload: Upload, on_size: Callable[[int], object]) -> None:
    """Read all chunks, and call a function with the size of each."""
    async for chunk in upload.chunks():
        on_size(len(chunk))


async def upload_and_read(file: Any, file_name: str | None = None) -> bytes:
    async with Upload(file, file_name) as upload:
        return await read_content(upload)


class Stream:
    """An async stream that is not a generator."""

    def __init__(self, *chunks: Any) -> None:
        self._chunks = iter(chunks)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        for chunk in self._chunks:
            if isinstance(chunk, Exception):
                raise chunk
            return chunk  # type: ignore[no-any-return]
        raise StopAsyncIteration


class Uploaded:
    """An upload of a web framework: an async `read`, a name, and no `tell`."""

    filename = "from the browser.pdf"

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    async def read(self, size: int = -1) -> bytes:
        return self._file.read(size)


def build_pdf(pages: int, password: str | None = None) -> bytes:
    """Build a PDF that pypdf can read."""
    writer = pypdf.PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(72, 72)
    if password is not None:
        writer.encrypt(password, algorithm="RC4-128")
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


@pytest.fixture
def bill(tmp_path: Path) -> Path:
    path = tmp_path / "bill.pdf"
    path.write_bytes(PDF)
    return path


# Kinds of files.


@pytest.mark.parametrize("kind", [str, Path], ids=["text", "path"])
async def test_a_path_is_sent_under_its_own_name(
    bill: Path, kind: Callable[[Path], Any]
) -> None:
    async with Upload(kind(bill)) as upload:
        assert (upload.name, upload.size) == ("bill.pdf", len(PDF))
        assert upload.can_resend
        assert await read_content(upload) == PDF


@pytest.mark.parametrize(
    "data",
    [PDF, bytearray(PDF), memoryview(PDF), memoryview(PDF)[::-1][::-1]],
    ids=["bytes", "bytearray", "view", "strided-view"],
)
async def test_bytes_are_sent_as_they_are(data: bytes) -> None:
    async with Upload(data) as upload:
        assert (upload.size, upload.can_resend) == (len(PDF), True)
        assert await read_content(upload) == PDF


async def test_a_stream_can_be_read_once_and_has_no_size() -> None:
    async with Upload(Stream(b"", b"%P", b"", b"DF-1.7", bytearray(b"x"))) as upload:
        assert (upload.size, upload.can_resend) == (None, False)
        assert await read_content(upload) == b"%PDF-1.7x"


async def test_an_open_file_is_sent_from_its_position_and_left_open(
    bill: Path,
) -> None:
    with bill.open("r+b") as file:
        file.write(b"x" * 2_000 + PDF)
        file.seek(2_000)
        async with Upload(file) as upload:
            assert (upload.name, upload.size) == ("bill.pdf", len(PDF))
            assert await read_content(upload) == PDF
            assert await read_content(upload) == PDF
        assert not file.closed


async def test_an_async_file_is_accepted(bill: Path) -> None:
    async with await anyio.open_file(bill, "rb") as file:
        async with Upload(file) as upload:
            assert (upload.name, upload.size) == ("bill.pdf", len(PDF))
            assert await read_content(upload) == PDF
        assert not file.wrapped.closed


async def test_a_file_of_a_web_framework_is_a_stream_with_a_name() -> None:
    async with Upload(Uploaded(PDF)) as upload:
        assert (upload.name, upload.size) == ("from the browser.pdf", None)
        assert await read_content(upload) == PDF


async def test_a_pipe_is_a_stream() -> None:
    reader, writer = os.pipe()
    with open(reader, "rb") as source, open(writer, "wb") as sink:  # noqa: ASYNC230, PTH123
        sink.write(b"%PDF-1.7")
        sink.close()
        async with Upload(source, "x.pdf") as upload:
            assert upload.size is None
            assert await read_content(upload) == b"%PDF-1.7"


async def test_the_kind_of_a_temporary_file_is_found_by_its_first_bytes() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(PNG)
        file.seek(0)
        async with Upload(file) as upload:
            assert upload.name == "document.png"


# File names.


@pytest.mark.parametrize(
    ("data", "name", "media"),
    [
        (PDF, "document.pdf", "application/pdf"),
        (PNG, "document.png", "image/png"),
        (JPEG, "document.jpg", "image/jpeg"),
    ],
    ids=["pdf", "png", "jpeg"],
)
async def test_the_kind_of_bytes_without_a_name_is_found_by_the_first_of_them(
    data: bytes, name: str, media: str
) -> None:
    async with Upload(data) as upload:
        assert (upload.name, upload.content_type) == (name, media)


@pytest.mark.parametrize("name", [None, "bill.pdf", "scan.png", "scan.jpeg"])
@pytest.mark.parametrize(
    "data",
    [
        b"GIF89a....",
        b"PK\x03\x04....",
        b"<!DOCTYPE html><title>Sign in</title>",
        b"not a bill",
        b" " * 2_000 + PDF,
        bytes(100),
    ],
    ids=["GIF", "zip", "HTML", "text", "late PDF", "zeros"],
)
async def test_another_kind_of_file_is_refused_whatever_its_name(
    data: bytes, name: str | None
) -> None:
    with pytest.raises(InvalidArgumentError, match="like a PDF, PNG or JPEG"):
        await upload_and_read(data, name)
    with pytest.raises(InvalidArgumentError, match="like a PDF, PNG or JPEG"):
        await upload_and_read(Stream(data[:3], data[3:]), name)


async def test_a_pdf_may_begin_with_other_bytes() -> None:
    data = b"\r\n" + b" " * 1_000 + PDF
    async with Upload(Stream(data[:700], data[700:])) as upload:
        assert (upload.name, upload.content_type) == ("document.pdf", "application/pdf")
        assert await read_content(upload) == data


@pytest.mark.parametrize("name", ["a.PDF", "a.Jpeg", "b.c.jpg", "x.png"])
async def test_case_of_an_extension_does_not_count(name: str) -> None:
    data = {"f": PDF, "g": JPEG}[name[-1].lower()] if name != "x.png" else PNG
    async with Upload(data, name) as upload:
        assert upload.name == name


async def test_a_name_that_contradicts_the_first_bytes_is_refused() -> None:
    with pytest.raises(
        InvalidArgumentError,
        match=r"^'scan\.pdf' is a PNG by its first bytes; pass .* extension \.png$",
    ):
        await upload_and_read(PNG, "scan.pdf")


@pytest.mark.parametrize("name", ["/tmp/x/bill.pdf", "C:\\bills\\bill.pdf"])  # noqa: S108
async def test_only_the_last_part_of_a_path_is_sent_as_the_name(name: str) -> None:
    async with Upload(PDF, name) as upload:
        assert upload.name == "bill.pdf"


async def test_a_path_can_be_given_another_name(tmp_path: Path) -> None:
    path = tmp_path / "tmp8f1"
    path.write_bytes(PDF)
    async with Upload(path, "march.pdf") as upload:
        assert upload.name == "march.pdf"


# Files that are refused before anything is sent.


@pytest.mark.parametrize("name", ["bill.xlsx", "bill", "pdf", ".pdf"])
async def test_another_extension_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(PDF)
    with pytest.raises(InvalidArgumentError, match=r"^file ends in none of \.pdf, "):
        await upload_and_read(path)
    with pytest.raises(InvalidArgumentError, match=r"^file_name ends in none of"):
        await upload_and_read(PDF, name)


async def test_a_path_must_be_there_and_be_a_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match=r"does not exist: '.*no\.pdf'"):
        await upload_and_read(tmp_path / "no.pdf")
    with pytest.raises(
        InvalidArgumentError,
        match=r"^file is no regular file: [^;]*; pass the path of one$",
    ):
        await upload_and_read(tmp_path)
    os.mkfifo(tmp_path / "pipe.pdf")
    with pytest.raises(InvalidArgumentError, match="file is no regular file"):
        await upload_and_read(tmp_path / "pipe.pdf")
    (tmp_path / "plain").write_bytes(b"x")
    with pytest.raises(InvalidArgumentError, match="file cannot be read: Not a dir"):
        await upload_and_read(tmp_path / "plain" / "x.pdf")
    with pytest.raises(InvalidArgumentError, match=r"file cannot be read: .*null"):
        await upload_and_read("a\0b.pdf")


@pytest.mark.parametrize(
    "empty",
    [
        bytes,
        bytearray,
        Stream,
        lambda: Stream(b"", b""),
        io.BytesIO,
        lambda: Uploaded(b""),
    ],
    ids=["bytes", "bytearray", "stream", "empty-chunks", "file", "framework"],
)
async def test_nothing_at_all_is_refused(empty: Callable[[], Any]) -> None:
    with pytest.raises(InvalidArgumentError, match="file is empty"):
        await upload_and_read(empty(), "a.pdf")


async def test_an_empty_path_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").touch()
    with pytest.raises(InvalidArgumentError, match="file is empty"):
        await upload_and_read(tmp_path / "a.pdf")


async def test_25_megabytes_are_taken_and_one_byte_more_is_not(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(PNG)
    os.truncate(path, MAX_BYTES)
    async with Upload(path) as upload:
        assert upload.size == MAX_BYTES == 26_214_400
    os.truncate(path, MAX_BYTES + 1)
    with pytest.raises(InvalidArgumentError, match=r"26,214,400 bytes \(25 MB\)"):
        await upload_and_read(path)


async def test_a_stream_that_turns_out_too_large_is_stopped() -> None:
    first = PDF.ljust(MAX_BYTES // 4)
    chunk = b"x" * (MAX_BYTES // 4)
    async with Upload(Stream(first, *[chunk] * 3, b"y"), "a.pdf") as upload:
        sizes: list[int] = []
        with pytest.raises(InvalidArgumentError, match="file is too large"):
            await read_sizes(upload, sizes.append)
    assert sum(sizes) == MAX_BYTES


@pytest.mark.parametrize(
    "other", [7, None, ["a.pdf"], object()], ids=["number", "none", "list", "object"]
)
async def test_the_error_for_other_types_lists_the_accepted_ones(other: Any) -> None:
    with pytest.raises(
        InvalidArgumentError, match="file must be a path, bytes, an open"
    ):
        await upload_and_read(other)


@pytest.mark.parametrize("kind", [io.StringIO, Stream], ids=["file", "stream"])
async def test_text_is_refused(kind: Callable[[str], Any]) -> None:
    with pytest.raises(InvalidArgumentError, match="file returns str, not bytes"):
        await upload_and_read(kind("abc"), "a.pdf")


async def test_a_file_name_is_text() -> None:
    with pytest.raises(InvalidArgumentError, match="file_name must be text, not bytes"):
        await upload_and_read(PDF, b"a.pdf")  # type: ignore[arg-type]


async def test_a_refused_file_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[io.FileIO] = []

    class Seen(io.FileIO):
        def __init__(self, path: Any) -> None:
            super().__init__(path)
            opened.append(self)

    monkeypatch.setattr(io, "FileIO", Seen)
    (tmp_path / "a.txt").write_bytes(b"x")
    with pytest.raises(InvalidArgumentError):
        await upload_and_read(tmp_path / "a.txt")
    assert [file.closed for file in opened] == [True]


# Pages.


@pytest.mark.parametrize("as_path", [True, False], ids=["path", "bytes"])
async def test_150_pages_are_accepted_and_151_are_not(
    tmp_path: Path, *, as_path: bool
) -> None:
    for pages in (150, 151):
        file: Any = build_pdf(pages)
        if as_path:
            (tmp_path / f"{pages}.pdf").write_bytes(file)
            file = tmp_path / f"{pages}.pdf"
        if pages == 150:
            assert await upload_and_read(file)
            continue
        with pytest.raises(InvalidArgumentError, match=r"file has 151 pages; .* 150"):
            await upload_and_read(file)


@pytest.mark.parametrize(
    "pdf",
    [b"%PDF-1.7 and no more", build_pdf(151)[:-400], build_pdf(151, "secret")],
    ids=["damaged", "cut", "encrypted"],
)
async def test_a_pdf_that_cannot_be_read_is_not_counted(pdf: bytes) -> None:
    assert await upload_and_read(pdf) == pdf


async def test_without_pypdf_nothing_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pypdf", None)
    assert await upload_and_read(build_pdf(151))


async def test_the_parser_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """The log of other users of the parser stays as it is."""
    damaged = re.sub(rb"startxref\n\d+", b"startxref\n1", build_pdf(3))
    logging.getLogger("pypdf").addHandler(handler := logging.StreamHandler())
    try:
        assert await upload_and_read(damaged) == damaged
        assert capsys.readouterr() == ("", "")
        assert len(pypdf.PdfReader(io.BytesIO(damaged)).pages) == 3
        assert capsys.readouterr().err
    finally:
        logging.getLogger("pypdf").removeHandler(handler)


async def test_a_parser_that_does_not_end_is_abandoned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    over = threading.Event()

    def hang(_: object) -> None:
        over.wait(5)

    monkeypatch.setattr(pypdf, "PdfReader", hang)
    monkeypatch.setattr("nectar_async._files.pdf_pages._MAX_SECONDS", 0.01)
    try:
        assert await count_pages(io.BytesIO) is None
    finally:
        over.set()


# Reading while it is sent.


async def test_a_file_is_read_in_chunks_and_memory_stays_flat(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(PNG)
    os.truncate(path, MAX_BYTES)
    async with Upload(path) as upload:
        tracemalloc.start()
        try:
            sizes = [len(chunk) async for chunk in upload.chunks()]
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert (sum(sizes), max(sizes)) == (MAX_BYTES, CHUNK)
    assert peak < 8 * CHUNK


async def test_a_large_chunk_of_a_stream_is_split() -> None:
    async with Upload(Stream(PDF[:9].ljust(2 * CHUNK + 1)), "a.pdf") as upload:
        sizes = [len(chunk) async for chunk in upload.chunks()]
    assert sizes == [CHUNK, CHUNK, 1]


@pytest.mark.parametrize(
    ("size", "now"), [(700_000, "700,000"), (900_000, "more")], ids=["shrank", "grew"]
)
async def test_a_file_that_changes_its_size_is_an_error(
    bill: Path, size: int, now: str
) -> None:
    async with Upload(bill) as upload:
        os.truncate(bill, size)
        sizes: list[int] = []
        words = f"file changed while it was sent: it had 768,009 bytes and has {now}"
        with pytest.raises(InvalidArgumentError, match=words):
            await read_sizes(upload, sizes.append)
    assert sum(sizes) <= len(PDF)


async def test_two_readers_of_one_file_do_not_disturb_each_other(bill: Path) -> None:
    async with Upload(bill) as upload:
        first, second = upload.chunks(), upload.chunks()
        chunks = [await anext(first), await anext(second), await anext(second)]
        others = [chunk async for chunk in first]
    assert chunks[0] + b"".join(others) == PDF
    assert chunks[1] + chunks[2] == PDF[: 2 * CHUNK]


async def test_a_disk_that_fails_is_an_error_about_the_file(bill: Path) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    with pytest.raises(InvalidArgumentError, match="file cannot be read: Input/output"):
        await upload_and_read(Failing(PDF), "a.pdf")


class OneWay(io.BytesIO):
    """A file that is not seekable."""

    def seekable(self) -> bool:
        return self.closed  # so that it is reading that finds it closed


@pytest.mark.parametrize("kind", [io.BytesIO, OneWay], ids=["sought", "one-way"])
async def test_a_file_that_is_closed_cannot_be_read(kind: type[io.BytesIO]) -> None:
    file = kind(PDF)
    file.close()
    with pytest.raises(InvalidArgumentError, match=r"cannot be read: .*closed file"):
        await upload_and_read(file, "a.pdf")


async def test_a_file_that_is_closed_while_it_is_sent_cannot_be_read(
    bill: Path,
) -> None:
    with bill.open("rb") as file:
        async with Upload(file) as upload:
            chunks = upload.chunks()
            await anext(chunks)
            file.close()
            with pytest.raises(InvalidArgumentError, match=r"cannot be read: .*closed"):
                await anext(chunks)


async def test_a_file_that_is_open_for_writing_cannot_be_read(bill: Path) -> None:
    with (
        bill.open("ab") as file,
        pytest.raises(InvalidArgumentError, match="file cannot be read: read"),
    ):
        await upload_and_read(file)


async def test_progress_is_called_with_the_bytes_that_were_read(bill: Path) -> None:
    calls: list[tuple[int, int | None]] = []
    async with Upload(bill) as upload:
        async for _ in upload.chunks(lambda *arguments: calls.append(arguments)):
            pass
    size = len(PDF)
    assert calls == [(CHUNK, size), (2 * CHUNK, size), (size, size)]


# The pipeline with a streamed body.


class ReadingTransport:
    """A transport that reads the body, and calls a function between two chunks."""

    needs_key = False

    def __init__(
        self, between: Callable[[], Any], answer: Callable[[], Any] | None = None
    ) -> None:
        self._between = between
        self._answer = answer
        self.bodies: list[bytes] = []

    async def send(self, request: Request[Any], /) -> Response:
        body: Any = request.body
        chunks = []
        async for chunk in body() if callable(body) else body:
            chunks.append(chunk)
            await self._between()
        self.bodies.append(b"".join(chunks))
        answer = self._answer() if self._answer else None
        if isinstance(answer, BaseException):
            raise answer
        return Response(200, {}, b"{}")

    async def aclose(self) -> None: ...


def post(body: Any) -> Request[Any]:
    return Request(
        operation="thing_create", method="POST", path="/thing", returns=dict, body=body
    )


async def at_once() -> None: ...


async def test_each_chunk_restarts_the_attempt_timeout(
    make_client: MakeClient,
) -> None:
    deadlines: list[float] = []

    async def look() -> None:
        deadlines.append(anyio.current_effective_deadline())
        await anyio.sleep(0.001)

    class Looking(Stream):
        async def __anext__(self) -> bytes:
            await look()
            return await super().__anext__()

    client = make_client(ReadingTransport(look), attempt_timeout=60)
    assert await client.send(post(Looking(*[b"x"] * 5))) == {}
    assert len(deadlines) == 11
    assert deadlines == sorted(set(deadlines))


async def test_a_body_that_the_transport_does_not_read_times_out(
    make_client: MakeClient,
) -> None:
    client = make_client(ReadingTransport(anyio.sleep_forever), attempt_timeout=0.2)
    with pytest.raises(
        AttemptTimeoutError, match=r"was sent for 0\.2 s, after 3 bytes"
    ):
        await client.send(post(Stream(b"abc", b"d")))


async def test_the_response_has_the_whole_attempt_timeout_after_the_body(
    make_client: MakeClient,
) -> None:
    class Silent(ReadingTransport):
        async def send(self, request: Request[Any], /) -> Response:
            await super().send(request)
            await anyio.sleep_forever()
            raise AssertionError

    client = make_client(Silent(at_once), attempt_timeout=0.2)
    with pytest.raises(AttemptTimeoutError, match=r"no answer within 0\.2 s"):
        await client.send(post(Stream(b"abc")))


async def test_a_stalled_source_times_out_too(make_client: MakeClient) -> None:
    class Stalled(Stream):
        async def __anext__(self) -> bytes:
            await anyio.sleep_forever()
            raise AssertionError

    client = make_client(ReadingTransport(at_once), attempt_timeout=0.2)
    with pytest.raises(AttemptTimeoutError, match="no chunk of the body was sent"):
        await client.send(post(Stalled()))


@pytest.mark.parametrize("timeout", [None, 5.0], ids=["unbound", "bound"])
async def test_an_error_of_the_body_is_raised_whatever_the_transport_does_with_it(
    make_client: MakeClient, timeout: float | None
) -> None:
    class Wrapping(ReadingTransport):
        async def send(self, request: Request[Any], /) -> Response:
            try:
                return await super().send(request)
            except ZeroDivisionError as error:
                raise ConnectionFailedError("it broke") from error

    boom = ZeroDivisionError("boom")
    client = make_client(Wrapping(at_once), attempt_timeout=timeout)
    with pytest.raises(ZeroDivisionError) as caught:
        await client.send(post(Stream(b"abc", boom)))
    assert caught.value is boom
    assert caught.value.__context__ is None


async def test_a_body_from_a_factory_is_sent_again_after_a_refusal(
    make_client: MakeClient,
) -> None:
    answers = [RateLimitedError("429", status=429), None]
    transport = ReadingTransport(at_once, lambda: answers.pop(0))
    client = make_client(transport, retry=RetryPolicy(wait_initial=0))
    assert await client.send(post(lambda: Stream(b"ab", b"c"))) == {}
    assert transport.bodies == [b"abc", b"abc"]


async def test_a_stream_is_not_sent_again(make_client: MakeClient) -> None:
    transport = ReadingTransport(at_once, lambda: RateLimitedError("429", status=429))
    client = make_client(transport, retry=RetryPolicy(wait_initial=0))
    with pytest.raises(RateLimitedError):
        await client.send(post(Stream(b"ab", b"c")))
    assert transport.bodies == [b"abc"]


# Streams, which cannot be sent again.


FAILURES: dict[str, Any] = {
    "429": Response(429, {"Retry-After": "1"}),
    "503": Response(503),
    "500": Response(500),
    "dropped": ConnectionFailedError("the connection broke"),
    "not-connected": ConnectionFailedError("no connection", is_sent=False),
}
NOTE = (
    "not sent again: the body is a stream that can be read once; pass a path or bytes"
)


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
async def test_the_error_of_a_stream_that_cannot_be_sent_again_has_advice(
    make_client: MakeClient, failure: object
) -> None:
    transport = MemoryTransport({"jobs_submit_document": failure})
    client = make_client(transport, clock=VirtualClock())
    with pytest.raises((StatusError, TransportError)) as caught:
        await client.jobs.submit_document("c-1", Stream(PDF))
    assert caught.value.__notes__ == [NOTE]
    assert len(transport.requests) == 1


@pytest.mark.parametrize(
    ("make_file", "failure"),
    [
        (bytes, FAILURES["503"]),
        (bytes, FAILURES["429"]),
        (Stream, Response(400)),
        (Stream, Response(401)),
        (Stream, ConnectionFailedError("no trust", is_permanent=True)),
    ],
    ids=["bytes-503", "bytes-429", "stream-400", "stream-401", "stream-certificate"],
)
async def test_no_advice_about_streams_if_that_is_not_the_reason(
    make_client: MakeClient, make_file: Callable[[bytes], Any], failure: Any
) -> None:
    client = make_client({"jobs_submit_document": failure}, clock=VirtualClock())
    with pytest.raises((StatusError, TransportError)) as caught:
        await client.jobs.submit_document("c-1", make_file(PDF))
    assert not hasattr(caught.value, "__notes__")
