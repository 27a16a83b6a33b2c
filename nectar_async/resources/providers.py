"""The search for providers, the utilities that can be connected."""

from __future__ import annotations

from nectar_async._http.request import Request
from nectar_async._paging.pager import Pager
from nectar_async.models.page import Listing, Page
from nectar_async.models.provider import UtilityProvider
from nectar_async.resources._checked_fields import FieldTable
from nectar_async.resources._checks import text_check
from nectar_async.resources._resource import Resource

__all__ = ["Providers"]


def _check_search(name: str, value: object) -> object:
    """Return text, or None for the empty text: it matches every provider."""
    return text_check()(name, value) or None


_FILTERS = FieldTable({"search": _check_search})


class Providers(Resource):
    """The catalogue of utility providers.

    https://docs.nectarclimate.com/api-reference/v2-2/connections/search-utility-providers
    """

    def search(
        self,
        search: str | None = None,
        *,
        verify: bool = False,
    ) -> Pager[UtilityProvider]:
        """List the providers that match a text.

        Experimental. `providers_search`, GET /datasource?search=...: the address,
        the keys and the shape of the answer are guesses. If they differ, correct them:

            Settings(operations={"providers_search": Operation(
                "GET", "/provider", keys={"search": "q", "datasources": "providers",
                "totalDatasources": "totalProviders"})})

        Args:
            search: a part of the name; all providers by default.
            verify: request page 1 again at the end, to find changes that show on it.

        Raises:
            InvalidArgumentError: `search` is no text; nothing was sent.
        """
        return self._pages(
            Request.get(
                "providers_search",
                "/datasource",
                Page[UtilityProvider],
                query=_FILTERS.build_query(locals()),
                listing=Listing(items="datasources"),
            ),
            verify=verify,
        )
