"""Finds the operation that a request's method and path name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attrs import frozen

from nectar_async.sandbox.server.messages import RefusalError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nectar_async.sandbox.server.api_call import Handler

__all__ = ["SEGMENTS", "Match", "Route", "Router"]

SEGMENTS: Mapping[str, str] = {"v2.2": "v2.2", "v2.1": "v2.1", "v2.0": "v2"}
"""The API versions and their segments in the path: there is no `/v2.0`."""

_VERSIONS = {segment: version for version, segment in SEGMENTS.items()}
_PARAM = re.compile(r"\{(\w+)\}")
_NOT_FOUND = 404
_NOT_ALLOWED = 405


@frozen
class Route:
    """The method, path and handler of an operation."""

    method: str
    path: str
    handler: Handler


@frozen(kw_only=True)
class Match:
    """The operation that a request names, with its version and path parameters."""

    operation: str
    version: str
    params: Mapping[str, str]
    handler: Handler


class Router:
    """Matches requests to routes.

    Args:
        routes: The routes by operation.
    """

    def __init__(self, routes: Mapping[str, Route]) -> None:
        self._routes = routes
        # By the path's first segment, so that fewer patterns are tried.
        self._patterns: dict[str, dict[str, re.Pattern[str]]] = {}
        for operation, route in routes.items():
            pattern = re.compile(_PARAM.sub(r"(?P<\1>[^/]+)", route.path))
            first = _first_segment(route.path)
            self._patterns.setdefault(first, {})[operation] = pattern

    def match(self, method: str, path: str) -> Match:
        """Match a request.

        Raises:
            RefusalError: 404 for an unknown path, 405 for an unknown method.
        """
        segment, slash, tail = path[1:].partition("/")
        path = slash + tail
        version = _VERSIONS.get(segment)
        allowed = []
        for operation, pattern in self._patterns.get(_first_segment(path), {}).items():
            match = pattern.fullmatch(path)
            if version is None or match is None:
                continue
            route = self._routes[operation]
            if route.method == method:
                return Match(
                    operation=operation,
                    version=version,
                    params=match.groupdict(),
                    handler=route.handler,
                )
            allowed.append(route.method)
        if not allowed:
            raise RefusalError(_NOT_FOUND, "Not found.")
        headers = {"Allow": ", ".join(sorted(allowed))}
        raise RefusalError(_NOT_ALLOWED, "Method not allowed.", headers)


def _first_segment(path: str) -> str:
    return path[1:].partition("/")[0]
