"""The API's contract as data: an OpenAPI 3.1 document with extensions.

It says which operations exist, what they take and answer, and how sure each part is
(`x-conventions` explains the marks).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

__all__ = ["Operation", "alternatives", "digest", "load", "operations", "resolved"]

_METHODS = frozenset({"get", "post", "put", "patch", "delete"})


class Operation(NamedTuple):
    """One row of the contract: how an operation is addressed, and all that it says."""

    method: str
    path: str
    description: dict[str, Any]


@cache
def load() -> dict[str, Any]:
    """The whole document, parsed once; all callers share it, so only read it."""
    document: dict[str, Any] = json.loads(_text())
    return document


def digest() -> str:
    """SHA-256 of the document's bytes, in hex: which contract this is."""
    return hashlib.sha256(_text()).hexdigest()


@cache
def operations() -> dict[str, Operation]:
    """Every operation under its `operationId`."""
    return {
        description["operationId"]: Operation(method.upper(), path, description)
        for path, methods in load()["paths"].items()
        for method, description in methods.items()
        if method in _METHODS
    }


def resolved(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a `$ref` leads to, with what stands beside it; anything else as it is."""
    while "$ref" in node:
        found: Any = load()
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = {**found, **{key: node[key] for key in node if key != "$ref"}}
    return node


def alternatives(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A schema and all that it is made of by `allOf`, `anyOf` or `oneOf`, resolved."""
    schema = resolved(schema)
    yield schema
    for word in ("allOf", "anyOf", "oneOf"):
        for one in schema.get(word, ()):
            yield from alternatives(one)


def _text() -> bytes:
    return resources.files(__name__).joinpath("openapi-v2.2.json").read_bytes()
