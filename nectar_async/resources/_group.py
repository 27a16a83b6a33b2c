"""The attribute of a client that holds one of its groups of operations."""

from __future__ import annotations

from typing import Any, Generic, TypeVar, overload

from nectar_async.resources._resource import Resource

__all__ = ["Group"]

R = TypeVar("R", bound=Resource)


class Group(Generic[R]):
    """A descriptor of a resource of the client.

    It returns the class when read from `NectarClient`, an instance when read from a
    client.

    The instance is created on first use and then kept in the client's `__dict__`.
    """

    def __init__(self, resource: type[R]) -> None:
        self._resource = resource

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, client: None, owner: type) -> type[R]: ...

    @overload
    def __get__(self, client: Any, owner: type) -> R: ...

    def __get__(self, client: Any, owner: type) -> type[R] | R:
        if client is None:
            return self._resource
        # Two threads may get here at once: `setdefault` gives both the same instance.
        instance: R = vars(client).setdefault(
            self._name,
            self._resource(client._executor),  # noqa: SLF001  a client's own descriptor
        )
        return instance
