"""Read HAR files, in which browsers and proxies export traffic.

Bodies are plain, in base64 or missing, often under headers of a compression that was
undone. Forms are text or lists of fields. Some entries were never sent.
docs/recordings.md describes how each of these is imported.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec

from nectar_async._json.json_text import parse_json
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
from nectar_async.recording.formats.completeness import (
    StoredBody,
    can_answer_have_body,
    can_request_have_body,
)
from nectar_async.recording.formats.har_schema import (
    HarContent,
    HarEntry,
    HarNote,
    HarPair,
    HarParam,
    HarPostData,
    HarRequest,
    HarResponse,
    convert_entry,
    parse_har,
)
from nectar_async.recording.formats.importer import (
    ExportNote,
    Imported,
    TrafficEntry,
    build_answer,
    build_invalid_entry,
    decode_base64,
    import_traffic,
)
from nectar_async.recording.redaction.redaction import Redaction

__all__ = ["read_har"]

_FORM: Final = "multipart/form-data"
_SUFFIX: Final = re.compile(r"\.[a-z]+")
_NO_TYPE: Final = frozenset({"", "x-unknown"})
_ADVICE: Final = (
    "Chrome saves it with 'Export HAR', Firefox with 'Save All As HAR', for what was"
    " loaded while the tools were open; Playwright with content='embed'"
)

_REQUEST_ADVICE: Final = "A replay would find no request that equals it"

_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)


def read_har(
    data: bytes, *, base_url: str | None = None, redaction: Redaction | None = None
) -> Imported:
    """Build a recording of the Nectar requests in a HAR file, in memory.

    ```python
    result = read_har(Path("traffic.har").read_bytes())
    result.recording.save("tests/recordings/traffic", datetime.now(UTC))
    ```

    Headers with keys are dropped; secrets and personal values are replaced as in any
    recording.

    Args:
        data: the bytes of the file.
        base_url: the origin of Nectar with an optional path; everything below it is
            imported. By default, the requests are imported whose URL has a version and
            a path of the contract.
        redaction: your own rules, aliases and secrets.

    Raises:
        RecordingError: it is not HAR, has no requests to Nectar or lacks bodies, or the
            recording would contain a secret; the message has the place.
        ConfigurationError: `base_url` is invalid.
    """
    entries = [
        _read_entry(entry, f"$.log.entries[{index}]")
        for index, entry in enumerate(parse_har(data))
    ]
    return import_traffic(
        _sort_by_time(entries), base_url=base_url, redaction=redaction
    )


def _sort_by_time(entries: Sequence[TrafficEntry]) -> Sequence[TrafficEntry]:
    """Sort entries by time, as the format requires.

    An entry without a time keeps its place after the entry before it.
    """
    times: list[datetime] = []
    for entry in entries:
        times.append(entry.started or (times[-1] if times else _BEGINNING))
    order = sorted(range(len(entries)), key=lambda index: times[index])
    return [entries[index] for index in order]


def _read_entry(value: Any, place: str) -> TrafficEntry:
    """Read an entry; an invalid one is an error only if it belongs to Nectar."""
    request = value.get("request") if isinstance(value, dict) else None
    request = request if isinstance(request, dict) else {}
    method, url = (
        text if isinstance(text := request.get(name), str) else ""
        for name in ("method", "url")
    )
    try:
        return _build_entry(convert_entry(value), place)
    except msgspec.ValidationError as error:
        described = f"{place} ({method} {url.partition('?')[0]})"
        url = url.strip().partition("#")[0]
        return build_invalid_entry(described, method.strip().upper(), url, str(error))


def _build_entry(entry: HarEntry, place: str) -> TrafficEntry:
    request, note = entry.request, entry.note
    response = entry.response or HarResponse(status=0)
    started = _parse_time(entry.started)
    sent = (*_to_pairs(request.headers), *_to_cookie_headers("cookie", request.cookies))
    described = f"{place} ({request.method} {request.url.partition('?')[0]})"
    return TrafficEntry(
        place=described,
        method=request.method.strip().upper(),
        url=_build_url(request.url, _to_pairs(request.query)),
        sent=sent,
        received=(
            *_to_pairs(response.headers),
            *_to_cookie_headers("set-cookie", response.cookies),
        ),
        status=response.status,
        body=partial(_parse_request_body, request, sent, note, described),
        answer=partial(
            _parse_answer, response, started, note, described, method=request.method
        ),
        started=started,
        skip=_find_skip_reason(entry, response),
        note=None
        if note is None
        else ExportNote(
            operation=note.operation, owner=note.owner, is_file=note.is_file
        ),
    )


def _find_skip_reason(entry: HarEntry, response: HarResponse) -> str:
    """Find why an entry is not an exchange with a server; empty if it may be one."""
    if entry.kind == "websocket" or response.status == HTTPStatus.SWITCHING_PROTOCOLS:
        return "websockets"
    if entry.kind == "preflight":
        return "preflights"
    if entry.cached or "Cache" in (response.fetched or ""):
        return "from a cache"
    return "without an answer" if response.error else ""


def _build_url(url: str, query: Pairs) -> str:
    """Build the whole URL; some tools write the query in a separate field only."""
    url = url.strip().partition("#")[0]
    if "?" in url or not query:
        return url
    return f"{url}?{urlencode(query, quote_via=quote, safe='')}"


def _parse_answer(
    response: HarResponse,
    started: datetime | None,
    note: HarNote | None,
    place: str,
    *,
    method: str,
    is_file: bool,
) -> RecordedAnswer:
    content = response.content or HarContent()
    headers = _to_pairs(response.headers)
    names = {name.lower() for name, _ in headers}
    kind = (content.type or "").strip()
    if note is None and "content-type" not in names and kind not in _NO_TYPE:
        headers = (*headers, ("content-type", kind))
    data = _decode_content(content, place)
    if note is None and can_answer_have_body(method, response.status):
        StoredBody(
            data=data,
            sent_with=headers,
            size=content.size,
            wire_size=response.body_size,
            media_type=kind,
            slack=0 if _is_base64(content) else _count_lost(data),
            is_absent=content.text is None,
            is_elsewhere=bool(content.file),
            comment=content.comment,
        ).check(place, _ADVICE)
    answer = build_answer(
        response.status,
        headers,
        data,
        started,
        f"the body of {place}",
        is_file=is_file,
    )
    if note is None:
        return answer
    return RecordedAnswer(
        status=answer.status,
        headers=answer.headers,
        body=_build_noted_body(data, note.answered, place),
    )


def _count_lost(text: bytes) -> int:
    """Count what a text may have lost: its byte order mark and the CR of line ends."""
    return len(codecs.BOM_UTF8) + text.count(b"\n")


def _is_base64(content: HarContent) -> bool:
    return (content.encoding or "").strip().lower() == "base64"


def _decode_content(content: HarContent, place: str) -> bytes:
    """Decode the bytes of a response body.

    Some tools flag plain text as base64, so a text that is JSON is read as it is unless
    it decodes to JSON.
    """
    text = content.text or ""
    if not _is_base64(content):
        if text:
            _check_charset(content.encoding or "", place)
        return text.encode()
    is_plain = _is_json(text.encode())
    try:
        data = decode_base64(text, place)
    except RecordingError:
        if is_plain:
            return text.encode()
        raise
    return text.encode() if is_plain and not _is_json(data) else data


def _check_charset(encoding: str, place: str) -> None:
    """Check that an encoding is a charset: the text was decoded from it already.

    Raises:
        RecordingError: it is another one, so the text is not the body.
    """
    name = encoding.strip().lower()
    try:
        if name not in {"", "identity"}:
            "".encode(name)
    except (LookupError, ValueError):
        raise RecordingError(
            f"{place}: its body is encoded as {encoding!r}, which is not supported;"
            " base64 and plain text are"
        ) from None


def _is_json(data: bytes) -> bool:
    try:
        parse_json(data)
    except MisfitError:
        return False
    return True


def _parse_request_body(
    request: HarRequest, sent: Pairs, note: HarNote | None, place: str
) -> Body | None:
    """Parse the body of a request."""
    body = request.body or HarPostData()
    text = body.text or ""
    is_file = note is not None and note.asked.startswith(".")
    data = decode_base64(text, place) if is_file else text.encode()
    if note is not None and note.asked != "form":
        return _build_noted_body(data, note.asked, place)
    headers = {name.lower(): value for name, value in sent}
    kind = headers.get("content-type") or body.type or ""
    if (data or not body.params) and can_request_have_body(request.method):
        StoredBody(
            data=data,
            sent_with=sent,
            wire_size=request.body_size,
            media_type=kind,
            slack=_count_lost(data),
            comment=body.comment,
        ).check(f"{place}, its request", _REQUEST_ADVICE)
    if not data and kind.lower().startswith(_FORM):
        return FormData(tuple(map(_parse_part, body.params or ())))
    if not data and body.params:
        pairs = [(param.name, _to_text(param.value)) for param in body.params]
        data = urlencode(pairs).encode()
    return parse_body(data, kind)


def _parse_part(param: HarParam) -> FormPart:
    """Convert a field of a form; the content of a file is usually missing."""
    if param.file is None and param.sha256 is None:
        return FormPart(name=param.name, text=_to_text(param.value))
    data = _to_text(param.value).encode()
    return FormPart(
        name=param.name,
        file=param.file,
        type=param.type,
        sha256=param.sha256 or sha256_hex(data),
        size=len(data) if param.size is None else param.size,
    )


def _build_noted_body(data: bytes, kind: str, place: str) -> Body | None:
    """Build a body of the kind that the note of an export names."""
    if not kind:
        return None
    if _SUFFIX.fullmatch(kind):
        return Blob(data, kind)
    if kind == "text":
        return Text(data.decode("utf-8", "replace"))
    if kind != "json":
        raise RecordingError(f"{place}: _nectar has an unknown kind of body {kind!r}")
    try:
        parse_json(data)
    except MisfitError as error:
        raise RecordingError(f"{place} should have JSON: {error}") from None
    return Json(data)


def _to_pairs(pairs: Sequence[HarPair] | None) -> Pairs:
    return tuple((_to_text(pair.name), _to_text(pair.value)) for pair in pairs or ())


def _to_cookie_headers(header: str, cookies: Sequence[HarPair] | None) -> Pairs:
    """Convert cookies to headers, for tools that list them separately."""
    return tuple((header, f"{name}={value}") for name, value in _to_pairs(cookies))


def _to_text(value: object) -> str:
    return "" if value is None else str(value)


def _parse_time(text: str | None) -> datetime | None:
    """Parse when a request was sent; a time without a zone is in UTC."""
    try:
        time = datetime.fromisoformat((text or "").strip())
    except ValueError:
        return None
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)
