"""Canaries: marked values for every secret, and requests and answers with them.

What is sensitive is read from the contract (`x-sensitive`). Each value has its mark at
its beginning and at its end, with letters between that are spelled in another way in
JSON, in an address, in HTML and in Python; so a value that is shown is found however it
is spelled, in whole or in part.
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

# Quotes, a backslash, what HTML and addresses escape, and a letter that is not ASCII.
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
"""A canary for each key that is sensitive somewhere."""

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
        for one in value.values():
            yield from list_texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from list_texts(one)


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
    branches = [resolve_ref(one) for one in (schema, *_alternatives(schema))]
    if isinstance(value, dict):
        keys = {k: v for one in branches for k, v in one.get("properties", {}).items()}
        hidden = {k: None for k, v in keys.items() if resolve_ref(v).get("x-sensitive")}
        return {
            key: _mark_fields(keys.get(key, {}), one, key)
            for key, one in {**value, **hidden}.items()
        }
    if isinstance(value, list):
        lists = [one["items"] for one in branches if "items" in one]
        items: Mapping[str, Any] = lists[0] if lists else {}
        return [_mark_fields(items, one, wire) for one in value]
    return value


def _alternatives(schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*schema.get("anyOf", ()), *schema.get("allOf", ())]


def add_hidden_keys(value: Any) -> Any:
    """An answer whose objects all have a key more, with a secret below it.

    What may hold anything by the contract (`additionalFields`) has no keys to know.
    """
    if isinstance(value, dict):
        more = {"newSecret": EMBEDDED, "newObject": {"deep": [EMBEDDED]}}
        kept = {
            key: one if key == "additionalFields" else add_hidden_keys(one)
            for key, one in value.items()
        }
        return {**kept, **more}
    return [add_hidden_keys(one) for one in value] if isinstance(value, list) else value


def build_arguments(endpoint: Endpoint, *, masked: bool = False) -> dict[str, Any]:
    """All arguments of an operation, the sensitive ones marked.

    Args:
        endpoint: the operation.
        masked: whether they are given as the package's own types.
    """
    given = {name: pair.python for name, pair in endpoint.fits(everything=True).items()}
    for one in endpoint.arguments:
        if one.is_sensitive:
            given[one.name] = _mask_argument(one.name) if masked else SENT[one.name]
    return given


def _mask_argument(name: str) -> Any:
    if name == "security_questions":
        return [SecurityQuestion(key=VALUES["key"], value=VALUES["value"])]
    if name == "documents":
        return [Secret(one) for one in _LINKS]
    return Secret(SENT[name])
