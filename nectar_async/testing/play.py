"""From a test's terms to its recording, and back when it is over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from nectar_async.testing.fixtures import Replayed
from nectar_async.testing.options import Terms, plainly
from nectar_async.testing.recordings import NectarRecording
from nectar_async.testing.session import Suite, has_passed
from nectar_async.transports._mode import Mode

if TYPE_CHECKING:
    from nectar_async.testing.live import Live

__all__ = ["play"]


def play(
    request: pytest.FixtureRequest, defaults: Mapping[str, Any]
) -> Iterator[NectarRecording]:
    """Give a test its recording, and look afterwards at what came of it."""
    item: pytest.Item = request.node
    with plainly():
        playing = _playing(request, Terms.of(item, defaults))
    try:
        yield playing.recording
        with plainly():
            playing.end(has_passed=has_passed(item))
    finally:
        playing.close()


def _playing(request: pytest.FixtureRequest, terms: Terms) -> Replayed | Live:
    suite = Suite.of(request.config)
    if terms.mode is Mode.REPLAY:
        return Replayed(terms, suite)
    # By name, because a replay never loads aiohttp.
    live = import_module("nectar_async.testing.live")
    if terms.is_on_sandbox:
        server = live.Server.sandbox(terms, request.getfixturevalue("nectar_sandbox"))
    else:
        server = live.Server.api(terms)
    playing: Live = live.Live(request.node, terms, server)
    return playing
