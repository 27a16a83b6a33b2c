"""Sensitive values are found in malformed JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nectar_async.recording.bodies import Json, Text
from nectar_async.recording.exchange import Question, RecordedAnswer
from nectar_async.recording.redaction.redaction import Redaction

BILL: dict[str, Any] = {
    "id": "1",
    "accountNumbers": ["04-9912-77", "04-9912-78"],
    "identifiers": [{"id": "i", "value": "MTR 5519"}],
    "users": [{"id": "u", "name": "Jane Roe"}, "Ann Doe"],
    "usage": 12.5,
}
PERSONAL = ("04-9912-77", "04-9912-78", "MTR 5519", "Jane Roe", "Ann Doe")


def redact_and_encode(body: Text | Json, operation: str = "documents_get") -> str:
    """Redact the body of an answer and encode it."""
    question = Question(operation=operation, method="GET", path="/x/1", owner="1")
    (exchange,) = Redaction().apply([(question, RecordedAnswer(status=200, body=body))])
    assert isinstance(exchange.answer.body, Text | Json)
    return exchange.answer.body.data().decode()


WHOLE = json.dumps(BILL)
FORMS = {
    "after a byte order mark": "\ufeff" + WHOLE,
    "broken off": WHOLE[:-3],
    "with NaN": WHOLE.replace("12.5", "NaN"),
    "with a comma too many": WHOLE[:-1] + ",}",
    "line by line": f"{WHOLE}\n{WHOLE}\n",
    "called as a script": f"cb({WHOLE});",
    "in a page": f'<p class="x">5" pipe</p><script>var a = {WHOLE}</script>',
    "printed by Python": repr(BILL),
    "beside brackets that do not fit": f"]}} {WHOLE} ]]",
    "in a string of JSON that broke off": json.dumps({"raw": WHOLE})[:-1],
}


@pytest.mark.parametrize("form", FORMS)
def test_no_person_survives_in_json(form: str) -> None:
    text = redact_and_encode(Text(FORMS[form]))

    assert [value for value in PERSONAL if value in text] == []
    assert "account-1" in text
    assert "meter-1" in text
    assert "person-1" in text


def test_other_text_around_json_stays_unchanged() -> None:
    text = 'He said "hi", {and "left": "at once", [1, "two"]} it\'s "over'

    assert redact_and_encode(Text(text)) == text


def test_json_in_a_string_of_json_is_read_as_well() -> None:
    text = redact_and_encode(
        Json.of({"note": WHOLE, "raw": '{"password":"hunter 22"}'})
    )

    assert [value for value in (*PERSONAL, "hunter") if value in text] == []
    assert json.loads(json.loads(text)["raw"]) == {"password": "password-1"}


def test_a_number_that_stands_as_text_elsewhere_is_the_same_value() -> None:
    body = {"accountNumber": "49912778", "legacy": 49912778, "usage": 49912778}

    assert json.loads(redact_and_encode(Json.of(body), "usage_get")) == {
        "accountNumber": "account-1",
        "legacy": "account-1",
        "usage": 49912778,
    }


@pytest.mark.parametrize(
    "text",
    ['"' * 200_000, '{"a' * 60_000, "[" * 200_000, '"a":' * 50_000, "'\"" * 90_000],
)
@pytest.mark.slow
def test_malicious_text_is_read_in_linear_time(text: str) -> None:
    assert redact_and_encode(Text(text)) == text
