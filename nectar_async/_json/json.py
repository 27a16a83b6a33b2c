"""JSON without floats, and in words what is wrong with a body that is none."""

from __future__ import annotations

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
"""JSON as it came, or a part of it that was not looked into yet."""

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_ANY = msgspec.json.Decoder(float_hook=Decimal)
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST = msgspec.json.Decoder(list[msgspec.Raw])

# What the parser raises for text that is no JSON, and for a number beyond all bounds.
_NO_JSON = (
    msgspec.DecodeError,
    UnicodeDecodeError,
    RecursionError,
    DecimalException,
)


def parse_json(text: JSON) -> Any:
    """The whole value; a number with a point is a Decimal.

    Raises:
        MisfitError: it is no JSON; says what it is, and shows none of it.
    """
    try:
        return _ANY.decode(text)
    except _NO_JSON as error:
        misfit = MisfitError(_problem(bytes(text), error))
    raise misfit


def encode_json(value: Any) -> bytes:
    """What `parse` gave, as JSON again."""
    return _ENCODER.encode(value)


def split_object(text: JSON) -> dict[str, msgspec.Raw]:
    """The values of an object by key, each still text.

    Raises:
        MisfitError: it is something else.
    """
    try:
        return _OBJECT.decode(text)
    except _NO_JSON:
        misfit = MisfitError(
            f"expected an object, got {describe_json_type(parse_json(text))}"
        )
    raise misfit


def rename_keys(body: bytes, keys: Mapping[str, str]) -> bytes:
    """An object with its keys spelled as the package does; other JSON as it is.

    Args:
        body: JSON.
        keys: the package's spelling to the true one. A key that stands in both
            spellings keeps its own.
    """
    if body.lstrip()[:1] != b"{":
        return body
    try:
        values = _OBJECT.decode(body)
    except _NO_JSON:
        return body  # whoever reads it says what is wrong
    for ours, true in keys.items():
        if true in values and ours not in values:
            values[ours] = values.pop(true)
    return msgspec.json.encode(values)


def find_only_list(body: bytes) -> JSON:
    """The list in an object that holds one; anything else as it is."""
    if body.lstrip()[:1] != b"{":
        return body
    try:
        values = _OBJECT.decode(body).values()
    except _NO_JSON:
        return body
    lists = [raw for raw in values if bytes(raw)[:1] == b"["]
    return lists[0] if len(lists) == 1 else body


def find_list_of_objects(body: bytes, *keys: str) -> bytes:
    """The list of objects in an object, `[]` where it has none; other JSON as it is.

    Args:
        body: JSON.
        keys: where it stands, most likely first. If it is under none of them, it is
            the only one.
    """
    if body.lstrip()[:1] != b"{":
        return body
    try:
        values = _OBJECT.decode(body)
    except _NO_JSON:
        return body  # whoever reads it says what is wrong
    lists = {key: raw for key, raw in values.items() if is_list_of_objects(raw)}
    found = [lists[key] for key in keys if key in lists]
    found = found or list(lists.values())[: len(lists) == 1]
    return bytes(found[0]) if found else b"[]"


def is_list_of_objects(raw: msgspec.Raw) -> bool:
    """Whether a text is a list whose first item is an object, or an empty one."""
    text = bytes(raw)
    return text[:1] == b"[" and text[1:].lstrip()[:1] in {b"{", b"]"}


def split_list(text: JSON) -> list[msgspec.Raw]:
    """The items of a list, each still text.

    Raises:
        MisfitError: it is something else.
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
    """Runs of items that follow one another, each with the place of its first.

    Args:
        items: texts.
        size: the bytes from which on a run is long enough.
    """
    start = held = 0
    for number, item in enumerate(items, 1):
        held += len(memoryview(item))
        if held >= size or number == len(items):
            yield start, items[start:number]
            start, held = number, 0


def join_list(items: Sequence[JSON]) -> bytes:
    """A list of items that are still text."""
    return b"[" + b",".join(items) + b"]"


class _Announced(msgspec.Struct, rename="camel"):
    total_pages: int = 1


_ANNOUNCED = msgspec.json.Decoder(_Announced, strict=False)


def read_page_count(text: JSON, key: str = "totalPages") -> int:
    """How many pages an envelope announces under `key`; its records are skipped over.

    1 for anything else: what is wrong with it shows when it is read.
    """
    try:
        if key == "totalPages":
            return max(1, _ANNOUNCED.decode(text).total_pages)
        pages = parse_json(split_object(text)[key])
    except (msgspec.DecodeError, RecursionError, MisfitError, KeyError):
        return 1
    return max(1, pages) if isinstance(pages, int) else 1


def _problem(body: bytes, error: Exception) -> str:
    if not body.strip():
        return "expected JSON, got an empty body"
    if body.lstrip()[:1] == b"<":
        return "expected JSON, got HTML or XML (a proxy or a login page?)"
    if isinstance(error, RecursionError):
        return "expected JSON, got lists or objects nested too deeply"
    if isinstance(error, DecimalException):
        return "expected JSON, got a number beyond all bounds"
    return f"expected JSON: {str(error).partition(':')[0].strip()}"
