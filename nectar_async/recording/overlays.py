"""Trouble laid over a replay: the same recording, with a 429 here and a cut there."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from attrs import evolve

from nectar_async._http.response import Response
from nectar_async.errors import ConfigurationError
from nectar_async.recording.effects import GRAMMAR
from nectar_async.recording.scene import Effect, Overlay, Play, Scene, is_effect

__all__ = ["Effect", "Order", "Overlay", "Overlays", "Scene"]

Order: TypeAlias = Overlay | Effect | str
"""An overlay; an effect, for every request; or either as text: `html status=502`."""

_FORMS = "Overlay(Html(status=502), times=1), Html(status=502) or 'html status=502'"


class Overlays:
    """The overlays in force, and how often each was met.

    Those that are given first are met first. A list that one of them hit is answered as
    often as it is asked for: how often a client goes over it then is its own affair.

    Raises:
        ConfigurationError: what is given is no overlay; says how one is written.
    """

    def __init__(self, overlays: Iterable[Order] = ()) -> None:
        if isinstance(overlays, str) or not isinstance(overlays, Iterable):
            raise ConfigurationError(
                f"overlays are a list: write overlays=[{overlays!r}]"
            )
        self._overlays = [_Counted(_overlay(order), order) for order in overlays]
        self._given: Counter[tuple[str, int]] = Counter()
        """How often each page of each list was given."""
        self._hit: set[str] = set()
        """Lists that met an overlay."""

    @property
    def unmet(self) -> tuple[Order, ...]:
        """Those that hit no request (yet), as they were given."""
        return tuple(one.order for one in self._overlays if not one.has_hit)

    async def apply(self, scene: Scene, proceed: Play) -> Response:
        """Send a request through every overlay that it meets, and then on."""
        if not self._overlays:
            return await proceed()
        effects = [*self._hits(scene)]
        page = scene.page
        if page is None:
            return await _through(effects, scene, proceed)
        whole = scene.whole.key
        if effects:
            self._hit.add(whole)
        scene = evolve(scene, given=lambda number: self._given[whole, number])
        is_played = scene.given(page) > 0 and whole in self._hit

        async def play() -> Response:
            nonlocal is_played
            if is_played:
                return await scene.look(proceed)
            is_played = True
            return await proceed()

        response = await _through(effects, scene, play)
        if response.is_success:
            self._given[whole, page] += 1
            if not is_played and scene.peek(scene.question) is not None:
                # An effect made it out of what is recorded: that was asked for.
                scene.play(scene.question)
        return response

    def _hits(self, scene: Scene) -> Iterator[Effect]:
        for counted in self._overlays:
            if counted.overlay.matches(scene) and counted.is_due():
                yield counted.overlay.effect


class _Counted:
    def __init__(self, overlay: Overlay, order: Order) -> None:
        self.overlay = overlay
        self.order = order
        self._met = 0

    @property
    def has_hit(self) -> bool:
        return self._met > self.overlay.skip

    def is_due(self) -> bool:
        overlay = self.overlay
        self._met += 1
        times = math.inf if overlay.times is None else overlay.times
        return overlay.skip < self._met <= overlay.skip + times


def _overlay(order: object) -> Overlay:
    if isinstance(order, Overlay):
        return order
    if isinstance(order, str):
        return GRAMMAR.read(order)
    if is_effect(order):
        return Overlay(order)
    raise ConfigurationError(f"an overlay is written as {_FORMS}, not {order!r}")


async def _through(effects: Sequence[Effect], scene: Scene, proceed: Play) -> Response:
    for effect in reversed(effects):
        proceed = _around(effect, scene, proceed)
    return await proceed()


def _around(effect: Effect, scene: Scene, proceed: Play) -> Play:
    async def apply() -> Response:
        return await effect.apply(scene, proceed)

    return apply
