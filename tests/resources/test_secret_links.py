"""Links that need no sign-in are found in odd answers, and never shown."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from doubles import MakeClient

from nectar_async import Operation, Response, Secret
from nectar_async._json.converter import get_converter
from nectar_async.errors import (
    BadRequestError,
    ConflictError,
    DecodeError,
    NotFoundError,
)

pytestmark = pytest.mark.anyio

LINK = "https://app.svix.example/login#key=canary"
DOCS = "https://docs.svix.example"

ANSWERS: dict[str, tuple[Any, list[str]]] = {
    "url": ({"url": LINK}, []),
    "portal": ({"portalUrl": LINK}, []),
    "app-portal": ({"appPortalUrl": LINK}, []),
    "with-docs": ({"appPortalUrl": LINK, "documentation": DOCS}, ["documentation"]),
    "null": ({"url": None, "portalUrl": LINK}, []),
    "empty": ({"url": "", "appPortalUrl": LINK}, []),
    "no-link": ({"url": "see below", "portalUrl": LINK}, []),
    "with-token": ({"url": LINK, "token": "canary"}, ["token"]),
    "first-guess": ({"appPortalUrl": DOCS, "portalUrl": LINK}, ["appPortalUrl"]),
    "inside": ({"data": {"url": LINK}}, []),
    "inside-with-docs": ({"a": DOCS, "b": {"url": LINK, "c": 1}}, ["a", "b"]),
    "outside-first": ({"portalUrl": LINK, "data": {"url": DOCS}}, ["data"]),
    "another-key": ({"link": LINK, "expiresIn": 7}, ["expiresIn"]),
    "another-key-inside": ({"portal": {"href": LINK}, "ok": True}, ["ok"]),
    "capitals": ({"link": LINK.replace("https", "HTTPS")}, []),
    "text": (LINK, []),
    "plain-text": (Response(200, {}, f"{LINK}\n".encode()), []),
}


@pytest.mark.parametrize("answer", ANSWERS)
async def test_the_link_of_the_portal_is_found(
    make_client: MakeClient, answer: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    body, extra = ANSWERS[answer]
    portal = await make_client({"webhook_portal_get": body}).webhook_portal.get()
    assert portal.url is not None
    assert portal.url.reveal().lower() == LINK
    assert list(portal.extra) == extra
    assert "canary" not in repr(portal) + caplog.text
    written = get_converter(is_strict=False).encode(portal, with_secrets=False)
    assert b"canary" not in written


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "under the keys (none)"),
        ({"link": LINK, "docs": DOCS}, "under the keys 'link', 'docs'"),
        ({"link": LINK, "data": {"docs": DOCS}}, "under the keys 'link', 'data'"),
        ({"url": None, "ok": True}, "under the keys 'url', 'ok'"),
        ({"url": ["canary"]}, "under the keys 'url'"),
        ({"x" * 99: "canary"}, f"'{'x' * 40}'"),
        ([LINK], "expected an object, got a list"),
        (None, "expected an object, got null"),
        ("", "expected an object, got text"),
    ],
)
async def test_an_answer_without_a_clear_link_says_what_came(
    make_client: MakeClient, body: Any, words: str
) -> None:
    client = make_client({"webhook_portal_get": body})
    with pytest.raises(DecodeError) as caught:
        await client.webhook_portal.get()
    assert words in str(caught.value)
    assert "canary" not in str(caught.value)


async def test_a_corrected_key_of_the_portal_comes_first(
    make_client: MakeClient,
) -> None:
    operations = {"webhook_portal_get": Operation(keys={"url": "link"})}
    body = {"url": DOCS, "link": LINK}
    client = make_client({"webhook_portal_get": body}, operations=operations)
    assert (await client.webhook_portal.get()).url == Secret(LINK)


async def test_strict_decoding_refuses_other_keys_beside_the_link(
    make_client: MakeClient,
) -> None:
    client = make_client({"webhook_portal_get": {"portalUrl": LINK}}, strict=True)
    assert (await client.webhook_portal.get()).url == Secret(LINK)
    client = make_client(
        {"webhook_portal_get": {"url": LINK, "token": "x"}}, strict=True
    )
    with pytest.raises(DecodeError, match=r"unknown key @ \$\.token"):
        await client.webhook_portal.get()


async def test_no_error_shows_a_link_that_a_server_made(
    make_client: MakeClient,
) -> None:
    words = (
        f'{{"detail": "exists already: {LINK} and https://dash.example/p/i/canary"}}'
    )
    refusal = Response(409, {}, words.encode())
    client = make_client(
        dict.fromkeys(("invitations_create", "documents_get"), refusal)
    )
    for call in (client.invitations.create, client.documents.get):
        with pytest.raises(ConflictError, match="exists already") as caught:
            await call("c-1")
        error = caught.value
        assert "canary" not in str(error) + str(error.detail) + error.body
        assert "https://dash.example/***" in error.body


async def test_no_error_shows_a_credential_that_a_server_quotes(
    make_client: MakeClient,
) -> None:
    def quote(request: Any) -> Response:
        return Response(400, {}, b'{"detail": %s}' % request.body)

    client = make_client({"connections_create": quote})
    with pytest.raises(BadRequestError) as caught:
        await client.connections.create(
            "c-1",
            url="https://portal.example",
            username="canary-1",
            password="canary-2",
            sites=["s-1"],
        )
    error = caught.value
    assert "canary" not in str(error) + str(error.detail) + error.body
    assert "s-1" in error.body


async def test_the_error_after_a_revocation_says_that_it_was_done(
    make_client: MakeClient,
) -> None:
    answers: dict[str, object] = {"invitations_revoke": Response(204)}
    answers["invitations_get"] = Response(404)
    with pytest.raises(NotFoundError) as caught:
        await make_client(answers).invitations.revoke("i-1")
    (note,) = caught.value.__notes__
    assert note.startswith("the invitation was revoked")
    answers["invitations_get"] = {"id": "i-1", "status": "REVOKED"}
    revoked = await make_client(answers).invitations.revoke("i-1")
    assert revoked.status == "REVOKED"


async def test_the_error_of_a_failed_revocation_has_no_note(
    make_client: MakeClient,
) -> None:
    client = make_client({"invitations_revoke": Response(404)})
    with pytest.raises(NotFoundError) as caught:
        await client.invitations.revoke("i-1")
    assert not hasattr(caught.value, "__notes__")
