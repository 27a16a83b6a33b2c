"""Each recorded answer is replayed once; errors explain missing answers."""

from __future__ import annotations

import re

import pytest
from attrs import evolve
from exchanges import answer, make_page, make_recording, question

from nectar_async import UnmatchedRequestError
from nectar_async.recording.bodies import FormData, FormPart, Json
from nectar_async.recording.exchange import Question, RecordedAnswer
from nectar_async.recording.format import encode_exchange
from nectar_async.recording.redaction.redaction import Redaction
from nectar_async.recording.replayer import Repeat, Replayer, list_differences

PING = question("/ping", "ping_get")


def build_replayer(
    *pairs: tuple[Question, RecordedAnswer], repeat: Repeat = "never"
) -> Replayer:
    return Replayer(make_recording(pairs), Redaction(), repeat=repeat)


def test_equal_questions_get_their_answers_in_order() -> None:
    replayer = build_replayer((PING, answer(1)), make_page("a", 1), (PING, answer(2)))
    assert [replayer.answer(PING).body for _ in range(2)] == [Json(b"1"), Json(b"2")]


def test_an_additional_question_is_an_error_with_the_recorded_count() -> None:
    replayer = build_replayer((PING, answer(1)))
    replayer.answer(PING)
    with pytest.raises(UnmatchedRequestError) as caught:
        replayer.answer(PING)
    assert "asked for 2 times, and recorded once" in str(caught.value)
    assert "repeat='last'" in str(caught.value)
    (near,) = caught.value.nearest
    assert near.startswith("ping_get.")


def test_the_last_answer_can_be_repeated_for_polling() -> None:
    replayer = build_replayer((PING, answer(1)), (PING, answer(2)), repeat="last")
    assert [replayer.answer(PING).body for _ in range(4)] == [
        Json(text) for text in (b"1", b"2", b"2", b"2")
    ]
    with pytest.raises(UnmatchedRequestError):
        replayer.answer(question())


def test_an_unknown_question_names_the_nearest_and_their_differences() -> None:
    asked, answered = make_page("a", 1)
    filtered = evolve(asked, query=(*asked.query, ("startDate", "2025-01-01")))
    replayer = build_replayer((filtered, answered), make_page("b", 1), (PING, answer()))
    with pytest.raises(UnmatchedRequestError) as caught:
        replayer.answer(asked)
    text = str(caught.value)
    assert "no answer to GET /usage/company/a?page=1 is recorded" in text
    assert "--nectar-record=new" in text
    first, second = re.findall("nearest: (.*)", text)
    assert first.startswith("usage_list_by_company.a.")
    assert second.startswith("usage_list_by_company.b.")
    assert "query startDate: asked for nothing, recorded '2025-01-01'" in text
    assert "path: asked for '/usage/company/a', recorded '/usage/company/b'" in text
    assert caught.value.nearest == (first, second)


def test_without_a_near_question_the_error_lists_the_operations() -> None:
    with pytest.raises(UnmatchedRequestError, match="recorded operations: ping_get"):
        build_replayer((PING, answer())).answer(question())
    with pytest.raises(UnmatchedRequestError, match="recorded operations: none"):
        build_replayer().answer(question())


def test_no_error_shows_a_secret() -> None:
    def login(name: str, **more: str) -> Question:
        body = Json.of({"username": name, "password": f"{name}-pass", **more})
        return question("/connection", "connections_create", method="POST", body=body)

    replayer = build_replayer((login("anna"), answer()))
    with pytest.raises(UnmatchedRequestError) as caught:
        replayer.answer(login("berta", country="DE"))
    assert not re.search("anna|berta", str(caught.value))
    assert "body.country: asked for 'DE', recorded nothing" in str(caught.value)


