"""Patterns of texts: e-mail addresses, signed links, tokens, placeholders."""

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

LINK_PREFIX: Final = "https://link.invalid/"
"""The beginning of every placeholder for a link."""

LINK_PART: Final = "link-part"
"""The placeholder for a quoted part of a link."""

EMAIL_SUFFIX: Final = "@example.invalid"
"""The end of every placeholder for an e-mail address."""

# The at sign: literally, and escaped in a URL, in HTML and in JSON.
_AT: Final = r"(?:@|%(?:25)*40|&\#(?:64|x40);|&commat;|(?<!\\)\\++u0040)"

# The lookbehinds keep each search linear: a long run of characters is tried once.
EMAIL: Final = re.compile(
    rf"(?<![\w.+%'-])[\w.+%'-]+{_AT}[\w-]+(?:\.[\w-]+)*\.[^\W\d_][\w-]*",
    re.IGNORECASE,
)
_UNESCAPED_EMAIL: Final = re.compile(r"(?<![\w.+'-])[\w.+'-]++@[\w.-]++\Z")

_SIGNATURE_KEYS: Final = (
    r"(?:x-(?:amz-|goog-|oss-|ms-)?)?(?:signature|security-token)"
    r"|sig|hmac|access[-_]?token|api[-_]?key"
)

_LINK: Final = re.compile(r"https?://[^\s\"'<>]+", re.IGNORECASE)


@frozen
class _TokenPattern:
    """A pattern of tokens, and words that make it worth trying."""

    pattern: re.Pattern[str]
    hints: tuple[str, ...]
    """Lower-case texts; every text that matches contains at least one."""

    def is_in(self, text: str, lowered: str) -> bool:
        """Whether a text contains such a token."""
        return (
            any(hint in lowered for hint in self.hints)
            and self.pattern.search(text) is not None
        )


_SIGNED_LINK: Final = _TokenPattern(
    re.compile(
        # A placeholder for the signature is not a signature.
        rf"(?:[?&;]|%(?:25)*3F|%(?:25)*26|(?<!\\)\\++u0026)(?:{_SIGNATURE_KEYS})"
        r"(?:=|%(?:25)*3D|\\++u003d)(?!link-part)[^&\s\"'<>\\]{6,}",
        re.IGNORECASE,
    ),
    ("signature", "sig=", "sig%", "sig\\", "hmac", "token", "api"),
)

_TOKENS: Final[Mapping[str, _TokenPattern]] = {
    "a JWT": _TokenPattern(
        # From the start of a run of such characters to the first `eyJ` in it.
        re.compile(
            r"(?<![\w-])(?>(?:[\w-]*?-)??eyJ)[\w-]{5,}+\.eyJ[\w-]{5,}", re.ASCII
        ),
        ("eyj",),
    ),
    "the secret of a webhook": _TokenPattern(
        re.compile(r"\bwhsec_[A-Za-z0-9+/_=-]{8,}"), ("whsec_",)
    ),
    "an API key": _TokenPattern(
        re.compile(
            r"(?<![A-Za-z0-9])(?:sk|rk|nk|nectar)[_-]"
            r"(?:(?:live|test|prod|sandbox)[_-])?"
            r"(?=[A-Za-z0-9]*[0-9])[A-Za-z0-9]{16,}"
        ),
        ("sk_", "rk_", "nk_", "sk-", "rk-", "nk-", "nectar_", "nectar-"),
    ),
    "a signed link": _SIGNED_LINK,
    "an Authorization header": _TokenPattern(
        re.compile(
            r"\b(?i:bearer)\s+(?=[^\s\"'<>]*\d)[A-Za-z0-9._~+/-]{16,}"
            r"|(?i:authorization)[\"']*\s*[:=]\s*[\"']?"
            r"(?i:basic|bearer|digest|token)\s+"
            r"(?=\S*(?:[0-9=]|[a-z][A-Z]))[A-Za-z0-9._~+/=-]{8,}"
        ),
        ("bearer", "authorization"),
    ),
    "a private key": _TokenPattern(
        re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"), ("private key",)
    ),
}


@frozen
class PatternMatch:
    """A sensitive part of a text that was found by a pattern."""

    start: int
    end: int
    kind: Kind
    text: str


