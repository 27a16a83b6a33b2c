"""The portal where webhooks are set up."""

from __future__ import annotations

from nectar_async._json import parse, renamed
from nectar_async._leaves import MisfitError
from nectar_async._request import Request
from nectar_async._secret import Secret
from nectar_async.models.link import WebhookPortalLink
from nectar_async.resources._resource import Resource

__all__ = ["WebhookPortal"]


class WebhookPortal(Resource):
    """The hosted portal for webhooks, run by Svix.

    https://docs.nectarclimate.com/api-reference/v2-2/webhooks/configure-webhooks
    """

    async def get(self) -> WebhookPortalLink:
        """A link to the portal that signs in by itself, good for 7 days.

        Experimental. `webhook_portal_get`, GET /webhook: address and key are guesses.
        If they are others, correct them:

            Settings(operations={"webhook_portal_get": Operation(
                "GET", "/webhook/portal", keys={"url": "portalUrl"})})
        """
        request = Request.get("webhook_portal_get", "/webhook", WebhookPortalLink)
        read = self._core.reader(request)
        plain = self._core.reader(Request.get("webhook_portal_get", "/webhook", str))

        def link(body: bytes) -> WebhookPortalLink:
            # The API's pages do not say whether the link comes alone or in an object.
            if body.lstrip()[:1] == b'"':
                return WebhookPortalLink(url=Secret(plain(body)))
            return read(_as_url(body))

        return await self._core.ask(request, link)


def _as_url(body: bytes) -> bytes:
    """An object with its only link under `url`: elsewhere nobody would mask it."""
    try:
        values = parse(body)
    except MisfitError:
        return body  # reading it says what is wrong
    if not isinstance(values, dict) or "url" in values:
        return body
    links = [
        key
        for key, value in values.items()
        if isinstance(value, str) and value.startswith("http")
    ]
    return renamed(body, {"url": links[0]}) if len(links) == 1 else body
