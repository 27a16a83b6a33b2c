"""An exchange with a secret is refused, and the error does not show the secret."""

from __future__ import annotations

import html
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from nectar_async import Secret
from nectar_async.errors import RecordingError
from nectar_async.recording.bodies import Blob, Body, FormData, FormPart, Json, Text
from nectar_async.recording.exchange import Question, RecordedAnswer
from nectar_async.recording.redaction.redaction import Redaction, Rule

KEY = 'k3y/+&=<"\\of-mine'


def exchange(body: Body | None, sent: Body | None = None, **asked: Any) -> Any:
    question = Question(
        **{"operation": "documents_get", "method": "GET", "path": "/document/1"}
        | asked,
        body=sent,
    )
    return question, RecordedAnswer(status=200, headers={"etag": '"x"'}, body=body)


def expect_refusal(pair: Any, *secrets: str | Secret[str], **how: Any) -> str:
    with pytest.raises(RecordingError) as caught:
        Redaction(secrets=secrets, **how).apply([pair])
    words = str(caught.value)
    assert KEY not in words
    assert "documents_get." in words
    return words


SPELLINGS: dict[str, Callable[[str], str]] = {
    "as-it-is": str,
    "json": json.dumps,
    "python": repr,
    "address": lambda text: quote(text, safe=""),
    "html": html.escape,
    "base64": lambda text: b64encode(f"user:{text}".encode()).decode(),
    "base64-url": lambda text: urlsafe_b64encode(f"{text}!".encode()).decode(),
    "capitals": str.upper,
}


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
def test_a_registered_secret_is_found_in_any_escaping(
    spell: Callable[[str], str],
) -> None:
    body = Json.of({"rows": [{"detail": f"got {spell(KEY)}"}]})

    words = expect_refusal(exchange(body), Secret(KEY))

    assert "response.json $.rows[0].detail has" in words or "$.rows[0].detail" in words
    assert "keys=('detail',)" in words


FORM = FormData((FormPart(name="siteId", text=KEY),))
FILE = FormData(
    (FormPart(name="document", file=f"{KEY}.pdf", sha256="0" * 64, size=1),)
)


@pytest.mark.parametrize(
    ("pair", "place"),
    [
        (exchange(Text(f"<p>{html.escape(KEY)}")), "response.text"),
        (exchange(None, Json.of({"notes": KEY})), "request.json $.notes"),
        (exchange(None, Json.of({"a": {KEY: 1}})), "request.json $.a."),
        (exchange(None, FORM), "request.form.siteId"),
        (exchange(None, FILE), "request.form.document"),
        (exchange(None, query=(("search", KEY),)), "request.query.search"),
        (exchange(None, path=f"/document/{quote(KEY, safe='')}"), "request.path"),
        (exchange(Blob(b"%PDF " + KEY.encode(), ".pdf")), "file "),
        (exchange(Blob(b"PK " + b64encode(KEY.encode()), ".zip")), "file "),
    ],
    ids=["text", "json", "key", "form", "name", "query", "path", "bytes", "encoded"],
)
def test_a_registered_secret_is_found_in_every_place(pair: Any, place: str) -> None:
    if "$.a." in place:
        with pytest.raises(RecordingError, match="a registered secret"):
            Redaction(secrets=(KEY,)).apply([pair])
        return
    assert place in expect_refusal(pair, KEY)


def test_a_token_is_refused_without_a_rule_or_an_alias_for_it() -> None:
    jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"
    pair = exchange(Json.of({"id": "1", "notes": f"use {jwt}", "state": jwt}))

    assert "what looks like a JWT in response.json $." in expect_refusal(pair)
    ruled = Redaction(rules=(Rule(kind="jwt", pattern=r"eyJ\S+"),)).apply([pair])
    aliased = Redaction(aliases={jwt: "jwt-one"}).apply([pair])

    for (redacted,), placeholder in ((ruled, "jwt-1"), (aliased, "jwt-one")):
        assert isinstance(redacted.answer.body, Json)
        assert redacted.answer.body.value["notes"] == f"use {placeholder}"
        assert redacted.answer.body.value["state"] == placeholder


def test_a_signed_link_inside_a_text_is_refused_and_alone_is_replaced() -> None:
    link = "https://b.example.com/a.pdf?X-Amz-Signature=4f1c9d4f1c9d"

    assert "a signed link" in expect_refusal(
        exchange(Json.of({"notes": f"see {link}"}))
    )
    (redacted,) = Redaction().apply(
        [exchange(Json.of({"id": "7", "auditTrailUrl": link}))]
    )
    assert isinstance(redacted.answer.body, Json)
    assert redacted.answer.body.value["auditTrailUrl"] == (
        "https://link.invalid/7/auditTrailUrl"
    )


def test_a_short_secret_is_found_as_a_whole_word_only() -> None:
    body = Json.of({"notes": "latest tests"})

    Redaction(secrets=("test", "abc")).apply([exchange(body)])
    expect_refusal(exchange(Json.of({"notes": "the test!"})), "test")


def test_a_secret_that_is_replaced_is_not_refused() -> None:
    body = Json.of({"detail": f"no {KEY}", "password": KEY})

    Redaction(secrets=(KEY,)).apply([exchange(body)])


@pytest.mark.parametrize(
    ("body", "advice"),
    [
        (Json.of({"rows": [{"notes": ["x", KEY]}]}), "keys=('notes',)"),
        (Text(KEY), "add a Rule with a pattern"),
        (Blob(KEY.encode(), ".pdf"), "do not record this request"),
    ],
)
def test_the_advice_fits_the_place(body: Body, advice: str) -> None:
    words = expect_refusal(exchange(body), Secret(KEY))
    assert advice in words
    assert ("keys=" in words) is ("keys=" in advice)
