"""Downloads of files that change: the saved bytes are all of one version."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from doubles import MakeClient
from scripted_file_host import (
    BILL,
    CHUNK,
    SIGNATURE,
    FileHost,
    Trick,
    leave_part,
    serve_file,
)

from nectar_async import (
    DownloadError,
    InvalidArgumentError,
    NectarClient,
    Request,
    Response,
    RetryPolicy,
    VirtualClock,
)
from nectar_async._files.validators import Validators
from nectar_async.errors import BodyTooLargeError, ConnectionFailedError

pytestmark = pytest.mark.anyio

OTHER = b"y" * len(BILL)
SUNDAY = "Sun, 04 May 2025 10:00:00 GMT"
MONDAY = "Mon, 05 May 2025 10:00:00 GMT"
BROKEN = ConnectionFailedError("the connection broke")
ONCE = RetryPolicy(attempts=1)

Make = Callable[..., NectarClient]


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nectar_async._files.download_link._CHUNK", CHUNK)


@pytest.fixture
def host() -> FileHost:
    return FileHost()


@pytest.fixture
def make(make_client: MakeClient) -> Make:
    """Build a client of a file host, with a virtual clock."""

    def build(host: FileHost, **options: Any) -> NectarClient:
        return make_client(host.transport, clock=VirtualClock(), **options)

    return build


def set_validators(host: FileHost, etag: str | None, modified: str | None) -> None:
    host.etag, host.modified = etag, modified


def replace_file(host: FileHost, etag: str | None, modified: str | None) -> Trick:
    """Replace the file by another one with other validators."""

    def change(_: Request[Any]) -> None:
        host.data = OTHER
        set_validators(host, etag, modified)

    return change


def read_conditions(host: FileHost) -> list[str | None]:
    return [request.headers.get("If-Range") for request in host.chunk_requests]


# Changes during a download.

CHANGES: dict[str, tuple[tuple[str | None, str | None], ...]] = {
    "strong": (('"1"', None), ('"2"', None)),
    "weak": (('W/"1"', None), ('W/"2"', None)),
    "weak-and-date": (('W/"1"', SUNDAY), ('W/"2"', MONDAY)),
    "date": ((None, SUNDAY), (None, MONDAY)),
    "date-though-strong": (('"1"', SUNDAY), ('"1"', MONDAY)),
    "strong-though-date": (('"1"', SUNDAY), ('"2"', SUNDAY)),
    "no-quotes": (("1", None), ("2", None)),
    "nothing": ((None, None), (None, None)),
}


@pytest.mark.parametrize("heeds", [True, False], ids=["conditions", "no-conditions"])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_a_file_that_changes_is_never_saved_as_a_mixture(
    host: FileHost,
    make: Make,
    tmp_path: Path,
    change: tuple[tuple[str | None, str | None], ...],
    *,
    heeds: bool,
) -> None:
    host.knows_conditions = heeds
    set_validators(host, *change[0])
    host.tricks = [serve_file, replace_file(host, *change[1])]
    done = await make(host).documents.download("d-1", tmp_path / "x.pdf")
    assert (tmp_path / "x.pdf").read_bytes() == OTHER
    assert (done.size, done.resumed_from) == (len(OTHER), 0)
    assert os.listdir(tmp_path) == ["x.pdf"]  # noqa: PTH208


@pytest.mark.parametrize("heeds", [True, False], ids=["conditions", "no-conditions"])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_no_mixture_is_written_to_a_sink(
    host: FileHost,
    make: Make,
    change: tuple[tuple[str | None, str | None], ...],
    *,
    heeds: bool,
) -> None:
    host.knows_conditions = heeds
    set_validators(host, *change[0])
    host.tricks = [serve_file, replace_file(host, *change[1])]
    sink = io.BytesIO()
    with pytest.raises(DownloadError, match="written to the sink"):
        await make(host).documents.download("d-1", sink)
    assert sink.getvalue() == BILL[:CHUNK]


@pytest.mark.parametrize(
    ("given", "condition"),
    [
        (('"1"', SUNDAY), '"1"'),
        (('W/"1"', SUNDAY), SUNDAY),
        ((None, SUNDAY), SUNDAY),
        (('W/"1"', None), None),
        ((None, None), None),
    ],
    ids=["strong", "weak-and-date", "date", "weak", "nothing"],
)
async def test_if_range_names_the_file_that_was_begun(
    host: FileHost,
    make: Make,
    tmp_path: Path,
    given: tuple[str | None, str | None],
    condition: str | None,
) -> None:
    set_validators(host, *given)
    await make(host).documents.download("d-1", tmp_path / "x.pdf")
    assert (tmp_path / "x.pdf").read_bytes() == BILL
    assert {*read_conditions(host)[1:]} == {condition}
    assert read_conditions(host)[0] is None


async def test_a_change_costs_one_response_with_if_range(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    host.tricks = [serve_file, replace_file(host, '"v2"', None)]
    await make(host).documents.download("d-1", tmp_path)
    assert len(host.chunk_requests) == 2


async def test_a_changed_file_that_is_too_large_as_a_whole_is_fetched_in_ranges(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    def too_large(request: Request[Any]) -> Response | BodyTooLargeError:
        answer = host.serve_range(request)
        return BodyTooLargeError("large") if answer.status == 200 else answer

    def change(request: Request[Any]) -> Response | BodyTooLargeError:
        replace_file(host, '"v2"', None)(request)
        return too_large(request)

    host.tricks = [serve_file, change, *[too_large] * 9]
    await make(host).documents.download("d-1", tmp_path / "x.pdf")
    assert (tmp_path / "x.pdf").read_bytes() == OTHER


@pytest.mark.parametrize("overlap", [True, False], ids=["weak", "strong"])
async def test_chunks_overlap_without_a_strong_etag(
    host: FileHost, make: Make, tmp_path: Path, *, overlap: bool
) -> None:
    set_validators(host, 'W/"1"' if overlap else '"1"', SUNDAY)
    await make(host).documents.download("d-1", tmp_path)
    start = CHUNK - CHUNK // 16 if overlap else CHUNK
    assert str(host.ranges[1]).startswith(f"bytes={start}-")


async def test_chunks_overlap_when_validators_are_left_out_later(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    host.knows_conditions = False

    def silent(_: Request[Any]) -> None:
        set_validators(host, None, None)

    host.tricks = [serve_file, silent, replace_file(host, None, None)]
    await make(host).documents.download("d-1", tmp_path / "x.pdf")
    assert (tmp_path / "x.pdf").read_bytes() == OTHER


async def test_an_overlap_in_several_responses_is_compared_in_pieces(
    make: Make, tmp_path: Path
) -> None:
    host = FileHost(bytes(range(256)) * 2)
    set_validators(host, None, None)

    def short(most: int) -> Trick:
        def answer(request: Request[Any]) -> Response:
            start = int(str(request.headers["Range"])[6:].partition("-")[0])
            body = host.data[start : start + most]
            span = f"bytes {start}-{start + len(body) - 1}/{len(host.data)}"
            return Response(206, {"Content-Range": span}, body)

        return answer

    host.tricks = [short(320), *[short(7)] * 40]
    await make(host).documents.download("d-1", tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == host.data
    assert [str(text).partition("-")[0] for text in host.ranges[1:5]] == [
        "bytes=300",
        "bytes=307",
        "bytes=314",
        "bytes=321",
    ]


# Inconsistent hosts.


def counting(host: FileHost, name: str) -> Trick:
    """Change a validator with each response, but not the file."""

    def one_more(_: Request[Any]) -> None:
        number = len(host.chunk_requests)
        if name == "etag":
            set_validators(host, f'"{number}"', SUNDAY)
        else:
            set_validators(host, '"v1"', f"Sun, 04 May 2025 10:00:0{number} GMT")

    return one_more


@pytest.mark.parametrize("heeds", [True, False], ids=["conditions", "no-conditions"])
@pytest.mark.parametrize("name", ["etag", "date"])
@pytest.mark.parametrize("to_sink", [True, False], ids=["sink", "path"])
async def test_a_host_with_inconsistent_validators_is_asked_for_the_whole_file(
    host: FileHost,
    make: Make,
    tmp_path: Path,
    name: str,
    *,
    heeds: bool,
    to_sink: bool,
) -> None:
    host.knows_conditions = heeds
    host.tricks = [counting(host, name)] * 9
    sink = io.BytesIO()
    target = sink if to_sink else tmp_path / "x.pdf"
    await make(host).documents.download("d-1", target)
    saved = sink.getvalue() if to_sink else (tmp_path / "x.pdf").read_bytes()
    assert saved == BILL
    assert len(host.chunk_requests) <= 5


async def test_inconsistent_validators_of_a_file_too_large_for_a_body_are_an_error(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    host.knows_conditions = False
    host.tricks = [counting(host, "etag")] * 9
    with pytest.raises(DownloadError, match="changed twice"):
        await make(host, max_body_bytes=CHUNK).documents.download("d-1", tmp_path)


async def test_a_different_etag_alone_means_that_the_file_changed(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    host.knows_conditions = False

    def other(_: Request[Any]) -> None:
        set_validators(host, f'"{len(host.chunk_requests)}"', None)

    host.tricks = [other] * 9
    with pytest.raises(DownloadError, match="changed twice"):
        await make(host).documents.download("d-1", tmp_path)


@pytest.mark.parametrize(
    ("other", "differs", "is_inconsistent"),
    [
        (Validators(size=3, etag='"a"', modified=SUNDAY), False, False),
        (Validators(size=3, etag='W/"a"', modified=SUNDAY), False, False),
        (Validators(etag='"a"'), False, False),
        (Validators(), False, False),
        (Validators(size=3, etag='"b"', modified=SUNDAY), True, True),
        (Validators(size=3, etag='"a"', modified=MONDAY), True, True),
        (Validators(size=4, etag='"a"', modified=SUNDAY), True, False),
        (Validators(size=3, etag='"b"', modified=MONDAY), True, False),
        (Validators(size=3, etag='"b"'), True, False),
        (Validators(etag='"b"', modified=SUNDAY), True, False),
    ],
    ids=[
        "same",
        "weakly-the-same",
        "less",
        "nothing",
        "etag",
        "date",
        "size",
        "etag-and-date",
        "etag-without-date",
        "etag-without-size",
    ],
)
def test_any_validator_that_differs_counts(
    other: Validators, *, differs: bool, is_inconsistent: bool
) -> None:
    known = Validators(size=3, etag='"a"', modified=SUNDAY)
    assert (known.differs_from(other), other.differs_from(known)) == (differs, differs)
    assert known.is_inconsistent_with(other) is is_inconsistent


# Partial files.


async def test_the_metadata_of_a_partial_file_names_the_document_and_not_the_link(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    host.modified = SUNDAY
    host.tricks = [serve_file, lambda _: BROKEN]
    with pytest.raises(ConnectionFailedError):
        await make(host, retry=ONCE).documents.download("d-1", tmp_path / "x.pdf")
    text = (tmp_path / "x.pdf.part.json").read_text()
    note = json.loads(text)
    assert note.pop("owner")
    assert note == {
        "document": "d-1",
        "size": len(BILL),
        "etag": '"v1"',
        "modified": SUNDAY,
    }
    assert SIGNATURE not in text
    done = await make(host).documents.download("d-1", tmp_path / "x.pdf")
    assert done.resumed_from == CHUNK
    assert (tmp_path / "x.pdf").read_bytes() == BILL
    assert os.listdir(tmp_path) == ["x.pdf"]  # noqa: PTH208


@pytest.mark.parametrize("there", [10, CHUNK, CHUNK + 1, len(BILL)], ids=str)
async def test_a_partial_file_of_an_earlier_download_is_resumed(
    host: FileHost, make: Make, tmp_path: Path, there: int
) -> None:
    leave_part(tmp_path / "bill.pdf", BILL[:there])
    done = await make(host).documents.download("d-1", tmp_path / "bill.pdf")
    assert (tmp_path / "bill.pdf").read_bytes() == BILL
    assert (done.resumed_from, done.size) == (there, len(BILL))
    assert str(host.ranges[0]).startswith(f"bytes={max(0, there - 65_536)}-")
    assert read_conditions(host)[0] == '"v1"'
    assert os.listdir(tmp_path) == ["bill.pdf"]  # noqa: PTH208


PARTS: dict[str, bytes] = {
    "other-end": BILL[: CHUNK - 1] + b"?",
    "longer": BILL + b"more",
    "much-longer": BILL + b"more" * 20_000,
    "other": b"?" * 100,
}


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
async def test_a_partial_file_that_does_not_match_is_not_resumed(
    host: FileHost, make: Make, tmp_path: Path, part: bytes
) -> None:
    leave_part(tmp_path / "bill.pdf", part)
    done = await make(host).documents.download("d-1", tmp_path)
    assert (tmp_path / "bill.pdf").read_bytes() == BILL
    assert (done.resumed_from, done.size) == (0, len(BILL))


NOTES: dict[str, dict[str, object]] = {
    "other-document": {"document": "d-2"},
    "other-etag": {"etag": '"v0"'},
    "other-size": {"size": len(BILL) - 1},
    "nothing-to-compare": {"etag": None},
    "no-text": {"etag": 5, "modified": ["x"]},
}


@pytest.mark.parametrize("heeds", [True, False], ids=["conditions", "no-conditions"])
@pytest.mark.parametrize("note", NOTES.values(), ids=NOTES)
async def test_a_partial_file_of_another_file_with_the_same_end_is_not_resumed(
    host: FileHost,
    make: Make,
    tmp_path: Path,
    note: dict[str, object],
    *,
    heeds: bool,
) -> None:
    host.knows_conditions = heeds
    part = b"?" * 100 + BILL[100 : 2 * CHUNK]
    leave_part(tmp_path / "bill.pdf", part, **note)
    done = await make(host).documents.download("d-1", tmp_path)
    assert (tmp_path / "bill.pdf").read_bytes() == BILL
    assert done.resumed_from == 0


@pytest.mark.parametrize("text", [None, "", "[]", '{"document": "d-1"'], ids=repr)
async def test_a_partial_file_without_metadata_is_not_resumed(
    host: FileHost, make: Make, tmp_path: Path, text: str | None
) -> None:
    (tmp_path / "bill.pdf.part").write_bytes(BILL[:CHUNK])
    if text is not None:
        (tmp_path / "bill.pdf.part.json").write_text(text)
    done = await make(host).documents.download("d-1", tmp_path)
    assert (tmp_path / "bill.pdf").read_bytes() == BILL
    assert done.resumed_from == 0


async def test_a_partial_file_is_not_resumed_without_validators(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    leave_part(tmp_path / "bill.pdf", b"?" * 100 + BILL[100 : 2 * CHUNK])
    host.knows_conditions = False
    set_validators(host, None, None)
    done = await make(host).documents.download("d-1", tmp_path)
    assert (tmp_path / "bill.pdf").read_bytes() == BILL
    assert done.resumed_from == 0


async def test_metadata_without_a_partial_file_is_ignored(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    leave_part(tmp_path / "bill.pdf", b"")
    (tmp_path / "bill.pdf.part").unlink()
    done = await make(host).documents.download("d-1", tmp_path)
    assert (done.resumed_from, (tmp_path / "bill.pdf").read_bytes()) == (0, BILL)


async def test_the_partial_file_of_a_file_that_changed_twice_is_not_resumed_as_one(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    host.knows_conditions = False
    leave_part(tmp_path / "bill.pdf", BILL[:CHUNK], etag='"v0"')
    host.tricks = [serve_file, serve_file, replace_file(host, '"v2"', None)]
    await make(host).documents.download("d-1", tmp_path / "bill.pdf")
    assert (tmp_path / "bill.pdf").read_bytes() == OTHER


# Two downloads to one path, and a path that cannot be written.


async def test_a_later_download_takes_over_and_the_first_one_stops(
    host: FileHost, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make(host)

    async def another_process(_: Request[Any]) -> None:
        with monkeypatch.context() as patch:
            patch.setattr("nectar_async._files.destination._in_use", set())
            host.tricks.insert(0, serve_file)
            await client.documents.download("d-1", tmp_path / "x.pdf")

    host.tricks = [serve_file, another_process]
    with pytest.raises(DownloadError, match="something else writes there") as caught:
        await client.documents.download("d-1", tmp_path / "x.pdf")
    assert caught.value.target == "document d-1"
    assert (tmp_path / "x.pdf").read_bytes() == BILL


async def test_a_download_that_takes_over_at_the_end_has_the_file(
    host: FileHost, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fsync(_: int) -> None:
        leave_part(tmp_path / "x.pdf", b"%PDF")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(DownloadError, match="something else writes there"):
        await make(host).documents.download("d-1", tmp_path / "x.pdf")
    assert not (tmp_path / "x.pdf").exists()


async def test_two_writers_never_leave_a_hole(
    host: FileHost, make: Make, tmp_path: Path
) -> None:
    async def begin_anew(_: Request[Any]) -> None:
        await anyio.to_thread.run_sync(leave_part, tmp_path / "x.pdf", b"%PDF")

    host.tricks = [serve_file, begin_anew]
    with pytest.raises(DownloadError, match="something else writes there"):
        await make(host).documents.download("d-1", tmp_path / "x.pdf")
    assert (tmp_path / "x.pdf.part").read_bytes() == b"%PDF"


@pytest.mark.parametrize("name", ["x.pdf.part", "x.pdf.part.json"])
@pytest.mark.parametrize("kind", ["folder", "pipe", "link"])
@pytest.mark.parametrize("is_named", [True, False], ids=["path", "folder"])
async def test_a_partial_file_that_is_no_regular_file_is_refused(
    make: Make, tmp_path: Path, name: str, kind: str, *, is_named: bool
) -> None:
    host = FileHost(file_name="x.pdf")
    outside = tmp_path / "outside"
    outside.write_bytes(b"precious")
    place = tmp_path / "place"
    place.mkdir()
    if kind == "folder":
        (place / name).mkdir()
    elif kind == "pipe":
        os.mkfifo(place / name)
    else:
        (place / name).symlink_to(outside)
    target = place / "x.pdf" if is_named else place
    with pytest.raises(InvalidArgumentError, match="is no regular file; remove it"):
        await make(host).documents.download("d-1", target)
    assert host.chunk_requests == []
    assert outside.read_bytes() == b"precious"
    assert bool(host.links) != is_named


@pytest.mark.parametrize("length", [300, 248], ids=["path", "part"])
async def test_a_name_that_is_too_long_is_refused_before_anything_is_sent(
    host: FileHost, make: Make, tmp_path: Path, length: int
) -> None:
    with pytest.raises(InvalidArgumentError, match="File name too long"):
        await make(host).documents.download("d-1", tmp_path / ("x" * length))
    assert host.transport.requests == []


async def test_a_full_disk_raises_the_systems_error_and_the_download_can_be_resumed(
    host: FileHost, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(part: Path, offset: int, data: bytes) -> None:
        if offset:
            with part.open("r+b") as file:
                file.seek(offset)
                file.write(data[:100])
            raise OSError(28, "No space left on device")
        part.write_bytes(data)

    client = make(host)
    with monkeypatch.context() as patch:
        patch.setattr("nectar_async._files.partial_file._write", full)
        with pytest.raises(OSError, match="No space left"):
            await client.documents.download("d-1", tmp_path / "x.pdf")
    done = await client.documents.download("d-1", tmp_path / "x.pdf")
    assert done.resumed_from == CHUNK + 100
    assert (tmp_path / "x.pdf").read_bytes() == BILL


async def test_metadata_that_cannot_be_removed_does_not_fail_the_download(
    host: FileHost, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "unlink", refuse)
    await make(host).documents.download("d-1", tmp_path / "x.pdf")
    assert (tmp_path / "x.pdf").read_bytes() == BILL
