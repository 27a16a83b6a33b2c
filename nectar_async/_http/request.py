"""An HTTP request as a value, with the type that its answer is decoded to."""

from __future__ import annotations

import re
from collections.abc import AsyncIterable, Callable, Mapping
from functools import cache
from typing import Any, Generic, Self, TypeVar
from urllib.parse import quote, urlencode
from uuid import UUID

import attrs
from attrs import define, field, frozen

from nectar_async._http.encoding import (
    encode_json,
    encode_query,
    encode_segment,
    to_json_fields,
)
from nectar_async.errors import ConfigurationError
from nectar_async.models.page import Listing
from nectar_async.settings import Operation

__all__ = ["Body", "Request", "Timing", "copy_with"]

T = TypeVar("T")

# The answer's type in the class methods, where pyright cannot use the class's own T.
R = TypeVar("R")

Body = bytes | Callable[[], AsyncIterable[bytes]] | AsyncIterable[bytes]
"""Bytes, a function that returns the chunks anew for each attempt, or a stream of
chunks that can be read once."""

_PART = re.compile(r"\{(\w+)\}")

# To send one of these twice has the effect of sending it once. Other requests state by
# `is_repeatable` whether that is so.
_REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE"})


@define(kw_only=True)
class Timing:
    """When one request was sent, how often, and where the time went.

    It is the only mutable part of a request; all copies of a request share it.
    """

    request_id: str = ""
    started: float | None = None
    elapsed: float = 0.0
    attempts: int = 0
    queue_seconds: float = 0.0
    network_seconds: float = 0.0
    backoff_seconds: float = 0.0
    is_connecting: bool = False
    """Whether the present attempt certainly has no connection yet."""


