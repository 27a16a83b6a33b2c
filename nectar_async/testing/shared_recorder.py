"""What the tests of one run record at one path, and how it is written.

A path is one test's, as a rule, and is written when that has passed. Where markers give
several tests one recording, it has what any of them asks, once; it is written when the
last of them has passed, and stays as it was if one of them fails. So recording anew
what is unchanged leaves no difference, however many share it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nectar_async._http.request import Request
from nectar_async._http.response import Response
from nectar_async._http.transport import Send, Stage
from nectar_async._types import Secret
from nectar_async.client import NectarClient
from nectar_async.errors import ConfigurationError
from nectar_async.recording.exchange import build_question
from nectar_async.recording.redaction.redaction import Redaction
from nectar_async.settings import Settings
from nectar_async.transports._body import read_body
from nectar_async.transports._mode import Mode
from nectar_async.transports.recorder import Recorder

__all__ = ["SharedRecorder", "write_recording"]


class SharedRecorder:
    """What is recorded anew at a path, and the tests that it is waiting for.

    Args:
        path: of the recording.
        tests: the ids of those that share it.
        redaction: which they have to share as well.
        flags: further arguments of the `Recorder`.
    """

    def __init__(
        self,
        path: Path,
        tests: Iterable[str],
        redaction: Redaction,
        flags: Mapping[str, Any],
    ) -> None:
        self.recorder = Recorder(path, mode=Mode.RECORD, redaction=redaction, **flags)
        self._redaction = redaction
        self._waiting = set(tests)
        self.failed: set[str] = set()
        """The ids of tests that failed, and of those that have not run."""
        self.answers: defaultdict[str, list[Response]] = defaultdict(list)
        """What was recorded so far, by question."""

    def turn(self, test: str, redaction: Redaction) -> Stage:
        """The stage that records for a test.

        Raises:
            ConfigurationError: its redaction is another one than that of the others.
        """
        if redaction != self._redaction:
            raise ConfigurationError(
                f"tests that share the recording {self.recorder.path} have different"
                " redactions; give them one, on their module or in nectar_defaults"
            )
        self._waiting.add(test)
        return _Turn(self)

    def end(self, test: str, *, has_passed: bool) -> bool:
        """Note how a test went; whether the recording can be written now."""
        self._waiting.discard(test)
        (self.failed.discard if has_passed else self.failed.add)(test)
        return not self._waiting and not self.failed

    @property
    def waiting(self) -> frozenset[str]:
        """The ids of tests that share it and are not over."""
        return frozenset(self._waiting)


class _Turn:
    """One test at a tape: what an earlier one asked is answered as it was then."""

    def __init__(self, tape: SharedRecorder) -> None:
        self._tape = tape
        self._earlier = {key: tuple(some) for key, some in tape.answers.items()}
        self._asked: Counter[str] = Counter()

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        if not (request.body is None or isinstance(request.body, bytes)) and (
            not callable(request.body)
        ):
            return await self._tape.recorder(request, send)
        key = build_question(request, await read_body(request)).key
        number = self._asked[key]
        self._asked[key] += 1
        earlier = self._earlier.get(key, ())
        if number < len(earlier):
            return earlier[number]
        response = await self._tape.recorder(request, send)
        self._tape.answers[key].append(response)
        return response


class _Last:
    """A recorder that says whether writing changed anything."""

    needs_key = True

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.has_changed = False

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        return await self._recorder(request, send)

    async def finish(self, send: Send) -> None:
        self.has_changed = await self._recorder.finish(send)


async def write_recording(
    recorder: Recorder, key: Secret[str], settings: Settings
) -> bool:
    """Read begun lists to their end, and write a recording; whether it changed.

    Args:
        recorder: of a test whose loop may be over.
        key: for the requests that are still to be sent.
        settings: those of the test's client.

    Raises:
        NectarError: a list could not be read to its end, or a secret would be written.
    """
    last = _Last(recorder)
    async with NectarClient(key, settings=settings, recorder=last):
        pass  # leaving it is what writes
    return last.has_changed
