"""The traversal of one list: its passes, and their sum as a receipt.

In most cases that is one pass over the list as it was requested. There are more when

    the server runs out of time     the window is split in two halves, each of them a
                                    pass that may be split again
    the list changed                the window is read again, if `max_rewalks` allows it
    `verify` is set                 the first page is requested again at the end

Records are delivered once, by id, whichever pass reads them first; those that changed
meanwhile are delivered again. Nothing here sends a request: a reader (`sequential`,
`prefetch`) requests the pages of `current_pass`, and gives them to `add_page` in order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import compress
from typing import Generic, TypeVar

from attrs import define, evolve, frozen

from nectar_async._http.request import Request
from nectar_async._http.telemetry import log_halving, log_rewalk
from nectar_async._paging.cursor import Cursor
from nectar_async._paging.date_windows import read_window, replace_window, split_window
from nectar_async._paging.progress_bar import Draw
from nectar_async._paging.receipt import (
    Damage,
    IdSet,
    PassTracker,
    Receipt,
    Verdict,
    build_unreadable_error,
    describe_counts,
    describe_receipt,
    find_worst,
    hash_rows,
    sum_known,
    to_content,
)
from nectar_async._text import make_one_line
from nectar_async.errors import (
    DecodeError,
    InvalidArgumentError,
    NectarError,
    ServerTimeoutError,
)
from nectar_async.models.page import Page

__all__ = ["MAX_REWALKS", "Traversal", "WindowPass"]

T = TypeVar("T")

MAX_REWALKS = 2
"""How often a fan-out rereads a list that changed."""


@define(eq=False)
class WindowPass(Generic[T]):
    """One reading of one window, from its first page to its last."""

    request: Request[Page[T]]
    """The request for its first page."""
    tracker: PassTracker[T]
    is_verification: bool = False
    """Whether it is the first page only, requested again to see whether it changed."""

    @property
    def first_page(self) -> int:
        """The number of its first page."""
        return self.tracker.first_page

    @property
    def last_page(self) -> int:
        """The number of the last page that is known to exist."""
        tracker = self.tracker
        return tracker.first_page if self.is_verification else tracker.last_page


@frozen
class _FinishedWindow:
    """Totals and verdict of a window that was read to its end."""

    total_first: int | None
    total_last: int | None
    verdict: Verdict


class Traversal(Generic[T]):
    """Takes the pages of one list in order, and returns the records to deliver.

    Args:
        request: the list.
        max_rewalks: how often a window that changed may be read again.
        verify: whether to request the first page of each window again at its end.
        cursor: where to begin; by default at the beginning.
        queue_key: the limiter's queue for these requests; by default a separate queue.
        draw: draws a progress bar after each page.
    """

    def __init__(
        self,
        request: Request[Page[T]],
        *,
        max_rewalks: int = 0,
        verify: bool = False,
        cursor: Cursor | None = None,
        queue_key: object = None,
        draw: Draw | None = None,
    ) -> None:
        self._draw = draw
        self._request = evolve(
            request, queue_key=self if queue_key is None else queue_key
        )
        self._rewalks_left = max_rewalks
        self._verify = verify
        self._ids = IdSet()
        """The ids of all records that were read."""
        self._versions = IdSet()
        """The versions of all records that were delivered."""
        self._windows = deque(_list_windows(self._request, cursor))
        """The windows that are left."""
        self._earlier_ids: IdSet | None = IdSet() if len(self._windows) > 1 else None
        """The ids of the windows before this one; None with a single window."""
        self._finished_windows: list[_FinishedWindow] = []
        self._first_tracker: PassTracker[T] | None = None
        """The tracker of the first pass over this window, in a later pass."""
        self._previous_result: tuple[int | None, int, int] | None = None
        """Total, ids and records at the end of the previous pass over this window."""
        self._records = 0
        self._repeats = 0
        self._pages = 0
        self._rewalked = 0
        self._damage = Damage()
        """The damage of the windows that are finished."""
        self._receipt: Receipt | None = None
        self.is_finished: bool = False
        """Whether the last page of the last pass was added."""
        self.current_pass: WindowPass[T] = _begin_pass(
            self._windows.popleft(), self._ids, self._versions
        )

    def add_page(self, page: Page[T]) -> Page[T] | None:
        """Add the next page of the current pass.

        Afterwards `current_pass` may be another one.

        Returns:
            The page with the records to deliver; None if a later pass has no new ones.

        Raises:
            PaginationError: the pages do not advance.
        """
        window_pass = self.current_pass
        is_verification, tracker = window_pass.is_verification, window_pass.tracker
        is_first = tracker.ids is self._ids
        self._pages += 1
        self._rewalked += self._first_tracker is not None and not is_verification
        new = page if is_verification else tracker.add_page(page)
        if is_verification or not is_first:
            new = self._select_new(new)
        self._records += len(new.items)
        if is_verification:
            is_changed = to_content(page) != tracker.first_content
            self._finish_pass(window_pass, is_changed=is_changed)
        elif tracker.is_finished:
            self._verify_or_finish(window_pass)
        if self._draw is not None:
            receipt = self.build_receipt()
            counts = receipt.pages, receipt.records, receipt.total_last
            self._draw(*counts[1:], describe_counts(*counts))
        return new if new.items or (is_first and not is_verification) else None

    def split_after(self, error: Exception) -> bool:
        """Split the current window in two if the request for a page ran out of time.

        Returns:
            Whether it was split; otherwise the error ends the traversal.
        """
        halves = None
        window_pass = self.current_pass
        if isinstance(error, ServerTimeoutError) and not window_pass.is_verification:
            halves = split_window(window_pass.request)
        if halves is None:
            self._note_short_window(error)
            return False
        log_halving(window_pass.request)
        self._repeats += window_pass.tracker.repeats
        self._earlier_ids = IdSet() if self._earlier_ids is None else self._earlier_ids
        self._windows.appendleft(halves[1])
        self._begin_window(halves[0])
        return True

    def set_cursor(self, error: NectarError) -> None:
        """Set the cursor of an error: where the traversal can be continued."""
        if error.page is None:
            return
        page, windows_left = error.page, (self.current_pass.request, *self._windows)
        if self.current_pass.is_verification:
            error.add_note(
                "all records were delivered; only the request for the first page that"
                " verifies the list failed"
            )
            error.cursor = None
            page, windows_left = 1, tuple(self._windows)
        if windows_left:
            request = self._request.at(page)
            error.cursor = str(
                Cursor.from_request(request, self._read_windows(windows_left))
            )

    def _read_windows(
        self, requests: tuple[Request[Page[T]], ...]
    ) -> tuple[tuple[str, str], ...]:
        """Return the windows of requests; empty if they are the whole list's."""
        windows = tuple(
            window for window in map(read_window, requests) if window is not None
        )
        return () if windows == (read_window(self._request),) else windows

    def finish(self) -> None:
        """Finish the receipt when the caller asks for more after the last page.

        Only that shows that it took every record; until then the traversal counts as
        unfinished. The ids are freed.
        """
        if self.is_finished and self._receipt is None:
            verdict = find_worst(window.verdict for window in self._finished_windows)
            self._receipt = self._sum(verdict)
            self._ids, self._earlier_ids, self._versions = IdSet(), None, IdSet()
            tracker = self.current_pass.tracker
            tracker.ids, tracker.versions = IdSet(), IdSet()

    def build_receipt(self) -> Receipt:
        """Build the receipt of what was read so far."""
        return self._receipt or self._sum(Verdict.UNFINISHED)

    @property
    def title(self) -> str:
        """The list with its owner: `usage_list_by_company of company 3b1e6f0a-…`."""
        owner = make_one_line(self._request.owner)
        return f"{self._request.operation}{' of ' if owner else ''}{owner}"

    def describe(self) -> str:
        """Describe the list, how far it was read, and the verdict."""
        return f"{self.title}: {describe_receipt(self.build_receipt())}"

    def build_unreadable_error(self) -> DecodeError | None:
        """Build the error that names the items that were left out; None without any."""
        return build_unreadable_error(self.build_receipt(), self._request)

    def _note_short_window(self, error: Exception) -> None:
        """Add a note to the error of a window that is too short to be split."""
        window = read_window(self.current_pass.request)
        if isinstance(error, ServerTimeoutError) and window is not None:
            start, end = window
            error.add_note(f"the window {start} to {end} cannot be halved any further")

    def _select_new(self, page: Page[T]) -> Page[T]:
        """Keep the records that no pass has read before, and those that changed."""
        ids, versions = hash_rows(page)
        self._ids.add_all(ids)
        are_new = self._versions.add_all(versions)
        return evolve(page, items=tuple(compress(page.items, are_new)))

    def _verify_or_finish(self, window_pass: WindowPass[T]) -> None:
        """Read a complete window again if `verify` is set, or else finish the pass."""
        is_complete = window_pass.tracker.verdict() is Verdict.COMPLETE
        if self._verify and is_complete:
            request = evolve(window_pass.request, can_halve=False)
            self.current_pass = WindowPass(
                request, window_pass.tracker, is_verification=True
            )
        else:
            self._finish_pass(window_pass, is_changed=False)

    def _finish_pass(self, window_pass: WindowPass[T], *, is_changed: bool) -> None:
        """Read the window again, or go on to the next one, or finish."""
        tracker = window_pass.tracker
        verdict = tracker.verdict()
        if is_changed:
            verdict = find_worst((verdict, Verdict.DRIFTED))
        self._repeats += tracker.repeats
        # If two passes give the same result, it is accepted.
        result = tracker.total_last, len(tracker.ids), self._records
        is_new_result = result != self._previous_result
        self._previous_result = result
        # Reading again does not help against items that cannot be read.
        is_incomplete = is_changed or tracker.judge_readable() is not Verdict.COMPLETE
        if is_incomplete and is_new_result and self._rewalks_left > 0:
            self._rewalks_left -= 1
            log_rewalk(window_pass.request)
            first_tracker = self._first_tracker or tracker
            self._begin_window(window_pass.request)
            self._first_tracker, self._previous_result = first_tracker, result
            return
        self._damage += tracker.damage
        self._finished_windows.append(self._finish_window(tracker, verdict))
        if self._windows:
            self._begin_window(self._windows.popleft())
        else:
            self.is_finished = True

    def _begin_window(self, request: Request[Page[T]]) -> None:
        self._first_tracker = self._previous_result = None
        self.current_pass = _begin_pass(request, IdSet(), IdSet())

    def _finish_window(
        self, tracker: PassTracker[T], verdict: Verdict
    ) -> _FinishedWindow:
        totals = (self._first_tracker or tracker).total_first, tracker.total_last
        if self._earlier_ids is None:
            return _FinishedWindow(*totals, verdict)
        # A record in two windows is one record of the list.
        shared = tracker.ids.count_common(self._earlier_ids)
        self._earlier_ids.add_all(tuple(tracker.ids))
        first, last = (None if total is None else total - shared for total in totals)
        return _FinishedWindow(first, last, verdict)

    def _sum(self, verdict: Verdict) -> Receipt:
        firsts = [window.total_first for window in self._finished_windows]
        lasts = [window.total_last for window in self._finished_windows]
        repeats, damage = self._repeats, self._damage
        if not self.is_finished:
            tracker = self.current_pass.tracker
            firsts.append((self._first_tracker or tracker).total_first)
            lasts.append(tracker.total_last)
            repeats += 0 if self.current_pass.is_verification else tracker.repeats
            damage += tracker.damage
        return Receipt(
            total_first=sum_known(firsts),
            total_last=sum_known(lasts),
            records=self._records,
            distinct=len(self._ids),
            repeats=repeats,
            unreadable=damage.left_out + damage.losses,
            losses=damage.losses,
            problems=damage.problems or damage.loss_problems,
            pages=self._pages,
            rewalked=self._rewalked,
            verdict=verdict,
        )


def _begin_pass(
    request: Request[Page[T]], ids: IdSet, versions: IdSet
) -> WindowPass[T]:
    """Begin a pass with the page that a request asks for."""
    tracker: PassTracker[T] = PassTracker(request.page or 1, ids, versions)
    can_halve = bool(request.query) and split_window(request) is not None
    return WindowPass(evolve(request, can_halve=can_halve), tracker)


def _list_windows(
    request: Request[Page[T]], cursor: Cursor | None
) -> Iterator[Request[Page[T]]]:
    """List the requests for the windows that are left to read from a cursor on."""
    if cursor is None:
        yield request
        return
    cursor.check(request)
    if not cursor.windows:
        yield request.at(cursor.page)
        return
    if read_window(request) is None:
        raise InvalidArgumentError(f"cursor belongs to a list with dates: {cursor}")
    for index, (start, end) in enumerate(cursor.windows):
        window = replace_window(request, start, end)
        yield window.at(cursor.page) if index == 0 else window
