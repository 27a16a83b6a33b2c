"""Requests for ranges of a file, and the links that they are sent to.

Anyone with the link of a file can read a bill without a key. So links are kept as
`Secret` until they are put in a request. No error contains the text of a file host's
response, because object stores print the signature of the link in it.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, urljoin, urlsplit

from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async._types import Secret
from nectar_async.contract.operation_ids import DOWNLOAD

__all__ = ["build_range_request", "parse_link", "resolve_redirect"]

# The characters that a URL may contain; others are escaped, as browsers do.
_URL_CHARACTERS: Final = "!#$%&'()*+,/:;=?@[]~"


def build_range_request(
    document_id: str,
    url: Secret[str],
    span: tuple[int, int] | None,
    *,
    condition: str | None = None,
    can_halve: bool = False,
) -> Request[bytes]:
    """Build a request for a range of bytes, or for the whole file.

    Args:
        document_id: the document, for errors and recordings.
        url: the link.
        span: the first byte and the one after the last; None for the whole file.
        condition: the validator for `If-Range`: if the file is another one, the host
            sends it as a whole.
        can_halve: whether fewer bytes may be requested when these take too long.
    """
    headers = {"Accept-Encoding": "identity"}
    if span is not None:
        headers["Range"] = f"bytes={span[0]}-{span[1] - 1}"
        if condition is not None:
            headers["If-Range"] = condition
    return Request(
        operation=DOWNLOAD,
        method="GET",
        path="",
        returns=bytes,
        parts={"document_id": document_id},
        headers=headers,
        is_repeatable=True,
        url=url.reveal(),
        can_halve=can_halve,
    )


def parse_link(link: Secret[str]) -> Secret[str] | None:
    """Check and escape a link; returns None if it is no http or https URL."""
    text = quote(link.reveal().strip(), safe=_URL_CHARACTERS)
    try:
        parts = urlsplit(text)
        is_web = parts.scheme in {"http", "https"} and bool(parts.hostname)
        _port = parts.port
    except ValueError:
        return None
    return Secret(text) if is_web else None


def resolve_redirect(url: Secret[str], response: Response) -> Secret[str] | None:
    """Resolve the target of a redirect.

    Returns None if there is none, if it is the same URL, and for a redirect from https
    to http.
    """
    try:
        joined = urljoin(url.reveal(), response.headers.get("location", ""))
    except ValueError:
        return None
    target = parse_link(Secret(joined))
    if target is None or target == url:
        return None
    is_secure = url.reveal().startswith("https:")
    if is_secure and not target.reveal().startswith("https:"):
        return None
    return target
