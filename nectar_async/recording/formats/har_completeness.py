"""Check that a HAR file has the whole body of a response.

Tools leave bodies out or cut them, each with other signs. An answer with an empty or a
cut body would mislead a test, so it is an error that names the entry.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from nectar_async._json.json_text import parse_json
from nectar_async._json.scalars import MisfitError
from nectar_async.errors import RecordingError
from nectar_async.recording.formats.har_schema import HarContent

__all__ = ["check_kept", "check_whole", "is_json"]

_ADVICE: Final = (
    "the body was not saved. Chrome saves it with 'Export HAR', Firefox with 'Save All"
    " As HAR', for what was loaded while the tools were open; Playwright with"
    " content='embed'"
)
_CUT: Final = "the body was cut; raise the tool's limit of saved bodies"

# "Response bodies are not included." (Firefox), "truncated" (several).
_COMMENT: Final = re.compile(
    r"not (be )?(included|saved|available|recorded|captured)|truncated|omitted"
    r"|discarded|too large",
    re.IGNORECASE,
)

_MESSAGE: Final = re.compile(r"\W*Response bod(y|ies) (is|are) not included\W*$")

_ENDS: Final = {b"{": b"{}", b"[": b"[]"}


def check_kept(
    content: HarContent,
    lengths: Sequence[float | None],
    headers: Mapping[str, str],
    place: str,
) -> None:
    """Check that a body that is empty in the file was empty.

    Args:
        content: the body in the file.
        lengths: other statements of the body's length in bytes; negative is unknown.
        headers: the headers of the response, by lower-case name.
        place: the place in the file; for messages.

    Raises:
        RecordingError: the body was not saved, or nothing says that it was empty.
    """
    known = [length for length in (content.size, *lengths) if length is not None]
    has_size = content.size is not None and content.size < 0 and 0 not in known
    is_unknown = content.text is None and (
        # A compressed body has a length even if it is empty.
        0 not in known or ("content-encoding" in headers and 0 not in lengths)
    )
    if (
        any(length > 0 for length in known)
        or has_size
        or is_unknown
        or content.file
        or _has_comment(content)
    ):
        raise RecordingError(f"{place}: {_ADVICE}")


def check_whole(
    content: HarContent,
    lengths: Sequence[float | None],
    data: bytes,
    headers: Mapping[str, str],
    place: str,
) -> None:
    """Check that a body has its whole length; JSON that can be parsed is whole.

    Args:
        content: the body in the file.
        lengths: other statements of its length in bytes, on the wire.
        data: the bytes of the body.
        headers: the headers of the response, by lower-case name.
        place: the place in the file; for messages.

    Raises:
        RecordingError: the body was cut.
    """
    if is_json(data):
        return
    # The length on the wire counts compressed bytes, and the size often others.
    is_compressed = "content-encoding" in headers
    is_binary = (content.encoding or "").strip().lower() == "base64"
    if is_compressed and is_binary:
        return
    stated = [content.size, *([] if is_compressed else lengths)]
    # A text may have lost its byte order mark and the CR of its line ends.
    slack = 0 if is_binary else 3 + data.count(b"\n")
    if _MESSAGE.match(content.text or ""):
        raise RecordingError(f"{place}: {_ADVICE}")
    is_short = any(
        length is not None and length > len(data) + slack for length in stated
    )
    if is_short or _has_comment(content) or _ends_early(content, data, headers):
        raise RecordingError(f"{place}: {_CUT}")


def _ends_early(content: HarContent, data: bytes, headers: Mapping[str, str]) -> bool:
    """Whether invalid JSON begins an object or a list, and does not end it."""
    kind = headers.get("content-type") or content.type or ""
    pair = data.strip()[:1] + data.strip()[-1:]
    return "json" in kind.lower() and pair[:1] in _ENDS and pair != _ENDS[pair[:1]]


def is_json(data: bytes) -> bool:
    """Whether bytes are a JSON text."""
    try:
        parse_json(data)
    except MisfitError:
        return False
    return True


def _has_comment(content: HarContent) -> bool:
    """Whether the tool says that the body is missing or cut."""
    return isinstance(content.comment, str) and bool(_COMMENT.search(content.comment))
