"""What the requests of a test go through when they are sent: witness and overlays."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

import anyio
import anyio.lowlevel

from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async._http.transport import Send, Stage
from nectar_async._json.json import announced_pages
from nectar_async.errors import RecordingError
from nectar_async.recording.effects import (
    GRAMMAR,
    ClampSilently,
    DeleteRow,
    InsertRow,
    RepeatPage,
    Shuffle,
)
from nectar_async.recording.exchange import Answer, Question, question_of
from nectar_async.recording.overlays import Effect, Order, Overlay, Overlays, Scene
from nectar_async.recording.request_log import Witness
from nectar_async.testing.virtual_clock import VirtualClock
from nectar_async.transports._body import read_body

__all__ = ["Booth", "BriskClock", "RealClock", "SandboxClock"]


class RealClock(VirtualClock):
    """A clock whose waits are waited for, and written down as a `VirtualClock` does.

    No spread is added to them, so that a test may say how long they are.
    """

    def monotonic(self) -> float:
        """Seconds of `time.monotonic`, and those that were advanced."""
        return time.monotonic() + super().monotonic()

    def now(self) -> datetime:
        """The present instant in UTC, as far ahead."""
        return datetime.now(UTC) + timedelta(seconds=super().monotonic())

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds`."""
        self.sleeps.append(seconds)
        await anyio.sleep(seconds)


class BriskClock(VirtualClock):
    """A clock of the waits alone, each of which is waited for a moment only.

    What the network takes does not pass on it: so a test finds the same waits here and
    in replay, to the last digit.

    Args:
        longest: what is waited for at most in truth, in seconds.
    """

    def __init__(self, longest: float) -> None:
        super().__init__(datetime.now(UTC))
        self._longest = longest

    async def sleep(self, seconds: float) -> None:
        """Let `seconds` pass, and wait for as many of them as this clock ever does."""
        await super().sleep(seconds)
        await anyio.sleep(min(seconds, self._longest))


class SandboxClock(VirtualClock):
    """A clock that takes a sandbox along: what is waited for happens there at once.

    Args:
        advance: moves the sandbox's own clock by seconds, before the next request.
    """

    def __init__(self, advance: Callable[[float], object]) -> None:
        super().__init__()
        self._advance = advance
        self._there = 0.0

    async def sleep(self, seconds: float) -> None:
        """Let `seconds` pass, there as well."""
        await super().sleep(seconds)
        # Waits overlap, so it is not moved by each of them.
        ahead = self.monotonic() - self._there
        if ahead > 0:
            self._there += ahead
            self._advance(ahead)


_MOVING: Final = (ClampSilently, DeleteRow, InsertRow, RepeatPage, Shuffle)


class Booth:
    """The stage of a test's clients that counts its requests and makes its trouble.

    An overlay that moves the rows of a list wants all of its pages, as a replay has
    them, so then a list is asked for whole when the first request for it comes.

    Args:
        inner: what records; it meets no trouble that an overlay makes.
        overlays: trouble.
        clock: time, for overlays that wait.
    """

    needs_key = True

    def __init__(
        self, inner: Stage, overlays: Sequence[Order], clock: VirtualClock
    ) -> None:
        self.witness = Witness()
        self._inner = inner
        self._overlays = Overlays(overlays) if overlays else None
        self._wants_all = any(isinstance(_effect(one), _MOVING) for one in overlays)
        self._clock = clock
        self._known: dict[str, Answer] = {}
        self._ahead: dict[str, Answer] = {}
        """Answers that came before anybody asked."""
        self._lock = anyio.Lock()

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        """Have a request sent, through every overlay that it meets."""
        if self._overlays is None:
            with self.witness.watch(question_of(request)):
                await anyio.lowlevel.checkpoint()  # as in replay
                return await self._inner(request, send)
        question = question_of(request, await read_body(request))

        async def proceed() -> Response:
            answer = self._ahead.pop(question.key, None)
            return (answer or await self._ask(request, send)).response()

        scene = Scene(
            request=request,
            question=question,
            play=self._play,
            peek=self._peek,
            clock=self._clock,
        )
        with self.witness.watch(question):
            # Trouble comes after whoever asked at the same time, as in replay.
            await anyio.lowlevel.checkpoint()
            if self._wants_all and request.listing is not None:
                await self._ask_for_all(scene, send)
            return await self._overlays.apply(scene, proceed)

    @property
    def unmet(self) -> tuple[Order, ...]:
        """Overlays that hit no request (yet)."""
        return () if self._overlays is None else self._overlays.unmet

    async def _ask(self, request: Request[Any], send: Send) -> Answer:
        """An answer as a replay has it: unpacked, with the headers that matter."""
        response = await self._inner(request, send)
        answer = Answer.of(
            response,
            self._clock.now(),
            request.max_body_bytes,
            is_file=not request.path,
        )
        question = question_of(request, await read_body(request))
        self._known[question.key] = answer
        return answer

    async def _ask_for_all(self, scene: Scene, send: Send) -> None:
        """Know every page of a list, from the first request for any of them on."""
        async with self._lock:
            pages, number = 1, 1
            while number <= pages:
                page = _page(scene.request, number)
                key = question_of(page).key
                known = self._known.get(key)
                if known is None or known.status != HTTPStatus.OK:
                    known = self._ahead[key] = await self._ask(page, send)
                if known.status != HTTPStatus.OK:
                    return  # it is told to whoever asks for it, and may pass
                if number == 1:
                    pages = announced_pages(known.response().body)
                number += 1

    def _peek(self, question: Question) -> Answer | None:
        return self._known.get(question.key)

    def _play(self, question: Question) -> Answer:
        found = self._peek(question)
        if found is None:
            raise RecordingError(
                f"an overlay wants the answer to {question}, which nobody asked for"
                " yet; it works on recordings only"
            )
        return found


def _effect(order: Order) -> Effect:
    overlay = GRAMMAR.read(order) if isinstance(order, str) else order
    return overlay.effect if isinstance(overlay, Overlay) else overlay


def _page(request: Request[Any], number: int) -> Request[Any]:
    """Another page of a list that is asked for, with its own address."""
    base = request.url.partition("?")[0].removesuffix(request.relative)
    return request.at(number).addressed(base)
