"""What is asked for, as a value; its text is made when the value is."""

from __future__ import annotations

import re
from collections.abc import AsyncIterable, Callable, Mapping
from functools import cache
from typing import Any, Generic, Self, TypeVar
from urllib.parse import quote, urlencode
from uuid import UUID

import attrs
from attrs import field, frozen

from nectar_async._http.encoding import (
    check_headers,
    json_body,
    json_fields,
    query_pairs,
    segment,
)
from nectar_async._http.trace import Timing
from nectar_async.errors import ConfigurationError
from nectar_async.models.page import Listing
from nectar_async.settings import Operation

__all__ = ["Body", "Request", "Timing", "changed"]

T = TypeVar("T")

# What a class method makes: pyright gives up on the class's own T there.
R = TypeVar("R")

Body = bytes | Callable[[], AsyncIterable[bytes]] | AsyncIterable[bytes]
"""Bytes, a factory of chunks (asked for each attempt), or chunks that come once."""

_PART = re.compile(r"\{(\w+)\}")

# Repeating one of these does what doing it once does. PATCH and POST say so themselves.
_REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE"})


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
    """What the answer is decoded to: a model, `Page[Model]`, `dict`, `str`, or
    `NoneType` for an answer without a body."""
    parts: Mapping[str, str] = field(factory=dict)
    """The values of the path's names, as text."""
    query: tuple[tuple[str, str], ...] = ()
    """Wire keys and text, in the order they were given; a list repeats its key."""
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    """Names and values; the key is among them only below the last stage."""
    body: Body | None = field(default=None, repr=False)
    json: Mapping[str, object] | None = field(default=None, repr=False)
    """A body by its wire keys, before it is text; `body` is stamped from it."""
    is_repeatable: bool = False
    """Whether a repeat does no harm when nobody knows what came of the first time."""
    listing: Listing | None = None
    """For lists: how the envelope is spelled."""
    page_key: str = "page"
    """The key of the page among the query; corrected together with it."""
    url: str = field(default="", repr=False)
    """The absolute address; stamped by the client. No `repr` shows it: the link of a
    file opens it."""
    max_body_bytes: int | None = None
    """The largest answer to read; stamped by the client."""
    timing: Timing = field(factory=Timing, repr=False, eq=False)
    queue_key: object = field(default=None, repr=False, eq=False)
    """The limiter's queue that the request waits in. All requests of one list share a
    queue; all single calls share the queue None."""
    can_halve: bool = False
    """Whether a walk goes on over halves of its window when the server runs out of
    time; then asking for the whole of it again and again is of no use."""

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
        """A read. `parts` fill the path's names; query names are Python's spelling.

        Raises:
            InvalidArgumentError: a part or a query value cannot be sent; it is named.
        """
        return cls._of(
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
        """A write that is repeated only when it provably did not happen.

        `json` is a mapping with Python's names: `UNSET` values stay at home, None is
        null.
        """
        return cls._of(
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
        """A change. `UNSET` leaves a field alone, None clears it, `[]` empties it."""
        return cls._of(
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
        """A removal; a repeat that finds nothing left is done."""
        return cls._of("DELETE", operation, path, returns, parts)

    @staticmethod
    def _of(
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
        texts = {name: segment(name, value) for name, value in parts.items()}
        fields = None if json is None else json_fields(json)
        return Request(
            operation=operation,
            method=method,
            path=path,
            returns=returns,
            parts=texts,
            query=tuple(query_pairs(query or {})),
            headers={} if fields is None else {"Content-Type": "application/json"},
            json=fields,
            is_repeatable=is_repeatable or method in _REPEATABLE,
            listing=listing,
        )

    @property
    def can_resend(self) -> bool:
        """Whether the body is there a second time: not when it comes as a stream."""
        return self.body is None or isinstance(self.body, bytes) or callable(self.body)

    @property
    def page(self) -> int | None:
        """The page that is asked for, from 1; None when it is no list."""
        if self.listing is None:
            return None
        texts = (text for key, text in self.query if key == self.page_key)
        text = next(texts, "1")
        return int(text) if text.isascii() and text.isdigit() else None

    @property
    def target(self) -> str:
        """What is asked for, in words: `company 3b1e6f0a-…, page 3`."""
        words = [
            f"{name.removesuffix('_id').replace('_', ' ')} {value}"
            for name, value in self.parts.items()
        ]
        if (page := self.page) is not None:
            words.append(f"page {page}")
        return ", ".join(words)

    @property
    def relative(self) -> str:
        """The path with its parts filled in, below the version; empty for files.

        Raises:
            ConfigurationError: the path names a part that is not there.
        """
        return self._filled(self.path)

    def at(self, page: int) -> Self:
        """The same list, another page.

        The first page of a list that the API gives as a bare array is asked for
        without a number: such a list documents no pages.
        """
        rest = tuple(pair for pair in self.query if pair[0] != self.page_key)
        if page == 1 and self.listing is not None and self.listing.is_array:
            return changed(self, query=rest)
        return changed(self, query=(*rest, (self.page_key, str(page))))

    def addressed(self, base: str, correction: Operation | None = None) -> Self:
        """The same request with its absolute `url`, after the user's correction.

        Raises:
            ConfigurationError: the corrected path names a part that is not there.
            InvalidArgumentError: a header would not stay one header.
        """
        check_headers(self.headers)
        keys: Mapping[str, str] = {}
        method, path = self.method, self.path
        if correction is not None:
            keys = correction.keys
            method = correction.method or method
            path = correction.path or path
        query = tuple((keys.get(key, key), text) for key, text in self.query)
        url = base + self._filled(path)
        if query:
            url += "?" + urlencode(query, quote_via=quote, safe="")
        body = self.body
        if self.json is not None:
            # Nothing may fail from here on: the body has the secrets in plain text.
            body = json_body({keys.get(key, key): self.json[key] for key in self.json})
        return changed(
            self,
            method=method,
            path=path,
            query=query,
            page_key=keys.get(self.page_key, self.page_key),
            url=url,
            body=body,
        )

    def _filled(self, path: str) -> str:
        return _PART.sub(lambda found: self._part(found[1]), path)

    def _part(self, name: str) -> str:
        if name not in self.parts:
            raise ConfigurationError(
                f"the path of {self.operation} names {{{name}}};"
                f" it has {', '.join(self.parts) or 'no parts'}"
            )
        return quote(self.parts[name], safe="")


def changed(value: T, **fields: Any) -> T:
    """A copy with other values in some fields, which are put there as they are.

    `attrs.evolve` calls `__init__`, with its converters and validators. Some values are
    copied five times for each request, and that was a quarter of what a request cost.

    Raises:
        TypeError: there is no such field.
    """
    kind: Any = type(value)
    copy: T = object.__new__(kind)
    for name, read, write in _slots_of(kind):
        write(copy, fields.pop(name) if name in fields else read(value))
    if fields:
        raise TypeError(f"{kind.__name__} has no field {', '.join(fields)}")
    return copy


@cache
def _slots_of(kind: Any) -> list[tuple[str, Callable[..., Any], Callable[..., Any]]]:
    """The name of each field, and what reads and writes its slot."""
    names = [field.name for field in attrs.fields(kind)]
    slots = [getattr(kind, name) for name in names]
    return [
        (name, slot.__get__, slot.__set__)
        for name, slot in zip(names, slots, strict=True)
    ]
