"""The exchanges that a recorder has collected in memory and not written yet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from attrs import evolve

from nectar_async._http.request import Request
from nectar_async._json.json_text import read_page_count
from nectar_async.recording.bodies import Json
from nectar_async.recording.exchange import Question, RecordedAnswer

__all__ = ["RecordingLog", "count_announced_pages"]

Pair = tuple[Question, RecordedAnswer]
"""A request, as a question, and its answer."""


class RecordingLog:
    """The recorded requests in the order sent, as questions, with their answers."""

    def __init__(self) -> None:
        self._count = 0
        self._pairs: dict[int, Pair] = {}
        self._lists: dict[str, Request[Any]] = {}
        """The first request of each list, by the key of the list."""
        self._pages: defaultdict[str, list[Pair]] = defaultdict(list)
        """The recorded pages of each list."""

    def reserve_number(self) -> int:
        """Return the next number for a request that is being sent.

        The numbers keep the order of the requests; answers arrive in any order.
        """
        self._count += 1
        return self._count

    def add(
        self,
        number: int,
        question: Question,
        answer: RecordedAnswer,
        request: Request[Any],
    ) -> None:
        """Store a request, as a question, and its answer.

        Args:
            number: the result of `reserve_number` when the request was sent.
            question: the request as a question.
            answer: the answer to it.
            request: the same request, to build those of missing pages from.
        """
        self._pairs[number] = question, answer
        if request.listing is not None:
            key = question.without_page.key
            self._lists.setdefault(key, request)
            self._pages[key].append((question, answer))

    def __len__(self) -> int:
        return len(self._pairs)

    def pairs(self, *, with_failures: bool = False) -> tuple[Pair, ...]:
        """List the exchanges in the order in which the questions were sent.

        Args:
            with_failures: whether to keep a 429 or 5xx whose question was answered
                later. By default it is dropped, because it will not occur again.
        """
        pairs = [self._pairs[number] for number in sorted(self._pairs)]
        if with_failures:
            return tuple(pairs)
        last_success = {
            question.key: index
            for index, (question, answer) in enumerate(pairs)
            if not _is_transient(answer)
        }
        return tuple(
            (question, answer)
            for index, (question, answer) in enumerate(pairs)
            if not _is_transient(answer) or index > last_success.get(question.key, -1)
        )

    def missing_pages(self) -> Iterator[Request[Any]]:
        """Build a request for each announced page of a list that was not requested.

        Recordings contain complete lists, so that a replay does not depend on how many
        pages the client prefetches.
        """
        for key, request in self._lists.items():
            pairs = self._pages[key]
            known = {question.page or 1 for question, _ in pairs}
            announced = (count_announced_pages(answer) for _, answer in pairs)
            for page in range(1, max(announced, default=1) + 1):
                if page not in known:
                    yield evolve(request, url="").at(page)


def count_announced_pages(answer: RecordedAnswer) -> int:
    """How many pages an answer announces for its list; 1 if it is not a list."""
    if answer.status != HTTPStatus.OK or not isinstance(answer.body, Json):
        return 1
    return read_page_count(answer.body.raw)


def _is_transient(answer: RecordedAnswer) -> bool:
    """Whether an answer is a 429 or a server error."""
    return (
        answer.status == HTTPStatus.TOO_MANY_REQUESTS
        or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    )
