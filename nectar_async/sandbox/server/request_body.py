"""Request bodies: limited in size, parsed, and checked against the contract."""

from __future__ import annotations

from email.message import Message
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import msgspec
from aiohttp import web
from attrs import evolve, frozen

from nectar_async import contract
from nectar_async.sandbox.server.api_call import Call
from nectar_async.sandbox.server.json_schema import (
    Schema,
    coerce_texts,
    find_problem,
    resolve_reference,
)
from nectar_async.sandbox.server.messages import FilePart, RefusalError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LIMIT", "RequestBody", "check_call", "parse_json_object"]

LIMIT = 30 * 2**20
"""The maximum size of a body in bytes; every file that the API accepts is smaller."""

_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
_BAD_REQUEST = 400
_TOO_LARGE = 413
_UNSUPPORTED = 415
_Texts = dict[str, list[str]]


@frozen
class RequestBody:
    """The bytes of a request's body, with its content type."""

    content_type: str
    data: bytes

    @classmethod
    async def read(cls, request: web.BaseRequest) -> RequestBody:
        """Read the whole body of a request.

        Raises:
            RefusalError: 413 for more bytes than `LIMIT`, 400 for a body that breaks
                the rules of HTTP.
        """
        if (request.content_length or 0) > LIMIT:
            raise _build_too_large_refusal()
        data = bytearray()
        try:
            async for chunk in request.content.iter_any():
                data += chunk
                if len(data) > LIMIT:
                    raise _build_too_large_refusal()
        except web.RequestPayloadError as error:
            detail = f"The request body cannot be read: {error}"
            raise RefusalError(_BAD_REQUEST, detail) from None
        return cls(request.headers.get("Content-Type", ""), bytes(data))


def check_call(call: Call, body: RequestBody | None) -> Call:
    """Check a call's query and body against the contract, and add the parsed body.

    Raises:
        RefusalError: 400 with the name of the invalid value, 415 for an unsupported
            media type.
    """
    if call.query:
        _check_query(call)
    expected = _find_expected_body(call.operation)
    if expected is None:
        return call  # the operation takes no body, so a body is ignored
    if body is None or not body.data:
        raise RefusalError(_BAD_REQUEST, "A request body is required.")
    kind = body.content_type.partition(";")[0].strip().lower()
    if kind not in expected.kinds:
        detail = f"Unsupported media type {kind!r}; use {expected.kinds[0]}."
        raise RefusalError(_UNSUPPORTED, detail)
    files: Mapping[str, FilePart] = {}
    value: Any
    if kind == _JSON:
        value = parse_json_object(body.data)
    else:
        texts, files = _parse_form(kind, body)
        value = _coerce_fields(expected.schema, texts)
    names = {name: file.name for name, file in files.items()}
    problem = find_problem(expected.schema, {**value, **names})
    if problem is not None:
        raise RefusalError(_BAD_REQUEST, problem)
    return evolve(call, json=value, files=files)


@frozen
class _ExpectedBody:
    """The schema of an operation's body, and its accepted media types."""

    schema: Schema
    kinds: tuple[str, ...]


@cache
def _find_expected_body(operation: str) -> _ExpectedBody | None:
    row = contract.operations().get(operation)
    body = row.description.get("requestBody") if row is not None else None
    if row is None or body is None:
        return None
    kinds = (
        *body["content"],
        *row.description.get("x-also-accepted-content-types", ()),
    )
    return _ExpectedBody(body["content"][kinds[0]]["schema"], kinds)


@cache
def _find_query_schemas(operation: str) -> Mapping[str, Schema]:
    row = contract.operations().get(operation)
    if row is None:
        return {}
    parameters = [
        resolve_reference(parameter)
        for parameter in row.description.get("parameters", ())
    ]
    return {
        parameter["name"]: parameter["schema"]
        for parameter in parameters
        if parameter["in"] == "query"
    }


def _check_query(call: Call) -> None:
    schemas = _find_query_schemas(call.operation)
    for name, texts in call.query.items():
        schema = schemas.get(name)
        if schema is None:
            continue
        problem = find_problem(schema, coerce_texts(schema, texts), name)
        if problem is not None:
            raise RefusalError(_BAD_REQUEST, problem)


def parse_json_object(data: bytes) -> dict[str, Any]:
    """Parse a body that is a JSON object.

    Raises:
        RefusalError: 400 for invalid JSON or another type.
    """
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise RefusalError(_BAD_REQUEST, f"JSON parse error: {error}") from None
    if not isinstance(value, dict):
        raise RefusalError(_BAD_REQUEST, "The request body must be a JSON object.")
    return value


def _parse_form(kind: str, body: RequestBody) -> tuple[_Texts, dict[str, FilePart]]:
    try:
        if kind == _FORM:
            return parse_qs(body.data.decode(), keep_blank_values=True), {}
        return _parse_multipart(body)
    except ValueError as error:
        raise RefusalError(_BAD_REQUEST, f"Form parse error: {error}") from None


def _parse_multipart(body: RequestBody) -> tuple[_Texts, dict[str, FilePart]]:
    boundary = (
        _parse_header("Content-Type", body.content_type).get_boundary("").encode()
    )
    # With a line break in front, the first boundary looks like the others.
    _, *parts = (b"\r\n" + body.data).split(b"\r\n--" + boundary)
    if not boundary or not parts or not parts[-1].startswith(b"--"):
        raise ValueError("the closing boundary is missing")
    texts: _Texts = {}
    files: dict[str, FilePart] = {}
    for part in parts[:-1]:
        head, _, data = part.partition(b"\r\n\r\n")
        name, file_name = _parse_disposition(head)
        if file_name is None:
            texts.setdefault(name, []).append(data.decode())
        else:
            files[name] = FilePart(name=_strip_folders(file_name), data=data)
    return texts, files


def _parse_disposition(head: bytes) -> tuple[str, str | None]:
    """Parse the name of a part, and its file name if it is a file."""
    for line in head.decode().split("\r\n"):
        key, _, value = line.partition(":")
        if key.strip().lower() == "content-disposition":
            header = _parse_header("Content-Disposition", value.strip())
            name = header.get_param("name", header="Content-Disposition")
            if isinstance(name, str):
                return name, header.get_filename()
    raise ValueError("a part has no name")


def _parse_header(name: str, value: str) -> Message:
    # The standard library's mail parser supports all forms of header parameters.
    message = Message()
    message[name] = value
    return message


def _strip_folders(file_name: str) -> str:
    return file_name.replace("\\", "/").rpartition("/")[2]


def _coerce_fields(schema: Schema, texts: _Texts) -> dict[str, Any]:
    known = resolve_reference(schema).get("properties", {})
    return {
        name: coerce_texts(known.get(name, {}), values)
        for name, values in texts.items()
    }


def _build_too_large_refusal() -> RefusalError:
    return RefusalError(_TOO_LARGE, f"The request body may have at most {LIMIT} bytes.")
