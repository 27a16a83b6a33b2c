"""One chunk of a file: how it is asked for, and what the answer may be.

The link of a file opens a bill without a key. It stays a `Secret` until it stands in a
request, and nothing that a file host says gets into an error: object stores print the
signature.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, urljoin, urlsplit

from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async._types import Secret
from nectar_async.contract.operation_ids import DOWNLOAD

__all__ = [
    "address_of",
    "chunk_request",
    "redirected",
]

# What may stand in an address as it is; anything else is escaped, as browsers do.
_AS_IT_IS: Final = "!#$%&'()*+,/:;=?@[]~"


def chunk_request(
    document_id: str,
    address: Secret[str],
    span: tuple[int, int] | None,
    *,
    condition: str | None = None,
    can_halve: bool = False,
) -> Request[bytes]:
    """Asks for the bytes from the first to before the second; for all when None.

    Args:
        document_id: for errors and recordings.
        address: where to.
        span: the bytes.
        condition: what tells which file it has to be; another one comes as a whole.
        can_halve: whether fewer bytes may be asked for when these take too long.
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
        url=address.reveal(),
        can_halve=can_halve,
    )


def address_of(link: Secret[str]) -> Secret[str] | None:
    """A link as an address that can be asked; None for what is no web address."""
    text = quote(link.reveal().strip(), safe=_AS_IT_IS)
    try:
        parts = urlsplit(text)
        is_web = parts.scheme in {"http", "https"} and bool(parts.hostname)
        _port = parts.port
    except ValueError:
        return None
    return Secret(text) if is_web else None


def redirected(address: Secret[str], response: Response) -> Secret[str] | None:
    """Where an answer redirects to; None for nowhere, and from https to http."""
    try:
        joined = urljoin(address.reveal(), response.headers.get("location", ""))
    except ValueError:
        return None
    target = address_of(Secret(joined))
    if target is None or target == address:
        return None
    is_secure = address.reveal().startswith("https:")
    if is_secure and not target.reveal().startswith("https:"):
        return None
    return target
