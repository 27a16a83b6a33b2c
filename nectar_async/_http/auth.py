"""The key: had before a permit is taken, stamped last, renewed once when refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Any, Final, TypeVar

import anyio
from attrs import frozen

from nectar_async._http import redact, spelled
from nectar_async._http.clock import Clock
from nectar_async._http.request import Request, changed
from nectar_async._http.response import Response
from nectar_async._http.statistics import Counters
from nectar_async._http.transport import Send
from nectar_async._types import Secret
from nectar_async._version import __version__
from nectar_async.errors import AuthenticationError, ConfigurationError, NectarError

__all__ = ["FetchKey", "HiddenSource", "KeySource", "KeyStore", "StampKey"]

T = TypeVar("T")

_Asked = Callable[[], str | Awaitable[str]]

KeySource = str | Secret[str] | _Asked
"""The key, or a function (plain or async) that gives the present one."""

HiddenSource = Secret[str] | _Asked
"""The same, with a key that no frame shows."""

_USER_AGENT = f"nectar-async/{__version__}"

KEY_HEADER: Final = "X-API-Key"

# Shorter than any key; taking out one letter everywhere would tell which it is.
_LEAST_REDACTED = 6


class KeyStore:
    """The present key. A source that is a function is asked once for all who wait."""

    def __init__(self, source: HiddenSource | None) -> None:
        self._source = None if isinstance(source, Secret) else source
        self._key = _checked(source) if isinstance(source, Secret) else None
        self._lock: anyio.Lock | None = None
        self.version: int = 0
        """Grows when the source gave a key."""
        self._before: list[Secret[str]] = []

    @property
    def key(self) -> Secret[str] | None:
        """The key as it is now; None where none is needed."""
        return self._key

    def keys(self) -> tuple[Secret[str], ...]:
        """The present key, and those before it."""
        present = () if self._key is None else (self._key,)
        return (*self._before, *present)

    @property
    def can_renew(self) -> bool:
        """Whether there is anybody to ask for another key."""
        return self._source is not None

    async def ready(self) -> int:
        """Have a key; its version."""
        if self._source is not None and self._key is None:
            await self.renew(self.version)
        return self.version

    async def renew(self, refused: int) -> None:
        """Ask for another key, unless somebody did since version `refused`."""
        self._lock = self._lock or anyio.Lock()
        async with self._lock:
            if self._source is None or self.version != refused:
                return
            key = _checked(Secret(await _given_by(self._source)))
            if self._key is not None:
                self._before.append(self._key)
            self._key = key
            self.version += 1


async def _given_by(source: _Asked) -> str:
    given = source()
    return await given if isawaitable(given) else given


def _checked(given: Secret[Any]) -> Secret[str]:
    """A key that can stand in a header; neither message nor frames show it."""
    if not isinstance(given.reveal(), str):
        kind = type(given.reveal()).__name__
        raise ConfigurationError(f"the API key must be text, not {kind}")
    key = Secret(given.reveal().strip())
    if not key.reveal():
        raise ConfigurationError("the API key is empty; set NECTAR_API_KEY")
    if not key.reveal().isascii() or not key.reveal().isprintable():
        raise ConfigurationError(
            "the API key has characters that no header can hold; was more than the key"
            " copied?"
        )
    return key


@frozen
class FetchKey:
    """Has a key before a permit is taken, and after a 401 asks once for another."""

    key_store: KeyStore
    clock: Clock
    counters: Counters

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        """Send it; when the key was refused and can be renewed, once more."""
        version = await self._wait(request, self.key_store.ready())
        try:
            return await send(request)
        except AuthenticationError:
            if not self.key_store.can_renew or not request.can_resend:
                raise
        await self._wait(request, self.key_store.renew(version))
        return await send(request)

    async def _wait(self, request: Request[Any], key: Awaitable[T]) -> T:
        """Waiting for a key is waiting in the queue."""
        start = self.clock.monotonic()
        try:
            return await key
        finally:
            waited = self.clock.monotonic() - start
            request.timing.queue_seconds += waited
            self.counters.queue_seconds += waited


@frozen
class StampKey:
    """Puts the key on the request: the last stage, so that nothing else can leak it.

    What comes back without success may quote it: from there it is taken out again.
    """

    key_store: KeyStore

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        """Send a copy with the key."""
        key = self.key_store.key
        # The headers are no local of this frame: a traceback may show those.
        try:
            response = await send(changed(request, headers=_headers(request, key)))
        except NectarError as error:
            redact.redact(error, _hidden(key))
            raise
        return (
            response
            if response.is_success
            else response.rewritten(spelled.hiding(_hidden(key)))
        )


def _headers(request: Request[Any], key: Secret[str] | None) -> dict[str, str]:
    own = {
        "Accept": "application/json",
        "User-Agent": _USER_AGENT,
        "X-Request-Id": request.timing.request_id,
    }
    stamp = {} if key is None else {KEY_HEADER: key.reveal()}
    return {**own, **request.headers, **stamp}


def _hidden(key: Secret[str] | None) -> list[str]:
    """What to hide: no more than a letter or two would be the test of somebody."""
    if key is None or len(key.reveal()) < _LEAST_REDACTED:
        return []
    return [key.reveal()]
