"""The link to the hosted portal where webhooks are set up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from nectar_async._http.request import Request
from nectar_async._json.json_text import encode_json, parse_json
from nectar_async._json.scalars import MisfitError
from nectar_async._types import Secret
from nectar_async.errors import DecodeError
from nectar_async.models.link import WebhookPortalLink
from nectar_async.resources._resource import Resource

__all__ = ["WebhookPortal"]

# The contract's guesses at the key, the most likely first.
_KEYS = ("url", "portalUrl", "appPortalUrl")

# The keys come from the server, so an error shows only a part of them.
_MAX_SHOWN_KEYS = 10
_MAX_KEY_LENGTH = 40


class WebhookPortal(Resource):
    """The hosted portal for webhooks, run by Svix.

    https://docs.nectarclimate.com/api-reference/v2-2/webhooks/configure-webhooks
    """

    async def get(self) -> WebhookPortalLink:
        """Return a link that opens the portal without a sign-in for 7 days.

        Experimental. `webhook_portal_get`, GET /webhook: address and key are guesses.
        If they differ, correct them:

            Settings(operations={"webhook_portal_get": Operation(
                "GET", "/webhook/portal", keys={"url": "portalUrl"})})

        The link is the value of `url`, `portalUrl` or `appPortalUrl`, or else the only
        link in the answer; objects inside the answer are searched too.

        Raises:
            DecodeError: there is no link, or several under other keys.
        """
        request = Request.get("webhook_portal_get", "/webhook", WebhookPortalLink)
        read = self._executor.build_decoder(request)
        key = self._executor.get_keys(request.operation).get("url", "url")

        def read_link(body: bytes) -> WebhookPortalLink:
            if _is_link(text := body.decode("utf-8", "replace").strip()):
                return WebhookPortalLink(url=Secret(text))
            try:
                value = parse_json(body)
            except MisfitError:
                return read(body)  # raises the error that says what is wrong
            # Whether the link comes alone or in an object is not documented.
            if isinstance(value, str) and value:
                return WebhookPortalLink(url=Secret(value))
            return read(encode_json(_move_link_to_url(value, (key, *_KEYS))))

        return await self._executor.send_and_decode(request, read_link)


class _TextField(NamedTuple):
    """A text in an answer, with its key."""

    outer_key: str | None
    """The key of the inner object that has the text; None for the answer itself."""
    key: str
    text: str


def _move_link_to_url(value: Any, keys: tuple[str, ...]) -> Any:
    """Move the link of an answer to the key `url`, which the model masks.

    Raises:
        DecodeError: it is not clear which text is the link.
    """
    if not isinstance(value, dict):
        return value
    link = _find_link(list(_iterate_texts(value)), keys)
    if link is None:
        shown = ", ".join(
            repr(key[:_MAX_KEY_LENGTH]) for key in list(value)[:_MAX_SHOWN_KEYS]
        )
        problem = f"no link, or several, under the keys {shown or '(none)'} @ $"
        raise DecodeError.of("WebhookPortalLink", (problem,))
    answer = dict(value)
    if link.outer_key is None:
        del answer[link.key]
    else:
        inner = dict(answer.pop(link.outer_key))
        del inner[link.key]
        answer |= {link.outer_key: inner} if inner else {}
    # This replaces a `url` that is null.
    return {**answer, "url": link.text}


def _find_link(fields: list[_TextField], keys: tuple[str, ...]) -> _TextField | None:
    """Return a link under a known key, or the only link, or the text of a known key.

    A text of the answer itself comes before the texts of objects inside it.
    """
    known = sorted(
        (field for field in fields if field.key in keys),
        key=lambda field: (field.outer_key is not None, keys.index(field.key)),
    )
    links = [field for field in fields if _is_link(field.text)]
    only = links if len(links) == 1 else []
    candidates = [field for field in known if field in links] + only + known
    return next(iter(candidates), None)


def _iterate_texts(
    value: Mapping[str, Any], outer_key: str | None = None
) -> Iterator[_TextField]:
    """Yield the texts of an object, then the texts of objects directly inside it."""
    for key, item in value.items():
        if isinstance(item, str) and item:
            yield _TextField(outer_key, key, item)
    for key, item in value.items() if outer_key is None else ():
        if isinstance(item, dict):
            yield from _iterate_texts(item, key)


def _is_link(value: object) -> bool:
    return (
        isinstance(value, str)
        and value.lower().startswith(("https://", "http://"))
        and not any(map(str.isspace, value))
    )
