"""Canaries: marked values for every secret, and requests and answers with them.

The contract says which fields are sensitive (`x-sensitive`). Each value begins and
ends with a mark. Between the marks are characters that JSON, URLs, HTML and Python
escape, so that a leak is found in every escaping, even if only a part of the value
leaks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from endpoints import Endpoint

from nectar_async import Secret, SecurityQuestion
from nectar_async.contract import resolve_ref

__all__ = [
    "EMBEDDED",
    "KEY",
    "MARKS",
    "SENT",
    "add_hidden_keys",
    "build_arguments",
    "build_marked_answer",
    "list_marks",
    "list_texts",
]

# Quotes, a backslash, characters that HTML and URLs escape, and one that is not ASCII.
_AWKWARD = ' "&<é>\\/+%'

KEY = 'qzapikey/+&=<"\\qzapikez'
_TOKEN = f"qzinvite{_AWKWARD}qzinvitf"
_MAGIC = "qzmagico~_-/qzmagicp"
_SIGNED = (
    "https://files.example.com/bills/qzsigned-4f1c9d/bill.pdf"
    "?X-Signature=qzsignet%2Fab%2B%3D&X-Expires=86400"
)
_LINKS = (
    "https://files.example.com/qzbulked-91c7aa/march.pdf?sig=qzbulkee%2Fab",
    "https://files.example.com/april.pdf?sig=qzbulkef%2B%3D&v=2",
)

VALUES: Mapping[str, Any] = {
    "billing": {
        "card": f"qzbillin{_AWKWARD}qzbillio",
        "portal": ["https://pay.example.com/p/qzbillip?session=qzbilliq%2F"],
    },
    "companyMagicLinkSecret": _MAGIC,
    "connectionMagicLinkSecret": f"qzeditln{_AWKWARD}qzeditlo",
    "documents": list(_LINKS),
    "invitationUrl": f"https://dash.nectarclimate.com/p/i/{_TOKEN.partition(' ')[0]}",
    "key": f"qzquesti{_AWKWARD}qzquestj",
    "magicLinkUrl": f"https://dash.nectarclimate.com/p/connect/pc-1/workflow/{_MAGIC}",
    "password": f"qzpasswd{_AWKWARD}qzpasswe",
    "token": _TOKEN,
    "url": _SIGNED,
    "username": "qzuserid+a/b@example.com.qzuserie",
    "value": f"qzanswer{_AWKWARD}qzanswes",
}
"""A canary for each key that is sensitive in some operation."""

_PORTAL = "https://app.svix.example/login?from=api#key=qzportal%2F+qzportam"

SENT: Mapping[str, Any] = {
    "documents": list(_LINKS),
    "password": VALUES["password"],
    "security_questions": {VALUES["key"]: VALUES["value"]},
    "username": VALUES["username"],
}
"""The canaries as arguments."""

EMBEDDED = "qzhidden-under-a-key-that-is-new"
"""A secret under a key that the contract does not have."""

MARKS = re.compile(
    r"qz(?:apike|invit|magic|signe|bulke|billi|editl|quest|passw|useri|answe|porta"
    r"|hidde|file)",
    re.IGNORECASE,
)


def list_texts(value: object) -> Iterator[str]:
    """List all texts in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from list_texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from list_texts(inner)


def list_marks(value: object) -> set[str]:
    """List the canaries in a value."""
    return {text for text in list_texts(value) if MARKS.search(text)}


def build_marked_answer(endpoint: Endpoint) -> Any:
    """Build a successful answer with a canary in every sensitive field."""
    examples = endpoint.answer_schema.get("examples", ())
    if not examples:
        return None
    answer = _mark_fields(endpoint.answer_schema, examples[0], "")
    return {"url": _PORTAL} if endpoint.noun == "webhook_portal" else answer


def _mark_fields(schema: Mapping[str, Any], value: Any, wire: str) -> Any:
    schema = resolve_ref(schema)
    if schema.get("x-sensitive"):
        return VALUES[wire]
    branches = [resolve_ref(branch) for branch in (schema, *_alternatives(schema))]
    if isinstance(value, dict):
        keys = {
            key: inner
            for branch in branches
            for key, inner in branch.get("properties", {}).items()
        }
        hidden = {k: None for k, v in keys.items() if resolve_ref(v).get("x-sensitive")}
        return {
            key: _mark_fields(keys.get(key, {}), inner, key)
            for key, inner in {**value, **hidden}.items()
        }
    if isinstance(value, list):
        lists = [branch["items"] for branch in branches if "items" in branch]
        items: Mapping[str, Any] = lists[0] if lists else {}
        return [_mark_fields(items, item, wire) for item in value]
    return value


def _alternatives(schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*schema.get("anyOf", ()), *schema.get("allOf", ())]


def add_hidden_keys(value: Any) -> Any:
    """Add unknown keys with a secret to every object of an answer.

    `additionalFields` is left out, because the contract allows all keys there.
    """
    if isinstance(value, dict):
        fields = {
            key: inner if key == "additionalFields" else add_hidden_keys(inner)
            for key, inner in value.items()
        }
        return {
            **fields,
            "newSecret": EMBEDDED,
            "newObject": {"deep": [EMBEDDED]},
        }
    if isinstance(value, list):
        return [add_hidden_keys(item) for item in value]
    return value


def build_arguments(endpoint: Endpoint, *, masked: bool = False) -> dict[str, Any]:
    """Build all arguments of an operation, with canaries for the sensitive ones.

    Args:
        endpoint: the operation.
        masked: whether the canaries are passed as `Secret` and `SecurityQuestion`.
    """
    fits = endpoint.fits(everything=True)
    arguments = {name: pair.python for name, pair in fits.items()}
    for name in (each.name for each in endpoint.arguments if each.is_sensitive):
        arguments[name] = _mask_argument(name) if masked else SENT[name]
    return arguments


def _mask_argument(name: str) -> Any:
    if name == "security_questions":
        return [SecurityQuestion(key=VALUES["key"], value=VALUES["value"])]
    if name == "documents":
        return [Secret(link) for link in _LINKS]
    return Secret(SENT[name])
