"""Check that the file of another tool has the whole body of a request or a response.

Tools leave bodies out or cut them, each with other signs. An answer with an empty or a
cut body would mislead a test, so it is an error that names the entry.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Final

from attrs import field, frozen

from nectar_async.errors import RecordingError
from nectar_async.recording.bodies import Json, parse_body
from nectar_async.recording.exchange import Pairs

__all__ = ["StoredBody", "can_answer_have_body", "can_request_have_body", "is_utf8"]

# "Response bodies are not included." (Firefox), "truncated" (several).
_COMMENT: Final = re.compile(
    r"not (be )?(included|saved|available|recorded|captured)|truncated|omitted"
    r"|discarded|too large",
    re.IGNORECASE,
)

_MESSAGE: Final = re.compile(
    rb"\W*(Response|Request) bod(y|ies) (is|are) not included\W*$"
)

_ENDS: Final = {b"{": b"{}", b"[": b"[]"}
_MAX_DIGITS: Final = 16

_BODILESS: Final = frozenset({"CONNECT", "GET", "HEAD", "OPTIONS", "TRACE"})
_EMPTY: Final = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.RESET_CONTENT})

_EMPTY_GZIP: Final = 20
"""The length of the gzip of nothing, in bytes; any content makes it longer."""


@frozen(kw_only=True)
class StoredBody:
    """A body in a file, and what the file says about it."""

    data: bytes = field(repr=False)
    """The bytes in the file, compressed or not."""
    sent_with: Pairs = field(repr=False)
    """The headers of the request or response that it belongs to."""
    size: float | None = None
    """The stated length in bytes, decompressed; negative is unknown."""
    wire_size: float | None = None
    """The stated length as it was sent, apart from `Content-Length`."""
    media_type: str = ""
    """The media type, if the headers have none."""
    slack: int = 0
    """How many bytes may be missing because they were decoded to a text."""
    is_absent: bool = False
    """Whether the file does not even have an empty text for the body."""
    is_elsewhere: bool = False
    """Whether the body is in another file."""
    comment: object = None
    """The tool's comment."""

    def check(self, place: str, advice: str) -> None:
        """Check that the file has the whole body.

        Args:
            place: the place in the file; for messages.
            advice: how to save bodies with the tool.

        Raises:
            RecordingError: the body was not saved or is cut, or nothing says that it
                was empty.
        """
        if self._is_missing() if not self.data else _MESSAGE.match(self.data):
            raise RecordingError(f"{place}: the body was not saved. {advice}")
        if self.data and self._is_cut():
            raise RecordingError(
                f"{place}: the body was cut; raise the tool's limit of saved bodies"
            )

    @property
    def _headers(self) -> dict[str, str]:
        return {name.lower(): text.strip() for name, text in self.sent_with}

    @property
    def _encoding(self) -> str:
        """The compression in the headers; empty without one."""
        encoding = self._headers.get("content-encoding", "").lower()
        return "" if encoding == "identity" else encoding

    def _list_lengths(self) -> Iterator[float]:
        """List the stated lengths on the wire."""
        if self.wire_size is not None:
            yield self.wire_size
        text = self._headers.get("content-length", "")
        if text.isdecimal() and len(text) < _MAX_DIGITS:
            yield int(text)

    def _is_missing(self) -> bool:
        """Whether a body that is empty in the file was not empty, or may not have been.

        A compressed body has a length even if it is empty.
        """
        lengths = [*self._list_lengths()]
        encoding = self._encoding
        if encoding == "gzip" and self.size in {None, 0}:
            lengths = [0 if length == _EMPTY_GZIP else length for length in lengths]
        known = lengths if self.size is None else [self.size, *lengths]
        has_size = self.size is not None and self.size < 0 and 0 not in known
        is_unknown = self.is_absent and (
            0 not in known or (bool(encoding) and 0 not in lengths)
        )
        return (
            any(length > 0 for length in known)
            or has_size
            or is_unknown
            or self.is_elsewhere
            or self._has_comment()
        )

    def _is_cut(self) -> bool:
        """Whether the body is shorter than it was; JSON that can be read is whole."""
        # The length on the wire counts compressed bytes, and the size often others.
        is_compressed = bool(self._encoding)
        if is_compressed and not is_utf8(self.data):
            return False  # decompressing it will show whether it is whole
        kind = self._headers.get("content-type") or self.media_type
        if isinstance(parse_body(self.data, kind, is_sent=False), Json):
            return False
        stated = [] if is_compressed else [*self._list_lengths()]
        stated += [] if self.size is None else [self.size]
        is_short = any(length > len(self.data) + self.slack for length in stated)
        text = self.data.strip()
        pair = text[:1] + text[-1:]
        ends_early = pair[:1] in _ENDS and pair != _ENDS[pair[:1]]
        is_open = "json" in kind.lower() and ends_early
        return is_short or is_open or self._has_comment()

    def _has_comment(self) -> bool:
        """Whether the tool says that the body is missing or cut."""
        return isinstance(self.comment, str) and bool(_COMMENT.search(self.comment))


def can_request_have_body(method: str) -> bool:
    """Whether a request has a body that matters."""
    return method.strip().upper() not in _BODILESS


def can_answer_have_body(method: str, status: int) -> bool:
    """Whether a response has a body that matters; a redirect has only an HTML page."""
    is_redirect = HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST
    return method.strip().upper() != "HEAD" and status not in _EMPTY and not is_redirect


def is_utf8(data: bytes) -> bool:
    """Whether bytes are text in UTF-8."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
