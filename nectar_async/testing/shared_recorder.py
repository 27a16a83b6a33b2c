"""Recorders in mode "record", of one test or shared by several tests.

Usually a recording belongs to one test and is written when that test has passed. If
markers give several tests the same recording, it contains each request of any of them
once. It is written when the last of them has passed, and is kept unchanged if one of
them fails. So no file changes if the answers are the same.
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
from nectar_async.transports._mode import Mode
from nectar_async.transports._request_body import read_body
from nectar_async.transports.recorder import Recorder

__all__ = ["SharedRecorder", "write_recording"]


class SharedRecorder:
    """The recorder of one recording, shared by all tests that use the recording.

    Args:
        path: the folder of the recording.
        tests: the ids of the tests that share it.
        redaction: the redaction that all of them must have.
        flags: further arguments of the `Recorder`.
    """

    def __init__(
        self,
        path: Path,
        tests: Iterable[str],
        redaction: Redaction,
        flags: Mapping[str, Any],
    ) -> None:
        self.recorder: Recorder = Recorder(
            path, mode=Mode.RECORD, redaction=redaction, **flags
        )
        self._redaction = redaction
        self._waiting = set(tests)
        self._failed: set[str] = set()
        self.answers: defaultdict[str, list[Response]] = defaultdict(list)
        """The recorded responses, by the key of their request (see `Question.key`)."""

    def start_test(self, test: str, redaction: Redaction) -> Stage:
        """Build the stage that records for one test.

        Raises:
            ConfigurationError: the other tests have a different redaction.
        """
        if redaction != self._redaction:
            raise ConfigurationError(
                f"tests that share the recording {self.recorder.path} have different"
                " redactions; set one for all, on their module or in nectar_defaults"
            )
        self._waiting.add(test)
        return _SharedStage(self)

    def end(self, test: str, *, has_passed: bool) -> bool:
        """Store the result of a test, and return whether the recording can be written.

        It can be written when all tests have ended and none of them failed.
        """
        self._waiting.discard(test)
        if has_passed:
            self._failed.discard(test)
        else:
            self._failed.add(test)
        return not self._waiting and not self._failed

    @property
    def waiting(self) -> frozenset[str]:
        """The ids of the tests that have not ended."""
        return frozenset(self._waiting)


class _SharedStage:
    """Records for one test; repeats the responses to requests of earlier tests."""

    def __init__(self, shared: SharedRecorder) -> None:
        self._shared = shared
        self._earlier = {
            key: tuple(responses) for key, responses in shared.answers.items()
        }
        self._counts: Counter[str] = Counter()

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        is_stream = not (request.body is None or isinstance(request.body, bytes))
        if is_stream and not callable(request.body):
            return await self._shared.recorder(request, send)
        key = build_question(request, await read_body(request)).key
        number = self._counts[key]
        self._counts[key] += 1
        earlier = self._earlier.get(key, ())
        if number < len(earlier):
            return earlier[number]
        response = await self._shared.recorder(request, send)
        self._shared.answers[key].append(response)
        return response


class _ChangeDetector:
    """Wraps a recorder and stores whether writing the recording changed anything."""

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
    """Read begun lists to their end, write the recording, return whether it changed.

    Args:
        recorder: the recorder of a test whose event loop may have ended.
        key: the API key for the remaining requests.
        settings: the settings of the test's client.

    Raises:
        NectarError: a list could not be read to its end, or the recording would contain
            a secret.
    """
    detector = _ChangeDetector(recorder)
    async with NectarClient(key, settings=settings, recorder=detector):
        pass  # closing the client writes the recording
    return detector.has_changed
