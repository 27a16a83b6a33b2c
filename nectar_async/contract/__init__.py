"""The API's contract as data: an OpenAPI 3.1 document with extensions.

It describes the operations, their requests and answers, and the evidence for each part
(`x-conventions` explains the extensions).
"""

from __future__ import annotations

import hashlib
import json
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

__all__ = [
    "OperationSpec",
    "digest",
    "iterate_alternatives",
    "load",
    "operations",
    "resolve_ref",
]

_METHODS = frozenset({"get", "post", "put", "patch", "delete"})


class OperationSpec(NamedTuple):
    """One operation of the contract: its method, its path and its OpenAPI object."""

    method: str
    path: str
    description: dict[str, Any]


@cache
def load() -> dict[str, Any]:
    """Load the whole document once. Callers share it and must not change it."""
    document: dict[str, Any] = json.loads(_read_document())
    return document


def digest() -> str:
    """Return the SHA-256 of the document in hex, which identifies the contract."""
    return hashlib.sha256(_read_document()).hexdigest()


@cache
def operations() -> dict[str, OperationSpec]:
    """Return every operation by its `operationId`."""
    return {
        description["operationId"]: OperationSpec(method.upper(), path, description)
        for path, methods in load()["paths"].items()
        for method, description in methods.items()
        if method in _METHODS
    }


def resolve_ref(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the target of a `$ref`, merged with the keys beside it, or the node."""
    while "$ref" in node:
        target: Any = load()
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = {**target, **{key: node[key] for key in node if key != "$ref"}}
    return node


def iterate_alternatives(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield a schema and, recursively, its `allOf`, `anyOf` and `oneOf` members."""
    schema = resolve_ref(schema)
    yield schema
    for keyword in ("allOf", "anyOf", "oneOf"):
        for member in schema.get(keyword, ()):
            yield from iterate_alternatives(member)


def _read_document() -> bytes:
    # `importlib.resources` would add some 4 ms to the import of the package.
    document = pkgutil.get_data(__name__, "openapi-v2.2.json")
    if document is None:
        raise FileNotFoundError(
            "openapi-v2.2.json is missing beside nectar_async.contract"
        )
    return document
