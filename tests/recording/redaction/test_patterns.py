"""Tokens are found by pattern, and ordinary texts are not."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from uuid import uuid4

import pytest

from nectar_async.recording.redaction.patterns import (
    EMAIL,
    find_token,
    is_email,
    is_link,
    is_signed_link,
    normalize_email,
)

_PARTS = ("eyJhbGciOiJIUzI1NiJ9", "eyJzdWIiOiIxMjM0In0", "c2lnbmF0dXJl")
TOKENS = {
    "jwt": ".".join(_PARTS),
    "jwt-in-words": f"token {'.'.join(_PARTS)}!",
    "webhook": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "key": "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
    "nectar-key": "nk_4eC39HqLyjWDarjtT1zdp7dc",
    "aws": "https://b.example.com/a?X-Amz-Date=1&X-Amz-Signature=4f1c9d4f1c9d",
    "aws-in-json": "https://b.example.com/a?x=1\\u0026X-Amz-Signature=4f1c9d4f1c9d",
    "aws-encoded": "next=https%3A%2F%2Fb.example.com%3FX-Amz-Signature%3D4f1c9d4f1c",
    "azure": "https://b.example.com/a?sv=2020&sig=abcdef%2Bghi",
    "cloudfront": "see https://b.example.com/a?Expires=17&Signature=abcdefgh~",
    "bearer": "Authorization: Bearer abc123def456ghi789",
    "basic": "'authorization': 'Basic dXNlcjpwYXNz'",
    "private": "-----BEGIN RSA PRIVATE KEY-----",
}


@pytest.mark.parametrize("text", TOKENS.values(), ids=TOKENS)
def test_a_token_is_known(text: str) -> None:
    assert find_token(text) is not None


ORDINARY = {
    "uuid": str(uuid4()),
    "digest": f"{hashlib.sha256(b'1').hexdigest()}.pdf",
    "image": b64encode(hashlib.sha512(b"image").digest() * 9).decode(),
    "placeholder": "https://link.invalid/3b1e6f0a-7c52-4d19-9a84-5e2f0c6d8b11/url",
    "link": "https://dash.example.com/audit/3b1e6f0a-7c52-4d19-9a84-5e2f0c6d8b11?page=2",
    "part": "https://example.com/?signature=link-part&x=1",
    "sandbox": "nectar-sandbox-key",
    "words": "Authorization: the bearer of this letter needs Basic authentication",
    "task": "task-1234567890123456789",
    "signature": "signature=see above; the sig is missing",
}


@pytest.mark.parametrize("text", ORDINARY.values(), ids=ORDINARY)
def test_an_ordinary_text_is_not_a_token(text: str) -> None:
    assert find_token(text) is None


def test_signed_links_are_distinguished_from_others() -> None:
    assert is_signed_link("https://b.example.com/a?sig=abcdef12")
    assert not is_signed_link("https://b.example.com/a?page=2")
    assert not is_signed_link("at https://b.example.com/a?sig=abcdef12")
    assert is_link("HTTPS://b.example.com")
    assert not is_link("ftp://b.example.com")


@pytest.mark.parametrize(
    "spelled",
    [
        "ann.b+c@real.com",
        "Ann.B+C@Real.com",
        "ann.b%2Bc%40real.com",
        "ann.b+c&#64;real.com",
        "ann.b+c\\u0040real.com",
    ],
)
def test_an_email_address_is_found_in_any_escaping(spelled: str) -> None:
    (match,) = EMAIL.finditer(f"to <{spelled}>, please")

    assert normalize_email(match[0]) == "ann.b+c@real.com"


@pytest.mark.parametrize("text", ["a@b", "@here", "ann@", "1@2.3", "cost @ 3.50"])
def test_an_at_sign_alone_is_not_an_email_address(text: str) -> None:
    assert not is_email(text)
    assert EMAIL.search(text) is None


def test_a_long_text_is_searched_in_linear_time() -> None:
    assert EMAIL.search("a" * 200_000 + " @ ") is None
