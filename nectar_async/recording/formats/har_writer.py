"""Write a recording as a HAR file, for other tools."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec

from nectar_async._version import __version__
from nectar_async.recording.bodies import Blob, Body, FormData, FormPart, Json, Text
from nectar_async.recording.exchange import Exchange, Pairs, Question, RecordedAnswer
from nectar_async.recording.folder import Recording
from nectar_async.recording.formats.har_schema import HarNote
from nectar_async.settings import Settings

__all__ = ["write_har"]

_UNKNOWN: Final = -1
_HTTP: Final = "HTTP/1.1"
_EPOCH: Final = datetime.fromtimestamp(0, UTC)

_TYPES: Final = {
    ".bin": "application/octet-stream",
    ".jpg": "image/jpeg",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".zip": "application/zip",
}

# Recordings have the segment of the URL, and settings the full version.
_VERSIONS: Final = {"v2": "v2.0", "v2.0": "v2.0", "v2.1": "v2.1"}


def write_har(recording: Recording, *, base_url: str | None = None) -> bytes:
    """Encode a recording as HAR 1.2.

    Values that a recording does not have, such as times and sizes, are written as the
    format's "unknown". `read_har` restores the same exchanges: facts that HAR cannot
    express are under `_nectar`.

    Args:
        recording: its placeholders are exported unchanged.
        base_url: the beginning of the URLs. Defaults to Nectar's own.

    Raises:
        ConfigurationError: `base_url` is invalid.
    """
    version = _VERSIONS.get(recording.api_version, "v2.2")
    if base_url is None:
        settings = Settings(api_version=version)
    else:
        settings = Settings(base_url=base_url, api_version=version)
    started = (recording.recorded_at or _EPOCH).astimezone(UTC)
    entries = [
        _build_entry(
            exchange, settings.api_url, started.isoformat(timespec="milliseconds")
        )
        for exchange in recording.exchanges
    ]
    creator = {"name": "nectar_async", "version": __version__}
    log = {"version": "1.2", "creator": creator, "pages": [], "entries": entries}
    return msgspec.json.format(msgspec.json.encode({"log": log}), indent=2) + b"\n"


def _build_entry(exchange: Exchange, base: str, started: str) -> dict[str, Any]:
    question, answer = exchange.question, exchange.answer
    return {
        "startedDateTime": started,
        "time": 0,
        "request": _build_request(question, base),
        "response": _build_response(answer),
        "cache": {},
        "timings": {"send": 0, "wait": 0, "receive": 0},
        "_nectar": HarNote(
            operation=question.operation,
            owner=question.owner,
            is_file=not question.path,
            asked=_name_body_kind(question.body),
            answered=_name_body_kind(answer.body),
        ),
    }


def _build_request(question: Question, base: str) -> dict[str, Any]:
    url = f"{base}{question.path}" if question.path else question.url
    if question.query:
        url += f"?{urlencode(question.query, quote_via=quote, safe='')}"
    kind = _choose_media_type(question.body)
    headers = {"range": question.range or "", "content-type": kind}
    request = {
        "method": question.method,
        "url": url,
        "httpVersion": _HTTP,
        "cookies": [],
        "headers": _to_name_value_list(
            tuple((name, text) for name, text in headers.items() if text)
        ),
        "queryString": _to_name_value_list(question.query),
        "headersSize": _UNKNOWN,
        "bodySize": _UNKNOWN if question.body is not None else 0,
    }
    if question.body is not None:
        request["postData"] = _build_post_data(question.body, kind)
    return request


def _build_post_data(body: Body, kind: str) -> dict[str, Any]:
    match body:
        case FormData():
            return {
                "mimeType": kind,
                "params": [_build_param(part) for part in body.parts],
            }
        case Blob():
            text = base64.b64encode(body.content).decode()
            return {"mimeType": kind, "params": [], "text": text}
        case _:
            return {"mimeType": kind, "params": [], "text": body.data().decode()}


def _build_param(part: FormPart) -> dict[str, Any]:
    param = {
        "name": part.name,
        "value": part.text,
        "fileName": part.file,
        "contentType": part.type,
        "_sha256": part.sha256,
        "_size": part.size,
    }
    return {name: value for name, value in param.items() if value is not None}


def _build_response(answer: RecordedAnswer) -> dict[str, Any]:
    return {
        "status": answer.status,
        "statusText": _find_phrase(answer.status),
        "httpVersion": _HTTP,
        "cookies": [],
        "headers": _to_name_value_list(tuple(answer.headers.items())),
        "content": _build_content(answer),
        "redirectURL": answer.headers.get("location", ""),
        "headersSize": _UNKNOWN,
        "bodySize": _UNKNOWN,
    }


def _build_content(answer: RecordedAnswer) -> dict[str, Any]:
    body = answer.body
    data = b"" if body is None or isinstance(body, FormData) else body.data()
    kind = answer.headers.get("content-type") or _choose_media_type(body) or "x-unknown"
    content: dict[str, Any] = {"size": len(data), "mimeType": kind}
    if isinstance(body, Blob):
        content |= {"text": base64.b64encode(data).decode(), "encoding": "base64"}
    elif data:
        content["text"] = data.decode()
    return content


def _name_body_kind(body: Body | None) -> str:
    match body:
        case None:
            return ""
        case Json():
            return "json"
        case Text():
            return "text"
        case FormData():
            return "form"
        case Blob():
            return body.suffix


def _choose_media_type(body: Body | None) -> str:
    match body:
        case None:
            return ""
        case Json():
            return "application/json"
        case Text():
            return "text/plain"
        case FormData():
            return "multipart/form-data"
        case Blob():
            return _TYPES.get(body.suffix, "application/octet-stream")


def _to_name_value_list(pairs: Pairs) -> list[dict[str, str]]:
    return [{"name": name, "value": text} for name, text in pairs]


def _find_phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
