"""Faults: an effect, and the conditions of the requests that it applies to."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, Protocol, TypeGuard

from attrs import Attribute, field, frozen
from attrs.validators import optional

from nectar_async._http.clock import Clock
from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async._http.transport import Send
from nectar_async.contract.operation_ids import (
    DOWNLOAD,
    OPERATIONS,
    find_close_operation,
)
from nectar_async.errors import ConfigurationError

__all__ = [
    "Effect",
    "Fault",
    "Proceed",
    "at_page",
    "check_operation",
    "check_seconds",
    "check_whole",
    "find_page",
    "is_effect",
]

# Python refuses to read a number of more than 4,300 digits.
_PAGE: Final = re.compile("[0-9]{1,18}")


@frozen
class Proceed:
    """Gets the response that a request would have without the effect."""

    _send: Send
    clock: Clock
    """The clock that effects wait by."""
    times_delivered: Callable[[int], int] = lambda _: 0
    """Counts how often a page of the requested list was delivered before."""

    async def __call__(self, request: Request[Any]) -> Response:
        """Send a request, which the effect may have changed, without the effect."""
        return await self._send(request)


class Effect(Protocol):
    """The effect of a fault on a request that it applies to."""

    async def apply(self, request: Request[Any], proceed: Proceed, /) -> Response:
        """Respond to a request; `proceed(request)` gets the normal response."""
        ...


def is_effect(value: object) -> TypeGuard[Effect]:
    """Whether a value is an effect; a class of effects is not."""
    return callable(getattr(value, "apply", None)) and not isinstance(value, type)


def check_whole(least: int) -> Any:
    """Build an attrs validator that accepts whole numbers of at least `least`."""

    def check(_: object, attribute: Attribute[Any], value: object) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise ConfigurationError(
                f"{attribute.name} must be a whole number from {least}, not {value!r}"
            )

    return check


def check_seconds(_: object, attribute: Attribute[Any], value: object) -> None:
    """Validate, for attrs, a number of seconds of at least 0, which may be infinite."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        raise ConfigurationError(
            f"{attribute.name} must be a number of seconds from 0, not {value!r}"
        )


def check_operation(name: str) -> None:
    """Check that an operation exists.

    Raises:
        ConfigurationError: it does not exist; the message suggests the nearest name,
            or lists all operations.
    """
    if name in OPERATIONS or name == DOWNLOAD:
        return
    close = find_close_operation(name)
    names = ", ".join((*OPERATIONS, DOWNLOAD))
    hint = f"did you mean {close!r}?" if close else f"there are {names}"
    raise ConfigurationError(f"there is no operation {name!r}; {hint}")


@frozen
class Fault:
    """An effect that applies to the requests that meet every condition.

    ```python
    Fault(Answer(429, retry_after=1), page=2, times=1)
    ```

    Raises:
        ConfigurationError: the operation does not exist, or a value is invalid.
    """

    effect: Effect = field()
    operation: str | None = field(default=None, kw_only=True)
    """The contract's operation id, or `documents_download` for files."""
    page: int | None = field(
        default=None, kw_only=True, validator=optional(check_whole(1))
    )
    """The requested page of a list."""
    company: str | None = field(default=None, kw_only=True)
    """The id of the company in the path; in a sandbox, ids of its sites match too."""
    skip: int = field(default=0, kw_only=True, validator=check_whole(0))
    """How many matching requests first get a normal response."""
    times: int | None = field(
        default=None, kw_only=True, validator=optional(check_whole(1))
    )
    """How many matching requests are hit after that; None for all."""
    probability: float | None = field(default=None, kw_only=True)
    """The share of the matching requests that are hit, drawn from a seed."""

    @effect.validator
    def _check_effect(self, _: Attribute[Any], value: object) -> None:
        if not is_effect(value):
            raise ConfigurationError(
                f"a fault needs an effect, as in Fault(Html(status=502)), not {value!r}"
            )

    @operation.validator
    def _check_operation(self, _: Attribute[Any], value: str | None) -> None:
        if value is not None:
            check_operation(value)

    @probability.validator
    def _check_probability(self, _: Attribute[Any], value: float | None) -> None:
        if value is not None and not 0 <= value <= 1:
            raise ConfigurationError(
                f"probability must be between 0 and 1, not {value}"
            )

    def matches(self, request: Request[Any], company: str | None) -> bool:
        """Whether a request meets the conditions on operation, page and company.

        Args:
            request: the request.
            company: the id of the company whose data is requested; None if unknown.
        """
        return (
            (self.operation is None or request.operation == self.operation)
            and (self.page is None or find_page(request) == self.page)
            and (self.company is None or company == self.company)
        )


def find_page(request: Request[Any]) -> int | None:
    """Find the requested page, from 1; None for a request that has no pages."""
    default = "" if request.listing is None else "1"
    text = dict(request.query).get(request.page_key, default)
    return int(text) if _PAGE.fullmatch(text) else None


def at_page(request: Request[Any], page: int) -> Request[Any]:
    """Build the request for another page of the same list, with its own URL."""
    base = request.url.partition("?")[0].removesuffix(request.relative)
    return request.at(page).resolve(base)
