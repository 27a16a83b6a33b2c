"""The API keys that a sandbox accepts."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from nectar_async.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ApiKeys"]


class ApiKeys:
    """The accepted API keys; clients use the first one."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = list(keys)

    @property
    def first(self) -> str:
        """The API key for clients to use."""
        return self._keys[0]

    def accepts(self, key: str) -> bool:
        """Whether an API key is accepted."""
        sent = key.encode(errors="surrogateescape")
        # Every key is compared, in constant time, so that the duration reveals nothing.
        matches = [hmac.compare_digest(sent, known.encode()) for known in self._keys]
        return any(matches)

    def rotate(self, key: str) -> None:
        """Accept this API key from now on, and no other.

        Raises:
            ConfigurationError: the key is empty.
        """
        if not key:
            raise ConfigurationError("the new key is empty")
        self._keys[:] = [key]
