"""A download saves only bills, and keeps permissions and links of what it replaces."""

from __future__ import annotations

import io
import os
from pathlib import Path

import anyio
import pytest
from doubles import MakeClient
from scripted_file_host import BILL, CHUNK, FileHost, leave_part, respond

from nectar_async import DownloadError, InvalidArgumentError, NectarClient, VirtualClock

pytestmark = pytest.mark.anyio

HTML = b"\n <!DOCTYPE html><title>Sign in</title>"
XML = b'<?xml version="1.0"?><Error><Code>SlowDown</Code></Error>'
PAGES = {
    "html": (HTML, "an HTML page"),
    "html with a mark": (b"\xef\xbb\xbf<html>", "an HTML page"),
    "html in UTF-16": ("\ufeff<html>".encode("utf-16-le"), "an HTML page"),
    "xml": (XML, "an XML text"),
    "xml without a declaration": (b"<Error/>", "an XML text"),
    "xml with an odd name": (b"<_x/>", "an XML text"),
    "xml with a letter of UTF-8": ("<\xe4/>".encode(), "an XML text"),
    "html behind blank lines": (b"\n" * 2_000 + HTML, "an HTML page"),
    "html with the mark of a PDF": (b"<html><p>%PDF-1.7", "an HTML page"),
    "xml with the mark of a PDF": (b"<!-- %PDF-1.7 -->", "an XML text"),
    "json": (b'{"message": "gone"}', "a JSON text"),
    "json with the mark of a PDF": (b'{"message": "%PDF-1.7"}', "a JSON text"),
    "json text": (b'"error"', "a JSON text"),
    "json list": (b'[{"message": "gone"}]', "a JSON text"),
    "json null": (b"null\n", "a JSON text"),
    "json number": (b"404", "a JSON text"),
    "empty": (b"", "an empty file"),
    "blank": (b" \r\n", "an empty file"),
}
each_page = pytest.mark.parametrize(("page", "kind"), PAGES.values(), ids=PAGES)


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nectar_async._files.download_link._CHUNK", CHUNK)


def build_client(host: FileHost, make_client: MakeClient) -> NectarClient:
    return make_client(host.transport, clock=VirtualClock())


def list_names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@each_page
@pytest.mark.parametrize("status", [200, 206])
async def test_a_page_in_place_of_the_file_is_an_error_and_nothing_is_written(
    make_client: MakeClient, tmp_path: Path, page: bytes, kind: str, status: int
) -> None:
    host = FileHost(page)
    if status == 200:
        host.tricks = [respond(200, {"Content-Type": "text/html"}, page)]
    nectar = build_client(host, make_client)
    (tmp_path / "bill.pdf").write_bytes(b"the old bill")
    sink = io.BytesIO()
    for target in (tmp_path / "bill.pdf", tmp_path / "new.pdf", sink):
        with pytest.raises(DownloadError, match=f"sent {kind} in place of the file"):
            await nectar.documents.download("d-1", target)
    assert sink.getvalue() == b""
    assert list_names(tmp_path) == ["bill.pdf"]
    assert (tmp_path / "bill.pdf").read_bytes() == b"the old bill"


async def test_a_page_does_not_end_an_interrupted_download(
    make_client: MakeClient, tmp_path: Path
) -> None:
    host = FileHost()
    leave_part(tmp_path / "bill.pdf", BILL[:1_000])
    host.tricks = [respond(200, {}, HTML)]
    nectar = build_client(host, make_client)
    with pytest.raises(DownloadError, match="an HTML page"):
        await nectar.documents.download("d-1", tmp_path / "bill.pdf")
    done = await nectar.documents.download("d-1", tmp_path / "bill.pdf")
    assert done.resumed_from == 1_000
    assert (tmp_path / "bill.pdf").read_bytes() == BILL