def test_a_differing_placeholder_is_named() -> None:
    def meters(text: str) -> Question:
        return question("/meter", "meters_list", query=(("identifier", text),))

    replayer = build_replayer(
        (meters("meter-1"), answer()), (meters("meter-2"), answer())
    )
    with pytest.raises(UnmatchedRequestError) as caught:
        replayer.answer(meters("meter-3"))
    text = str(caught.value)
    assert "identifier: asked for 'meter-3', recorded 'meter-1'" in text
    assert "identifier: asked for 'meter-3', recorded 'meter-2'" in text


def test_a_file_that_differs_is_named_with_its_size() -> None:
    def upload(name: str, size: int) -> Question:
        part = FormPart(name="document", file=name, sha256="0" * 64, size=size)
        return question("/upload", "upload", method="POST", body=FormData((part,)))

    (line,) = list_differences(upload("may.pdf", 1_024), upload("june.pdf", 9))
    assert "asked for 'may.pdf, 1,024 bytes, SHA-256 000" in line
    assert "recorded 'june.pdf, 9 bytes, SHA-256 000" in line


def test_other_operations_are_nearest_only_without_the_same_operation() -> None:
    create = question("/company", "companies_create", method="POST", body=Json(b"{}"))
    replayer = build_replayer(
        (question("/company", "companies_list"), answer()), (create, answer())
    )
    with pytest.raises(UnmatchedRequestError) as caught:
        replayer.answer(evolve(create, body=Json(b'{"name":"Hall"}')))
    (near,) = caught.value.nearest
    assert near.startswith("companies_create.")


def test_differences_are_listed_at_any_depth() -> None:
    asked_question = question(
        method="PATCH", body=Json.of({"a": {"b": [1, 2]}, "c": 1})
    )
    other = evolve(
        asked_question, method="PUT", body=Json.of({"a": {"b": [1, 3]}, "d": 1})
    )
    assert [*list_differences(asked_question, other)] == [
        "method: asked for 'PATCH', recorded 'PUT'",
        "body.a.b[1]: asked for 2, recorded 3",
        "body.c: asked for 1, recorded nothing",
        "body.d: asked for nothing, recorded 1",
    ]


def test_a_text_that_quotes_a_redacted_value_finds_its_answer() -> None:
    site = question("/site/1", "sites_get", owner="1")
    rename = question(
        "/site/1",
        "sites_update",
        method="PATCH",
        body=Json.of({"name": "Hall at 100 Harbor Street"}),
    )
    pairs = [
        (site, answer({"id": "1", "address": "100 Harbor Street"})),
        (rename, answer({"id": "1"})),
    ]
    redaction = Redaction()
    saved = make_recording(pairs).with_exchanges(redaction.apply(pairs))
    assert b"Harbor" not in b"".join(map(encode_exchange, saved.exchanges))
    replayer = Replayer(saved, redaction)
    assert replayer.answer(rename) == answer({"id": "1"})


def test_exchanges_that_were_not_requested_are_unused() -> None:
    replayer = build_replayer((PING, answer()), (question(), answer()))
    replayer.answer(PING)
    assert [exchange.question.operation for exchange in replayer.unused] == [
        "companies_list"
    ]


def test_further_pages_of_a_begun_list_are_not_unused() -> None:
    pages = [make_page("a", number, 3) for number in (1, 2, 3)]
    replayer = build_replayer(*pages, *(make_page("b", number, 2) for number in (1, 2)))
    replayer.answer(pages[0][0])
    assert [exchange.question.owner for exchange in replayer.unused] == ["b", "b"]


def test_peeking_takes_no_answer() -> None:
    replayer = build_replayer((PING, answer(1)))
    assert replayer.peek(PING) == replayer.peek(PING) == answer(1)
    assert replayer.peek(question()) is None
    assert len(replayer.unused) == 1


def test_questions_that_an_overlay_answers_are_not_unused() -> None:
    replayer = build_replayer(
        (PING, answer()), (PING, answer()), (question(), answer())
    )
    replayer.mark_asked(PING)
    assert [
        exchange.order for exchange in replayer.unused if exchange.question == PING
    ] == [2]
    replayer.mark_asked(PING)
    assert [exchange.question.operation for exchange in replayer.unused] == [
        "companies_list"
    ]
