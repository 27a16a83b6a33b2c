"""Request bodies and queries: read in bounds, and checked against the contract."""

from __future__ import annotations

from email.message import Message
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import msgspec
from aiohttp import web
from attrs import evolve, frozen

from nectar_async import contract
from nectar_async.sandbox.server.json_schema import Schema, coerced, problem, resolved
from nectar_async.sandbox.server.messages import Call, FilePart, RefusalError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LIMIT", "RequestBody", "checked", "json_object"]

LIMIT = 30 * 2**20
"""Bytes that a body may have: more than any file that the API takes."""

_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
_BAD_REQUEST = 400
_TOO_LARGE = 413
_UNSUPPORTED = 415
_Texts = dict[str, list[str]]


@frozen
class RequestBody:
    """A request's body as it came, with what was said of its kind."""

    content_type: str
    data: bytes

    @classmethod
    async def read(cls, request: web.BaseRequest) -> RequestBody:
        """All of it.

        Raises:
            RefusalError: 413 when there is more than `LIMIT` allows, 400 when it is not
                sent as HTTP wants it.
        """
        if (request.content_length or 0) > LIMIT:
            raise _too_large()
        data = bytearray()
        try:
            async for chunk in request.content.iter_any():
                data += chunk
                if len(data) > LIMIT:
                    raise _too_large()
        except web.RequestPayloadError as error:
            detail = f"The body cannot be read: {error}"
            raise RefusalError(_BAD_REQUEST, detail) from None
        return cls(request.headers.get("Content-Type", ""), bytes(data))


def checked(call: Call, body: RequestBody | None) -> Call:
    """The call with its body in it, if query and body are valid for the contract.

    Raises:
        RefusalError: 400 with the name of what is wrong; 415 for another kind of body.
    """
    if call.query:
        _check_query(call)
    wanted = _wanted(call.operation)
    if wanted is None:
        return call  # a body that the contract does not know means nothing
    if body is None or not body.data:
        raise RefusalError(_BAD_REQUEST, "A request body is required.")
    kind = body.content_type.partition(";")[0].strip().lower()
    if kind not in wanted.kinds:
        detail = f"Unsupported media type {kind!r}; this takes {wanted.kinds[0]}."
        raise RefusalError(_UNSUPPORTED, detail)
    files: Mapping[str, FilePart] = {}
    value: Any
    if kind == _JSON:
        value = json_object(body.data)
    else:
        texts, files = _form(kind, body)
        value = _meant(wanted.schema, texts)
    names = {name: file.name for name, file in files.items()}
    found = problem(wanted.schema, {**value, **names})
    if found is not None:
        raise RefusalError(_BAD_REQUEST, found)
    return evolve(call, json=value, files=files)


@frozen
class _Wanted:
    schema: Schema
    kinds: tuple[str, ...]


@cache
def _wanted(operation: str) -> _Wanted | None:
    row = contract.operations().get(operation)
    body = row.description.get("requestBody") if row is not None else None
    if row is None or body is None:
        return None
    kinds = (
        *body["content"],
        *row.description.get("x-also-accepted-content-types", ()),
    )
    return _Wanted(body["content"][kinds[0]]["schema"], kinds)


@cache
def _query_schemas(operation: str) -> Mapping[str, Schema]:
    row = contract.operations().get(operation)
    if row is None:
        return {}
    parameters = [resolved(each) for each in row.description.get("parameters", ())]
    return {
        parameter["name"]: parameter["schema"]
        for parameter in parameters
        if parameter["in"] == "query"
    }


def _check_query(call: Call) -> None:
    schemas = _query_schemas(call.operation)
    for name, texts in call.query.items():
        schema = schemas.get(name)
        if schema is None:
            continue
        found = problem(schema, coerced(schema, texts), name)
        if found is not None:
            raise RefusalError(_BAD_REQUEST, found)


def json_object(data: bytes) -> dict[str, Any]:
    """The object that a body is, or 400."""
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise RefusalError(_BAD_REQUEST, f"JSON parse error: {error}") from None
    if not isinstance(value, dict):
        raise RefusalError(_BAD_REQUEST, "The body must be an object.")
    return value


def _form(kind: str, body: RequestBody) -> tuple[_Texts, dict[str, FilePart]]:
    try:
        if kind == _FORM:
            return parse_qs(body.data.decode(), keep_blank_values=True), {}
        return _parts(body)
    except ValueError as error:
        raise RefusalError(_BAD_REQUEST, f"Form parse error: {error}") from None


def _parts(body: RequestBody) -> tuple[_Texts, dict[str, FilePart]]:
    boundary = _header("Content-Type", body.content_type).get_boundary("").encode()
    # With a line break in front, the first boundary is like all others.
    _, *parts = (b"\r\n" + body.data).split(b"\r\n--" + boundary)
    if not boundary or not parts or not parts[-1].startswith(b"--"):
        raise ValueError("the parts do not end with their boundary")
    texts: _Texts = {}
    files: dict[str, FilePart] = {}
    for part in parts[:-1]:
        head, _, data = part.partition(b"\r\n\r\n")
        name, file_name = _disposition(head)
        if file_name is None:
            texts.setdefault(name, []).append(data.decode())
        else:
            files[name] = FilePart(name=_base_name(file_name), data=data)
    return texts, files


def _disposition(head: bytes) -> tuple[str, str | None]:
    """The name of a part, and the file name if it is a file."""
    for line in head.decode().split("\r\n"):
        key, _, value = line.partition(":")
        if key.strip().lower() == "content-disposition":
            header = _header("Content-Disposition", value.strip())
            name = header.get_param("name", header="Content-Disposition")
            if isinstance(name, str):
                return name, header.get_filename()
    raise ValueError("a part has no name")


def _header(name: str, value: str) -> Message:
    # The standard library's mail reader knows every way to write a parameter.
    message = Message()
    message[name] = value
    return message


def _base_name(file_name: str) -> str:
    return file_name.replace("\\", "/").rpartition("/")[2]


def _meant(schema: Schema, texts: _Texts) -> dict[str, Any]:
    known = resolved(schema).get("properties", {})
    return {
        name: coerced(known.get(name, {}), values) for name, values in texts.items()
    }


def _too_large() -> RefusalError:
    return RefusalError(_TOO_LARGE, f"The body may have at most {LIMIT} bytes.")
