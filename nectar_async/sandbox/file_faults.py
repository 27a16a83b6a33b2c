"""Trouble that only downloads of files can meet; see `faults` for how it is ordered.

```python
Fault(Redirect(hops=2), operation="documents_download")
```
"""

from __future__ import annotations

from urllib.parse import urlencode

from attrs import evolve, frozen

from nectar_async.sandbox.server.files import expired
from nectar_async.sandbox.server.links import FILES_PATH
from nectar_async.sandbox.server.messages import Call, Proceed, Reply

__all__ = ["ChangeFile", "ExpireLink", "IgnoreRange", "Redirect", "SetHeader"]

_FOUND = 302
_HOP = "hop"


@frozen
class IgnoreRange:
    """The server takes no ranges: the whole file comes, with status 200."""

    async def apply(self, call: Call, proceed: Proceed, /) -> Reply:
        """The whole file, whatever part was asked for."""
        kept = {
            name: value
            for name, value in call.headers.items()
            if name.lower() not in {"range", "if-range"}
        }
        return await proceed(evolve(call, headers=kept))


@frozen(kw_only=True)
class Redirect:
    """The file is elsewhere: after so many hops, the last one leads to it."""

    hops: int = 1
    origin: str = ""
    """Where the hops lead, as `http://host:port`; empty stays at the same server."""

    async def apply(self, call: Call, proceed: Proceed, /) -> Reply:
        """302 to the next hop, or the right answer after the last one."""
        hop = int(call.query.get(_HOP, ("0",))[-1])
        if hop >= self.hops:
            return await proceed(call)
        query = {**call.query, _HOP: (str(hop + 1),)}
        path = f"{FILES_PATH}/{call.params['document_id']}.pdf"
        location = f"{self.origin}{path}?{urlencode(query, doseq=True)}"
        return Reply(status=_FOUND, headers={"Location": location})


@frozen
class ExpireLink:
    """The link is out of date, though it does not look like it: 403."""

    async def apply(self, _call: Call, _proceed: Proceed, /) -> Reply:
        """What a link gets whose time is over."""
        return expired().reply


@frozen(kw_only=True)
class ChangeFile:
    """The file is another one from now on: other bytes, and another `ETag`.

    With `skip`, it changes between two parts of a download; with `SetHeader`, what
    shows that is something weaker, or nothing.
    """

    revision: int = 1

    async def apply(self, call: Call, proceed: Proceed, /) -> Reply:
        """The right answer, of the changed file."""
        params = {**call.params, "revision": str(self.revision)}
        return await proceed(evolve(call, params=params))


@frozen(kw_only=True)
class SetHeader:
    """A header of the answer is another one: a weak `ETag`, no `Content-Range`."""

    name: str
    value: str = ""
    """Empty leaves the header out."""

    async def apply(self, call: Call, proceed: Proceed, /) -> Reply:
        """The right answer, but for the header."""
        reply = await proceed(call)
        kept = {
            name: value
            for name, value in reply.headers.items()
            if name.lower() != self.name.lower()
        }
        given = {self.name: self.value} if self.value else {}
        return evolve(reply, headers={**kept, **given})
