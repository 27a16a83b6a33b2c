"""Texts that are known by their shape: e-mail addresses, signed links, tokens."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

from attrs import frozen

__all__ = [
    "EMAIL",
    "email_of",
    "is_email",
    "is_link",
    "is_signature",
    "is_signed",
    "token_in",
]

# The sign as it is, in an address, in HTML and in JSON.
_AT: Final = r"(?:@|%(?:25)*40|&\#(?:64|x40);|&commat;|\\+u0040)"

# Begins only where no such run goes on, so that a long one is looked at once.
EMAIL: Final = re.compile(
    rf"(?<![\w.+%'-])[\w.+%'-]+{_AT}[\w-]+(?:\.[\w-]+)*\.[^\W\d_][\w-]*",
    re.IGNORECASE,
)
_PLAIN_EMAIL: Final = re.compile(r"[\w.+'-]+@[\w.-]+\Z")

_SIGNED_KEYS: Final = (
    r"(?:x-(?:amz-|goog-|oss-|ms-)?)?(?:signature|security-token)"
    r"|sig|hmac|access[-_]?token|api[-_]?key"
)


@frozen
class _Token:
    """What a token looks like, and what is in every text that has one."""

    pattern: re.Pattern[str]
    hints: tuple[str, ...]
    """In small letters; one of them is there."""

    def is_in(self, text: str, lowered: str) -> bool:
        """Whether a text has one."""
        for hint in self.hints:
            if hint in lowered:
                return self.pattern.search(text) is not None
        return False


_SIGNED: Final = _Token(
    re.compile(
        # A stand-in for the signature is none.
        rf"(?:[?&;]|%(?:25)*3F|%(?:25)*26|\\+u0026)(?:{_SIGNED_KEYS})"
        r"(?:=|%(?:25)*3D|\\+u003d)(?!link-part)[^&\s\"'<>\\]{6,}",
        re.IGNORECASE,
    ),
    ("signature", "sig=", "sig%", "sig\\", "hmac", "token", "api"),
)

_TOKENS: Final[Mapping[str, _Token]] = {
    "a JWT": _Token(
        re.compile(r"\beyJ[\w-]{5,}\.eyJ[\w-]{5,}(?:\.[\w-]*)?", re.ASCII), ("eyj",)
    ),
    "the secret of a webhook": _Token(
        re.compile(r"\bwhsec_[A-Za-z0-9+/_=-]{8,}"), ("whsec_",)
    ),
    "an API key": _Token(
        re.compile(
            r"(?<![A-Za-z0-9])(?:sk|rk|nk|nectar)[_-]"
            r"(?:(?:live|test|prod|sandbox)[_-])?"
            r"(?=[A-Za-z0-9]*[0-9])[A-Za-z0-9]{16,}"
        ),
        ("sk_", "rk_", "nk_", "sk-", "rk-", "nk-", "nectar_", "nectar-"),
    ),
    "a signed link": _SIGNED,
    "what an Authorization header holds": _Token(
        re.compile(
            r"\b(?i:bearer)\s+(?=[^\s\"'<>]*\d)[A-Za-z0-9._~+/-]{16,}"
            r"|(?i:authorization)[\"']*\s*[:=]\s*[\"']?"
            r"(?i:basic|bearer|digest|token)\s+"
            r"(?=\S*(?:[0-9=]|[a-z][A-Z]))[A-Za-z0-9._~+/=-]{8,}"
        ),
        ("bearer", "authorization"),
    ),
    "a private key": _Token(
        re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"), ("private key",)
    ),
}

_LINK: Final = re.compile(r"https?://[^\s\"'<>]+", re.IGNORECASE)


def may_have_email(text: str) -> bool:
    """Whether it is worth to look for an address in a text."""
    return "@" in text or "%" in text or "&" in text or "\\" in text


def is_email(text: str) -> bool:
    """Whether a text is one e-mail address."""
    return may_have_email(text) and EMAIL.fullmatch(text) is not None


def email_of(text: str) -> str:
    """An address as it reads, however it is spelled."""
    for _ in range(3):
        text = unquote(text)
    text = re.sub(_AT, "@", text, flags=re.IGNORECASE)
    found = _PLAIN_EMAIL.search(text)
    return (text if found is None else found[0]).lstrip("'").lower()


def is_link(text: str) -> bool:
    """Whether a text is one web address."""
    return text[:4].lower() == "http" and _LINK.fullmatch(text) is not None


def is_signature(key: str) -> bool:
    """Whether a parameter of an address opens it."""
    return re.fullmatch(_SIGNED_KEYS, key, re.IGNORECASE) is not None


def is_signed(text: str) -> bool:
    """Whether a text is one web address that opens without a key."""
    return is_link(text) and _SIGNED.is_in(text, text.lower())


def token_in(text: str) -> str | None:
    """What a text holds that nobody may save; None for nothing of the kind."""
    lowered = text.lower()
    for name, one in _TOKENS.items():
        if one.is_in(text, lowered):
            return name
    return None
