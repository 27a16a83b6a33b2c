"""The portal where webhooks are set up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from nectar_async._http.request import Request
from nectar_async._json.json import encoded, parse
from nectar_async._json.scalars import MisfitError
from nectar_async._types import Secret
from nectar_async.errors import DecodeError
from nectar_async.models.link import WebhookPortalLink
from nectar_async.resources._resource import Resource

__all__ = ["WebhookPortal"]

# The contract's guesses at the key, the best first.
_KEYS = ("url", "portalUrl", "appPortalUrl")

# The keys are the server's: an error names so many, and so much of each.
_MOST_KEYS = 10
_LONGEST_KEY = 40


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

        The link is taken from under `url`, `portalUrl` or `appPortalUrl`, or is the
        only link that came, if need be from an object inside the answer.

        Raises:
            DecodeError: there is no link, or more than one without such a key.
        """
        request = Request.get("webhook_portal_get", "/webhook", WebhookPortalLink)
        read = self._executor.build_decoder(request)
        true = self._executor.get_keys(request.operation).get("url", "url")

        def link(body: bytes) -> WebhookPortalLink:
            if _is_link(text := body.decode("utf-8", "replace").strip()):
                return WebhookPortalLink(url=Secret(text))
            try:
                value = parse(body)
            except MisfitError:
                return read(body)  # which says what is wrong
            # The API's pages do not say whether the link comes alone or in an object.
            if isinstance(value, str) and value:
                return WebhookPortalLink(url=Secret(value))
            return read(encoded(_as_url(value, (true, *_KEYS))))

        return await self._executor.send_and_decode(request, link)


class _Place(NamedTuple):
    """Where a text stands in an answer: in it, or in an object inside it."""

    outer: str | None
    key: str
    text: str


def _as_url(value: Any, keys: tuple[str, ...]) -> Any:
    """An object with its link under `url`: elsewhere nobody would mask it."""
    if not isinstance(value, dict):
        return value
    place = _chosen(list(_places(value)), keys)
    if place is None:
        shown = ", ".join(repr(key[:_LONGEST_KEY]) for key in list(value)[:_MOST_KEYS])
        problem = f"no link, or several, under the keys {shown or '(none)'} @ $"
        raise DecodeError.of("WebhookPortalLink", (problem,))
    rest = dict(value)
    if place.outer is None:
        del rest[place.key]
    else:
        inner = dict(rest.pop(place.outer))
        del inner[place.key]
        rest |= {place.outer: inner} if inner else {}
    # A `url` that is null makes room for the link.
    return {**rest, "url": place.text}


def _chosen(places: list[_Place], keys: tuple[str, ...]) -> _Place | None:
    """The link under a key that is known, or the only link, or the text of such a key.

    What stands in the answer itself comes before what stands in an object inside it.
    """
    known = sorted(
        (one for one in places if one.key in keys),
        key=lambda one: (one.outer is not None, keys.index(one.key)),
    )
    links = [one for one in places if _is_link(one.text)]
    only = links if len(links) == 1 else []
    return next(iter([one for one in known if one in links] + only + known), None)


def _places(value: Mapping[str, Any], outer: str | None = None) -> Iterator[_Place]:
    """Every text of an object, its own before those of the objects inside it."""
    for key, one in value.items():
        if isinstance(one, str) and one:
            yield _Place(outer, key, one)
    for key, one in value.items() if outer is None else ():
        if isinstance(one, dict):
            yield from _places(one, key)


def _is_link(value: object) -> bool:
    return (
        isinstance(value, str)
        and value.lower().startswith(("https://", "http://"))
        and not any(map(str.isspace, value))
    )
