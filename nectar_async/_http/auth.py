"""The API key: where it comes from, and how it gets on a request.

The key is fetched before a permit is taken, and it is stamped by the last stage, so no
other stage, log record or recording can contain it.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Set as AbstractSet
from contextvars import ContextVar
from inspect import isawaitable
from typing import Any, Final, TypeVar

import anyio
from attrs import frozen

from nectar_async._http.clock import Clock
from nectar_async._http.redact import (
    HEAD_BYTES,
    build_masker,
    redact_response,
    redact_values,
)
from nectar_async._http.request import Request, copy_with
from nectar_async._http.response import Response
from nectar_async._http.statistics import Counters
from nectar_async._http.transport import Send
from nectar_async._types import Secret
from nectar_async.errors import AuthenticationError, ConfigurationError, NectarError

__all__ = [
    "FetchKey",
    "KeySource",
    "KeyStore",
    "MaskedKeySource",
    "StampKey",
    "mask_key",
    "read_key_from_environment",
]

T = TypeVar("T")

_KeyFunction = Callable[[], str | Awaitable[str]]

KeySource = str | Secret[str] | _KeyFunction
"""The API key, or a function (plain or async) that returns it."""

MaskedKeySource = Secret[str] | _KeyFunction
"""A key source in which a plain text is wrapped in a `Secret`."""

KEY_HEADER: Final = "X-API-Key"
KEY_VARIABLE: Final = "NECTAR_API_KEY"

# A shorter key is a mistake and is not masked: a mask in place of one letter, wherever
# it occurs, would show which letter that is.
_MIN_MASKED_LENGTH: Final = 6

# More bytes than other stages read, so that they see that the text goes on, and drop
# the end of their part, where another secret may be cut in two.
_HEAD_BYTES: Final = 2 * HEAD_BYTES


_being_called: ContextVar[AbstractSet[KeyStore]] = ContextVar(
    "nectar_async_being_called", default=frozenset()
)
"""The stores whose key function the running code was called by."""


class KeyStore:
    """Holds the current key. A key function is called once for all waiting requests."""

    def __init__(self, source: MaskedKeySource | None) -> None:
        self._source = None if isinstance(source, Secret) else source
        self._key = _check_key(source) if isinstance(source, Secret) else None
        self._lock: anyio.Lock | None = None
        self.version: int = 0
        """How many keys the key function has returned."""
        self._previous: list[Secret[str]] = []

    @property
    def key(self) -> Secret[str] | None:
        """The current key; None before the first one, and if none is needed."""
        return self._key

    def keys(self) -> tuple[Secret[str], ...]:
        """All keys so far, the current one last."""
        current = () if self._key is None else (self._key,)
        return (*self._previous, *current)

    @property
    def can_renew(self) -> bool:
        """Whether there is a key function to call for another key."""
        return self._source is not None

    async def fetch(self) -> int:
        """Fetch the key if there is none yet; return how many there were so far."""
        if self._source is not None and self._key is None:
            await self.renew(self.version)
        return self.version

    async def renew(self, refused: int) -> None:
        """Call the key function, unless the key is newer than version `refused`."""
        # A task that the function started keeps the variable after the function
        # has returned, so it also counts whether the function is running.
        is_running = self._lock is not None and self._lock.locked()
        if is_running and self in _being_called.get():
            raise ConfigurationError(
                "the key function sends a request with its own client, which waits for"
                " that key; give it a client of its own, or none"
            )
        self._lock = self._lock or anyio.Lock()
        async with self._lock:
            if self._source is None or self.version != refused:
                return
            token = _being_called.set({*_being_called.get(), self})
            try:
                key = _check_key(Secret(await _call_source(self._source)))
            finally:
                _being_called.reset(token)
            if self._key is not None:
                self._previous.append(self._key)
            self._key = key
            self.version += 1


async def _call_source(source: _KeyFunction) -> str:
    key = source()
    return await key if isawaitable(key) else key


def _check_key(key: Secret[Any]) -> Secret[str]:
    """Strip a key and check that a header can hold it.

    The key is never plain in a message or in a local variable.
    """
    if not isinstance(key.reveal(), str):
        kind = type(key.reveal()).__name__
        raise ConfigurationError(f"the API key must be text, not {kind}")
    stripped = Secret(key.reveal().strip())
    if not stripped.reveal():
        raise ConfigurationError(f"the API key is empty; set {KEY_VARIABLE}")
    if not stripped.reveal().isascii() or not stripped.reveal().isprintable():
        raise ConfigurationError(
            "the API key has characters that a header cannot hold; check that nothing"
            " but the key was copied"
        )
    return stripped


def mask_key(key: KeySource | None) -> MaskedKeySource | None:
    """Wrap a plain key in a `Secret`; leave other values for the key store to check."""
    if key is None or isinstance(key, Secret) or callable(key):
        return key
    return Secret(key)


def read_key_from_environment() -> Secret[str]:
    """Read the key from `NECTAR_API_KEY`.

    Raises:
        ConfigurationError: the variable is missing or empty.
    """
    key = Secret(os.environ.get(KEY_VARIABLE, "").strip())
    if not key.reveal():
        raise ConfigurationError(
            f"no API key: set {KEY_VARIABLE}, or pass NectarClient(api_key=...)"
        )
    return key


@frozen
class FetchKey:
    """Fetch a key before a permit is taken; after a 401, renew it and retry once."""

    key_store: KeyStore
    clock: Clock
    counters: Counters

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        """Send the request, and once more if the key was refused and can be renewed."""
        version = self.key_store.version
        if self.key_store.key is None:
            version = await self._wait(request, self.key_store.fetch())
        try:
            return await send(request)
        except AuthenticationError:
            if not self.key_store.can_renew or not request.can_resend:
                raise
        await self._wait(request, self.key_store.renew(version))
        return await send(request)

    async def _wait(self, request: Request[Any], key: Awaitable[T]) -> T:
        """Wait for a key, and count that as time in the queue."""
        start = self.clock.monotonic()
        try:
            return await key
        finally:
            waited = self.clock.monotonic() - start
            request.timing.queue_seconds += waited
            self.counters.queue_seconds += waited


@frozen
class StampKey:
    """Put the key on the request, and mask it in failures that quote it.

    It is the last stage, so that no other one sees the key.
    """

    key_store: KeyStore

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        """Send a copy of the request with the key."""
        key = self.key_store.key
        if key is None:
            return await send(request)
        # The headers are not in a local variable, which a traceback may show.
        try:
            response = await send(_stamp(request, key))
        except NectarError as error:
            redact_values(error, _list_values_to_mask(key))
            raise
        if response.is_success:
            return response
        mask = build_masker(_list_values_to_mask(key))
        return redact_response(response, mask, _HEAD_BYTES)


def _stamp(request: Request[Any], key: Secret[str]) -> Request[Any]:
    return copy_with(request, headers={**request.headers, KEY_HEADER: key.reveal()})


def _list_values_to_mask(key: Secret[str]) -> list[str]:
    return [key.reveal()] if len(key.reveal()) >= _MIN_MASKED_LENGTH else []
