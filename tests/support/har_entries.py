"""Build entries of HAR files as browsers and proxies write them."""

from __future__ import annotations

import json
from typing import Any, Final

__all__ = ["API", "COMPANY", "entry", "har"]

API: Final = "https://external.nectarclimate.com/v2.2"
COMPANY: Final = "3b1e6f0a-52d7-4c55-9f0e-0d2b7c1a9e44"


def entry(
    path: str,
    answer: object = None,
    *,
    method: str = "GET",
    status: int = 200,
    sent: dict[str, str] | None = None,
    received: dict[str, str] | None = None,
    at: str = "2026-03-01T12:00:00.000Z",
    post: dict[str, Any] | None = None,
    content: dict[str, Any] | None = None,
    **more: object,
) -> dict[str, Any]:
    """Build an entry: a request with its response.

    Args:
        path: a path below `API`, or a whole URL.
        answer: the JSON body of the response.
        method: the HTTP method.
        status: the HTTP status.
        sent: headers of the request.
        received: further headers of the response.
        at: the start time.
        post: the field `postData`.
        content: the field `content`, in place of `answer`.
        more: further fields that the tool adds.
    """
    request: dict[str, Any] = {
        "method": method,
        "url": path if ":" in path else API + path,
        "httpVersion": "h2",
        "headers": _to_pairs({":authority": "x", **(sent or {})}),
        "queryString": [],
        "cookies": [],
        "headersSize": -1,
        "bodySize": -1,
    }
    if post is not None:
        request["postData"] = post
    return {
        "startedDateTime": at,
        "time": 1.5,
        "request": request,
        "response": _build_response(
            status,
            received or {},
            _build_content(answer) if content is None else content,
        ),
        "cache": {},
        "timings": {"send": 0, "wait": 1.5, "receive": 0},
        **more,
    }


def har(*entries: dict[str, Any]) -> bytes:
    """Build a HAR file with these entries."""
    creator = {"name": "WebInspector", "version": "537.36"}
    log = {"version": "1.2", "creator": creator, "pages": [], "entries": entries}
    return json.dumps({"log": log}).encode()


def _build_response(
    status: int, headers: dict[str, str], content: dict[str, Any]
) -> dict[str, Any]:
    return {
        "status": status,
        "statusText": "",
        "httpVersion": "h2",
        "headers": _to_pairs({"content-type": "application/json", **headers}),
        "cookies": [],
        "content": content,
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": -1,
    }


def _build_content(answer: object) -> dict[str, Any]:
    text = json.dumps(answer)
    return {"size": len(text), "mimeType": "application/json", "text": text}


def _to_pairs(headers: dict[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": text} for name, text in headers.items()]
