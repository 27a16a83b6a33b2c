"""Parse and split JSON without floats, and describe what is wrong with a body."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, DecimalException
from typing import Any

import msgspec

from nectar_async._json.scalars import MisfitError, describe_json_type

__all__ = [
    "JSON",
    "encode_json",
    "find_list_of_objects",
    "find_only_list",
    "is_json",
    "is_list_of_objects",
    "iterate_pieces",
    "join_list",
    "parse_json",
    "read_page_count",
    "rename_keys",
    "split_list",
    "split_object",
]

JSON = bytes | msgspec.Raw
"""JSON text as it was received, or a part of it that is not parsed yet."""

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_ANY = msgspec.json.Decoder(float_hook=Decimal)
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_RAW = msgspec.json.Decoder(msgspec.Raw)
_LIST = msgspec.json.Decoder(list[msgspec.Raw])

# Errors of the parser for text that is not JSON, and for a number that is too large.
_NO_JSON = (
    msgspec.DecodeError,
    UnicodeDecodeError,
    RecursionError,
    DecimalException,
)


def parse_json(text: JSON) -> Any:
    """Parse a JSON text; a number with a decimal point becomes a `Decimal`.

    Raises:
        MisfitError: it is not JSON. The message says what it is, and shows no content.
    """
    try:
        return _ANY.decode(text)
    except _NO_JSON as error:
        misfit = MisfitError(_describe_problem(bytes(text), error))
    raise misfit


def encode_json(value: Any) -> bytes:
    """Encode a value of `parse_json` as JSON again."""
    return _ENCODER.encode(value)


def is_json(text: JSON) -> bool:
    """Whether a text is JSON, apart from its characters and numbers."""
    try:
        _RAW.decode(text)
    except _NO_JSON:
        return False
    return True


def split_object(text: JSON) -> dict[str, msgspec.Raw]:
    """Split an object into its values by key, without parsing them.

    Raises:
        MisfitError: it is no object.
    """
    try:
        return _OBJECT.decode(text)
    except _NO_JSON:
        misfit = MisfitError(
            f"expected an object, got {describe_json_type(parse_json(text))}"
        )
    raise misfit


def rename_keys(body: bytes, keys: Mapping[str, str]) -> bytes:
    """Rename the keys of an object to the package's spelling; return other JSON as is.

    Args:
        body: JSON.
        keys: maps the package's spelling of a key to the actual one. If the object
            has both, neither is renamed.
    """
    if body.lstrip()[:1] != b"{":
        return body
    try:
        values = _OBJECT.decode(body)
    except _NO_JSON:
        return body  # the decoder raises the error
    for package_key, actual_key in keys.items():
        if actual_key in values and package_key not in values:
            values[package_key] = values.pop(actual_key)
    return msgspec.json.encode(values)


def find_only_list(body: bytes) -> JSON:
    """Return the only list among the values of a JSON object.

    A body that is no object, or has several lists or none, is returned unchanged.
    """
    if body.lstrip()[:1] != b"{":
        return body
    try:
        values = _OBJECT.decode(body).values()
    except _NO_JSON:
        return body  # the decoder raises the error
    lists = [raw for raw in values if bytes(raw)[:1] == b"["]
    return lists[0] if len(lists) == 1 else body


def find_list_of_objects(body: bytes, *keys: str) -> bytes:
    """Return the list of objects in an object, or `[]`; return other JSON as it is.

    Args:
        body: JSON.
        keys: the likely keys of the list, the most likely first. If the object has none
            of them, the list is the only list of objects in it.
    """
    if body.lstrip()[:1] != b"{":
        return body
    try:
        values = _OBJECT.decode(body)
    except _NO_JSON:
        return body  # the decoder raises the error
    lists = {key: raw for key, raw in values.items() if is_list_of_objects(raw)}
    candidates = [lists[key] for key in keys if key in lists]
    candidates = candidates or list(lists.values())[: len(lists) == 1]
    return bytes(candidates[0]) if candidates else b"[]"


def is_list_of_objects(raw: msgspec.Raw) -> bool:
    """Whether a JSON text is a list of objects, judged by its first item, or empty."""
    text = bytes(raw)
    return text[:1] == b"[" and text[1:].lstrip()[:1] in {b"{", b"]"}


def split_list(text: JSON) -> list[msgspec.Raw]:
    """Split a list into its items, without parsing them.

    Raises:
        MisfitError: it is no list.
    """
    try:
        return _LIST.decode(text)
    except _NO_JSON:
        misfit = MisfitError(
            f"expected a list, got {describe_json_type(parse_json(text))}"
        )
    raise misfit


def iterate_pieces(
    items: Sequence[JSON], size: int
) -> Iterator[tuple[int, Sequence[JSON]]]:
    """Cut a list of texts into pieces; yield each with the index of its first item.

    Args:
        items: texts.
        size: a piece ends as soon as it has this many bytes.
    """
    start = length = 0
    for number, item in enumerate(items, 1):
        length += len(memoryview(item))
        if length >= size or number == len(items):
            yield start, items[start:number]
            start, length = number, 0


def join_list(items: Sequence[JSON]) -> bytes:
    """Join JSON texts to a JSON list."""
    return b"[" + b",".join(items) + b"]"


class _PageCount(msgspec.Struct, rename="camel"):
    total_pages: int = 1


_PAGE_COUNT = msgspec.json.Decoder(_PageCount, strict=False)


def read_page_count(text: JSON, key: str = "totalPages") -> int:
    """Read how many pages an envelope announces under `key`, without its records.

    Returns 1 for anything odd: the error is raised when the page is decoded.
    """
    try:
        if key == "totalPages":
            return max(1, _PAGE_COUNT.decode(text).total_pages)
        pages = parse_json(split_object(text)[key])
    except (msgspec.DecodeError, RecursionError, MisfitError, KeyError):
        return 1
    return max(1, pages) if isinstance(pages, int) else 1


def _describe_problem(body: bytes, error: Exception) -> str:
    if not body.strip():
        return "expected JSON, got an empty body"
    if body.lstrip()[:1] == b"<":
        return "expected JSON, got HTML or XML (a proxy or a login page?)"
    if isinstance(error, RecursionError):
        return "expected JSON, got lists or objects nested too deeply"
    if isinstance(error, DecimalException):
        return "expected JSON, got a number beyond all bounds"
    place = re.search(r" \(byte \d+\)$", str(error))
    problem = str(error).partition(":")[0].strip()
    return f"expected JSON: {problem}{place[0] if place else ''}"