@pytest.mark.parametrize(
    ("file_name", "data"),
    [
        ("bill.html", HTML),
        ("bill.XML", XML),
        ("bill.json", b'{"bill": 1}'),
        ("bill.csv", b'{"bill": 1}'),
        ("bill.csv", b""),
        ("bill.pdf", b" %PDF-1.7 <html>"),
        ("bill.pdf", b"<\0\1\2\3"),
        ("bill.pdf", b"{\x9f\1"),
        ("bill.pdf", b"any bytes"),
    ],
)
async def test_every_other_file_is_saved(
    make_client: MakeClient, file_name: str, data: bytes
) -> None:
    host = FileHost(data, file_name=file_name)
    sink = io.BytesIO()
    await build_client(host, make_client).documents.download("d-1", sink)
    assert sink.getvalue() == data


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444])
async def test_the_permissions_of_a_file_are_kept_from_the_first_byte(
    make_client: MakeClient, tmp_path: Path, mode: int
) -> None:
    host = FileHost()
    path = tmp_path / "bill.pdf"
    path.touch()
    path.chmod(mode)
    modes = []

    async def look(_: object) -> None:
        part = anyio.Path(tmp_path / "bill.pdf.part")
        if await part.exists():
            modes.append((await part.stat()).st_mode & 0o777)

    host.tricks = [look] * 3
    await build_client(host, make_client).documents.download("d-1", path)
    assert path.stat().st_mode & 0o777 == mode
    assert path.read_bytes() == BILL
    assert set(modes) == {mode | 0o200}


@pytest.mark.parametrize("exists", [True, False], ids=["file", "no file yet"])
async def test_a_link_stays_a_link_to_the_file_that_is_written(
    make_client: MakeClient, tmp_path: Path, *, exists: bool
) -> None:
    folder = tmp_path / "bills"
    folder.mkdir()
    real, link, other = folder / "real.pdf", tmp_path / "link.pdf", tmp_path / "2.pdf"
    if exists:
        real.write_bytes(b"the old bill")
    link.symlink_to(Path("bills") / "real.pdf")
    other.symlink_to(link)
    nectar = build_client(FileHost(), make_client)
    done = await nectar.documents.download("d-1", other)
    assert (done.path, other.is_symlink(), link.is_symlink()) == (other, True, True)
    assert real.read_bytes() == BILL
    assert not real.is_symlink()
    assert list_names(folder) == ["real.pdf"]


async def test_two_links_to_one_file_are_one_target(
    make_client: MakeClient, tmp_path: Path
) -> None:
    host = FileHost()
    real, link = tmp_path / "real.pdf", tmp_path / "link.pdf"
    link.symlink_to(real)
    nectar = build_client(host, make_client)
    reached, go_on = anyio.Event(), anyio.Event()

    async def hold(_: object) -> None:
        reached.set()
        await go_on.wait()

    host.tricks = [hold]
    async with anyio.create_task_group() as group:
        group.start_soon(nectar.documents.download, "d-1", link)
        await reached.wait()
        with pytest.raises(InvalidArgumentError, match="by another download"):
            await nectar.documents.download("d-1", real)
        go_on.set()


async def test_a_link_into_a_folder_that_is_missing_is_refused(
    make_client: MakeClient, tmp_path: Path
) -> None:
    link = tmp_path / "link.pdf"
    link.symlink_to(tmp_path / "missing" / "real.pdf")
    nectar = build_client(FileHost(), make_client)
    with pytest.raises(InvalidArgumentError, match="folder that does not exist"):
        await nectar.documents.download("d-1", link)


@pytest.mark.parametrize("name", ["a.pdf", "self.pdf"])
async def test_links_in_a_circle_are_refused_before_anything_is_sent(
    make_client: MakeClient, tmp_path: Path, name: str
) -> None:
    host = FileHost()
    (tmp_path / "a.pdf").symlink_to(tmp_path / "b.pdf")
    (tmp_path / "b.pdf").symlink_to(tmp_path / "a.pdf")
    (tmp_path / "self.pdf").symlink_to("self.pdf")
    names = {*list_names(tmp_path)}
    nectar = build_client(host, make_client)
    with pytest.raises(InvalidArgumentError, match=r"^target cannot be written: "):
        await nectar.documents.download("d-1", tmp_path / name)
    assert {*list_names(tmp_path)} == names
    assert host.transport.requests == []
