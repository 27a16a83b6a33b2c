"""Answers that are not the recorded one; see `scene` for how they are laid over it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Final

from attrs import Attribute, field, frozen

from nectar_async._http.clock import Clock
from nectar_async._http.response import Response
from nectar_async._json.json import encoded
from nectar_async.errors import ConfigurationError
from nectar_async.recording.scene import Play, Scene

__all__ = ["Answer", "Empty", "Html"]

_JSON: Final = {"content-type": "application/json"}
_STATUSES: Final = range(200, 600)
_IN: Final = re.compile(r"in ([0-9]+) seconds?")


@frozen
class Answer:
    """Another answer than the recorded one: a status, with any headers and any body.

    ```python
    Answer(429, retry_after=2)  # seconds
    Answer(429, retry_after="in 2 seconds")  # a date, that many seconds from now
    Answer(429, retry_after=datetime(2026, 1, 1, 0, 5, tzinfo=UTC))
    Answer(429, retry_after="soon")  # as no client understands it
    ```
    """

    status: int = field()
    retry_after: float | str | datetime | None = field(default=None, kw_only=True)
    """The header `Retry-After`: a number is seconds, an aware datetime a date of HTTP,
    `in n seconds` the date that is then by the server's clock, and other text is sent
    as it is."""
    headers: Mapping[str, str] = field(factory=dict, kw_only=True)
    body: bytes | None = field(default=None, kw_only=True)
    """None for the contract's `detail` object."""

    @status.validator
    def _check_status(self, _: Attribute[Any], value: object) -> None:
        if not isinstance(value, int) or value not in _STATUSES:
            raise ConfigurationError(
                f"status is a whole number from 200 to 599, not {value!r}"
            )

    @retry_after.validator
    def _check_retry_after(self, _: Attribute[Any], value: object) -> None:
        if isinstance(value, datetime) and value.tzinfo is None:
            raise ConfigurationError(
                f"retry_after is an aware datetime, not {value!r}: add tzinfo=UTC"
            )

    async def apply(self, scene: Scene, _proceed: Play, /) -> Response:
        """The answer given, whatever was asked."""
        body = encoded({"detail": f"Scripted answer {self.status}."})
        asked = _asked(self.retry_after, scene.clock)
        return Response(
            self.status,
            {**_JSON, **asked, **self.headers},
            body if self.body is None else self.body,
        )


@frozen
class Html:
    """A page for people: of a proxy, of a login, or of a maintenance."""

    status: int = 200

    async def apply(self, _scene: Scene, _proceed: Play, /) -> Response:
        """HTML, whatever was asked."""
        body = (
            f"<!DOCTYPE html>\n<html><head><title>{self.status}</title></head>"
            f"<body><h1>{self.status}</h1><hr>nginx</body></html>\n"
        )
        headers = {"content-type": "text/html; charset=utf-8"}
        return Response(self.status, headers, body.encode())


@frozen
class Empty:
    """A success, as its status says, that brings nothing."""

    status: int = 200

    async def apply(self, _scene: Scene, _proceed: Play, /) -> Response:
        """No byte."""
        return Response(self.status, _JSON)


def _asked(wait: float | str | datetime | None, clock: Clock) -> Mapping[str, str]:
    """The header, and the server's own date where the wait is dated by it."""
    if wait is None:
        return {}
    if isinstance(wait, datetime):
        return {"retry-after": _date(wait)}
    if isinstance(wait, str) and (found := _IN.fullmatch(wait)) is not None:
        now = clock.now()
        until = now + timedelta(seconds=int(found[1]))
        return {"retry-after": _date(until), "date": _date(now)}
    return {"retry-after": str(wait)}


def _date(moment: datetime) -> str:
    return format_datetime(moment.astimezone(UTC), usegmt=True)
