"""Lists that move while they are read, and envelopes that do not tell the truth.

See `scene` for how they are laid over a replay. What has no pages, as a bare array, is
answered as ever. Of several effects that move the rows of a list the first one counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

import msgspec
from attrs import field, frozen
from attrs.validators import optional

from nectar_async._http.response import Response
from nectar_async._json.json import encoded, parse
from nectar_async.recording.bodies import sha256_hex
from nectar_async.recording.fields import whole
from nectar_async.recording.scene import Play, Scene
from nectar_async.recording.sheets import Sheet, Sheets

__all__ = [
    "ClampSilently",
    "DeleteRow",
    "InsertRow",
    "Miscount",
    "RepeatPage",
    "Shuffle",
]

_NEW_ROWS = UUID("c0a1f9d2-5f0e-4d6b-9d3f-6c1b7b1a2e40")


@frozen
class ClampSilently:
    """A page behind the last one is that one again, but claims the number asked for."""

    last: int | None = field(default=None, validator=optional(whole(1)))
    """The last page that there is; None for that of the recorded list."""

    async def apply(self, scene: Scene, proceed: Play, /) -> Response:
        """The last page under the wrong number."""
        listing, page = scene.request.listing, scene.page
        first = Sheet.of(scene.peek_page(1), listing)
        if first is None or page is None:
            return await proceed()
        last = self.last or first.pages
        sheet = Sheet.of(scene.peek_page(last), listing)
        if page <= last or sheet is None:
            return await proceed()
        return sheet.changed(currentPage=page)


@frozen
class RepeatPage:
    """Page n brings the rows of page n - 1, and says that there is more."""

    async def apply(self, scene: Scene, proceed: Play, /) -> Response:
        """The page before, under the number asked for."""
        page = scene.page or 1
        before = Sheet.of(scene.peek_page(max(1, page - 1)), scene.request.listing)
        if before is None:
            return await proceed()
        return before.changed(currentPage=page, hasNext=True)


@frozen(kw_only=True)
class InsertRow:
    """Once a page was given, a new row comes in, and all rows behind it move by one.

    So the last row of that page comes again at the front of the next one. Lay it over
    all pages of a list, that is, without `page=`.
    """

    after: int = field(default=1, validator=whole(1))
    """The page that is given before it happens."""
    at: int = field(default=1, validator=whole(1))
    """Which row of the list the new one is."""
    row: Mapping[str, Any] | None = None
    """The new row, by its wire keys; None for the first one with an id of its own."""

    async def apply(self, scene: Scene, proceed: Play, /) -> Response:
        """The page of the list as it is by now."""
        sheets = Sheets.of(scene) if scene.given(self.after) else None
        if sheets is None:
            return await proceed()
        return sheets.moved(self._insert)

    def _insert(self, rows: list[msgspec.Raw]) -> None:
        row = self.row
        if row is None:
            row = dict(parse(rows[0])) if rows else {"id": ""}
            row["id"] = str(uuid5(_NEW_ROWS, str(row.get("id"))))
        rows.insert(self.at - 1, msgspec.Raw(encoded(row)))


@frozen(kw_only=True)
class DeleteRow:
    """Once a page was given, a row goes, and all rows behind it move by one.

    So the first row of the next page is on the page that was given, where nobody looks
    any more. Lay it over all pages of a list, that is, without `page=`.
    """

    after: int = field(default=1, validator=whole(1))
    """The page that is given before it happens."""
    at: int = field(default=1, validator=whole(1))
    """Which row of the list goes."""

    async def apply(self, scene: Scene, proceed: Play, /) -> Response:
        """The page of the list as it is by now."""
        sheets = Sheets.of(scene) if scene.given(self.after) else None
        if sheets is None:
            return await proceed()
        return sheets.moved(self._delete)

    def _delete(self, rows: list[msgspec.Raw]) -> None:
        del rows[self.at - 1 : self.at]


@frozen(kw_only=True)
class Shuffle:
    """The rows of the list are in another order, and so on other pages."""

    seed: int = 1
    """Says which order; the same one for all pages of a list."""

    async def apply(self, scene: Scene, proceed: Play, /) -> Response:
        """The page of the list as it would be in that order."""
        sheets = Sheets.of(scene)
        return await proceed() if sheets is None else sheets.moved(self._shuffle)

    def _shuffle(self, rows: list[msgspec.Raw]) -> None:
        # By a digest: the same order on every machine and every Python.
        rows.sort(key=lambda row: sha256_hex(b"%d/%b" % (self.seed, bytes(row))))


@frozen(kw_only=True)
class Miscount:
    """Totals that lie: always by as much, or by another number on each page."""

    by: int = 0
    """How many records more, or fewer, the envelope claims than there are."""
    each_page: int = 0
    """How many more on top, for each page before this one."""
    pages: int = 0
    """How many pages more, or fewer, it claims than there are."""

    async def apply(self, scene: Scene, proceed: Play, /) -> Response:
        """The right rows, miscounted."""
        response = await proceed()
        sheet = Sheet.of(response, scene.request.listing)
        if sheet is None:
            return response
        values = {"totalPages": max(0, sheet.pages + self.pages)}
        if sheet.total_key is not None:
            more = self.by + self.each_page * ((scene.page or 1) - 1)
            total = sheet.number(sheet.total_key) or 0
            values[sheet.total_key] = max(0, total + more)
        return sheet.changed(**values)
