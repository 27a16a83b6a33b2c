"""Multipart forms with one file: their bytes, and what a server reads from them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import BodyPartReader, web
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import example, given, strategies as st

from nectar_async._files.multipart import MultipartForm, quote_name


class Chunks:
    """An async iterator over some chunks."""

    def __init__(self, *chunks: bytes) -> None:
        self._chunks = iter(chunks)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        for chunk in self._chunks:
            return chunk
        raise StopAsyncIteration


def build_form(
    *chunks: bytes, size: int | None = None, name: str = "bill.pdf"
) -> MultipartForm:
    return MultipartForm(
        name="document",
        file_name=name,
        content_type="application/pdf",
        size=size,
        chunks=lambda: Chunks(*chunks),
        fields={"siteId": "s-1"},
    )


async def read_body(form: MultipartForm) -> list[bytes]:
    return [chunk async for chunk in form.body()]


async def read_parts(form: MultipartForm) -> list[tuple[str | None, str | None, bytes]]:
    """List name, file name and content of each part, as aiohttp reads them."""
    parts = []

    async def read(request: web.Request) -> web.Response:
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            parts.append((part.name, part.filename, bytes(await part.read())))
        return web.Response()

    app = web.Application()
    app.router.add_post("/", read)
    async with TestClient(TestServer(app)) as client:
        answer = await client.post("/", data=form.body(), headers=form.headers)
        assert answer.status == 200
    return parts


@pytest.mark.anyio
async def test_the_announced_length_is_the_length_of_the_body() -> None:
    upload = build_form(b"abc", b"defg", size=7)
    assert upload.headers["Content-Length"] == str(
        sum(map(len, await read_body(upload)))
    )


@pytest.mark.anyio
async def test_a_form_of_unknown_size_announces_no_length() -> None:
    assert "Content-Length" not in build_form(b"abc").headers


@pytest.mark.anyio
async def test_chunks_are_passed_on_one_by_one() -> None:
    chunks = [b"a" * 1000, b"b" * 1000, b"c" * 1000]
    assert (await read_body(build_form(*chunks)))[1:-1] == chunks


@pytest.mark.anyio
async def test_the_body_can_be_read_again_and_stays_exhausted() -> None:
    upload = build_form(b"abc")
    assert await read_body(upload) == await read_body(upload)
    body = upload.body()
    assert b"".join([chunk async for chunk in body])
    assert [chunk async for chunk in body] == []


@pytest.mark.asyncio
async def test_a_server_reads_the_fields_first_and_then_the_file() -> None:
    assert await read_parts(build_form(b"%PDF-", b"1.7\r\n--x")) == [
        ("siteId", None, b"s-1"),
        ("document", "bill.pdf", b"%PDF-1.7\r\n--x"),
    ]


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("März 2025 電気.pdf", "März 2025 電気.pdf"),
        ('a"b; filename="evil.pdf', "a%22b; filename=%22evil.pdf"),
        ("a\r\nX-Evil: 1.pdf", "a%0D%0AX-Evil: 1.pdf"),
        ("a\\b.pdf", "a%5Cb.pdf"),
        ("broken \udcff.pdf", "broken ?.pdf"),
    ],
    ids=["beyond-ascii", "quotes", "line-ends", "backslash", "no-utf-8"],
)
@pytest.mark.asyncio
async def test_a_file_name_stays_within_its_quotes(name: str, read: str) -> None:
    parts = await read_parts(build_form(b"x", name=name))
    assert parts[1] == ("document", read, b"x")
    assert len(parts) == 2


@given(st.text())
@example('"\r\n')
def test_a_quoted_name_has_no_character_that_ends_it(name: str) -> None:
    text = quote_name(name)
    assert not set(text) & {'"', "\r", "\n", "\\", "\0"}
    text.encode()


def test_no_two_forms_have_the_same_boundary() -> None:
    assert build_form().boundary != build_form().boundary
