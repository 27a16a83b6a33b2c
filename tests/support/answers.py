"""Checks of the sandbox's answers against the schemas of the contract."""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from nectar_async import contract

__all__ = ["OPERATIONS", "answer_schema", "check", "has_id", "success"]

# Read here, since the event loop is no place to read files.
OPERATIONS = contract.operations()


def check(schema: str | dict[str, Any], value: Any) -> None:
    """Fail unless the value is valid for the schema (or the component of that name)."""
    document = DRAFT202012.create_resource(contract.load())
    registry: Registry[Any] = Registry().with_resource("urn:nectar", document)
    if isinstance(schema, str):
        schema = {"$ref": f"#/components/schemas/{schema}"}
    validator = Draft202012Validator(
        _absolute(schema), registry=registry, format_checker=FormatChecker()
    )
    errors = [error.message for error in validator.iter_errors(value)]
    assert errors == []


def _absolute(schema: dict[str, Any]) -> dict[str, Any]:
    return {
        key: f"urn:nectar{value}" if key == "$ref" else value
        for key, value in schema.items()
    }


def has_id(operation: str) -> bool:
    """Whether the operation's path names a thing."""
    return "{" in OPERATIONS[operation].path


def answer_schema(operation: str, status: int) -> dict[str, Any]:
    """The schema of an operation's JSON answer, shared responses looked up."""
    response = OPERATIONS[operation].description["responses"][str(status)]
    if "$ref" in response:
        name = response["$ref"].rpartition("/")[2]
        response = contract.load()["components"]["responses"][name]
    schema: dict[str, Any] = response["content"]["application/json"]["schema"]
    return schema


def success(operation: str) -> int:
    """The status of an operation that went well."""
    responses = OPERATIONS[operation].description["responses"]
    return next(int(status) for status in responses if status.startswith("20"))
