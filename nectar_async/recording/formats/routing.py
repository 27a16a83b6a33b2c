"""Find the operation of the contract that a URL belongs to."""

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

# v2.0 is served under /v2. There is no /v2.0, but it is a common mistake.
_VERSIONS: Final = {"v2": "v2.0", "v2.0": "v2.0", "v2.1": "v2.1", "v2.2": "v2.2"}
_VERSION: Final = re.compile(r"/(v2(?:\.[012])?)(?=/|$)")

_PORTS: Final = {"http": 80, "https": 443}

# A path segment that is a word names a resource; other segments are ids.
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z_-]*")
_PARAMETER: Final = re.compile(r"\{\w+\}")


@frozen(kw_only=True)
class RoutedUrl:
    """A URL of Nectar with its operation."""

    operation: str
    """The contract's operation id, or a name of method and path: `get_labels`."""
    path: str
    """The path below the version. Paths of the contract are quoted as this package
    quotes them; others are unchanged."""
    owner: str
    """The ids in the path."""
    version: str
    """The API version as in `Settings`: `v2.2`; empty if the URL has none."""


@frozen
class _SplitUrl:
    """One way to split a URL into base, version and path."""

    base: str
    version: str
    path: str


class UrlRouter:
    """Finds the URLs of Nectar in traffic, and their operations.

    With a base URL, every URL below it belongs to Nectar. Without one, a URL belongs to
    Nectar if it has a version and a path of the contract, or if it has the same base as
    such a URL.

    Args:
        base_url: as in `Settings`: an origin with an optional path.
        requests: the methods and URLs of all requests.
        nectar_urls: URLs that are known to belong to Nectar.

    Raises:
        ConfigurationError: `base_url` is invalid.
    """

    def __init__(
        self,
        base_url: str | None,
        requests: Iterable[tuple[str, str]],
        nectar_urls: Iterable[str] = (),
    ) -> None:
        self._base: str | None = None
        self._bases: frozenset[str] = frozenset()
        if base_url is not None:
            self._base = _normalize_base(Settings(base_url=base_url).base_url)
        else:
            matched = (
                split.base
                for method, url in requests
                for split in _list_splits(url)
                if _match_operation(method, split.path) is not None
            )
            known = (
                split.base
                for url in nectar_urls
                for split in islice(_list_splits(url), 1)
            )
            self._bases = frozenset({DEFAULT_BASE_URL, *matched, *known})

    def route(self, method: str, url: str) -> RoutedUrl | None:
        """Find the operation of a URL; None if it does not belong to Nectar."""
        split = self._split(url)
        if split is None:
            return None
        match = _match_operation(method, split.path)
        operation, ids = match or _name_unknown_operation(method, split.path)
        return RoutedUrl(
            operation=operation,
            path=split.path if match is None else _normalize_path(split.path),
            owner=".".join(ids),
            version=split.version,
        )

    def _split(self, url: str) -> _SplitUrl | None:
        if self._base is None:
            splits = (split for split in _list_splits(url) if split.base in self._bases)
            return next(splits, None)
        origin = parse_origin(url)
        whole = "" if origin is None else origin + urlsplit(url.strip()).path
        if not f"{whole}/".startswith(f"{self._base}/"):
            return None
        path = whole.removeprefix(self._base) or "/"
        match = _VERSION.match(path)
        if match is None:
            return _SplitUrl(self._base, "", path)
        return _SplitUrl(self._base, _VERSIONS[match[1]], path[match.end() :])


def parse_origin(url: str) -> str | None:
    """Parse scheme, host and port in lower case; None if it is not a web URL."""
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    scheme = parts.scheme
    if scheme not in _PORTS or not host:
        return None
    bracketed = f"[{host}]" if ":" in host else host
    is_default = port is None or port == _PORTS[scheme]
    return f"{scheme}://{bracketed}" if is_default else f"{scheme}://{bracketed}:{port}"


def is_paged(operation: str) -> bool:
    """Whether the contract has an operation with a page parameter."""
    row = operations().get(operation)
    if row is None:
        return False
    parameters = row.description.get("parameters", ())
    refs = (parameter.get("$ref", "") for parameter in parameters)
    return any(ref.endswith("/Page") for ref in refs)


def _normalize_base(url: str) -> str:
    return f"{parse_origin(url)}{urlsplit(url).path}".rstrip("/")


def _list_splits(url: str) -> Iterator[_SplitUrl]:
    """List every way to split a URL into base, version and path."""
    origin = parse_origin(url)
    if origin is None:
        return
    path = urlsplit(url.strip()).path
    for match in _VERSION.finditer(path):
        yield _SplitUrl(
            origin + path[: match.start()],
            _VERSIONS[match[1]],
            path[match.end() :],
        )


def _normalize_path(text: str) -> str:
    """Quote a path as this package does."""
    segments = text.rstrip("/").split("/")
    return "/".join(quote(unquote(segment), safe="") for segment in segments)


def _name_unknown_operation(method: str, path: str) -> tuple[str, tuple[str, ...]]:
    """Build a name for an operation that the contract does not have, and find ids."""
    segments = [unquote(segment) for segment in path.split("/") if segment]
    words = [segment for segment in segments if _WORD.fullmatch(segment)]
    ids = tuple(segment for segment in segments if not _WORD.fullmatch(segment))
    name = "_".join((method, *words)).lower().replace("-", "_")
    return name, ids


def _match_operation(method: str, path: str) -> tuple[str, tuple[str, ...]] | None:
    """Find the contract's operation for a path, and the ids in the path."""
    for pattern, verb, operation in _compile_templates():
        match = pattern.fullmatch(path.rstrip("/")) if verb == method else None
        if match is not None:
            return operation, tuple(map(unquote, match.groups()))
    return None


@cache
def _compile_templates() -> tuple[tuple[re.Pattern[str], str, str], ...]:
    """Compile the paths of the contract, each with its method and operation.

    No two paths have words in the same segments, so at most one matches.
    """
    return tuple(
        (re.compile(_PARAMETER.sub("([^/]+)", row.path)), row.method, name)
        for name, row in operations().items()
    )
