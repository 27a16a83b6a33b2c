"""Which operation is where, and what answers it: one row for each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attrs import frozen

from nectar_async.sandbox.calls import Handler, RefusalError
from nectar_async.sandbox.handlers import companies, ping, sites, usage

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ROUTES", "SEGMENTS", "Match", "Route", "Router"]

SEGMENTS: Mapping[str, str] = {"v2.2": "v2.2", "v2.1": "v2.1", "v2.0": "v2"}
"""The version and its segment in the path: there is no `/v2.0`."""


@frozen
class Route:
    """Where an operation is, and what answers it."""

    method: str
    path: str
    handler: Handler


@frozen(kw_only=True)
class Match:
    """The operation that a request asks for, in which version, and of what."""

    operation: str
    version: str
    params: Mapping[str, str]
    handler: Handler


class Router:
    """Finds the operation of a path."""

    def __init__(self, routes: Mapping[str, Route]) -> None:
        self._routes = routes
        self._patterns = {
            operation: re.compile(_PARAM.sub(r"(?P<\1>[^/]+)", route.path))
            for operation, route in routes.items()
        }

    def match(self, method: str, path: str) -> Match:
        """The match, or a refusal: 404 for a strange path, 405 for a strange method."""
        segment, slash, rest = path[1:].partition("/")
        version = _VERSIONS.get(segment)
        status, detail = _NOT_FOUND
        for operation, pattern in self._patterns.items():
            found = pattern.fullmatch(slash + rest)
            if version is None or found is None:
                continue
            route = self._routes[operation]
            if route.method == method:
                return Match(
                    operation=operation,
                    version=version,
                    params=found.groupdict(),
                    handler=route.handler,
                )
            status, detail = _NOT_ALLOWED
        raise RefusalError(status, detail)


ROUTES: Mapping[str, Route] = {
    "ping_get": Route("GET", "/ping", ping.get),
    "companies_list": Route("GET", "/company", companies.list_all),
    "companies_get": Route("GET", "/company/{company_id}", companies.get),
    "sites_list_by_company": Route(
        "GET", "/site/company/{company_id}", sites.list_by_company
    ),
    "usage_list_by_company": Route(
        "GET", "/usage/company/{company_id}", usage.list_by_company
    ),
    "usage_list_by_site": Route("GET", "/usage/site/{site_id}", usage.list_by_site),
}

_VERSIONS = {segment: version for version, segment in SEGMENTS.items()}
_PARAM = re.compile(r"\{(\w+)\}")
_NOT_FOUND = (404, "Not found.")
_NOT_ALLOWED = (405, "Method not allowed.")
