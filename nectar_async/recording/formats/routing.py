"""Which operation of the contract an address asks for, and whether it is one at all.

For traffic that another tool wrote down: what a request of this package says by itself
is read there from its verb and its address.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import islice
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from attrs import frozen

from nectar_async.contract import operations
from nectar_async.settings import DEFAULT_BASE_URL, Settings

__all__ = ["RoutedUrl", "UrlRouter", "is_paged", "parse_origin"]

# v2.0 lives under /v2; there is no /v2.0, but people write it.
_VERSIONS: Final = {"v2": "v2.0", "v2.0": "v2.0", "v2.1": "v2.1", "v2.2": "v2.2"}
_VERSION: Final = re.compile(r"/(v2(?:\.[012])?)(?=/|$)")

_PORTS: Final = {"http": 80, "https": 443}

# A segment that is a word names what is asked for; any other one is an id.
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z_-]*")
_PART: Final = re.compile(r"\{\w+\}")


@frozen(kw_only=True)
class RoutedUrl:
    """What an address asks for."""

    operation: str
    """The contract's operation id, or a name made of verb and path: `get_labels`."""
    path: str
    """Below the version. A path of the contract is written as this package writes it,
    any other one as it was sent."""
    owner: str
    """The ids in the path."""
    version: str
    """As in `Settings`: `v2.2`; empty where the address has none."""


@frozen
class _Split:
    """One way to read an address."""

    base: str
    version: str
    path: str


class UrlRouter:
    """Tells what belongs to Nectar among the addresses of some traffic.

    With a base URL that is all that lies below it. Without one it is what has a version
    and a path of the contract, and what else lies beside such a path.

    Args:
        base_url: as in `Settings`: an origin with an optional prefix.
        asked: all verbs and addresses of the traffic.
        sure: addresses that are known to be Nectar's.

    Raises:
        ConfigurationError: `base_url` cannot be one.
    """

    def __init__(
        self,
        base_url: str | None,
        asked: Iterable[tuple[str, str]],
        sure: Iterable[str] = (),
    ) -> None:
        self._base: str | None = None
        self._bases: frozenset[str] = frozenset()
        if base_url is not None:
            self._base = _base(Settings(base_url=base_url).base_url)
        else:
            found = (
                split.base
                for method, url in asked
                for split in _splits(url)
                if _known(method, split.path) is not None
            )
            told = (split.base for url in sure for split in islice(_splits(url), 1))
            self._bases = frozenset({DEFAULT_BASE_URL, *found, *told})

    def of(self, method: str, url: str) -> RoutedUrl | None:
        """What an address asks for; None for what does not belong to Nectar."""
        split = self._split(url)
        if split is None:
            return None
        known = _known(method, split.path)
        operation, ids = known or _named(method, split.path)
        return RoutedUrl(
            operation=operation,
            path=split.path if known is None else _path(split.path),
            owner=".".join(ids),
            version=split.version,
        )

    def _split(self, url: str) -> _Split | None:
        if self._base is None:
            return next((one for one in _splits(url) if one.base in self._bases), None)
        origin = parse_origin(url)
        whole = "" if origin is None else origin + urlsplit(url.strip()).path
        if not f"{whole}/".startswith(f"{self._base}/"):
            return None
        rest = whole.removeprefix(self._base) or "/"
        found = _VERSION.match(rest)
        if found is None:
            return _Split(self._base, "", rest)
        return _Split(self._base, _VERSIONS[found[1]], rest[found.end() :])


def parse_origin(url: str) -> str | None:
    """Scheme, host and port in small letters; None for what is no web address."""
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    scheme = parts.scheme
    if scheme not in _PORTS or not host:
        return None
    shown = f"[{host}]" if ":" in host else host
    is_usual = port is None or port == _PORTS[scheme]
    return f"{scheme}://{shown}" if is_usual else f"{scheme}://{shown}:{port}"


def is_paged(operation: str) -> bool:
    """Whether the contract knows an operation as a list in pages."""
    known = operations().get(operation)
    if known is None:
        return False
    refs = (one.get("$ref", "") for one in known.description.get("parameters", ()))
    return any(ref.endswith("/Page") for ref in refs)


def _base(url: str) -> str:
    """A base URL with its origin spelled in one way."""
    return f"{parse_origin(url)}{urlsplit(url).path}".rstrip("/")


def _splits(url: str) -> Iterator[_Split]:
    """Every way to read an address as a base, a version and a path."""
    origin = parse_origin(url)
    if origin is None:
        return
    path = urlsplit(url.strip()).path
    for found in _VERSION.finditer(path):
        yield _Split(
            origin + path[: found.start()],
            _VERSIONS[found[1]],
            path[found.end() :],
        )


def _path(text: str) -> str:
    """A path as this package writes it."""
    segments = text.rstrip("/").split("/")
    return "/".join(quote(unquote(one), safe="") for one in segments)


def _named(method: str, path: str) -> tuple[str, tuple[str, ...]]:
    """A name for what the contract does not know, and the ids in its path."""
    segments = [unquote(one) for one in path.split("/") if one]
    words = [one for one in segments if _WORD.fullmatch(one)]
    ids = tuple(one for one in segments if not _WORD.fullmatch(one))
    name = "_".join((method, *words)).lower().replace("-", "_")
    return name, ids


def _known(method: str, path: str) -> tuple[str, tuple[str, ...]] | None:
    """The contract's operation, and the ids in its path."""
    for pattern, verb, operation in _templates():
        found = pattern.fullmatch(path.rstrip("/")) if verb == method else None
        if found is not None:
            return operation, tuple(map(unquote, found.groups()))
    return None


@cache
def _templates() -> tuple[tuple[re.Pattern[str], str, str], ...]:
    """The paths of the contract, each with its verb and operation.

    No two of them have words in the same places, so a path is of one at most.
    """
    return tuple(
        (re.compile(_PART.sub("([^/]+)", one.path)), one.method, name)
        for name, one in operations().items()
    )
