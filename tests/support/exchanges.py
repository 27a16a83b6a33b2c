"""Build recorded requests (`Question`), answers and recordings for tests."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from nectar_async.recording.bodies import Json
from nectar_async.recording.exchange import Exchange, Question, RecordedAnswer
from nectar_async.recording.folder import Recording
from nectar_async.recording.redaction.redaction import Redaction

__all__ = ["NOW", "answer", "make_page", "make_recording", "question"]

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def question(
    path: str = "/company", operation: str = "companies_list", **facts: Any
) -> Question:
    """Build a question, by default for all companies."""
    return Question(**{"operation": operation, "method": "GET", "path": path, **facts})


def answer(value: Any = None, status: int = 200) -> RecordedAnswer:
    """Build an answer with a JSON body."""
    return RecordedAnswer(
        status=status, headers={"content-type": "application/json"}, body=Json.of(value)
    )


def make_page(owner: str, page: int, pages: int = 1) -> tuple[Question, RecordedAnswer]:
    """Build a page of the usage of a company, with one record."""
    asked = question(
        f"/usage/company/{owner}",
        "usage_list_by_company",
        query=(("page", str(page)),),
        owner=owner,
    )
    envelope = {
        "usageData": [{"id": f"{owner}-{page}"}],
        "totalUsageData": pages,
        "perPage": 1,
        "totalPages": pages,
        "currentPage": page,
        "hasNext": page < pages,
        "hasPrevious": page > 1,
    }
    return asked, answer(envelope)


def make_recording(pairs: Iterable[tuple[Question, RecordedAnswer]]) -> Recording:
    """Build a recording of questions and answers without redacting them."""
    redaction = Redaction()
    return Recording(api_version="v2.2").with_exchanges(
        Exchange(question=asked, answer=answered, key=redaction.key(asked))
        for asked, answered in pairs
    )
