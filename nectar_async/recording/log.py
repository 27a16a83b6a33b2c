"""What a recorder took down so far, as it came: nothing of it is on disk yet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from attrs import evolve

from nectar_async._http.request import Request
from nectar_async._json.json import announced_pages
from nectar_async.recording.bodies import Json
from nectar_async.recording.exchange import Question, RecordedAnswer

__all__ = ["RecordingLog"]

Pair = tuple[Question, RecordedAnswer]


class RecordingLog:
    """Questions in the order in which they were asked, and their answers."""

    def __init__(self) -> None:
        self._count = 0
        self._pairs: dict[int, Pair] = {}
        self._lists: dict[str, Request[Any]] = {}
        self._pages: defaultdict[str, list[Pair]] = defaultdict(list)
        """What was answered of each list."""

    def reserve_number(self) -> int:
        """A number for a request that is sent now: its answer may come late."""
        self._count += 1
        return self._count

    def add(
        self,
        number: int,
        question: Question,
        answer: RecordedAnswer,
        request: Request[Any],
    ) -> None:
        """Take down what was answered; what stays without an answer is not kept."""
        self._pairs[number] = question, answer
        if request.listing is not None:
            walk = question.without_page.key
            self._lists.setdefault(walk, request)
            self._pages[walk].append((question, answer))

    def __len__(self) -> int:
        return len(self._pairs)

    def pairs(self, *, with_failures: bool = False) -> tuple[Pair, ...]:
        """What was answered, in the order of the questions.

        Args:
            with_failures: keep a 429 or 5xx also where the same question was answered
                afterwards. It passed, so another time it will not be there.
        """
        pairs = [self._pairs[number] for number in sorted(self._pairs)]
        if with_failures:
            return tuple(pairs)
        settled = {
            question.key: at
            for at, (question, answer) in enumerate(pairs)
            if not _passes(answer)
        }
        return tuple(
            (question, answer)
            for at, (question, answer) in enumerate(pairs)
            if not _passes(answer) or at > settled.get(question.key, -1)
        )

    def missing_pages(self) -> Iterator[Request[Any]]:
        """A request for each page that was announced by a list and not asked for.

        A recording has whole lists, so that how far a client looks ahead is its own
        affair.
        """
        for key, request in self._lists.items():
            asked = self._pages[key]
            known = {question.page or 1 for question, _ in asked}
            pages = max(map(_announced, (answer for _, answer in asked)), default=1)
            for page in range(1, pages + 1):
                if page not in known:
                    yield evolve(request, url="").at(page)


def _passes(answer: RecordedAnswer) -> bool:
    return (
        answer.status == HTTPStatus.TOO_MANY_REQUESTS
        or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    )


def _announced(answer: RecordedAnswer) -> int:
    if answer.status != HTTPStatus.OK or not isinstance(answer.body, Json):
        return 1
    return announced_pages(answer.body.raw)
