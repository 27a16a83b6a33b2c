"""A response is a value that takes headers in any form."""

from __future__ import annotations

from typing import Any

import pytest
from doubles import MakeClient

from nectar_async import MemoryTransport, TransportError
from nectar_async._http.response import Response, convert_to_utf8


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "a", "X-B": "c"},
        {"CONTENT-TYPE": "a", "x-b": "c"},
        [("content-type", "a"), ("X-b", "c")],
        (("Content-type", "a"), ("x-B", "c")),
        iter([("Content-Type", "a"), ("X-B", "c")]),
    ],
)
def test_headers_come_in_any_form_and_case(headers: Any) -> None:
    assert Response(200, headers).headers == {"content-type": "a", "x-b": "c"}


def test_a_repeated_header_is_joined() -> None:
    response = Response(200, [("Via", "a"), ("via", "b")])
    assert response.headers == {"via": "a, b"}


def test_no_repr_shows_headers_or_the_body() -> None:
    response = Response(200, {"Set-Cookie": "canary"}, b"canary")
    assert "canary" not in repr(response)


@pytest.mark.parametrize(
    "name", ["latin-1", "L1", "ISO_8859-1", "Windows-1252", "cp1252", "iso8859_1"]
)
def test_a_charset_has_many_names(name: str) -> None:
    response = Response(
        200, {"content-type": f"application/json; charset={name}"}, b'"M\xfchle"'
    )
    assert convert_to_utf8(response).body.decode() == '"Mühle"'


@pytest.mark.parametrize("name", ["utf-16", "utf-16le", "utf-32", "latin-1"])
def test_a_body_in_utf_8_is_not_changed_whatever_is_declared(name: str) -> None:
    headers = {"content-type": f"application/json; charset={name}"}
    response = Response(200, headers, '"Mühle"'.encode())
    assert convert_to_utf8(response) is response


@pytest.mark.anyio
async def test_a_body_that_is_no_bytes_is_an_error(make_client: MakeClient) -> None:
    async def send(_: object) -> Response:
        return Response(200, {}, "text")  # type: ignore[arg-type]

    nectar = make_client(MemoryTransport(send))
    with pytest.raises(TransportError, match="whose body is str, not bytes"):
        await nectar.companies.get("c")
