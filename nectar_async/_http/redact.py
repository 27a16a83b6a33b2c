"""What no text may show: the contract calls it `x-sensitive`.

Errors quote servers, and servers quote what they were sent, or a link that they made.
`conceal` goes over an error of any operation; the rest are its parts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from nectar_async._http.spelled import HIDDEN, cut_out, hiding
from nectar_async._types import Secret
from nectar_async.errors import DecodeError, NectarError

__all__ = [
    "conceal",
    "concealer",
    "redact",
    "sensitive_values",
]

# The fields of bodies that are, with all that they hold.
_SENT: Final = frozenset({"documents", "password", "securityQuestions", "username"})

# What is sent or answered holds a link that opens without a key, or its secret part.
_LINKING: Final = (
    "connections_",
    "documents_",
    "invitations_",
    "jobs_submit_bulk",
    "magic_links_",
    "usage_",
    "webhook_portal_",
)

# As text, as JSON, or as a parameter of another link; whole or cut off.
_LINK = re.compile(
    r"https?(?::(?:\\*/){2}|%(?:25)*3A(?:%(?:25)*2F){2})[^\s\"'<>]*",
    re.IGNORECASE | re.ASCII,
)

_LONG_SEGMENT = 16

# Keys below which a server keeps secrets of its own. Some are sent as well: there an
# error's own words may stand.
_KEPT_BY_SERVERS: Final = (
    "x-api-key|appPortalUrl|billing|(?:company|connection)MagicLinkSecret"
    "|invitationUrl|magicLinkUrl|portalUrl|token"
)
_ALSO_SENT: Final = "password|securityQuestions|username"
_QUOTE: Final = r"""\\*["']|&quot;|&\#(?:39|34|x27|x22);|%22"""


def _named(names: str, quote_: str) -> re.Pattern[str]:
    """A key in quotes and the beginning of its value: its quote, or a bracket."""
    return re.compile(
        rf"(?:{quote_})(?:{names})(?:{_QUOTE})\s*:\s*(?:(?P<quote>{_QUOTE})|(?=[\[{{]))",
        re.IGNORECASE,
    )


_NAMED = _named(f"{_KEPT_BY_SERVERS}|{_ALSO_SENT}", _QUOTE)
# In JSON the keys of an error are fields, but a text in it may quote an answer.
_NAMED_IN_WORDS = (
    _named(_KEPT_BY_SERVERS, _QUOTE),
    _named(_ALSO_SENT, r"""\\+["']|'|&quot;|&\#(?:39|34|x27|x22);|%22"""),
)


def conceal(
    error: NectarError, operation: str, json: Mapping[str, object] | None = None
) -> None:
    """Have an error, and what it came from, show nothing that is sensitive.

    Args:
        error: what is about to be raised; it is changed.
        operation: what was asked for.
        json: the body that was sent, by its wire keys.
    """
    _rewrite(error, concealer(operation, json))


def concealer(
    operation: str, json: Mapping[str, object] | None = None
) -> Callable[[str], str]:
    """What takes out of a text all that is sensitive about an operation."""
    hide = _hiding(sensitive_values(json or {}))
    has_links = operation.startswith(_LINKING)

    def concealed(text: str) -> str:
        text = _unnamed(hide(text))
        return _LINK.sub(_host_alone, text) if has_links else text

    return concealed


def sensitive_values(json: Mapping[str, object]) -> list[str]:
    """All texts below the sensitive keys of a body, and those that came masked."""
    return [
        text
        for key, value in json.items()
        for text in (_texts(value) if key in _SENT else _below(value))
    ]


def redact(error: NectarError, secrets: Iterable[str]) -> None:
    """Replace texts of four characters and more, however a server spells them.

    Of a link its query, its parameters and its path are replaced as well.
    """
    _rewrite(error, _hiding(secrets))


def _hiding(secrets: Iterable[str]) -> Callable[[str], str]:
    return hiding(part for one in secrets for part in (one, *_parts(one)))


def _unnamed(text: str) -> str:
    """The text without what stands under the keys of secrets, if it quotes some."""
    is_json = text.lstrip()[:1] in {"{", "["}
    for pattern in _NAMED_IN_WORDS if is_json else (_NAMED,):
        spans = [_value(text, found) for found in pattern.finditer(text)]
        text = cut_out(text, spans)
    return text


def _value(text: str, found: re.Match[str]) -> tuple[int, int]:
    """Where the value behind a key stands, as far as the text goes."""
    if quote_ := found["quote"]:
        end = re.compile(rf"(?<!\\){re.escape(quote_)}").search(text, found.end())
        return found.end(), len(text) if end is None else end.start()
    depth = 0
    for at in range(found.end(), len(text)):
        depth += (text[at] in "[{") - (text[at] in "]}")
        if depth == 0:
            return found.end() + 1, at
    return found.end() + 1, len(text)


def _host_alone(found: re.Match[str]) -> str:
    link = unquote(found[0]).replace("\\", "")
    scheme, _, rest = link.partition("://")
    host = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
    return link if rest == host else f"{scheme}://{host}/{HIDDEN}"


def _texts(value: object) -> Iterator[str]:
    """All texts in a value."""
    if isinstance(value, Secret):
        value = value.reveal()
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)


def _below(value: object) -> Iterator[str]:
    """The sensitive texts in a value that is not all sensitive."""
    if isinstance(value, Secret):
        yield from _texts(value)
    elif isinstance(value, Mapping):
        yield from sensitive_values(value)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _below(one)


def _parts(link: str) -> Iterator[str]:
    """What opens a link, by itself; nothing of what is no link."""
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
    yield from (one for one in folders if len(one) >= _LONG_SEGMENT)


def _rewrite(error: BaseException | None, change: Callable[[str], str]) -> None:
    """Change every text of an error, and of those that it came from."""
    while isinstance(error, NectarError):
        for name in ("message", "detail", "body"):
            words = getattr(error, name, None)
            if isinstance(words, str):
                setattr(error, name, change(words))
        if isinstance(error, DecodeError):
            error.problems = tuple(map(change, error.problems))
        error.args = (error.message,)
        notes = getattr(error, "__notes__", [])
        notes[:] = map(change, notes)
        error = error.__cause__ or error.__context__