class PatternSearch:
    """Finds e-mail addresses, matches of users' patterns, and placeholders.

    Args:
        patterns: the users' own patterns, with the kind of value that each finds.
        kinds: all kinds whose placeholders are recognized.
    """

    def __init__(
        self, patterns: Sequence[tuple[re.Pattern[str], Kind]], kinds: Iterable[Kind]
    ) -> None:
        self._patterns = patterns
        self._placeholder = build_placeholder_regex(kinds)
        self._matched_placeholder = build_placeholder_regex(
            [PERSON, *(kind for _, kind in patterns)]
        )

    def find(self, text: str) -> Iterator[PatternMatch]:
        """Find e-mail addresses and matches of the patterns, without placeholders."""
        if _may_contain_email(text):
            for match in EMAIL.finditer(text):
                email = normalize_email(match[0])
                if not self.is_placeholder(email):
                    yield PatternMatch(match.start(), match.end(), PERSON, email)
        for pattern, kind in self._patterns:
            for match in pattern.finditer(text):
                if match[0].strip() and not self.is_placeholder(match[0]):
                    yield PatternMatch(match.start(), match.end(), kind, match[0])

    def find_placeholders(self, text: str) -> Iterator[re.Match[str]]:
        """Find the placeholders in a text."""
        return self._placeholder.finditer(text)

    def find_matched_placeholders(self, text: str) -> Iterator[re.Match[str]]:
        """Find the placeholders that may have replaced a result of `find`."""
        if not self._patterns and EMAIL_SUFFIX not in text:
            return iter(())
        return self._matched_placeholder.finditer(text)

    def build_wildcard(self, text: str) -> re.Pattern[str] | None:
        """Build a pattern that matches a text with any values for its placeholders.

        Returns:
            None if the text has no placeholders.
        """
        parts, position = [], 0
        for match in self.find_placeholders(text):
            parts.append(re.escape(text[position : match.start()]))
            position = match.end()
        if not parts:
            return None
        return re.compile(".+".join((*parts, re.escape(text[position:]))), re.DOTALL)

    def is_placeholder(self, text: str) -> bool:
        """Whether a text is exactly one placeholder."""
        return self._placeholder.fullmatch(text) is not None


def build_placeholder_regex(kinds: Iterable[Kind]) -> re.Pattern[str]:
    """Build a pattern that finds the placeholders of some kinds in a text."""
    names = "|".join(sorted({re.escape(kind.name) for kind in kinds}, reverse=True))
    return re.compile(
        rf"{re.escape(LINK_PREFIX)}[\w/$.~%-]*|(?<![\w-])(?:{LINK_PART}"
        rf"|(?:{names})-[1-9][0-9]*(?:{re.escape(EMAIL_SUFFIX)})?(?!\w|-\w)"
        rf"|(?:{names}):[\w/$.~%-]+)",
        re.ASCII,
    )


def is_email(text: str) -> bool:
    """Whether a text is exactly one e-mail address."""
    return _may_contain_email(text) and EMAIL.fullmatch(text) is not None


def normalize_email(text: str) -> str:
    """Convert an e-mail address to lower case without escapes."""
    for _ in range(3):
        text = unquote(text)
    text = re.sub(_AT, "@", text, flags=re.IGNORECASE)
    match = _UNESCAPED_EMAIL.search(text)
    return (text if match is None else match[0]).lstrip("'").lower()


def is_link(text: str) -> bool:
    """Whether a text is exactly one http or https URL."""
    return text[:4].lower() == "http" and _LINK.fullmatch(text) is not None


def is_signature_key(key: str) -> bool:
    """Whether a query parameter grants access to a URL."""
    return re.fullmatch(_SIGNATURE_KEYS, key, re.IGNORECASE) is not None


def is_signed_link(text: str) -> bool:
    """Whether a text is exactly one URL that opens without a key."""
    return is_link(text) and _SIGNED_LINK.is_in(text, text.lower())


def find_token(text: str) -> str | None:
    """Name the kind of token that a text contains; None if it contains none."""
    lowered = text.lower()
    for name, pattern in _TOKENS.items():
        if pattern.is_in(text, lowered):
            return name
    return None


def _may_contain_email(text: str) -> bool:
    """Whether the slower search for e-mail addresses is necessary."""
    return "@" in text or "%" in text or "&" in text or "\\" in text
