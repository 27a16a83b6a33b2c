"""Every text of an exchange is visited once."""

from __future__ import annotations

from typing import Any

import pytest

from nectar_async.recording.bodies import FormData, FormPart, Json, Text
from nectar_async.recording.exchange import Question, RecordedAnswer
from nectar_async.recording.redaction.sensitive_fields import Kind
from nectar_async.recording.redaction.walk import (
    ExchangeWalk,
    Location,
    format_location,
)


class CollectingVisitor:
    """A visitor that collects texts and may replace sensitive ones."""

    def __init__(self, mark: str = "") -> None:
        self.mark = mark
        self.sensitive_texts: list[tuple[str, str, str]] = []
        self.free_texts: list[tuple[str, str]] = []

    def visit_sensitive(self, kind: Kind, text: str, where: Location) -> str:
        self.sensitive_texts.append((kind.name, format_location(where), text))
        return self.mark or text

    def visit_text(self, text: str, where: Location) -> str:
        self.free_texts.append((format_location(where), text))
        return text

    def visit_path_part(self, text: str) -> str:
        return text


def walk_answer(operation: str, body: Any, status: int = 200, mark: str = "") -> Any:
    visitor = CollectingVisitor(mark)
    answer = RecordedAnswer(status=status, headers={"etag": '"e"'}, body=body)
    return visitor, ExchangeWalk({}).answer(answer, operation, visitor, "root")


def test_locations_start_at_the_closest_object_with_an_id() -> None:
    rows = {
        "rows": [{"id": "9", "identifiers": [{"value": "M1"}]}, {"firstName": "Ann"}]
    }

    visitor, _ = walk_answer("", Json.of(rows))

    assert visitor.sensitive_texts == [
        ("meter", "9/identifiers/0/value", "M1"),
        ("person", "root/rows/1/firstName", "Ann"),
    ]


def test_everything_below_a_secret_is_secret_and_only_names_below_a_person() -> None:
    body = {
        "billing": {"id": "b", "card": [{"last": "4242", "ok": True}]},
        "users": [{"id": "u", "name": "Ann", "role": "admin"}, "Bob"],
    }

    visitor, _ = walk_answer("team_get", Json.of(body))

    assert {(kind, text) for kind, _, text in visitor.sensitive_texts} == {
        ("billing", "b"),
        ("billing", "4242"),
        ("person", "Ann"),
        ("person", "Bob"),
    }
    assert ("u/role", "admin") in visitor.free_texts


def test_ids_dates_and_numbers_are_skipped() -> None:
    body = {"id": "1", "site": {"id": "2"}, "startDate": "2024-01-31", "usage": "12.5"}

    visitor, _ = walk_answer("usage_get", Json.of(body))

    assert visitor.sensitive_texts == []
    assert visitor.free_texts == [("root/etag", '"e"')]


def test_unchanged_bodies_stay_the_same_object() -> None:
    body = Json(b'{ "username" : "x" }')

    assert walk_answer("", body)[1].body is body
    assert walk_answer("", body, mark="y")[1].body == Json(b'{"username":"y"}')


@pytest.mark.parametrize(("status", "count"), [(200, 1), (400, 0)])
def test_in_an_error_lists_below_a_field_are_messages(status: int, count: int) -> None:
    visitor, _ = walk_answer("", Json.of({"password": ["Too short."]}), status)

    assert len(visitor.sensitive_texts) == count


def test_truncated_json_is_read_by_its_keys() -> None:
    broken = Text(
        '[{"accountNumber": 991234, "username":"ann", "note": "x", "url": "ht'
    )

    visitor, answer = walk_answer("documents_get", broken, mark="***")

    assert [(kind, text) for kind, _, text in visitor.sensitive_texts] == [
        ("account", "991234"),
        ("username", "ann"),
        ("link", "ht"),
    ]
    assert answer.body == Text(
        '[{"accountNumber": "***", "username":"***", "note": "x", "url": "***'
    )


def test_forms_and_queries_are_visited_by_key() -> None:
    visitor = CollectingVisitor("***")
    question = Question(
        operation="jobs_submit_document",
        method="POST",
        path="/job/1",
        query=(("identifier", "M1"), ("page", "2"), ("sig", "abc")),
        body=FormData(
            (
                FormPart(name="username", text="ann"),
                FormPart(name="document", file="a.pdf"),
            )
        ),
    )

    new = ExchangeWalk({}).question(question, visitor, "root")

    assert new.query == (("identifier", "***"), ("page", "2"), ("sig", "***"))
    assert new.body == FormData(
        (FormPart(name="username", text="***"), FormPart(name="document", file="a.pdf"))
    )
    assert ("root/document", "a.pdf") in visitor.free_texts


def test_unknown_keys_are_visited_as_texts() -> None:
    visitor, _ = walk_answer(
        "companies_get", Json.of({"name": "HQ", "ann@real.com": "admin"})
    )

    assert ("root/ann@real.com", "ann@real.com") in visitor.free_texts


def test_deeply_nested_json_is_walked_without_recursion() -> None:
    deep: Any = {"username": "ann"}
    for _ in range(400):
        deep = {"inner": [deep]}

    visitor, _ = walk_answer("", Json.of(deep))

    assert [text for _, _, text in visitor.sensitive_texts] == ["ann"]
