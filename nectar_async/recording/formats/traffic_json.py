"""Load the JSON of a file with the traffic of many hosts.

An odd value of another host must not refuse the whole file, so what a strict parser
refuses is repaired: incomplete characters, NaN, and numbers that are too large.
"""

from __future__ import annotations

import codecs
import json
from typing import Any, Final

import msgspec

from nectar_async._json.cooperative import run_at_once
from nectar_async._json.damaged_json import repair_json
from nectar_async.errors import RecordingError

__all__ = ["decode_text", "load_traffic"]

_DECODER: Final = msgspec.json.Decoder(float_hook=float)  # 1e999 becomes infinite
_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def decode_text(data: bytes) -> str:
    """Decode the text of a file, without its byte order mark."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return data.removeprefix(mark).decode(encoding, "replace")
    return data.decode("utf-8", "replace")


def load_traffic(text: str, name: str, *, depth: int) -> Any:
    """Load a JSON text as plain values.

    Args:
        text: the text.
        name: the name of its format; for messages.
        depth: how many lists and objects are around the parts of a request. A part
            that is nested too deeply becomes null.

    Raises:
        RecordingError: it is not JSON; the message has line and column.
    """
    data = text.encode()
    try:
        return _DECODER.decode(data)
    except (msgspec.DecodeError, RecursionError):
        data = run_at_once(repair_json(data, depth)).text
    try:
        return _DECODER.decode(data)
    except (msgspec.DecodeError, RecursionError):
        problem = _describe_problem(text)
    raise RecordingError(f"the file is not {name}: {problem}")


def _describe_problem(text: str) -> str:
    try:
        json.loads(text, strict=False, parse_int=str)
    except json.JSONDecodeError as error:
        return f"invalid JSON: {error.msg} in line {error.lineno}, column {error.colno}"
    except RecursionError:
        return "its JSON is nested too deeply"
    return "invalid JSON"
