"""Read the forms of aiohttp in cassettes.

vcrpy stores `aiohttp.FormData` with its attributes. Fields are in `_fields` until the
form is sent, and in newer versions of aiohttp then in the parts of `_writer`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from email.message import Message
from typing import Any, Final

from nectar_async.recording.bodies import FormData, FormPart, sha256_hex

__all__ = ["read_form"]

_FIELD_LENGTH: Final = 3


def read_form(body: Any) -> FormData | None:
    """Read a form from the attributes of `aiohttp.FormData`; None for other bodies."""
    if not isinstance(body, Mapping) or not {"_fields", "_writer"} & {*body}:
        return None
    fields = body.get("_fields")
    parts = [*_read_fields(fields if isinstance(fields, list) else [])]
    if not parts:
        writer = body.get("_writer")
        payloads = writer.get("_parts") if isinstance(writer, Mapping) else None
        parts = [*_read_payloads(payloads if isinstance(payloads, list) else [])]
    return FormData(tuple(parts)) if parts else None


def _read_fields(fields: list[Any]) -> Iterator[FormPart]:
    """Read fields: lists of disposition, headers and value."""
    for field in fields:
        if isinstance(field, list) and len(field) == _FIELD_LENGTH:
            disposition, headers, value = field
            names = _to_mapping(disposition)
            yield _build_part(
                names.get("name", ""), names.get("filename"), headers, value
            )


def _read_payloads(payloads: list[Any]) -> Iterator[FormPart]:
    """Read parts of a writer: lists whose first item is a payload."""
    for item in payloads:
        payload = item[0] if isinstance(item, list) and item else item
        if isinstance(payload, Mapping):
            headers = _to_mapping(payload.get("_headers"))
            message = Message()
            message["content-disposition"] = headers.get("content-disposition", "")
            name = message.get_param("name", "", "content-disposition")
            yield _build_part(
                str(name), message.get_filename(), headers, payload.get("_value")
            )


def _build_part(name: str, file: str | None, headers: Any, value: Any) -> FormPart:
    data = value if isinstance(value, bytes) else str(value or "").encode()
    if file is None:
        return FormPart(name=name, text=data.decode("utf-8", "replace"))
    return FormPart(
        name=name,
        file=file,
        type=_to_mapping(headers).get("content-type"),
        sha256=sha256_hex(data),
        size=len(data),
    )


def _to_mapping(pairs: Any) -> dict[str, str]:
    """Convert a mapping or a list of pairs to a mapping with names in lower case."""
    items = pairs.items() if isinstance(pairs, Mapping) else pairs or ()
    return {str(name).lower(): str(text) for name, text in items}
