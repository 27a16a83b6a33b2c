"""Replace secrets in texts: the one redactor of errors, answers and recordings.

Errors quote servers, and servers quote what they were sent, or links that they made.
Three rules decide what is secret in a text about an operation: the sensitive values
that were sent, the values behind the keys that the contract marks `x-sensitive`, and
links that open without a key. Values are found in any escaping.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from attrs import evolve, frozen

from nectar_async._http.compression import read_head
from nectar_async._http.response import Response
from nectar_async._types import Secret
from nectar_async.contract.sensitive import ANSWERED, SENT
from nectar_async.errors import DecodeError, NectarError

__all__ = [
    "HEAD_BYTES",
    "MASK",
    "MAX_ERROR_TEXT",
    "Redactor",
    "Replacement",
    "UnescapedText",
    "build_masker",
    "build_redactor",
    "find_sensitive_values",
    "mask_spans",
    "redact_error",
    "redact_response",
    "redact_values",
    "replace_spans",
]

MASK: Final = "***"

Redactor = Callable[[str], str]
"""Returns a text with its secrets replaced by `MASK`."""

HEAD_BYTES: Final = 8 * 1024
"""The bytes of a failed answer that are read. Only HTML pages are longer, and the
message of a failure is at the beginning."""

# A secret that the end of the head cuts in two may not be recognized, so this many
# characters are dropped there. A longer one is a link.
_CUT_LENGTH: Final = 2 * 1024
# How many characters of the headers of a failed answer are kept.
_HEADERS_LENGTH: Final = 16 * 1024

Span = tuple[int, int]
"""The start and the end of a part of a text."""

Replacement = tuple[int, int, str]
"""The start and the end of a part of a text, and the text that replaces it."""


# Redactors.


def build_redactor(
    operation: str, json: Mapping[str, object] | None = None
) -> Redactor:
    """Build the function that redacts texts about one operation.

    Args:
        operation: the contract's operation id.
        json: the body that was sent, by its wire keys.
    """
    mask = _build_value_masker(find_sensitive_values(json or {}))
    has_links = operation.startswith(_OPERATIONS_WITH_LINKS)

    def redact(text: str) -> str:
        text = _mask_sensitive_keys(mask(text))
        return _LINK.sub(_mask_link, text) if has_links else text

    return redact


def redact_error(
    error: NectarError, operation: str, json: Mapping[str, object] | None = None
) -> None:
    """Redact every text of an error, and of the errors that caused it, in place.

    Args:
        error: the error that is about to be raised.
        operation: the contract's operation id.
        json: the body that was sent, by its wire keys.
    """
    _rewrite_error(error, build_redactor(operation, json))


def redact_values(error: NectarError, values: Iterable[str]) -> None:
    """Replace values of four characters or more in an error, in any escaping.

    If a value is a link, its path, query and parameters are replaced too.
    """
    _rewrite_error(error, _build_value_masker(values))


def redact_response(
    response: Response, redact: Redactor, size: int = HEAD_BYTES
) -> Response:
    """Redact the headers of a failed response and the first `size` bytes of its body.

    The rest of the body is dropped, and so are headers beyond 16 Ki characters: a
    server decides how long they are, and each attempt would pay for searching them.
    """
    headers = dict(_redact_headers(response.headers, redact))
    head = read_head(response, size + 1)  # one byte more tells whether there is a rest
    text = head[:size].decode("utf-8", "replace")
    redacted = redact(text)
    if len(head) > size:
        redacted = redacted[:-_CUT_LENGTH]
    if redacted == text:
        return evolve(response, headers=headers)
    for name in ("content-encoding", "content-length"):
        headers.pop(name, None)
    return evolve(response, headers=headers, body=redacted.encode())


def _redact_headers(
    headers: Mapping[str, str], redact: Redactor
) -> Iterator[tuple[str, str]]:
    left = _HEADERS_LENGTH
    for name, value in headers.items():
        left -= len(name) + len(value)
        if left < 0:
            return
        yield name, redact(value)


def find_sensitive_values(json: Mapping[str, object]) -> list[str]:
    """Find all texts below the sensitive keys of a body, and all `Secret` values."""
    return [
        text
        for key, value in json.items()
        for text in (_list_texts(value) if key in SENT else _list_secrets(value))
    ]


def _list_texts(value: object) -> Iterator[str]:
    """All texts in a value."""
    if isinstance(value, Secret):
        value = value.reveal()
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _list_texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _list_texts(item)


def _list_secrets(value: object) -> Iterator[str]:
    """The secret texts in the value of a key that is not sensitive itself."""
    if isinstance(value, Secret):
        yield from _list_texts(value)
    elif isinstance(value, Mapping):
        yield from find_sensitive_values(value)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _list_secrets(item)


def _rewrite_error(error: BaseException | None, rewrite: Redactor) -> None:
    """Rewrite every text of an error, and of the errors that caused it."""
    seen: set[int] = set()  # a stage of the user's may chain errors in a circle
    while isinstance(error, NectarError) and id(error) not in seen:
        seen.add(id(error))
        for name in ("message", "detail", "body"):
            text = getattr(error, name, None)
            if isinstance(text, str):
                setattr(error, name, rewrite(text))
        if isinstance(error, DecodeError):
            error.problems = tuple(map(rewrite, error.problems))
        error.args = (error.message,)
        notes = getattr(error, "__notes__", [])
        notes[:] = map(rewrite, notes)
        error = error.__cause__ or error.__context__


# Rule 1: links that open without a key

# The operations that send or return such links, or their secret part.
_OPERATIONS_WITH_LINKS: Final = (
    "connections_",
    "documents_",
    "invitations_",
    "jobs_submit_bulk",
    "magic_links_",
    "usage_",
    "webhook_portal_",
)

# A link in a text, in JSON, or as a parameter of another link; whole or truncated.
_LINK: Final = re.compile(
    r"https?(?::(?:\\*/){2}|%(?:25)*3A(?:%(?:25)*2F){2})[^\s\"'<>]*",
    re.IGNORECASE | re.ASCII,
)

# A folder whose name is this long may be a secret.
_LONG_SEGMENT: Final = 16


def _mask_link(match: re.Match[str]) -> str:
    """A link with only its scheme and host."""
    link = unquote(match[0]).replace("\\", "")
    scheme, _, rest = link.partition("://")
    host = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
    return link if rest == host else f"{scheme}://{host}/{MASK}"


def _split_link(link: str) -> Iterator[str]:
    """The parts of a link that could open it; nothing for other texts."""
    if _LINK.match(link) is None:
        return
    try:
        parts = urlsplit(link)
    except ValueError:
        return
    yield link.partition("://")[2]
    yield from (parts.path, parts.query, parts.fragment)
    yield from (value for _, value in parse_qsl(parts.query))
    *folders, name = parts.path.split("/")
    yield from (name, unquote(name))
    yield from (folder for folder in folders if len(folder) >= _LONG_SEGMENT)


# Rule 2: values behind sensitive keys

_KEYS: Final = "|".join(sorted({"x-api-key", *ANSWERED}))
# Keys that requests have too. In a validation error, the value of such a key is the
# message about the field, which must stay readable.
_SENT_KEYS: Final = "|".join(sorted(SENT - {"documents"}))
# The lookbehind keeps the search in a long run of backslashes linear.
_QUOTE: Final = r"""(?<!\\)\\*+["']|&quot;|&\#(?:39|34|x27|x22);|%22"""
_INNER_QUOTE: Final = r"""(?<!\\)\\++["']|'|&quot;|&\#(?:39|34|x27|x22);|%22"""


def _compile_keys(keys: str, quote: str) -> re.Pattern[str]:
    """A pattern for a quoted key up to the quote or the bracket of its value."""
    return re.compile(
        rf"(?:{quote})(?:{keys})(?:{_QUOTE})\s*:\s*(?:(?P<quote>{_QUOTE})|(?=[\[{{]))",
        re.IGNORECASE,
    )


_KEY_PATTERNS: Final = (_compile_keys(f"{_KEYS}|{_SENT_KEYS}", _QUOTE),)
# In an error that is JSON, these keys name the wrong fields, so their values stay.
# They are masked only inside texts, which may quote an answer.
_KEY_PATTERNS_IN_JSON: Final = (
    _compile_keys(_KEYS, _QUOTE),
    _compile_keys(_SENT_KEYS, _INNER_QUOTE),
)


def _mask_sensitive_keys(text: str) -> str:
    """Mask the values behind sensitive keys that a text quotes."""
    is_json = text.lstrip()[:1] in {"{", "["}
    for pattern in _KEY_PATTERNS_IN_JSON if is_json else _KEY_PATTERNS:
        text = mask_spans(text, _find_values(text, pattern))
    return text


def _find_values(text: str, pattern: re.Pattern[str]) -> list[Span]:
    """The spans of the values behind the keys of a pattern.

    A value without an end reaches to the end of the text. The time is linear in the
    text, because each closing quote and each bracket is searched once.
    """
    spans: list[Span] = []
    quote_ends: dict[str, int] = {}
    bracket_ends: dict[int, int] | None = None
    for match in pattern.finditer(text):
        start = match.end()
        if quote := match["quote"]:
            if quote_ends.get(quote, -1) < start:
                closing = re.compile(rf"(?<!\\){re.escape(quote)}").search(text, start)
                quote_ends[quote] = len(text) if closing is None else closing.start()
            spans.append((start, quote_ends[quote]))
        else:
            if bracket_ends is None:
                bracket_ends = _match_brackets(text)
            spans.append((start + 1, bracket_ends.get(start, len(text))))
    return spans


def _match_brackets(text: str) -> dict[int, int]:
    """Map the position of each opening bracket to its closing bracket's."""
    ends: dict[int, int] = {}
    opened: list[int] = []
    for match in re.finditer(r"[\[\]{}]", text):
        if match[0] in "[{":
            opened.append(match.start())
        elif opened:
            ends[opened.pop()] = match.start()
    return ends


# Rule 3: values that were sent

# Most shorter texts are part of ordinary words.
_MIN_LENGTH: Final = 4
# An error keeps this many characters of a text, so a value at the end may be cut.
MAX_ERROR_TEXT: Final = 2_000

_FEW_VALUES: Final = 16


def _build_value_masker(values: Iterable[str]) -> Redactor:
    return build_masker(
        part for value in values for part in (value, *_split_link(value))
    )


def build_masker(values: Iterable[str]) -> Redactor:
    """Build the function that masks values of four characters or more in a text.

    Values are found in any escaping and in any case, and at the end of a long text also
    if they are truncated.
    """
    longest_first = sorted(
        {value for value in values if len(value) >= _MIN_LENGTH}, key=len, reverse=True
    )
    unescaped = [UnescapedText.from_text(value).text for value in longest_first]
    unescaped = [value for value in unescaped if len(value) >= _MIN_LENGTH]

    def mask(text: str) -> str:
        searched = UnescapedText.from_text(text)
        present = _select_present(unescaped, searched.text)
        spans = [span for value in present for span in searched.find(value)]
        if len(text) >= MAX_ERROR_TEXT:
            spans += (
                span for value in present for span in searched.find_truncated(value)
            )
        text = mask_spans(text, spans)
        # Characters behind a value may look like the end of an escape that begins in
        # the value.
        for value in _select_present(longest_first, text):
            text = text.replace(value, MASK)
        return text

    return mask if longest_first else _return_unchanged


def _select_present(values: Sequence[str], text: str) -> Sequence[str]:
    """The values whose first characters are in a text, if there are many values.

    A bulk upload sends thousands of links; to search a text for each takes seconds.
    """
    if len(values) <= _FEW_VALUES:
        return values
    starts = {text[at : at + _MIN_LENGTH] for at in range(len(text))}
    return [value for value in values if value[:_MIN_LENGTH] in starts]


def _return_unchanged(text: str) -> str:
    return text


def mask_spans(text: str, spans: Iterable[Span]) -> str:
    """Replace each span of a text by `MASK`; overlapping spans count as one."""
    return replace_spans(text, ((start, end, MASK) for start, end in spans))


def replace_spans(text: str, spans: Iterable[Replacement]) -> str:
    """Replace spans of a text; overlapping spans are one, replaced as the first."""
    pieces: list[str] = []
    position = 0
    for start, end, replacement in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= position:
            pieces += (text[position:start], replacement)
        position = max(position, end)
    return "".join((*pieces, text[position:]))


# Texts without escapes

_ESCAPE: Final = re.compile(
    # The lookbehind keeps the search in a long run of backslashes linear.
    r"(?:(?<!\\)\\++u[0-9a-f]{4})+|(?:(?<!\\)\\++x[0-9a-f]{2})+|(?:%[0-9a-f]{2})+"
    r"|&(#[0-9]{1,7}|#x[0-9a-f]{1,6}|[a-z]{1,8});",
    re.IGNORECASE | re.ASCII,
)
_CODE: Final = re.compile(r"(?:\\+[ux]|%)([0-9a-f]{2,4})", re.IGNORECASE | re.ASCII)
_BACKSLASHES: Final = re.compile(r"\\++(.)", re.DOTALL)
_MAX_DEPTH: Final = 6

# Forms write a plus for a space, and JSON writes these letters behind a backslash.
_EQUIVALENT: Final = str.maketrans({"+": " ", "\n": "n", "\r": "r", "\t": "t"})


@frozen
class UnescapedText:
    """A text without escapes and in lower case, with the place of each character.

    A text that is quoted in JSON, in an address, in HTML or in Python has some of its
    characters escaped, and escaped again if that text is quoted in turn. Two texts are
    compared after all of their escapes are resolved.
    """

    text: str
    places: Sequence[int]
    """The index of each character in the original text, and the length of that text."""

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Resolve the escapes of a text."""
        places: Sequence[int] = range(len(text) + 1)
        for _ in range(_MAX_DEPTH):
            if _ESCAPE.search(text) is None:
                break
            text, inner = _unescape(text)
            places = _follow(places, inner)
        if "\\" in text:
            text, inner = _drop_backslashes(text)
            places = _follow(places, inner)
        return cls(_fold_case(text), places)

    def find(self, value: str) -> Iterator[Span]:
        """Find the spans of the original text that equal `value` without escapes."""
        index = self.text.find(value)
        while index >= 0:
            end = index + len(value)
            yield self.places[index], self.places[end]
            index = self.text.find(value, end)

    def find_truncated(self, value: str) -> Iterator[Span]:
        """The span at the end of the original text that holds a truncated value."""
        beginning = value[:_MIN_LENGTH]
        index = self.text.find(beginning, max(0, len(self.text) - len(value)))
        while index >= 0 and not value.startswith(self.text[index:]):
            index = self.text.find(beginning, index + 1)
        if index >= 0:
            yield self.places[index], self.places[-1]


def _follow(places: Sequence[int], inner: list[int]) -> list[int]:
    """Convert places in a partly unescaped text to places in the original text."""
    if isinstance(places, range):
        return inner  # nothing was unescaped before
    return [places[index] for index in inner]


def _fold_case(text: str) -> str:
    """Convert a text to lower case, unless that changes its length."""
    lowered = text.lower()
    return (lowered if len(lowered) == len(text) else text).translate(_EQUIVALENT)


def _unescape(text: str) -> tuple[str, list[int]]:
    """Resolve one level of escapes; return the text and each character's old place."""
    characters: list[str] = []
    places: list[int] = []
    position = 0
    for match in _ESCAPE.finditer(text):
        characters.append(text[position : match.start()])
        places += range(position, match.start())
        for character, place in _resolve_escapes(match):
            characters.append(character)
            places.append(place)
        position = match.end()
    characters.append(text[position:])
    places += range(position, len(text) + 1)
    return "".join(characters), places


def _resolve_escapes(match: re.Match[str]) -> Iterator[tuple[str, int]]:
    """The characters of a run of escapes, each with its place."""
    if match[1] is not None:
        text = html.unescape(f"&{match[1]};")
        yield from ((character, match.start()) for character in text)
        return
    codes = [*_CODE.finditer(match[0])]
    raw = bytes.fromhex("".join(code[1] for code in codes))
    encoding = "utf-16-be" if len(codes[0][1]) > len("ff") else "utf-8"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        encoding = "latin-1"
        text = raw.decode(encoding)
    size = len(raw) // len(codes)
    offset = 0
    for character in text:
        yield character, match.start() + codes[offset // size].start()
        offset += len(character.encode(encoding))


def _drop_backslashes(text: str) -> tuple[str, list[int]]:
    """Drop all backslashes; a character gets the place of the first one before it."""
    stripped = text.rstrip("\\")
    characters: list[str] = []
    places: list[int] = []
    position = 0
    for match in _BACKSLASHES.finditer(stripped):
        characters += (stripped[position : match.start()], match[1])
        places += range(position, match.start() + 1)
        position = match.end()
    characters.append(stripped[position:])
    places += range(position, len(stripped) + 1)
    return "".join(characters), places
