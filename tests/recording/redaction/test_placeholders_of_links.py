"""A file is downloaded from a recording although its links differ each time."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest
from anyio import to_thread
from exchanges import NOW

from nectar_async import (
    MemoryTransport,
    NectarClient,
    Request,
    Response,
    Settings,
)
from nectar_async.recording.exchange import Question, RecordedAnswer, build_question
from nectar_async.recording.folder import Recording
from nectar_async.recording.format import encode_exchange
from nectar_async.recording.redaction.placeholders import (
    FileRequest,
    LinkTable,
    guess_link_placeholder,
)
from nectar_async.recording.redaction.redaction import Redaction
from nectar_async.recording.replayer import Replayer

DOCUMENT = "f83a5d12-6b7e-4c90-9e21-7d4b0c8f1a51"
COMPANY = "3b1e6f0a-7c52-4d19-9a84-5e2f0c6d8b11"
OURS = f"https://link.invalid/{DOCUMENT}/url"
FILE = bytes(range(256)) * 1_000
CHUNK = 64 * 1024


class Host:
    """A server with links that differ each time, redirects and range requests."""

    def __init__(self) -> None:
        self._fresh = count(1)
        self.pairs: list[tuple[Question, RecordedAnswer]] = []

    async def __call__(self, request: Request[object]) -> Response:
        response = self._respond(request)
        self.pairs.append((build_question(request), RecordedAnswer.of(response, NOW)))
        return response

    def _respond(self, request: Request[object]) -> Response:
        if request.operation != "documents_download":
            return self._documents(request)
        if "files" in request.url:
            number = next(self._fresh)
            to = f"//cdn.example.com/x y/{number}?sig=sgnd-{number}0"
            return Response(302, {"location": to})
        span = dict(request.headers)["Range"].removeprefix("bytes=").split("-")
        start, end = int(span[0]), min(int(span[1]) + 1, len(FILE))
        headers = {"content-range": f"bytes {start}-{end - 1}/{len(FILE)}"}
        headers |= {"etag": '"v1"', "content-type": "application/pdf"}
        return Response(206, headers, FILE[start:end])

    def _documents(self, request: Request[object]) -> Response:
        link = f"https://files.example.com/b.pdf?signature=sgnd-{next(self._fresh)}00"
        document = f'{{"id": "{DOCUMENT}", "url": "{link}"}}'
        if request.operation == "documents_list_by_company":
            document = (
                f'{{"documents": [{document}], "totalDocuments": 1, "perPage": 100,'
                ' "totalPages": 1, "currentPage": 1, "hasNext": false,'
                ' "hasPrevious": false}'
            )
        return Response(200, {"content-type": "application/json"}, document.encode())


class Sink:
    """A destination that stores a download."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, chunk: bytes) -> None:
        self.data += chunk


async def download(transport: object) -> tuple[bytes, str]:
    """Download the file; return it with the link in the list."""
    sink = Sink()
    settings = Settings(max_body_bytes=CHUNK)
    async with NectarClient("k", transport=transport, settings=settings) as nectar:  # type: ignore[arg-type]
        documents = [record async for record in nectar.documents.by_company(COMPANY)]
        await nectar.documents.download(DOCUMENT, sink)
    link = documents[0].url
    assert link is not None
    return sink.data, link.reveal()


@pytest.mark.anyio
async def test_chunks_behind_redirects_are_found_again() -> None:
    host = Host()
    assert (await download(MemoryTransport(host)))[0] == FILE

    saved = await to_thread.run_sync(Redaction().apply, host.pairs)
    recording = Recording(contract="").with_exchanges(saved)
    player = Replayer(recording, Redaction())

    async def play(request: Request[object]) -> Response:
        return player.answer(build_question(request)).response()

    assert await download(MemoryTransport(play)) == (FILE, OURS)
    assert player.unused == ()
    assert b"sgnd" not in b"".join(map(encode_exchange, saved))


@pytest.mark.anyio
async def test_downloading_again_writes_the_same_files() -> None:
    first, again = Host(), Host()
    await download(MemoryTransport(first))
    again._fresh = count(5_000)
    await download(MemoryTransport(again))

    assert first.pairs != again.pairs
    assert await to_thread.run_sync(_files, first) == await to_thread.run_sync(
        _files, again
    )


def _files(host: Host) -> list[bytes]:
    return sorted(map(encode_exchange, Redaction().apply(host.pairs)))


def test_a_link_is_named_by_its_place_and_a_download_by_its_owner() -> None:
    links = LinkTable()
    links.add("https://a.example.com/f?sig=abcdefgh", "b/url")
    links.add("https://a.example.com/f?sig=abcdefgh", "a/url")

    link = "https://a.example.com/f?sig=abcdefgh"
    assert links.find(link) == links.find(link, "a") == "https://link.invalid/a/url"
    assert links.find(link, "b") == "https://link.invalid/b/url"
    assert links.find("https://a.example.com/g") is None
    assert links.find(OURS) == OURS


def test_circular_redirects_end() -> None:
    links = LinkTable()
    first, second = "https://a.example.com/1", "https://a.example.com/2"

    links.follow(
        [
            FileRequest(first, "d", second),
            FileRequest(second, "d", first),
            FileRequest(second, "d", "http://["),
        ]
    )

    assert links.find(first) == "https://link.invalid/d/url"
    assert links.find(second) == "https://link.invalid/d/url/location"


def test_an_unknown_link_is_named_without_its_query() -> None:
    first = guess_link_placeholder("https://a.example.com/f.pdf?sig=1", "")

    assert first == guess_link_placeholder("https://a.example.com/f.pdf?sig=2", "")
    assert first != guess_link_placeholder("https://a.example.com/g.pdf?sig=1", "")
    assert guess_link_placeholder("https://a.example.com/f.pdf", DOCUMENT) == OURS
    assert guess_link_placeholder(OURS, "x") == OURS


def test_quoted_parts_of_a_link_are_replaced() -> None:
    link = f"https://a.example.com/{DOCUMENT}/t0k3n-of-a-path/b.pdf?v=2&sig=s1gned%2Fxx"
    links = LinkTable()
    links.add(link, "d/url")

    known = links.list_quotable()

    assert {"t0k3n-of-a-path", "s1gned/xx"} <= known.keys()
    assert not {"b.pdf", "2", DOCUMENT, "a.example.com"} & known.keys()


def test_a_redirect_of_the_api_is_named_by_its_exchange(tmp_path: Path) -> None:
    question = Question(operation="team_get", method="GET", path="/team")
    answer = RecordedAnswer(
        status=302, headers={"location": "https://login.example.com/?t=abc"}
    )

    (exchange,) = Redaction().apply([(question, answer)])

    assert (
        exchange.answer.headers["location"]
        == f"https://link.invalid/{exchange.base_name}/location"
    )
    Recording().with_exchanges([exchange]).save(tmp_path / "r", NOW)
    assert Recording.load(tmp_path / "r").exchanges == (exchange,)
