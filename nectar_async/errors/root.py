"""The root of the tree, and what goes wrong before anything is sent."""

from __future__ import annotations

from typing import Any

__all__ = [
    "ClientClosedError",
    "ConfigurationError",
    "InvalidArgumentError",
    "NectarError",
    "WrongLoopError",
]


class NectarError(Exception):
    """The root of every error that this package raises.

    Which request it was is filled in where it leaves the client; all of it is None or 0
    for an error that met no request.
    """

    operation: str | None = None
    """The contract's operation id, as `usage_list_by_company`."""
    target: str | None = None
    """What was asked for, as `company 3b1e6f0a-…, page 3`."""
    page: int | None = None
    """The page of the list that was asked for, from 1."""
    cursor: str | None = None
    """Where the list can be taken up again: `pager.resume(error.cursor)`."""
    attempts: int = 0
    """How often the request was tried, this last time included."""
    elapsed: float = 0.0
    """Seconds from the call to the error: queue, attempts and back-off."""
    request_id: str | None = None
    """Made by the client, and sent with every attempt as `X-Request-Id`."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        where = ", ".join(filter(None, (self.operation, self.target)))
        tries = f" ({self._effort()})" if self.attempts > 1 else ""
        return f"{where}: {self.message}{tries}" if where else f"{self.message}{tries}"

    def _effort(self) -> str:
        return f"after {self.attempts} attempts in {self.elapsed:.1f} s"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self),), dict(self.__dict__)

    def __setstate__(self, state: dict[str, Any] | None) -> None:
        self.__dict__.update(state or {})
        self.args: tuple[Any, ...] = (self.message,)


def _rebuild(kind: type[NectarError]) -> NectarError:
    return kind.__new__(kind)


class ConfigurationError(NectarError, ValueError):
    """A setting, the environment or the key is missing or makes no sense."""


class InvalidArgumentError(NectarError, ValueError):
    """An argument that the API would refuse or misread; the message names it."""


class ClientClosedError(NectarError):
    """The client was used after it was closed."""


class WrongLoopError(NectarError):
    """The client was used on another loop, thread or process than its own."""
