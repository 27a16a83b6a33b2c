"""Downloads: expiring links, misbehaving hosts, and interrupted downloads."""

from __future__ import annotations

import gzip
import io
import logging
import os
import pickle
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest
from doubles import MakeClient, settle_down
from scripted_file_host import (
    BILL,
    CHUNK,
    LINK,
    SIGNATURE,
    FileHost,
    Trick,
    leave_part,
    respond,
    serve_file,
)

from nectar_async import (
    ConfigurationError,
    Download,
    DownloadError,
    InvalidArgumentError,
    NectarClient,
    Request,
    Response,
    RetryPolicy,
    VirtualClock,
)
from nectar_async._files.destination import to_safe_name, to_unique_name
from nectar_async._http.transport import Send
from nectar_async.errors import (
    AttemptTimeoutError,
    BodyTooLargeError,
    ConnectionFailedError,
    NotFoundError,
    RateLimitedError,
    ServerError,
)

pytestmark = pytest.mark.anyio

KEY = "canary-8f14e45f"
REFUSED = respond(403, {}, f"<Error><Sig>{SIGNATURE}</Sig></Error>".encode())
BROKEN = ConnectionFailedError("the connection broke")


@pytest.fixture(autouse=True)
def _small_chunks(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "real_chunks" not in request.fixturenames:
        monkeypatch.setattr("nectar_async._files.download_link._CHUNK", CHUNK)


@pytest.fixture
def real_chunks() -> None:
    """Use the chunk size that users have."""


@pytest.fixture
def host() -> FileHost:
    return FileHost()


@pytest.fixture
def make(make_client: MakeClient) -> Callable[..., NectarClient]:
    """Build a client of a file host, with a virtual clock and a key."""

    def build(host: FileHost, **options: Any) -> NectarClient:
        return make_client(
            host.transport, **{"api_key": KEY, "clock": VirtualClock(), **options}
        )

    return build


Make = Callable[..., NectarClient]


# Without failures.


async def test_a_file_is_fetched_in_ranges_and_saved_under_its_name(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    path = tmp_path / "saved.pdf"
    done = await make(host).documents.download("d-1", path)
    assert path.read_bytes() == BILL
    assert os.listdir(tmp_path) == ["saved.pdf"]  # noqa: PTH208
    assert done == Download(
        path=path, size=len(BILL), resumed_from=0, file_name="bill.pdf", links=1
    )
    assert host.ranges == [
        f"bytes={at}-{at + CHUNK - 1}" for at in (0, CHUNK, 2 * CHUNK)
    ]


@pytest.mark.usefixtures("real_chunks")
async def test_a_chunk_has_4_mebibytes(make: Make, tmp_path: Path) -> None:
    host = FileHost(b"x" * (4 * 1024 * 1024 + 1))
    await make(host).documents.download("d-1", tmp_path)
    assert host.ranges == ["bytes=0-4194303", "bytes=4194304-8388607"]


async def test_a_chunk_has_the_clients_headers_but_no_key_and_asks_for_plain_bytes(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    await make(host).documents.download("d-1", tmp_path)
    for request in host.chunk_requests:
        common = {"Accept", "Accept-Encoding", "User-Agent", "X-Request-Id"}
        assert {*request.headers} <= common | {"Range", "If-Range"}
        assert request.headers["User-Agent"].startswith("nectar-async/")
        assert request.headers["X-Request-Id"]
        assert request.headers["Accept-Encoding"] == "identity"
        assert request.url.startswith(LINK)


@pytest.mark.parametrize("size", [0, 1, CHUNK, CHUNK + 1], ids=str)
async def test_files_of_every_size_are_saved_whole(
    make: Make, tmp_path: Path, size: int
) -> None:
    host = FileHost(b"x" * size, file_name="bill.csv")
    done = await make(host).documents.download("d-1", tmp_path)
    assert done.size == size
    assert (tmp_path / "bill.csv").read_bytes() == host.data
    assert len(host.chunk_requests) == max(1, -(-size // CHUNK))


async def test_an_existing_file_is_replaced_only_at_the_end(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    path = tmp_path / "bill.pdf"
    path.write_bytes(b"old")
    host.tricks = [serve_file, lambda _: BROKEN]
    client = make(host, retry=RetryPolicy(attempts=1))
    with pytest.raises(ConnectionFailedError):
        await client.documents.download("d-1", path)
    assert path.read_bytes() == b"old"
    await client.documents.download("d-1", path)
    assert path.read_bytes() == BILL


@pytest.mark.parametrize("is_async", [False, True], ids=["plain", "async"])
async def test_bytes_are_written_to_a_sink_in_order(
    host: FileHost, make: Make, *, is_async: bool
) -> None:
    class Sink:
        def __init__(self) -> None:
            self.data = b""

        def write(self, data: bytes, /) -> Any:
            self.data += data
            return anyio.lowlevel.checkpoint() if is_async else None

    sink = Sink()
    done = await make(host).documents.download("d-1", sink)
    assert sink.data == BILL
    assert (done.path, done.size) == (None, len(BILL))


@pytest.mark.parametrize("buffering", [-1, 0], ids=["buffered", "raw"])
async def test_an_open_file_is_a_sink(
    host: FileHost, make: Make, tmp_path: Path, buffering: int
) -> None:
    with (tmp_path / "x").open("wb", buffering=buffering) as file:
        await make(host).documents.download("d-1", file)
        assert not file.closed
    assert (tmp_path / "x").read_bytes() == BILL


async def test_an_anyio_file_and_bytes_in_memory_are_sinks(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    buffer = io.BytesIO()
    await make(host).documents.download("d-1", buffer)
    async with await anyio.open_file(tmp_path / "x", "wb") as file:
        await make(host).documents.download("d-1", file)
    assert buffer.getvalue() == (tmp_path / "x").read_bytes() == BILL


async def test_the_rest_is_written_to_a_raw_sink_that_takes_less(make: Make) -> None:
    class Short(io.RawIOBase):
        data_written = b""

        def write(self, data: Any, /) -> int:
            self.data_written += data[:5]
            return len(data[:5])

    sink = Short()
    await make(FileHost(b"twelve bytes")).documents.download("d-1", sink)
    assert sink.data_written == b"twelve bytes"


@pytest.mark.parametrize("is_async", [False, True], ids=["plain", "async"])
async def test_progress_is_called_with_the_bytes_and_the_size(
    host: FileHost, make: Make, tmp_path: Path, *, is_async: bool
) -> None:
    calls: list[tuple[int, int | None]] = []

    def plain(done: int, total: int | None) -> Any:
        calls.append((done, total))
        return anyio.lowlevel.checkpoint() if is_async else None

    await make(host).documents.download("d-1", tmp_path, on_progress=plain)
    assert calls == [(at, len(BILL)) for at in (CHUNK, 2 * CHUNK, len(BILL))]


async def test_small_bodies_make_small_chunks(make: Make, tmp_path: Path) -> None:
    host = FileHost(b"x" * 450)
    await make(host, max_body_bytes=200).documents.download("d-1", tmp_path)
    assert host.ranges == ["bytes=0-199", "bytes=200-399", "bytes=400-599"]


async def test_a_recorder_sees_the_chunks_and_no_key(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    exchanges: list[tuple[str, int]] = []

    async def recorder(request: Request[Any], send: Send) -> Response:
        assert KEY not in str(dict(request.headers))
        response = await send(request)
        exchanges.append((request.operation, response.status))
        return response

    await make(host, recorder=recorder).documents.download("d-1", tmp_path)
    assert exchanges == [("documents_get", 200)] + [("documents_download", 206)] * 3


# The limit of downloads at the same time.


async def test_chunks_have_a_limit_of_their_own(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    now = peak = 0

    async def slowly(_: Request[Any]) -> None:
        nonlocal now, peak
        now += 1
        peak = max(peak, now)
        await settle_down(5)
        now -= 1

    host.data = b"small"
    host.tricks = [slowly] * 12
    client = make(host, max_downloads=2, max_concurrency=1)
    async with anyio.create_task_group() as group:
        for number in range(12):
            path = tmp_path / f"{number}.pdf"
            group.start_soon(client.documents.download, "d-1", path)
    assert peak == 2
    assert client.statistics().peak_in_flight == 1


async def test_copies_of_a_client_cannot_change_the_limit(
    host: FileHost, make: Make
) -> None:
    with pytest.raises(ConfigurationError, match="max_downloads cannot change"):
        make(host).with_settings(max_downloads=9)  # type: ignore[call-arg]


# Failures that are retried.


async def test_a_chunk_whose_connection_breaks_is_retried(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    host.tricks = [serve_file, lambda _: BROKEN, respond(503), serve_file]
    clock = VirtualClock()
    await make(host, clock=clock).documents.download("d-1", tmp_path)
    assert (tmp_path / "bill.pdf").read_bytes() == BILL
    assert host.ranges[1:4] == [f"bytes={CHUNK}-{2 * CHUNK - 1}"] * 3
    assert clock.sleeps == [0.5, 1.0]


@pytest.mark.parametrize("status", [206, 200], ids=["a-range", "the-whole"])
async def test_a_body_that_is_shorter_than_announced_is_retried(
    host: FileHost, make: Make, tmp_path: Path, status: int
) -> None:
    def cut(request: Request[Any]) -> Response:
        full = host.serve_range(request) if status == 206 else host.serve_whole(request)
        return Response(status, full.headers, full.body[:-1])

    host.tricks = [cut]
    await make(host).documents.download("d-1", tmp_path)
    assert (tmp_path / "bill.pdf").read_bytes() == BILL
    assert len(host.chunk_requests) == 4


async def test_a_chunk_that_keeps_failing_raises_the_transports_error(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    host.tricks = [serve_file, *[lambda _: BROKEN] * 4]
    with pytest.raises(ConnectionFailedError) as caught:
        await make(host).documents.download("d-1", tmp_path)
    assert str(caught.value).startswith("documents_download, document d-1: ")
    assert caught.value.attempts == 4
    assert (tmp_path / "bill.pdf.part").read_bytes() == BILL[:CHUNK]


async def test_the_wait_that_a_host_asks_for_is_kept(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    host.tricks = [respond(429, {"Retry-After": "7"})]
    clock = VirtualClock()
    await make(host, clock=clock).documents.download("d-1", tmp_path)
    assert clock.sleeps == [7.0]


async def test_each_chunk_has_the_attempt_timeout(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    async def hang(_: Request[Any]) -> None:
        await anyio.sleep_forever()

    host.tricks = [serve_file, hang, hang]
    client = make(host, attempt_timeout=0.05, retry=RetryPolicy(attempts=1))
    with pytest.raises(AttemptTimeoutError, match="document d-1"):
        await client.documents.download("d-1", tmp_path)


# Links.


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
async def test_a_link_that_expires_is_replaced_and_the_download_continues(
    host: FileHost, make: Make, tmp_path: Path, status: int
) -> None:
    host.tricks = [
        serve_file,
        respond(status),
        serve_file,
        respond(status),
        respond(status),
        serve_file,
    ]
    done = await make(host).documents.download("d-1", tmp_path)
    assert (tmp_path / "bill.pdf").read_bytes() == BILL
    assert (done.links, host.links) == (4, 4)
    assert [
        url.rpartition("=")[2]
        for url in (request.url for request in host.chunk_requests)
    ] == [
        *"112234"[:3],
        *"234",
    ]


async def test_three_refusals_in_a_row_are_an_error(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    host.tricks = [serve_file, *[REFUSED] * 3]
    with pytest.raises(DownloadError, match="refused 3 links in a row") as caught:
        await make(host).documents.download("d-1", tmp_path)
    assert (caught.value.operation, caught.value.target) == (
        "documents_download",
        "document d-1",
    )
    assert host.links == 3
    assert (tmp_path / "bill.pdf.part").read_bytes() == BILL[:CHUNK]


async def test_a_document_without_a_file_is_an_error(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    host.document["url"] = None
    with pytest.raises(DownloadError, match=r"document d-1: it has no file"):
        await make(host).documents.download("d-1", tmp_path)
    assert os.listdir(tmp_path) == []  # noqa: PTH208


@pytest.mark.parametrize(
    "link", ["", "nonsense", "ftp://h/x", "https://", "http://h:99999/", "https://[/"]
)
async def test_a_link_that_is_no_address_is_an_error(
    host: FileHost, make: Make, tmp_path: Path, link: str
) -> None:
    host.document["url"] = link
    with pytest.raises(DownloadError, match="its link is no web address"):
        await make(host).documents.download("d-1", tmp_path)


async def test_a_link_with_spaces_and_non_ascii_letters_is_escaped(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    host.document["url"] = "https://h/März 1.pdf?sig=a%2Fb+c"
    await make(host).documents.download("d-1", tmp_path)
    assert host.chunk_requests[0].url == "https://h/M%C3%A4rz%201.pdf?sig=a%2Fb+c"


async def test_errors_of_the_document_are_raised(
    make_client: MakeClient, tmp_path: Path
) -> None:
    client = make_client({"documents_get": Response(404, {}, b'{"detail": "no"}')})
    with pytest.raises(NotFoundError) as caught:
        await client.documents.download("d-1", tmp_path)
    assert caught.value.operation == "documents_get"


@pytest.mark.parametrize("status", [405, 500, 204])
async def test_other_statuses_are_errors_without_the_hosts_text(
    host: FileHost, make: Make, tmp_path: Path, status: int
) -> None:
    host.tricks = [respond(status, {}, SIGNATURE.encode())] * 4
    with pytest.raises(Exception, match=f"the file host answered {status}") as caught:
        await make(host).documents.download("d-1", tmp_path)
    error: Any = caught.value
    assert (error.status, error.body, error.detail) == (status, "", None)
    assert isinstance(error, ServerError) == (status == 500)
    assert "NECTAR" not in str(error)


async def test_a_rate_limit_error_has_the_wait_that_was_asked_for(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    host.tricks = [respond(429, {"Retry-After": "9999"})]
    with pytest.raises(RateLimitedError) as caught:
        await make(host).documents.download("d-1", tmp_path)
    assert caught.value.retry_after == 9999


# Redirects.


def redirect_to(location: str) -> Trick:
    return respond(302, {"Location": location})


async def test_up_to_three_redirects_are_followed_and_kept(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    host.tricks = [
        redirect_to("https://one/x"),
        redirect_to("/y?a=b"),
        redirect_to("https://two.example/z"),
    ]
    await make(host).documents.download("d-1", tmp_path)
    assert [request.url for request in host.chunk_requests[1:]] == [
        "https://one/x",
        "https://one/y?a=b",
        *["https://two.example/z"] * 3,
    ]
    assert all("X-API-Key" not in request.headers for request in host.chunk_requests)


async def test_a_fourth_redirect_is_an_error(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    host.tricks = [
        redirect_to("/a"),
        redirect_to("/b"),
        redirect_to("/a"),
        redirect_to("/b"),
    ]
    with pytest.raises(DownloadError, match="redirects more than 3 times"):
        await make(host).documents.download("d-1", tmp_path)


@pytest.mark.parametrize(
    "location",
    ["http://files.example/x", "", "ftp://files.example/", "https://[bad/"],
    ids=["insecure", "nowhere", "no-web", "broken"],
)
async def test_an_unsafe_redirect_is_an_error(
    host: FileHost, make: Make, tmp_path: Path, location: str
) -> None:
    host.tricks = [redirect_to(location)]
    with pytest.raises(DownloadError, match="redirects to nowhere, to itself, or"):
        await make(host).documents.download("d-1", tmp_path)
    assert len(host.chunk_requests) == 1


async def test_a_redirect_from_http_to_http_is_followed(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    host.document["url"] = "http://127.0.0.1/x"
    host.tricks = [redirect_to("http://127.0.0.1/y")]
    await make(host).documents.download("d-1", tmp_path)
    assert host.chunk_requests[-1].url == "http://127.0.0.1/y"


async def test_a_refusal_after_a_redirect_requests_a_new_link(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    host.tricks = [redirect_to("https://one/x"), serve_file, respond(403)]
    done = await make(host).documents.download("d-1", tmp_path)
    assert (done.links, host.chunk_requests[-1].url) == (2, f"{LINK}&link=2")


# Hosts that answer differently.


async def test_a_host_without_ranges_sends_the_whole_file(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    host.tricks = [host.serve_whole]
    done = await make(host).documents.download("d-1", tmp_path)
    assert (done.size, len(host.chunk_requests)) == (len(BILL), 1)
    assert (tmp_path / "bill.pdf").read_bytes() == BILL


async def test_a_host_that_stops_supporting_ranges_still_completes_a_sink(
    host: FileHost, make: Make
) -> None:
    sink = io.BytesIO()
    host.tricks = [serve_file, host.serve_whole]
    await make(host).documents.download("d-1", sink)
    assert sink.getvalue() == BILL


async def test_a_compressed_whole_file_is_decompressed(
    make: Make, tmp_path: Path
) -> None:
    host = FileHost(b"%PDF-1.7" * 100)
    packed = gzip.compress(host.data)
    headers = {"Content-Encoding": "gzip", "Content-Length": str(len(packed))}
    span = f"bytes 0-{len(packed) - 1}/{len(packed)}"
    ranged = {"Content-Encoding": "gzip", "Content-Range": span}
    host.tricks = [respond(206, ranged, packed), respond(200, headers, packed)]
    await make(host).documents.download("d-1", tmp_path)
    assert (tmp_path / "bill.pdf").read_bytes() == host.data
    assert host.ranges == [f"bytes=0-{CHUNK - 1}", None]


@pytest.mark.parametrize("is_packed", [True, False], ids=["packed", "plain"])
async def test_a_whole_file_that_is_too_large_is_an_error(
    host: FileHost, make: Make, tmp_path: Path, *, is_packed: bool
) -> None:
    body = b"\0" * 5_000
    headers = {"Content-Encoding": "gzip"} if is_packed else {}
    host.tricks = [respond(200, headers, gzip.compress(body) if is_packed else body)]
    with pytest.raises(BodyTooLargeError, match="more than 1,000 bytes"):
        await make(host, max_body_bytes=1000).documents.download("d-1", tmp_path)


OTHER_SPANS = {
    "other-start": "bytes 5-8/9",
    "beyond-end": "bytes 0-3/2",
    "backwards": "bytes 3-0/9",
    "unit": "items 0-3/9",
    "none": "",
}


@pytest.mark.parametrize("span", OTHER_SPANS.values(), ids=OTHER_SPANS)
async def test_a_wrong_range_is_refused_and_the_whole_file_requested(
    host: FileHost, make: Make, tmp_path: Path, span: str
) -> None:
    host.tricks = [respond(206, {"Content-Range": span}, b"x" * 4)]
    await make(host).documents.download("d-1", tmp_path)
    assert (tmp_path / "bill.pdf").read_bytes() == BILL
    assert host.ranges == [f"bytes=0-{CHUNK - 1}", None]


@pytest.mark.parametrize("span", OTHER_SPANS.values(), ids=OTHER_SPANS)
async def test_a_wrong_range_twice_is_an_error(
    host: FileHost, make: Make, tmp_path: Path, span: str
) -> None:
    host.tricks = [respond(206, {"Content-Range": span}, b"x" * 4)] * 2
    with pytest.raises(DownloadError, match="other bytes than were requested"):
        await make(host).documents.download("d-1", tmp_path)
    assert len(host.chunk_requests) == 2


async def test_the_unit_of_a_range_may_be_in_capitals(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    def loudly(request: Request[Any]) -> Response:
        quiet = host.serve_range(request)
        span = quiet.headers["content-range"].replace("bytes", "Bytes")
        return Response(206, {**quiet.headers, "content-range": span}, quiet.body)

    host.tricks = [loudly] * 3
    await make(host).documents.download("d-1", tmp_path)
    assert (tmp_path / "bill.pdf").read_bytes() == BILL
    assert len(host.chunk_requests) == 3


async def test_more_bytes_than_were_requested_are_used(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    span = f"bytes 0-{len(BILL) - 1}/{len(BILL)}"
    host.tricks = [respond(206, {"Content-Range": span}, BILL)]
    await make(host).documents.download("d-1", tmp_path)
    assert (tmp_path / "bill.pdf").read_bytes() == BILL
    assert len(host.chunk_requests) == 1


async def test_a_206_with_the_whole_file_is_used(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    span = f"bytes 0-{len(BILL) - 1}/{len(BILL)}"
    host.tricks = [serve_file, *[respond(206, {"Content-Range": span}, BILL)] * 2]
    await make(host).documents.download("d-1", tmp_path)
    assert (tmp_path / "bill.pdf").read_bytes() == BILL
    assert host.ranges[1:] == [f"bytes={CHUNK}-{2 * CHUNK - 1}", None]


async def test_half_of_the_whole_file_is_an_error(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    host.tricks = [
        respond(206),
        respond(206, {"Content-Range": "bytes 0-3/9"}, b"xxxx"),
    ]
    with pytest.raises(DownloadError, match="other bytes than were requested"):
        await make(host).documents.download("d-1", tmp_path)


@pytest.mark.parametrize("word", ["aws-chunked", "", "utf-8", "Identity", "binary"])
@pytest.mark.parametrize("is_whole", [True, False], ids=["whole", "ranges"])
async def test_an_encoding_that_is_no_compression_is_ignored(
    host: FileHost, make: Make, tmp_path: Path, word: str, *, is_whole: bool
) -> None:
    def worded(request: Request[Any]) -> Response:
        plain = host.serve_whole(request) if is_whole else host.serve_range(request)
        headers = {**plain.headers, "content-encoding": word}
        return Response(plain.status, headers, plain.body)

    host.tricks = [worded] * 3
    await make(host).documents.download("d-1", tmp_path)
    assert (tmp_path / "bill.pdf").read_bytes() == BILL
    assert len(host.chunk_requests) == (1 if is_whole else 3)


async def test_a_compression_is_found_among_other_encodings(
    make: Make, tmp_path: Path
) -> None:
    host = FileHost(b"%PDF-1.7" * 100)
    headers = {"Content-Encoding": "aws-chunked, GZIP"}
    host.tricks = [respond(200, headers, gzip.compress(host.data))]
    await make(host).documents.download("d-1", tmp_path)
    assert (tmp_path / "bill.pdf").read_bytes() == host.data


async def test_a_download_continues_after_shorter_ranges_than_requested(
    make: Make, tmp_path: Path
) -> None:
    host = FileHost(b"0123456789")

    def three(request: Request[Any]) -> Response:
        start = int(str(request.headers["Range"])[6:].partition("-")[0])
        body = host.data[start : start + 3]
        span = f"bytes {start}-{start + len(body) - 1}/10"
        return Response(206, {"Content-Range": span}, body)

    host.tricks = [three] * 4
    await make(host).documents.download("d-1", tmp_path)
    assert (tmp_path / "bill.pdf").read_bytes() == host.data
    assert [str(text)[:8] for text in host.ranges] == [
        "bytes=0-",
        "bytes=3-",
        "bytes=6-",
        "bytes=9-",
    ]


@pytest.mark.parametrize(
    "end", ["bytes */10", "bytes */*"], ids=["with-size", "without-size"]
)
async def test_a_file_of_unknown_size_ends_at_a_416(
    make: Make, tmp_path: Path, end: str
) -> None:
    host = FileHost(b"0123456789")
    host.tricks = [
        respond(206, {"Content-Range": "bytes 0-9/*"}, host.data),
        respond(416, {"Content-Range": end}),
    ]
    done = await make(host).documents.download("d-1", tmp_path)
    assert (done.size, (tmp_path / "bill.pdf").read_bytes()) == (10, host.data)


async def test_a_416_for_an_empty_file_requests_the_whole_file(
    make: Make, tmp_path: Path
) -> None:
    host = FileHost(b"", file_name="bill.csv")
    host.tricks = [respond(416)]
    done = await make(host).documents.download("d-1", tmp_path)
    assert (done.size, host.ranges) == (0, [f"bytes=0-{CHUNK - 1}", None])


# Files that change.


@pytest.mark.parametrize(
    "other",
    [b"y" * len(BILL), b"y" * (CHUNK + 5), b"y" * 3],
    ids=["etag", "size", "416"],
)
async def test_a_file_that_changes_is_downloaded_again(
    host: FileHost, make: Make, tmp_path: Path, other: bytes
) -> None:
    host.knows_conditions = False
    host.tricks = [serve_file, lambda _: host.change(other)]
    done = await make(host).documents.download("d-1", tmp_path)
    assert (tmp_path / "bill.pdf").read_bytes() == other
    assert (done.size, done.resumed_from) == (len(other), 0)


async def test_a_file_that_changes_twice_is_an_error_and_the_partial_file_stays(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    host.knows_conditions = False
    host.tricks = [
        serve_file,
        lambda _: host.change(BILL + b"1"),
        serve_file,
        lambda _: host.change(BILL + b"22"),
    ]
    with pytest.raises(DownloadError, match="changed twice"):
        await make(host).documents.download("d-1", tmp_path)
    names = sorted(os.listdir(tmp_path))  # noqa: PTH208
    assert names == ["bill.pdf.part", "bill.pdf.part.json"]


@pytest.mark.parametrize("status", [206, 200, 416])
async def test_a_download_to_a_sink_cannot_restart(
    host: FileHost, make: Make, status: int
) -> None:
    sink = io.BytesIO()
    host.knows_conditions = False

    def change(request: Request[Any]) -> Response:
        host.change(b"y" * (3 if status == 416 else CHUNK + 7))
        return host.serve_whole(request) if status == 200 else host.serve_range(request)

    host.tricks = [serve_file, change]
    with pytest.raises(
        DownloadError, match="after a part of it was written to the sink"
    ):
        await make(host).documents.download("d-1", sink)
    assert sink.getvalue() == BILL[:CHUNK]


async def test_a_whole_file_smaller_than_the_written_bytes_is_another_file(
    make: Make,
) -> None:
    host = FileHost(b"0123456789")
    host.tricks = [
        respond(206, {"Content-Range": "bytes 0-9/*"}, host.data),
        respond(200, {}, b"less"),
    ]
    with pytest.raises(DownloadError, match="written to the sink"):
        await make(host).documents.download("d-1", io.BytesIO())


# Partial files.


async def test_a_partial_file_is_not_resumed_with_a_host_without_ranges(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    (tmp_path / "bill.pdf.part").write_bytes(b"?" * 200)
    host.tricks = [host.serve_whole]
    done = await make(host).documents.download("d-1", tmp_path)
    assert (done.resumed_from, (tmp_path / "bill.pdf").read_bytes()) == (0, BILL)


async def test_a_cancelled_download_leaves_whole_chunks_and_resumes_later(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    scope = anyio.CancelScope()

    async def cancel(_: Request[Any]) -> None:
        scope.cancel()
        await anyio.lowlevel.checkpoint()

    host.tricks = [serve_file, cancel]
    client = make(host)
    with scope:
        await client.documents.download("d-1", tmp_path)
    assert scope.cancelled_caught
    assert (tmp_path / "bill.pdf.part").read_bytes() == BILL[:CHUNK]
    done = await client.documents.download("d-1", tmp_path)
    assert done.resumed_from == CHUNK
    assert (tmp_path / "bill.pdf").read_bytes() == BILL


async def test_no_file_stays_open_between_two_chunks(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    def list_open_files() -> list[str]:
        paths = []
        for name in os.listdir("/proc/self/fd"):  # noqa: PTH208
            try:
                paths.append(os.readlink(f"/proc/self/fd/{name}"))  # noqa: PTH115
            except OSError:
                continue
        return [path for path in paths if path.startswith(str(tmp_path))]

    async def look(_: Request[Any]) -> None:
        assert await anyio.to_thread.run_sync(list_open_files) == []

    host.tricks = [serve_file, look, look]
    await make(host).documents.download("d-1", tmp_path)
    assert host.tricks == []


async def test_the_bytes_are_on_the_disk_before_the_file_has_its_name(
    host: FileHost, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[list[str]] = []

    def fsync(_: int) -> None:
        synced.append([path.name for path in tmp_path.iterdir()])

    monkeypatch.setattr(os, "fsync", fsync)
    await make(host).documents.download("d-1", tmp_path)
    assert [sorted(names) for names in synced] == [
        ["bill.pdf.part", "bill.pdf.part.json"]
    ]


async def test_a_partial_file_that_another_program_changes_is_an_error(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    part = tmp_path / "bill.pdf.part"

    async def meddle(done: int, total: int | None) -> None:
        if done == total:
            await anyio.Path(part).write_bytes(b"meddled")

    with pytest.raises(DownloadError, match="something else writes there too"):
        await make(host).documents.download("d-1", tmp_path, on_progress=meddle)
    assert part.read_bytes() == b"meddled"


async def test_two_downloads_of_a_process_do_not_write_to_one_path(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    client = make(host)

    async def again(_: Request[Any]) -> None:
        with pytest.raises(InvalidArgumentError, match="written by another download"):
            await client.documents.download("d-1", tmp_path / "bill.pdf")

    host.tricks = [again]
    await client.documents.download("d-1", tmp_path)
    await client.documents.download("d-1", tmp_path)


# Several bills with one file name.

APRIL, MAY = (
    "5f0c9e3a-1b7d-4c2e-9f60-7a1d2e3f4a5b",
    "9b8a7c6d-2e4f-4a1b-8c3d-0e1f2a3b4c5d",
)


def read_folder(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


async def test_bills_of_one_name_do_not_replace_each_other_in_a_folder(
    make: Make, tmp_path: Path
) -> None:
    await make(FileHost(b"april")).documents.download(APRIL, tmp_path)
    for data in (b"may", b"may, again"):
        done = await make(FileHost(data)).documents.download(MAY, tmp_path)
        assert done.path == tmp_path / "bill-9b8a7c6d.pdf"
    assert read_folder(tmp_path) == {
        "bill.pdf": b"april",
        "bill-9b8a7c6d.pdf": b"may, again",
    }


async def test_bills_of_one_name_may_be_downloaded_at_the_same_time(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    client = make(host)
    async with anyio.create_task_group() as group:
        for document_id in (APRIL, MAY):
            group.start_soon(client.documents.download, document_id, tmp_path)
    names = set(read_folder(tmp_path))
    assert "bill.pdf" in names
    assert names & {"bill-5f0c9e3a.pdf", "bill-9b8a7c6d.pdf"}
    assert len(names) == 2


async def test_a_partial_file_with_the_id_in_its_name_is_resumed(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    leave_part(tmp_path / "bill-5f0c9e3a.pdf", BILL[:CHUNK], document=APRIL)
    done = await make(host).documents.download(APRIL, tmp_path)
    assert done.resumed_from == CHUNK
    assert read_folder(tmp_path) == {"bill-5f0c9e3a.pdf": BILL}


@pytest.mark.parametrize(
    ("name", "document_id", "expected"),
    [
        ("bill.pdf", APRIL, "bill-5f0c9e3a.pdf"),
        ("bill", APRIL, "bill-5f0c9e3a"),
        ("bill.pdf", "document-17", "bill-document-17.pdf"),
        ("bill.pdf", "d/17", "bill-d_17.pdf"),
        (
            "bill.pdf",
            "0192f0c1-0000-7000-8000-000000000001",  # a version that begins with time
            "bill-0192f0c1-0000-7000-8000-000000000001.pdf",
        ),
        ("x" * 240, APRIL, "x" * 231 + "-5f0c9e3a"),
    ],
    ids=["random", "no-suffix", "counted", "slash", "time", "long"],
)
def test_the_id_makes_a_file_name_unique(
    name: str, document_id: str, expected: str
) -> None:
    assert to_unique_name(name, document_id) == expected


@pytest.mark.parametrize("wrong", [5, "print"], ids=repr)
async def test_a_callback_that_is_no_function_is_refused_before_anything_is_sent(
    host: FileHost, make: Make, tmp_path: Path, wrong: Any
) -> None:
    client = make(host)
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: client.documents.download("d", tmp_path, on_progress=wrong),
        lambda: client.jobs.submit_document("c", b"%PDF-", on_progress=wrong),
        lambda: client.jobs.wait("j", on_progress=wrong),
        lambda: client.connections.wait_until_settled("c", on_progress=wrong),
    ]
    for call in calls:
        with pytest.raises(
            InvalidArgumentError, match="on_progress must be a function"
        ):
            await call()
    assert host.transport.requests == []


# Targets.


async def test_a_target_is_checked_before_anything_is_sent(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    client = make(host)
    os.mkfifo(tmp_path / "pipe")
    for target, words in (
        (tmp_path / "no" / "x.pdf", "in a folder that does not exist"),
        (f"{tmp_path}/no/", "target is no folder: .* create it first"),
        (tmp_path / "pipe", "target is no regular file"),
        ("", "target is no path"),
        ("a\0b", "target is no path"),
        (7, r"target must be a path or have write\(bytes\), not int"),
    ):
        with pytest.raises(InvalidArgumentError, match=words):
            await client.documents.download("d-1", target)  # type: ignore[arg-type]
    assert host.transport.requests == []


@pytest.mark.parametrize(
    ("file_name", "saved"),
    [
        ("March 2025.pdf", "March 2025.pdf"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\evil.pdf", "evil.pdf"),
        ("/etc/cron.d/x", "x"),
        (".bashrc", "bashrc"),
        ("a\r\n\x00b.pdf", "ab.pdf"),
        ("exe\u202efdp.pdf", "exefdp.pdf"),
        ('a<b>:"|?*.pdf', "a_b______.pdf"),
        ("NUL.pdf", "_NUL.pdf"),
        ("con", "_con"),
        ("CON.tar.gz", "_CON.tar.gz"),
        ("aux .pdf", "_aux .pdf"),
        ("COM¹.pdf", "_COM¹.pdf"),
        ("bill.pdf.part", "bill.pdf.part_"),
        ("bill.pdf.PART.json", "bill.pdf.PART.json_"),
        ("電気 Mär.pdf", "電気 Mär.pdf"),
        (None, "d-1.pdf"),
        ("", "d-1.pdf"),
        ("..", "d-1.pdf"),
        ("folder/", "d-1.pdf"),
        (" . ", "d-1.pdf"),
    ],
)
def test_the_name_of_a_document_is_made_safe(file_name: str | None, saved: str) -> None:
    assert to_safe_name(file_name, "d-1") == saved


def test_a_file_name_has_room_for_the_suffixes_of_its_partial_file() -> None:
    name = to_safe_name("電" * 200 + ".pdf", "d-1")
    assert len(f"{name}.part.json".encode()) <= 255
    assert name.endswith("電.pdf")
    assert to_safe_name("." * 300 + "x" * 300, "../..") == "x" * 240
    assert to_safe_name(None, "../..") == "pdf"


# Secrets.


def list_error_texts(error: BaseException) -> str:
    """Collect all text that an error could print."""
    frames = traceback.TracebackException.from_exception(error, capture_locals=True)
    texts = [repr(error), str(error), repr(error.args), "".join(frames.format())]
    texts += [repr(vars(error)), repr(pickle.dumps(error))]
    texts += getattr(error, "__notes__", [])
    return "\n".join(texts)


LEAKS: dict[str, list[Trick]] = {
    "refused": [REFUSED] * 3,
    "failing": [respond(500, {}, SIGNATURE.encode())] * 4,
    "odd": [respond(418, {"Location": LINK, "X": SIGNATURE}, SIGNATURE.encode())],
    "redirected": [redirect_to(f"/{SIGNATURE}1"), redirect_to(f"/{SIGNATURE}2")] * 2,
    "insecure": [redirect_to(f"http://x/{SIGNATURE}")],
    "other-bytes": [respond(206, {"Content-Range": SIGNATURE}, SIGNATURE.encode())] * 2,
    "broken": [lambda _: BROKEN] * 4,
    "too-large": [respond(200, {"Content-Encoding": "gzip"}, SIGNATURE.encode())] * 4,
}


@pytest.mark.parametrize("name", LEAKS)
async def test_no_error_log_or_file_has_the_link_or_the_key(
    make: Make, tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    host = FileHost()
    host.tricks = [serve_file, *LEAKS[name]]
    client = make(host)
    with pytest.raises(Exception, match="document d-1") as caught:
        await client.documents.download("d-1", tmp_path)
    text = list_error_texts(caught.value) + caplog.text + repr(host.chunk_requests)
    assert SIGNATURE not in text
    assert KEY not in text
    assert LINK not in text
    async for path in anyio.Path(tmp_path).iterdir():
        assert SIGNATURE.encode() not in await path.read_bytes()


async def test_the_result_of_a_download_has_no_link(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    done = await make(host).documents.download("d-1", tmp_path)
    assert SIGNATURE not in repr(done)
    assert SIGNATURE.encode() not in pickle.dumps(done)
