"""HAR files, as browsers and proxies export traffic, read into a recording.

Bodies come in base64 or not at all, under headers of a packing that was undone; forms
come as text or by field; some entries never left the browser. docs/recordings.md says
what becomes of each.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Final
from urllib.parse import quote, urlencode

from nectar_async._json.json import parse_json
from nectar_async._json.scalars import MisfitError
from nectar_async.errors import RecordingError
from nectar_async.recording.bodies import (
    Blob,
    Body,
    FormData,
    FormPart,
    Json,
    Text,
    parse_body,
    sha256_hex,
)
from nectar_async.recording.exchange import Pairs, RecordedAnswer
from nectar_async.recording.formats.har_schema import (
    HarContent,
    HarEntry,
    HarNote,
    HarPair,
    HarParam,
    HarPostData,
    HarResponse,
    parse_har,
)
from nectar_async.recording.formats.importer import (
    ExportNote,
    Imported,
    TrafficEntry,
    build_answer,
    decode_base64,
    import_traffic,
)
from nectar_async.recording.redaction.redaction import Redaction

__all__ = ["read_har"]

_FORM: Final = "multipart/form-data"
_SUFFIX: Final = re.compile(r"\.[a-z]+")
_NO_TYPE: Final = frozenset({"", "x-unknown"})
_EMPTY: Final = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.RESET_CONTENT})

_ADVICE: Final = (
    "the body was not saved. Chrome saves it with 'Export HAR', Firefox with 'Save All"
    " As HAR', for what was loaded while the tools were open; Playwright with"
    " content='embed'"
)


def read_har(
    data: bytes, *, base_url: str | None = None, redaction: Redaction | None = None
) -> Imported:
    """A recording of what a HAR file has of Nectar. Nothing is written to disk.

    ```python
    found = read_har(Path("traffic.har").read_bytes())
    found.recording.save("tests/recordings/traffic", datetime.now(UTC))
    ```

    Headers stay behind, keys with them; what the file has of secrets and persons is
    replaced as in any recording.

    Args:
        data: what stands in the file.
        base_url: the origin of Nectar, with an optional path. Everything below it is
            imported. None takes what has a version and a path of the contract.
        redaction: rules, aliases and secrets of your own.

    Raises:
        RecordingError: it is no HAR, has nothing of Nectar or lacks bodies, or a secret
            would survive; says where.
        ConfigurationError: `base_url` cannot be one.
    """
    seen = [
        _seen(entry, f"$.log.entries[{at}]") for at, entry in enumerate(parse_har(data))
    ]
    return import_traffic(_in_order(seen), base_url=base_url, redaction=redaction)


def _in_order(seen: Sequence[TrafficEntry]) -> Sequence[TrafficEntry]:
    """By time, as the format asks of its readers; as it is where a time is missing."""
    timed = [(one.started, one) for one in seen if one.started is not None]
    if len(timed) < len(seen):
        return seen
    return [one for _, one in sorted(timed, key=lambda pair: pair[0])]


def _seen(entry: HarEntry, place: str) -> TrafficEntry:
    asked, reply, note = entry.request, entry.response, entry.note
    started = _instant(entry.started)
    sent = (*_pairs(asked.headers), *_cookies("cookie", asked.cookies))
    named = f"{place} ({asked.method} {asked.url.partition('?')[0]})"
    return TrafficEntry(
        place=named,
        method=asked.method.strip().upper(),
        url=_url(asked.url, _pairs(asked.query)),
        sent=sent,
        received=(*_pairs(reply.headers), *_cookies("set-cookie", reply.cookies)),
        status=reply.status,
        body=partial(_body, asked.body, sent, note, named),
        answer=partial(_answer, reply, started, note, named),
        started=started,
        skip=_skip(entry),
        told=None
        if note is None
        else ExportNote(
            operation=note.operation, owner=note.owner, is_file=note.is_file
        ),
    )


def _skip(entry: HarEntry) -> str:
    """Why an entry is no exchange with a server; empty where it may be one."""
    reply = entry.response
    if entry.kind == "websocket" or reply.status == HTTPStatus.SWITCHING_PROTOCOLS:
        return "websockets"
    if entry.kind == "preflight":
        return "preflights"
    if entry.cached or "Cache" in (reply.fetched or ""):
        return "from a cache"
    return "without an answer" if reply.error else ""


def _url(url: str, query: Pairs) -> str:
    """The whole address; some tools have the query beside it only."""
    url = url.strip().partition("#")[0]
    if "?" in url or not query:
        return url
    return f"{url}?{urlencode(query, quote_via=quote, safe='')}"


def _answer(
    reply: HarResponse, started: datetime | None, note: HarNote | None, place: str
) -> RecordedAnswer:
    content = reply.content or HarContent()
    headers = _pairs(reply.headers)
    names = {name.lower() for name, _ in headers}
    kind = (content.type or "").strip()
    if note is None and "content-type" not in names and kind not in _NO_TYPE:
        headers = (*headers, ("content-type", kind))
    data = _content(content, reply.status, place)
    answer = build_answer(reply.status, headers, data, started, f"the body of {place}")
    if note is None:
        return answer
    return RecordedAnswer(
        status=answer.status,
        headers=answer.headers,
        body=_as_told(data, note.answered, place),
    )


def _content(content: HarContent, status: int, place: str) -> bytes:
    """The bytes of an answer's body."""
    if content.text is None:
        if (content.size or 0) > 0 and status not in _EMPTY:
            raise RecordingError(f"{place}: {_ADVICE}")
        return b""
    if (content.encoding or "").lower() == "base64":
        return decode_base64(content.text, place)
    return content.text.encode()


