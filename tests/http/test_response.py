"""A response is a value that takes headers in any form."""

from __future__ import annotations

from typing import Any

import pytest

from nectar_async._http.response import Response


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
