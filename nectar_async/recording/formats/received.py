"""What was answered, however far the tool that wrote it down unpacked it.

Some keep the bytes as they came, others what they mean; the headers are the same. Only
the bytes tell.
"""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import Final

from nectar_async._http.response import Response
from nectar_async.errors import BodyCorruptError, RecordingError
from nectar_async.recording.exchange import Answer, Pairs

__all__ = ["received", "unbased"]

_GZIP: Final = b"\x1f\x8b"
_FOREIGN: Final = frozenset({"br", "compress", "zstd", "x-compress"})


def received(
    status: int, headers: Pairs, data: bytes, started: datetime | None, place: str
) -> Answer:
    """An answer as a recording keeps it.

    Args:
        status: of HTTP.
        headers: as they came.
        data: the body, packed or not.
        started: when it was asked for: what a date to wait for counts from, if the
            answer has no date of its own.
        place: where it stands; for messages.

    Raises:
        RecordingError: the body is packed, and cannot be unpacked.
    """
    kept = {name.lower(): text for name, text in headers}
    packing = kept.pop("content-encoding", "").strip().lower()
    if data.startswith(_GZIP) and "gzip" in packing:
        kept["content-encoding"] = "gzip"
    elif packing == "deflate" and not _is_text(data):
        kept["content-encoding"] = "deflate"
    elif packing in _FOREIGN and _means_text(kept) and not _is_text(data):
        raise RecordingError(
            f"{place} is packed as {packing!r}, which only its server's clients unpack;"
            " record it anew unpacked (vcrpy: decode_compressed_response=True), or with"
            " 'Accept-Encoding: gzip'"
        )
    try:
        return Answer.of(Response(status, kept, data), started or datetime.now(UTC))
    except BodyCorruptError as error:
        raise RecordingError(f"{place} cannot be unpacked: {error}") from None


def unbased(text: str, place: str) -> bytes:
    """The bytes that base64 stands for, in lines or not.

    Raises:
        RecordingError: it is none.
    """
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise RecordingError(f"{place}: its body is no base64: {error}") from None


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _means_text(headers: dict[str, str]) -> bool:
    kind = headers.get("content-type", "").lower()
    return "json" in kind or kind.startswith("text/")
