"""Providers: the utilities whose portals can be connected."""

from __future__ import annotations

from nectar_async._http.request import Request
from nectar_async._paging.pager import Pager
from nectar_async.models.page import Listing, Page
from nectar_async.models.provider import UtilityProvider
from nectar_async.resources._lists import PROVIDERS
from nectar_async.resources._resource import Resource

__all__ = ["Providers"]


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
        """Providers that match a text; all of them without one.

        Experimental. `providers_search`, GET /datasource?search=...: address, keys and
        shape are guesses. If they are others, correct them:

            Settings(operations={"providers_search": Operation(
                "GET", "/provider", keys={"search": "q", "datasources": "providers",
                "totalDatasources": "totalProviders"})})

        Args:
            search: a part of the name; all of them when left out.
            verify: ask for page 1 again at the end; finds the moves that show on it.

        Raises:
            InvalidArgumentError: `search` is no text; nothing was sent.
        """
        return self._pages(
            Request.get(
                "providers_search",
                "/datasource",
                Page[UtilityProvider],
                query=PROVIDERS.query(locals()),
                listing=Listing(items="datasources"),
            ),
            verify=verify,
        )
