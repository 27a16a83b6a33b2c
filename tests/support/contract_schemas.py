"""Checks of the sandbox's responses against the schemas of the contract."""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from nectar_async import contract

__all__ = ["OPERATIONS", "check_schema", "has_id", "response_schema", "success_status"]

# Read at import, because reading a file blocks the event loop.
OPERATIONS = contract.operations()


def check_schema(schema: str | dict[str, Any], value: Any) -> None:
    """Check a value against a schema, given as such or by its name in the contract."""
    document = DRAFT202012.create_resource(contract.load())
    registry: Registry[Any] = Registry().with_resource("urn:nectar", document)
    if isinstance(schema, str):
        schema = {"$ref": f"#/components/schemas/{schema}"}
    validator = Draft202012Validator(
        _make_absolute(schema), registry=registry, format_checker=FormatChecker()
    )
    errors = [error.message for error in validator.iter_errors(value)]
    assert errors == []


def _make_absolute(schema: dict[str, Any]) -> dict[str, Any]:
    return {
        key: f"urn:nectar{value}" if key == "$ref" else value
        for key, value in schema.items()
    }


def has_id(operation: str) -> bool:
    """Whether the operation's path has a parameter."""
    return "{" in OPERATIONS[operation].path


def response_schema(operation: str, status: int) -> dict[str, Any]:
    """Find the schema of an operation's JSON response, shared ones included."""
    response = OPERATIONS[operation].description["responses"][str(status)]
    if "$ref" in response:
        name = response["$ref"].rpartition("/")[2]
        response = contract.load()["components"]["responses"][name]
    schema: dict[str, Any] = response["content"]["application/json"]["schema"]
    return schema


def success_status(operation: str) -> int:
    """Find the status of an operation that succeeds."""
    responses = OPERATIONS[operation].description["responses"]
    return next(int(status) for status in responses if status.startswith("20"))