def _body(
    body: HarPostData | None, sent: Pairs, note: HarNote | None, place: str
) -> Body | None:
    """What was sent."""
    if body is None:
        return None
    text = body.text or ""
    is_file = note is not None and note.asked.startswith(".")
    data = decode_base64(text, place) if is_file else text.encode()
    if note is not None and note.asked != "form":
        return _as_told(data, note.asked, place)
    headers = {name.lower(): value for name, value in sent}
    kind = headers.get("content-type") or body.type or ""
    if not data and kind.lower().startswith(_FORM):
        return FormData(tuple(map(_part, body.params or ())))
    if not data and body.params:
        pairs = [(one.name, _text(one.value)) for one in body.params]
        data = urlencode(pairs).encode()
    return parse_body(data, kind)


def _part(param: HarParam) -> FormPart:
    """A field of a form. What tools keep of a file is seldom the file."""
    if param.file is None and param.sha256 is None:
        return FormPart(name=param.name, text=_text(param.value))
    data = _text(param.value).encode()
    return FormPart(
        name=param.name,
        file=param.file,
        type=param.type,
        sha256=param.sha256 or sha256_hex(data),
        size=len(data) if param.size is None else param.size,
    )


def _as_told(data: bytes, kind: str, place: str) -> Body | None:
    """A body that is what our export called it."""
    if not kind:
        return None
    if _SUFFIX.fullmatch(kind):
        return Blob(data, kind)
    if kind == "text":
        return Text(data.decode("utf-8", "replace"))
    if kind != "json":
        raise RecordingError(f"{place}: _nectar knows no body called {kind!r}")
    try:
        parse_json(data)
    except MisfitError as error:
        raise RecordingError(f"{place} should have JSON: {error}") from None
    return Json(data)


def _pairs(pairs: Sequence[HarPair] | None) -> Pairs:
    return tuple((_text(one.name), _text(one.value)) for one in pairs or ())


def _cookies(header: str, cookies: Sequence[HarPair] | None) -> Pairs:
    """Cookies as headers, for tools that keep them apart."""
    return tuple((header, f"{name}={value}") for name, value in _pairs(cookies))


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _instant(text: str | None) -> datetime | None:
    """When it was sent; a time without a zone counts as UTC."""
    try:
        found = datetime.fromisoformat((text or "").strip())
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
