"""Uploads and downloads show no secret, neither in errors nor on disk."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from canaries.calls import ID, Case
from canaries.canaries import KEY, VALUES
from canaries.run import Outcome, run_case
from canaries.server import FILE, WAYS, Way, novel, odd, success

from nectar_async import NectarClient
from nectar_async._files import partial_file

pytestmark = [pytest.mark.anyio, pytest.mark.without_coverage]

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 200


async def stream(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 64):
        yield data[start : start + 64]


SOURCES: dict[str, Callable[[Path], Any]] = {
    "path": lambda path: path,
    "text": str,
    "bytes": lambda _: PNG,
    "stream": lambda _: stream(PNG),
}


def build_upload_case(source: Callable[[Path], Any], bill: Path) -> Case:
    async def call(nectar: NectarClient, seen: list[Any]) -> None:
        seen.append(
            await nectar.jobs.submit_document(
                ID,
                source(bill),
                file_name="march.png",
                on_progress=lambda *sent: seen.append(sent),
            )
        )

    return Case("jobs.submit_document", call)


@pytest.mark.parametrize("source", SOURCES)
async def test_an_upload_shows_nothing(source: str, tmp_path: Path) -> None:
    bill = tmp_path / "bill.png"
    bill.write_bytes(PNG)
    leaks: list[str] = []
    bodies: list[bytes] = []
    for way in WAYS:
        out = await run_case(build_upload_case(SOURCES[source], bill), way)
        leaks += [f"{way}: {leak}" for leak in out.leaks]
        bodies += [sent.body for sent in out.sent_requests]
        assert {sent.headers["x-api-key"] for sent in out.sent_requests} <= {KEY}, way
    assert leaks == []
    # An attempt of a millisecond may be over before a file has been read.
    assert len(bodies) >= len(WAYS) - 1
    assert all(PNG in body for body in bodies)


async def interrupt_download(way: Way, target: Path) -> Outcome:
    """Run a download that fails after its first chunk, and list the files on disk."""

    async def call(nectar: NectarClient, seen: list[Any]) -> None:
        seen.append(await nectar.documents.download(ID, target))

    case = Case("documents.download", call, fails_at="documents_download", is_late=True)
    out = await run_case(case, way)
    folder = anyio.Path(target.parent)
    paths = sorted([path async for path in folder.iterdir()])
    out.texts += [
        (path.name, (await path.read_bytes()).decode("latin-1")) for path in paths
    ]
    return out


BREAKS = [
    way for way in WAYS if way.is_endless or way.answer not in {success, odd, novel}
]
FILES_LEFT = ["bill.pdf.part", "bill.pdf.part.json"]


@pytest.mark.parametrize("way", BREAKS, ids=str)
async def test_an_interrupted_download_leaves_no_secret(
    way: Way, tmp_path: Path
) -> None:
    out = await interrupt_download(way, tmp_path / "bill.pdf")
    assert out.leaks == []
    hosts = [
        sent for sent in out.sent_requests if sent.operation == "documents_download"
    ]
    assert "qzsigned" in hosts[0].address, "the link has no secret"
    assert len(hosts) > 1
    files = dict(out.texts[-2:])
    assert sorted(files) == FILES_LEFT
    assert files[FILES_LEFT[0]].encode() == FILE
    assert json.loads(files[FILES_LEFT[1]])["document"] == ID


async def test_a_progress_file_with_the_link_is_detected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def careless(*_: object) -> dict[str, str]:
        return {"etag": '"one"', "link": VALUES["url"]}

    monkeypatch.setattr(partial_file, "asdict", careless)
    way = next(way for way in WAYS if str(way) == "unsent")
    out = await interrupt_download(way, tmp_path / "bill.pdf")
    assert [leak.partition(":")[0] for leak in out.leaks] == [FILES_LEFT[1]]
