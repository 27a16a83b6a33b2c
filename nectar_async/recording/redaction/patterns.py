"""Texts that are known by their shape: e-mail addresses, signed links, tokens."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import unquote

from attrs import frozen

from nectar_async.recording.redaction.sensitive_fields import PERSON, Kind

__all__ = [
    "EMAIL",
    "EMAIL_SUFFIX",
    "LINK_PART",
    "LINK_PREFIX",
    "PatternMatch",
    "PatternSearch",
    "build_placeholder_regex",
    "find_token",
    "is_email",
    "is_link",
    "is_signature_key",
    "is_signed_link",
    "normalize_email",
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


LINK_PREFIX: Final = "https://link.invalid/"
"""Where all stand-ins for links begin."""

LINK_PART: Final = "link-part"
"""Stands for what is quoted of a link."""

EMAIL_SUFFIX: Final = "@example.invalid"
"""Where all stand-ins for e-mail addresses end."""


def build_placeholder_regex(kinds: Iterable[Kind]) -> re.Pattern[str]:
    """What finds stand-ins of these kinds in a text."""
    names = "|".join(sorted({re.escape(one.name) for one in kinds}, reverse=True))
    return re.compile(
        rf"{re.escape(LINK_PREFIX)}[\w/$.~%-]*|(?<![\w-])(?:{LINK_PART}"
        rf"|(?:{names})-[1-9][0-9]*(?:{re.escape(EMAIL_SUFFIX)})?(?!\w|-\w)"
        rf"|(?:{names}):[\w/$.~%-]+)",
        re.ASCII,
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


def normalize_email(text: str) -> str:
    """An address as it reads, however it is spelled."""
    for _ in range(3):
        text = unquote(text)
    text = re.sub(_AT, "@", text, flags=re.IGNORECASE)
    found = _PLAIN_EMAIL.search(text)
    return (text if found is None else found[0]).lstrip("'").lower()


def is_link(text: str) -> bool:
    """Whether a text is one web address."""
    return text[:4].lower() == "http" and _LINK.fullmatch(text) is not None


def is_signature_key(key: str) -> bool:
    """Whether a parameter of an address opens it."""
    return re.fullmatch(_SIGNED_KEYS, key, re.IGNORECASE) is not None


def is_signed_link(text: str) -> bool:
    """Whether a text is one web address that opens without a key."""
    return is_link(text) and _SIGNED.is_in(text, text.lower())


def find_token(text: str) -> str | None:
    """What a text holds that nobody may save; None for nothing of the kind."""
    lowered = text.lower()
    for name, one in _TOKENS.items():
        if one.is_in(text, lowered):
            return name
    return None


@frozen
class PatternMatch:
    """Something in a text."""

    start: int
    end: int
    kind: Kind
    text: str


class PatternSearch:
    """Finds them.

    Args:
        patterns: the users' own, and what it is that they find.
        kinds: all kinds that there are.
    """

    def __init__(
        self, patterns: Sequence[tuple[re.Pattern[str], Kind]], kinds: Iterable[Kind]
    ) -> None:
        self._patterns = patterns
        self._shape = build_placeholder_regex(kinds)
        self._found_shape = build_placeholder_regex(
            [PERSON, *(kind for _, kind in patterns)]
        )

    def found(self, text: str) -> Iterator[PatternMatch]:
        """Addresses, and what the patterns match; stand-ins are not among them."""
        if may_have_email(text):
            for one in EMAIL.finditer(text):
                mark = PatternMatch(
                    one.start(), one.end(), PERSON, normalize_email(one[0])
                )
                if not self.is_standin(mark.text):
                    yield mark
        for pattern, kind in self._patterns:
            for one in pattern.finditer(text):
                if one[0].strip() and not self.is_standin(one[0]):
                    yield PatternMatch(one.start(), one.end(), kind, one[0])

    def standins(self, text: str) -> Iterator[re.Match[str]]:
        """The stand-ins in a text."""
        return self._shape.finditer(text)

    def found_standins(self, text: str) -> Iterator[re.Match[str]]:
        """Those that may stand for what `found` gives."""
        if not self._patterns and EMAIL_SUFFIX not in text:
            return iter(())
        return self._found_shape.finditer(text)

    def around(self, text: str) -> re.Pattern[str] | None:
        """What matches a text with anything for its stand-ins; None if it has none."""
        parts, at = [], 0
        for one in self.standins(text):
            parts.append(re.escape(text[at : one.start()]))
            at = one.end()
        if not parts:
            return None
        return re.compile(".+".join((*parts, re.escape(text[at:]))), re.DOTALL)

    def is_standin(self, text: str) -> bool:
        """Whether a text is one stand-in."""
        return self._shape.fullmatch(text) is not None
