"""The files of documents: expiring links, ranges, and faults of downloads."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from attrs import evolve
from raw_client import RawClient, RawResponse

from nectar_async.sandbox import (
    Answer,
    ChangeFile,
    Disconnect,
    DropBody,
    ExpireLink,
    Fault,
    IgnoreRange,
    Redirect,
    Sandbox,
    SetHeader,
)
from nectar_async.sandbox.generator.pdf import count_pages, draw_file_size, make_pdf

SIZE = 40_000
# The spelling of aiohttp, whatever the server sent.
ETAG = "Etag"
NOBODY = "00000000-0000-4000-a000-000000000000"


async def get_link(raw_client: RawClient, version: str = "v2.2") -> str:
    """Get the path and query of the first link in a usage list."""
    page = await raw_client.list_usage(0, version=version)
    documents = [record["document"] for record in page["usageData"]]
    url: str = next(document["url"] for document in documents if document)
    address = raw_client.sandbox.url
    assert url.startswith(f"{address}/_files/")
    return url.removeprefix(address)


async def fetch(raw_client: RawClient, path: str, **options: Any) -> RawResponse:
    return await raw_client.request(path, key=None, **options)


def build_range(first: int | str, last: int | str = "", **more: str) -> dict[str, Any]:
    return {"headers": {"Range": f"bytes={first}-{last}", **more}}


def assert_is_pdf(data: bytes) -> None:
    """Check that the offsets of all objects and of the table are correct."""
    assert data.startswith(b"%PDF-1.4\n")
    assert data.endswith(b"%%EOF\n")
    (start,) = re.findall(rb"startxref\n(\d+)\n%%EOF", data)
    table = data[int(start) :]
    head = re.match(rb"xref\n0 (\d+)\n", table)
    assert head is not None
    entries = re.findall(rb"(\d{10}) 00000 n \n", table)
    assert len(entries) == int(head[1]) - 1
    for number, offset in enumerate(entries, start=1):
        match = re.compile(rb"(\d+) 0 obj\n(<< /Length (\d+) >>\nstream\n)?").match(
            data, int(offset)
        )
        assert match is not None
        assert int(match[1]) == number
        if match[3] is not None:
            end = match.end() + int(match[3])
            assert data[end:].startswith(b"\nendstream\nendobj\n")


@pytest.mark.parametrize("size", [0, 999, SIZE, 1_000_003])
def test_a_generated_pdf_is_valid_and_has_its_size(size: int) -> None:
    data = make_pdf("a bill", size=size)
    assert_is_pdf(data)
    assert len(data) == max(size, len(make_pdf("a bill", size=0)))
    assert data == make_pdf("a bill", size=size)
    assert data != make_pdf("a bill", size=size, revision=1)
    assert data != make_pdf("another", size=size)


def test_pages_are_counted() -> None:
    assert count_pages(make_pdf("a bill", size=SIZE, pages=151)) == 151
    assert {count_pages(make_pdf(str(name), size=0)) for name in range(30)} == set(
        range(1, 7)
    )


def test_most_file_sizes_are_small() -> None:
    sizes = [draw_file_size(str(name)) for name in range(200)]
    assert min(sizes) >= 20_000
    assert 1_000_000 < max(sizes) <= 2_560_000


@pytest.mark.asyncio
@pytest.mark.parametrize("version", ["v2.2", "v2.1", "v2"])
async def test_a_document_links_to_its_file(
    raw_client: RawClient, version: str
) -> None:
    path = await get_link(raw_client, version)
    response = await fetch(raw_client, path)
    assert response.status == 200
    assert response.headers["Content-Type"] == "application/pdf"
    assert response.headers["Accept-Ranges"] == "bytes"
    assert "Content-Encoding" not in response.headers
    assert_is_pdf(response.body)
    document_id = urlsplit(path).path.removeprefix("/_files/").removesuffix(".pdf")
    assert len(response.body) == draw_file_size(document_id)
    assert (await fetch(raw_client, path)).body == response.body


@pytest.mark.asyncio
async def test_every_link_marker_is_replaced(raw_client: RawClient) -> None:
    company = raw_client.sandbox.portfolio.company(0)
    for path in (f"usage/company/{company.id}", f"usage/site/{company.sites[0].id}"):
        response = await raw_client.request(f"/v2.2/{path}")
        assert b"_files" in response.body
        assert b"{@" not in response.body


@pytest.mark.asyncio
async def test_a_link_expires_after_a_day(raw_client: RawClient) -> None:
    path = await get_link(raw_client)
    raw_client.sandbox.clock.advance(23 * 3_600)
    assert (await fetch(raw_client, path)).status == 200
    raw_client.sandbox.clock.advance(3_661)
    response = await fetch(raw_client, path)
    assert response.status == 403
    assert response.headers["Content-Type"] == "application/xml"
    assert b"<Code>AccessDenied</Code>" in response.body
    fresh = await get_link(raw_client)
    assert (await fetch(raw_client, fresh)).status == 200


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "change",
    [
        ("expires=", "expires=9"),
        ("signature=", "signature=0"),
        ("?", "?no&"),
        ("&", ""),
    ],
    ids=["later", "other signature", "still good", "no signature"],
)
async def test_a_forged_link_is_refused(
    raw_client: RawClient, change: tuple[str, str]
) -> None:
    path = (await get_link(raw_client)).replace(*change)
    expected = 200 if change[0] == "?" else 403
    assert (await fetch(raw_client, path)).status == expected


@pytest.mark.asyncio
async def test_a_file_request_with_an_api_key_is_refused(raw_client: RawClient) -> None:
    path = await get_link(raw_client)
    raw_client.sandbox.witness.reset()
    response = await raw_client.request(path)
    assert response.status == 400
    assert b"<Error>" in response.body
    await fetch(raw_client, path)
    leaky, clean = raw_client.sandbox.witness.log
    assert leaky.key is not None
    assert (clean.key, clean.operation) == (None, "documents_download")
    assert clean.company == raw_client.sandbox.portfolio.company(0).id
    assert raw_client.sandbox.witness.by_operation == {"documents_download": 2}


@pytest.mark.asyncio
async def test_an_unknown_file_is_not_found(raw_client: RawClient) -> None:
    query = urlsplit(await get_link(raw_client)).query
    for name in (f"{NOBODY}.pdf", "x.pdf", NOBODY):
        response = await fetch(raw_client, f"/_files/{name}?{query}")
        assert response.status == 404
        assert b"NoSuchKey" in response.body
    assert (await fetch(raw_client, f"/_files/x?{query}", method="PUT")).status == 405


async def fetch_first_file(
    sandbox: Sandbox, session: aiohttp.ClientSession
) -> tuple[Any, ...]:
    raw_client = RawClient(sandbox, session)
    path = await get_link(raw_client)
    return raw_client, path, await fetch(raw_client, path)


@pytest.mark.asyncio
async def test_ranges_of_a_file_can_be_requested() -> None:
    async with (
        Sandbox(companies=1, file_bytes=SIZE) as sandbox,
        aiohttp.ClientSession() as session,
    ):
        raw_client, path, whole = await fetch_first_file(sandbox, session)
        assert len(whole.body) == SIZE
        for first, last, expected in (
            (0, 9, slice(0, 10)),
            (100, "", slice(100, SIZE)),
            ("", 7, slice(SIZE - 7, SIZE)),
            ("", SIZE + 1, slice(0, SIZE)),
            (SIZE - 1, SIZE + 50, slice(SIZE - 1, SIZE)),
        ):
            response = await fetch(raw_client, path, **build_range(first, last))
            assert response.status == 206
            assert response.body == whole.body[expected]
            bounds = f"{expected.start}-{expected.stop - 1}"
            assert response.headers["Content-Range"] == f"bytes {bounds}/{SIZE}"
            assert response.headers[ETAG] == whole.headers[ETAG]
        for first, last in ((SIZE, ""), (SIZE + 5, SIZE + 9), ("", 0)):
            response = await fetch(raw_client, path, **build_range(first, last))
            assert (response.status, response.body) == (416, b"")
            assert response.headers["Content-Range"] == f"bytes */{SIZE}"
        for text in ("bytes=5-2", "bytes=-", "bytes=0-1,4-5", "lines=1-2"):
            response = await fetch(raw_client, path, headers={"Range": text})
            assert (response.status, response.body) == (200, whole.body)


@pytest.mark.asyncio
async def test_if_range_selects_a_range_of_the_same_file_only() -> None:
    async with (
        Sandbox(companies=1, file_bytes=SIZE) as sandbox,
        aiohttp.ClientSession() as session,
    ):
        raw_client, path, whole = await fetch_first_file(sandbox, session)
        assert re.fullmatch(r'"[0-9a-f]+"', whole.headers[ETAG])
        for known in (whole.headers[ETAG], whole.headers["Last-Modified"]):
            response = await fetch(
                raw_client, path, **build_range(9, **{"If-Range": known})
            )
            assert response.status == 206
        response = await fetch(
            raw_client, path, **build_range(9, **{"If-Range": '"another"'})
        )
        assert (response.status, response.body) == (200, whole.body)


@pytest.mark.asyncio
async def test_a_head_request_has_all_headers_and_no_body(
    raw_client: RawClient,
) -> None:
    path = await get_link(raw_client)
    whole = await fetch(raw_client, path)
    head = await fetch(raw_client, path, method="HEAD")
    assert (head.status, head.body) == (200, b"")
    for name in ("Content-Length", ETAG, "Last-Modified", "Content-Type"):
        assert head.headers[name] == whole.headers[name]


def build_download_fault(effect: Any, **conditions: Any) -> Fault:
    fault = Fault(effect, operation="documents_download")
    return evolve(fault, **conditions)


@pytest.mark.asyncio
async def test_ranges_can_be_ignored(raw_client: RawClient) -> None:
    path = await get_link(raw_client)
    raw_client.sandbox.faults.add(build_download_fault(IgnoreRange()))
    response = await fetch(raw_client, path, **build_range(5, 9))
    assert response.status == 200
    assert_is_pdf(response.body)


@pytest.mark.asyncio
@pytest.mark.parametrize("hops", [1, 3])
async def test_a_file_can_be_behind_redirects(raw_client: RawClient, hops: int) -> None:
    path = await get_link(raw_client)
    whole = await fetch(raw_client, path)
    raw_client.sandbox.faults.add(build_download_fault(Redirect(hops=hops)))
    for _ in range(hops):
        response = await fetch(raw_client, path)
        assert (response.status, response.body) == (302, b"")
        path = response.headers["Location"]
    assert (await fetch(raw_client, path)).body == whole.body


@pytest.mark.asyncio
async def test_a_redirect_can_lead_to_another_server(raw_client: RawClient) -> None:
    path = await get_link(raw_client)
    away = "http://localhost:1"
    raw_client.sandbox.faults.add(build_download_fault(Redirect(origin=away)))
    response = await fetch(raw_client, path)
    assert response.headers["Location"].startswith(f"{away}/_files/")


@pytest.mark.asyncio
async def test_a_link_can_expire_early(raw_client: RawClient) -> None:
    path = await get_link(raw_client)
    raw_client.sandbox.faults.add(build_download_fault(ExpireLink(), times=1))
    assert (await fetch(raw_client, path)).status == 403
    assert (await fetch(raw_client, path)).status == 200


@pytest.mark.asyncio
async def test_a_file_can_change_during_a_download(raw_client: RawClient) -> None:
    path = await get_link(raw_client)
    raw_client.sandbox.faults.add(build_download_fault(ChangeFile(), skip=1))
    whole = await fetch(raw_client, path)
    tag = whole.headers[ETAG]
    late = await fetch(raw_client, path, **build_range(50, **{"If-Range": tag}))
    assert late.status == 200
    assert late.headers[ETAG] != tag
    assert len(late.body) == len(whole.body)
    assert late.body != whole.body
    assert_is_pdf(late.body)


@pytest.mark.asyncio
async def test_a_header_can_be_replaced_or_removed(raw_client: RawClient) -> None:
    path = await get_link(raw_client)
    raw_client.sandbox.faults.add(
        build_download_fault(SetHeader(name="etag", value='W/"1"')),
        build_download_fault(SetHeader(name="Content-Range")),
    )
    some = await fetch(raw_client, path, **build_range(50))
    assert (some.status, some.headers[ETAG]) == (206, 'W/"1"')
    assert "Content-Range" not in some.headers
    assert some.headers["Accept-Ranges"] == "bytes"


@pytest.mark.asyncio
async def test_other_faults_hit_downloads_too(raw_client: RawClient) -> None:
    path = await get_link(raw_client)
    raw_client.sandbox.faults.add(
        build_download_fault(Answer(status=503), times=1),
        build_download_fault(DropBody(), skip=1, times=1),
        build_download_fault(Disconnect(), skip=2),
    )
    assert (await fetch(raw_client, path)).status == 503
    with pytest.raises(aiohttp.ClientPayloadError):
        await fetch(raw_client, path)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await fetch(raw_client, path)
    assert (await raw_client.request("/v2.2/ping")).status == 200
