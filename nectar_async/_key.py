"""The key: had before a permit is taken, stamped last, renewed once when refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Any, Final, TypeVar

import anyio
from attrs import evolve, frozen

from nectar_async._clock import Clock
from nectar_async._request import Request
from nectar_async._response import Response
from nectar_async._transport import Send
from nectar_async._version import __version__
from nectar_async.errors import AuthenticationError, ConfigurationError, NectarError

__all__ = ["FreshKey", "KeyRing", "KeySource", "StampKey"]

T = TypeVar("T")

KeySource = str | Callable[[], str | Awaitable[str]]
"""The key, or a function (plain or async) that gives the present one."""

_USER_AGENT = f"nectar-async/{__version__}"

KEY_HEADER: Final = "X-API-Key"


class KeyRing:
    """The present key. A source that is a function is asked once for all who wait."""

    def __init__(self, source: KeySource | None) -> None:
        self._source = None if isinstance(source, str) else source
        self._key = _checked(source) if isinstance(source, str) else None
        self._lock = anyio.Lock()
        self.version: int = 0
        """Grows when the source gave a key."""

    @property
    def key(self) -> str | None:
        """The key as it is now; None where none is needed."""
        return self._key

    @property
    def can_renew(self) -> bool:
        """Whether there is anybody to ask for another key."""
        return self._source is not None

    def redact(self, error: NectarError) -> None:
        """Take the key out of what a server said that echoes it."""
        for name in ("message", "detail", "body"):
            words = getattr(error, name, None)
            if self._key is not None and isinstance(words, str) and self._key in words:
                setattr(error, name, words.replace(self._key, "***"))
        error.args = (error.message,)

    async def ready(self) -> int:
        """Have a key; its version."""
        if self._source is not None and self._key is None:
            await self.renew(self.version)
        return self.version

    async def renew(self, refused: int) -> None:
        """Ask for another key, unless somebody did since version `refused`."""
        async with self._lock:
            if self._source is None or self.version != refused:
                return
            given = self._source()
            if isawaitable(given):
                given = await given
            self._key = _checked(given)
            self.version += 1


def _checked(key: object) -> str:
    """A key that can stand in a header; the message never holds it."""
    if not isinstance(key, str):
        raise ConfigurationError(f"the API key is text, not {type(key).__name__}")
    key = key.strip()
    if not key:
        raise ConfigurationError("the API key is empty; set NECTAR_API_KEY")
    if not key.isascii() or not key.isprintable():
        raise ConfigurationError(
            "the API key has characters that no header can hold; was more than the key"
            " copied?"
        )
    return key


@frozen
class FreshKey:
    """Has a key before a permit is taken, and after a 401 asks once for another."""

    ring: KeyRing
    clock: Clock

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        """Send it; when the key was refused and can be renewed, once more."""
        version = await self._wait(request, self.ring.ready())
        try:
            return await send(request)
        except AuthenticationError as error:
            self.ring.redact(error)
            if not self.ring.can_renew or not request.can_resend:
                raise
        except NectarError as error:
            self.ring.redact(error)
            raise
        await self._wait(request, self.ring.renew(version))
        try:
            return await send(request)
        except NectarError as error:
            self.ring.redact(error)
            raise

    async def _wait(self, request: Request[Any], key: Awaitable[T]) -> T:
        """Waiting for a key is waiting in the queue."""
        start = self.clock.monotonic()
        try:
            return await key
        finally:
            request.trace.queue_seconds += self.clock.monotonic() - start


@frozen
class StampKey:
    """Puts the key on the request: the last stage, so that nothing else can leak it."""

    ring: KeyRing

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        """Send a copy with the key."""
        # The key is no local of this frame: a traceback may show those.
        return await send(evolve(request, headers=self._headers(request)))

    def _headers(self, request: Request[Any]) -> dict[str, str]:
        own = {
            "Accept": "application/json",
            "User-Agent": _USER_AGENT,
            "X-Request-Id": request.trace.request_id,
        }
        key = {} if self.ring.key is None else {KEY_HEADER: self.ring.key}
        return {**own, **request.headers, **key}
