"""The headers that every request has, and those that are refused."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from doubles import MakeClient
from scripted_file_host import FileHost

from nectar_async import MemoryTransport, Request, Response, __version__
from nectar_async._http.headers import StampHeaders, check_headers
from nectar_async.errors import InvalidArgumentError

GET = Request.get("thing_get", "/thing", dict)


@pytest.mark.anyio
async def test_an_api_request_names_the_client_and_the_request(
    make_client: MakeClient,
) -> None:
    transport = MemoryTransport({"thing_get": {}})
    await make_client(transport).send(GET)
    (sent,) = transport.requests
    assert sent.headers == {
        "Accept": "application/json",
        "User-Agent": f"nectar-async/{__version__}",
        "X-Request-Id": sent.timing.request_id,
    }
    assert sent.timing.request_id


@pytest.mark.anyio
async def test_a_download_names_the_client_and_the_request(
    make_client: MakeClient, tmp_path: Any
) -> None:
    host = FileHost(b"%PDF-1.7 a bill")
    await make_client(host.transport).documents.download("d-1", tmp_path)
    for sent in host.chunk_requests:
        assert sent.headers["Accept"] == "*/*"
        assert sent.headers["User-Agent"] == f"nectar-async/{__version__}"
        assert sent.headers["X-Request-Id"] == sent.timing.request_id


@pytest.mark.anyio
async def test_a_header_of_the_request_is_kept() -> None:
    seen: list[Request[Any]] = []

    async def send(request: Request[Any]) -> Response:
        seen.append(request)
        return Response(200)

    request = attrs.evolve(GET, headers={"Accept": "text/csv"})
    await StampHeaders(accept="application/json")(request, send)
    assert seen[0].headers["Accept"] == "text/csv"


@pytest.mark.parametrize("name", ["", "a b", "a:", "é", "a\n", 5])
def test_a_wrong_name_is_refused(name: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="not a valid name of a header"):
        check_headers({name: "x"})


@pytest.mark.parametrize("value", ["canary\n", "canary\0", "\x7fcanary", 5, None])
def test_a_wrong_value_is_refused_and_not_shown(value: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^the header X-A ") as caught:
        check_headers({"X-A": value})
    assert "canary" not in str(caught.value)


def test_a_tab_in_a_value_is_allowed() -> None:
    check_headers({"X-A": "a\tb"})
