"""Recorded requests are found by the parts that redaction leaves unchanged."""

from __future__ import annotations

from typing import Any

import pytest

from nectar_async._http.redact import MASK
from nectar_async.recording.bodies import Json
from nectar_async.recording.exchange import Question
from nectar_async.recording.redaction.redaction import Redaction, Rule

REDACTION = Redaction(rules=(Rule(kind="ticket", pattern=r"TCK-\d+"),))


def key(sent: Any = None, operation: str = "connections_update", **asked: Any) -> str:
    return REDACTION.key(
        Question(
            **{"operation": operation, "method": "PATCH", "path": "/x/1"} | asked,
            body=None if sent is None else Json.of(sent),
        )
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"password": "a"}, {"password": "b"}),
        ({"username": "ann"}, {"username": "username-7"}),
        ({"externalId": "for a@b.co"}, {"externalId": "for person-2@example.invalid"}),
        ({"note": "TCK-1"}, {"note": "ticket-9"}),
        ({"username": "jdoe99", "note": "jdoe99!"}, {"username": "x", "note": "***!"}),
        (
            {"new": "https://a.example.com/?sig=abcdef"},
            {"new": "https://link.invalid/1"},
        ),
    ],
    ids=["secret", "placeholder", "address", "pattern", "quoted", "link"],
)
def test_questions_that_differ_in_sensitive_values_are_equal(
    first: Any, second: Any
) -> None:
    assert key(first) == key(second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"password": "a"}, {"password": None}),
        ({"password": "a"}, {"passwords": ["a", "b"]}),
        ({"externalId": "a"}, {"externalId": "b"}),
        ({"securityQuestions": [{"key": "a"}]}, {"securityQuestions": []}),
        ({"initialSites": ["site-1"]}, {"initialSites": ["site-2"]}),
        ({"sites": ["account-1"]}, {"sites": ["account-2"]}),
        ({"isActive": True}, {"isActive": False}),
    ],
    ids=["null", "key", "text", "length", "ids", "ids-like-placeholders", "flag"],
)
def test_questions_that_differ_elsewhere_are_different(first: Any, second: Any) -> None:
    assert key(first) != key(second)


def test_paths_have_ids_and_at_times_an_address() -> None:
    assert key(path="/account/account-1") != key(path="/account/account-2")
    assert key(path="/user/ann%40real.com") == key(
        path="/user/person-3%40example.invalid"
    )


def test_a_masked_question_shows_a_constant_and_keeps_the_rest() -> None:
    question = Question(
        operation="usage_list_by_company",
        method="GET",
        path="/usage/company/1",
        owner="1",
        query=(("identifier", "M-1"), ("page", "2"), ("startDate", "2024-01-31")),
    )

    masked = REDACTION.masked(question)

    assert masked.query == (
        ("identifier", MASK),
        ("page", "2"),
        ("startDate", "2024-01-31"),
    )
    assert (masked.path, masked.owner, masked.page) == (question.path, "1", 2)


def test_an_alias_outside_of_its_place_stays_part_of_the_question() -> None:
    redaction = Redaction(aliases={"Acme Corp": "tenant-x"})
    questions = [
        Question(operation="", method="POST", path="/x", body=Json.of({"name": text}))
        for text in ("of Acme Corp", "of tenant-x", "of ***", "of Other Corp")
    ]

    real, placeholder, *others = map(redaction.key, questions)

    assert real == placeholder == REDACTION.key(questions[1])
    assert real not in others