@frozen(kw_only=True)
class Request(Generic[T]):
    """One call of the API, and the type of its answer.

    `NectarClient.send` takes one, for an operation that has no method yet:

    ```python
    request = Request.get("labels_get", "/label/{label_id}", dict, label_id="a/b")
    label = await nectar.send(request)
    ```
    """

    operation: str
    """The contract's operation id."""
    method: str
    """The verb, in capitals."""
    path: str
    """The path below the version, with `{names}`."""
    returns: type[T]
    """The type that the answer is decoded to: a model, `Page[Model]`, `dict`, `str`, or
    `NoneType` for an answer without a body."""
    parts: Mapping[str, str] = field(factory=dict)
    """The values of the `{names}` in the path, as text."""
    query: tuple[tuple[str, str], ...] = ()
    """Wire keys and text, in order; a list repeats its key."""
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    """Names and values; the API key is among them only below the last stage."""
    body: Body | None = field(default=None, repr=False)
    json: Mapping[str, object] | None = field(default=None, repr=False)
    """A JSON body by its wire keys; the client encodes it into `body`."""
    is_repeatable: bool = False
    """Whether the request may be sent again when it is unknown whether the server
    handled it."""
    listing: Listing | None = None
    """The keys of the envelope, for a list."""
    page_key: str = "page"
    """The key of the page number in the query; `Settings.operations` may correct it."""
    url: str = field(default="", repr=False)
    """The absolute address, set by the client. It is not in the `repr`, because the
    link of a file opens the file."""
    max_body_bytes: int | None = None
    """The largest answer to read, set by the client."""
    timing: Timing = field(factory=Timing, repr=False, eq=False)
    queue_key: object = field(default=None, repr=False, eq=False)
    """The limiter's queue that the request waits in. All requests of one list share a
    queue; all single calls share the queue None."""
    can_halve: bool = False
    """Whether the caller asks for the two halves of the date range, or for fewer bytes,
    when the server times out. Then the whole is not retried many times."""

    @classmethod
    def get(
        cls,
        operation: str,
        path: str,
        returns: type[R],
        *,
        query: Mapping[str, object] | None = None,
        listing: Listing | None = None,
        **parts: str | UUID,
    ) -> Request[R]:
        """Build a GET request.

        Args:
            operation: the contract's operation id.
            path: the path below the version, with `{names}`.
            returns: the type that the answer is decoded to.
            query: Python names and values; None and `UNSET` are left out.
            listing: the keys of the envelope, for a list.
            parts: the values of the `{names}` in the path.

        Raises:
            InvalidArgumentError: a part or a query value cannot be sent; the message
                names it.
        """
        return cls._build(
            "GET", operation, path, returns, parts, query=query, listing=listing
        )

    @classmethod
    def post(
        cls,
        operation: str,
        path: str,
        returns: type[R],
        *,
        query: Mapping[str, object] | None = None,
        json: Mapping[str, object] | None = None,
        is_repeatable: bool = False,
        **parts: str | UUID,
    ) -> Request[R]:
        """Build a POST request.

        It is sent again only if it certainly had no effect, or if it `is_repeatable`.

        `json` has Python names. `UNSET` values are left out; None is sent as null.
        """
        return cls._build(
            "POST",
            operation,
            path,
            returns,
            parts,
            query=query,
            json=json,
            is_repeatable=is_repeatable,
        )

    @classmethod
    def patch(
        cls,
        operation: str,
        path: str,
        returns: type[R],
        *,
        json: Mapping[str, object] | None = None,
        is_repeatable: bool = False,
        **parts: str | UUID,
    ) -> Request[R]:
        """Build a PATCH request.

        In `json`, `UNSET` leaves a field as it is, None clears it, and `[]` empties it.
        """
        return cls._build(
            "PATCH",
            operation,
            path,
            returns,
            parts,
            json=json,
            is_repeatable=is_repeatable,
        )

    @classmethod
    def delete(
        cls, operation: str, path: str, returns: type[R], **parts: str | UUID
    ) -> Request[R]:
        """Build a DELETE request. A repeat that finds nothing left is a success."""
        return cls._build("DELETE", operation, path, returns, parts)

    @staticmethod
    def _build(
        method: str,
        operation: str,
        path: str,
        returns: type[R],
        parts: Mapping[str, str | UUID],
        *,
        query: Mapping[str, object] | None = None,
        json: Mapping[str, object] | None = None,
        is_repeatable: bool = False,
        listing: Listing | None = None,
    ) -> Request[R]:
        fields = None if json is None else to_json_fields(json)
        return Request(
            operation=operation,
            method=method,
            path=path,
            returns=returns,
            parts={name: encode_segment(name, value) for name, value in parts.items()},
            query=tuple(encode_query(query or {})),
            headers={} if fields is None else {"Content-Type": "application/json"},
            json=fields,
            is_repeatable=is_repeatable or method in _REPEATABLE,
            listing=listing,
        )

    @property
    def can_resend(self) -> bool:
        """Whether the body can be sent a second time: False for a one-time stream."""
        return self.body is None or isinstance(self.body, bytes) or callable(self.body)

    @property
    def page(self) -> int | None:
        """The page that is requested, from 1; None if the request is not for a list."""
        if self.listing is None:
            return None
        texts = (text for key, text in self.query if key == self.page_key)
        text = next(texts, "1")
        return int(text) if text.isascii() and text.isdigit() else None

    @property
    def target(self) -> str:
        """The object of the request, for messages: `company 3b1e6f0a-…, page 3`."""
        page = [] if self.page is None else [f"page {self.page}"]
        return ", ".join([*([self.owner] if self.parts else []), *page])

    @property
    def owner(self) -> str:
        """The objects in the path, for messages: `company 3b1e6f0a-…`."""
        return ", ".join(
            f"{name.removesuffix('_id').replace('_', ' ')} {value}"
            for name, value in self.parts.items()
        )

    @property
    def relative(self) -> str:
        """The path below the version with its parts filled in; empty for files.

        Raises:
            ConfigurationError: the path names a part that is missing.
        """
        return self._fill(self.path)

    def at(self, page: int) -> Self:
        """Copy the request of a list for another page.

        The first page of a list that the API returns as a bare array is requested
        without a page number, because such a list documents no pages.
        """
        filters = tuple(pair for pair in self.query if pair[0] != self.page_key)
        if page == 1 and self.listing is not None and self.listing.is_array:
            return copy_with(self, query=filters)
        return copy_with(self, query=(*filters, (self.page_key, str(page))))

    def resolve(self, base: str, correction: Operation | None = None) -> Self:
        """Copy the request with its absolute `url` and encoded `body`.

        Args:
            base: the API's address, version included.
            correction: the user's corrected path and keys; None for none.

        Raises:
            ConfigurationError: the corrected path names a part that is missing.
        """
        keys: Mapping[str, str] = {}
        method, path = self.method, self.path
        if correction is not None:
            keys = correction.keys
            method = correction.method or method
            path = correction.path or path
        query = tuple((keys.get(key, key), text) for key, text in self.query)
        url = base + self._fill(path)
        if query:
            url += "?" + urlencode(query, quote_via=quote, safe="")
        body = self.body
        if self.json is not None:
            # Nothing may fail from here on: the body has the secrets in plain text.
            body = encode_json(
                {keys.get(key, key): self.json[key] for key in self.json}
            )
        return copy_with(
            self,
            method=method,
            path=path,
            query=query,
            page_key=keys.get(self.page_key, self.page_key),
            url=url,
            body=body,
        )

    def _fill(self, path: str) -> str:
        return _PART.sub(self._quote_part, path) if "{" in path else path

    def _quote_part(self, match: re.Match[str]) -> str:
        name = match[1]
        if name not in self.parts:
            raise ConfigurationError(
                f"the path of {self.operation} names {{{name}}}, but the request has"
                f" {', '.join(self.parts) or 'no parts'}"
            )
        return quote(self.parts[name], safe="")


def copy_with(value: T, **fields: Any) -> T:
    """Copy a slotted attrs value with other values in some of its fields.

    `attrs.evolve` calls `__init__`, with its converters and validators. A request is
    copied several times, and those calls took a quarter of its CPU time.

    Raises:
        TypeError: there is no such field.
    """
    kind: Any = type(value)
    copy: T = object.__new__(kind)
    for name, read, write in _find_slots(kind):
        write(copy, fields.pop(name) if name in fields else read(value))
    if fields:
        raise TypeError(f"{kind.__name__} has no field {', '.join(fields)}")
    return copy


@cache
def _find_slots(kind: Any) -> list[tuple[str, Callable[..., Any], Callable[..., Any]]]:
    """The name of each field with the functions that read and write its slot."""
    names = [field.name for field in attrs.fields(kind)]
    slots = [getattr(kind, name) for name in names]
    return [
        (name, slot.__get__, slot.__set__)
        for name, slot in zip(names, slots, strict=True)
    ]
