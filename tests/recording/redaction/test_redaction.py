"""No secret and no person is recorded, and the recording can be replayed."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Iterator, Mapping
from itertools import permutations
from typing import Any
from urllib.parse import quote

import pytest
from canaries.canaries import MARKS, VALUES, build_marked_answer
from endpoints import ENDPOINTS, JSON, Endpoint
from hypothesis import example, given, strategies as st
from profiles import max_examples

from nectar_async.contract import resolve_ref
from nectar_async.errors import RecordingError
from nectar_async.recording.bodies import Body, FormData, FormPart, Json, Text
from nectar_async.recording.exchange import Exchange, Question, RecordedAnswer
from nectar_async.recording.format import encode_exchange, read_exchange
from nectar_async.recording.redaction.redaction import Redaction, Rule

PLAIN = Redaction()
CONNECTION = "d7f0b8e2-5a6c-4193-b2d4-8c1e3f9a7b21"
DOCUMENT = "f83a5d12-6b7e-4c90-9e21-7d4b0c8f1a51"

Pair = tuple[Question, RecordedAnswer]


def pair(
    operation: str,
    answer: Any = None,
    *,
    status: int = 200,
    sent: Any = None,
    owner: str = "7",
    query: tuple[tuple[str, str], ...] = (),
    method: str = "POST",
) -> Pair:
    """Build an unredacted exchange; values become JSON, and texts stay texts."""
    question = Question(
        operation=operation,
        method=method,
        path=f"/{operation.replace('_', '/')}/{owner}",
        owner=owner,
        query=query,
        body=_body(sent),
    )
    return question, RecordedAnswer(status=status, body=_body(answer))


def _body(value: Any) -> Body | None:
    if value is None or isinstance(value, Text | FormData):
        return value
    return Json.of(value)


def redact_and_encode(pairs: list[Pair], redaction: Redaction = PLAIN) -> str:
    """Redact exchanges and join the contents of their files."""
    return "".join(
        encode_exchange(exchange).decode() for exchange in redaction.apply(pairs)
    )


def decode_answer(exchange: Exchange) -> Any:
    """Decode the JSON of an answer."""
    assert isinstance(exchange.answer.body, Json)
    return exchange.answer.body.value


def decode_question(exchange: Exchange) -> Any:
    """Decode the JSON of a question."""
    assert isinstance(exchange.question.body, Json)
    return exchange.question.body.value


def build_marked(schema: Mapping[str, Any], mark: str) -> Iterator[Any]:
    """Build JSON with a mark at one sensitive place of a schema, for each place."""
    schema = resolve_ref(schema)
    if schema.get("x-sensitive"):
        yield {"deep": [mark]} if schema.get("type") == "object" else mark
        return
    for word in ("allOf", "anyOf", "oneOf"):
        for branch in schema.get(word, ()):
            yield from build_marked(branch, mark)
    if "items" in schema:
        yield from ([item] for item in build_marked(schema["items"], mark))
    for key, field in schema.get("properties", {}).items():
        names = resolve_ref(field).get("x-key-candidates", [key])
        for inner in build_marked(field, mark):
            yield from ({name: inner} for name in names)


def build_bodies(endpoint: Endpoint, mark: str) -> Iterator[tuple[Any, Any]]:
    """Build exchanges of an operation with a mark at one sensitive place each."""
    yield from ((sent, None) for sent in build_marked(endpoint.body, mark))
    for _, schema in endpoint.answers:
        yield from ((None, answer) for answer in build_marked(schema, mark))


SENSITIVE = [
    pytest.param(endpoint, sent, answer, id=f"{endpoint.operation}-{at}")
    for endpoint in ENDPOINTS
    for at, (sent, answer) in enumerate(build_bodies(endpoint, "qz-mark-of-a-secret"))
]


@pytest.mark.parametrize(("endpoint", "sent", "answer"), SENSITIVE)
def test_fields_that_the_contract_marks_are_replaced(
    endpoint: Endpoint, sent: Any, answer: Any
) -> None:
    exchange = pair(endpoint.operation, answer, sent=sent)

    assert "qz-mark" in _join_bodies(exchange)
    assert "qz-mark" not in redact_and_encode([exchange])


def _join_bodies(exchange: Pair) -> str:
    return "".join(
        body.raw.decode()
        for body in (exchange[0].body, exchange[1].body)
        if isinstance(body, Json)
    )


def test_the_contract_has_as_many_sensitive_places_as_are_tried() -> None:
    assert len(SENSITIVE) > 60


def surface() -> list[Pair]:
    """Build exchanges of every operation with marks in all sensitive places."""
    return [
        pair(
            endpoint.operation,
            build_marked_answer(endpoint),
            sent=_sent(endpoint) if endpoint.content_type == JSON else None,
            method=endpoint.method,
        )
        for endpoint in ENDPOINTS
    ]


def _sent(endpoint: Endpoint) -> Any:
    values = {
        **VALUES,
        "securityQuestions": [{"key": VALUES["key"], "value": VALUES["value"]}],
    }
    return {
        argument.wire: values[argument.wire]
        if argument.is_sensitive
        else argument.fit.wire
        for argument in endpoint.arguments
        if argument.place == "body"
    }


SPELLINGS: dict[str, Callable[[str], str]] = {
    "as-it-is": str,
    "json": json.dumps,
    "python": repr,
    "address": lambda text: quote(text, safe=""),
    "html": html.escape,
    "json-in-json": lambda text: json.dumps(json.dumps({"was": text})),
}


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
def test_no_value_survives_a_server_that_quotes_everything(
    spell: Callable[[str], str],
) -> None:
    known = [*VALUES["documents"], *_list_texts(VALUES)]
    echo = " and ".join(spell(text) for text in known)
    quoted = [
        pair("documents_get", {"detail": echo}, status=400, owner="8"),
        pair("documents_get", Text(f"<p>{echo}</p>"), status=502, owner="9"),
        pair("team_get", {"errors": {"url": [echo]}}, status=422),
    ]

    files = redact_and_encode([*surface(), *quoted])

    assert MARKS.search("".join(map(_join_bodies, surface())))
    assert MARKS.findall(files) == []


def _list_texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _list_texts(inner)


def test_recording_the_same_again_changes_no_byte() -> None:
    first = PLAIN.apply(surface())
    again = PLAIN.apply(surface(), first)

    assert [encode_exchange(exchange) for exchange in again] == [
        encode_exchange(exchange) for exchange in first
    ]
    assert [exchange.name for exchange in again] == [
        exchange.name for exchange in first
    ]


def test_placeholders_stay_unchanged() -> None:
    first = PLAIN.apply(surface())
    again = PLAIN.apply([(exchange.question, exchange.answer) for exchange in first])

    assert [encode_exchange(exchange) for exchange in again] == [
        encode_exchange(exchange) for exchange in first
    ]


def test_a_saved_exchange_is_found_by_its_original_question() -> None:
    pairs = surface()

    for (question, _), stored in zip(pairs, PLAIN.apply(pairs), strict=True):
        read = read_exchange(encode_exchange(stored), PLAIN.key, {}, stored.name)
        assert PLAIN.key(question) == stored.key == read.key


def test_a_text_with_a_quoted_value_resembles_its_original() -> None:
    pairs = [
        pair("sites_get", {"id": "1", "address": "100 Harbor Street"}),
        pair("sites_update", sent={"name": "Hall at 100 Harbor Street", "path": []}),
    ]
    _, stored = PLAIN.apply(pairs)
    (question, _), other = pairs[1], pair("sites_update", sent={"name": "Hall"})

    assert decode_question(stored)["name"] == "Hall at address-1"
    assert PLAIN.resembles(question, stored.question)
    assert not PLAIN.resembles(other[0], stored.question)
    assert not PLAIN.resembles(question, question)


COMPANY = {"id": "7", "users": ["ann@real.com", "bob@real.com"]}


def test_a_value_has_one_placeholder_in_bodies_queries_forms_and_texts() -> None:
    form = FormData(
        (
            FormPart(name="accountNumber", text="0099-4417"),
            FormPart(
                name="document", file="march of 0099-4417.pdf", sha256="a" * 64, size=1
            ),
        )
    )
    exchanges = PLAIN.apply(
        [
            pair("accounts_update", {"id": "5", "accountNumber": "0099-4417"}),
            pair("usage_list_by_company", query=(("identifier", "0099-4417"),)),
            pair("documents_get", {"id": "1", "notes": "as on 0099-4417, see there"}),
            pair(
                "jobs_submit_document", {"detail": "0099-4417?"}, sent=form, status=400
            ),
        ]
    )

    assert decode_answer(exchanges[0])["accountNumber"] == "account-1"
    assert exchanges[1].question.query == (("identifier", "account-1"),)
    assert decode_answer(exchanges[2])["notes"] == "as on account-1, see there"
    assert decode_answer(exchanges[3])["detail"] == "account-1?"
    assert isinstance(exchanges[3].question.body, FormData)
    number, file = exchanges[3].question.body.parts
    assert (number.text, file.file) == ("account-1", "march of account-1.pdf")


def test_ids_dates_and_quantities_stay() -> None:
    row = {
        "id": "3b1e6f0a-7c52-4d19-9a84-5e2f0c6d8b11",
        "meter": "2024",
        "startDate": "2024-01-15",
        "usage": "2024",
        "currentReading": 2024,
        "usageUnits": "kWh",
        "identifiers": [{"name": "METER", "value": "2024"}],
        "supplierName": "Since 2024",
    }

    (exchange,) = PLAIN.apply([pair("usage_get", row)])

    assert decode_answer(exchange) == row | {
        "identifiers": [{"name": "METER", "value": "meter-1"}],
        "supplierName": "Since meter-1",
    }


def test_an_id_that_is_an_email_address_is_replaced() -> None:
    (exchange,) = PLAIN.apply(
        [pair("companies_get", {"id": "7", "externalId": "a@real.com"})]
    )

    assert decode_answer(exchange) == {
        "id": "7",
        "externalId": "person-1@example.invalid",
    }


def test_numbers_become_text_and_blanks_stay() -> None:
    account = {"id": "5", "accountNumber": 991234}
    blank = {"id": "6", "accountNumber": " "}

    number, text = PLAIN.apply(
        [pair("accounts_update", account), pair("accounts_update", blank, owner="8")]
    )

    assert decode_answer(number)["accountNumber"] == "account-1"
    assert decode_answer(text)["accountNumber"] == " "


def test_numbers_do_not_depend_on_the_order_of_arrival() -> None:
    pairs = [
        pair("accounts_update", {"id": f"{at}", "accountNumber": f"no-{at}"}, owner=at)
        for at in "5274"
    ]

    files = {
        frozenset(encode_exchange(exchange) for exchange in PLAIN.apply(list(order)))
        for order in permutations(pairs)
    }

    assert len(files) == 1


def test_a_new_exchange_changes_no_numbers() -> None:
    old = [
        pair("accounts_update", {"id": at, "accountNumber": f"no-{at}"}, owner=at)
        for at in "13"
    ]
    new = pair("accounts_update", {"id": "2", "accountNumber": "no-2"}, owner="2")
    before = PLAIN.apply(old)

    first, between, last = PLAIN.apply([old[0], new, old[1]], before)

    assert [encode_exchange(first), encode_exchange(last)] == [
        encode_exchange(exchange) for exchange in before
    ]
    assert decode_answer(between)["accountNumber"] == "account-3"


def test_a_new_value_in_a_list_gets_a_new_placeholder() -> None:
    owned = pair("connections_get", {"id": "1", "workflowOwnerEmail": "ann@real.com"})
    before = PLAIN.apply([pair("companies_get", COMPANY), owned])
    users = ["new@real.com", *COMPANY["users"]]

    company, connection = PLAIN.apply(
        [pair("companies_get", {**COMPANY, "users": users}), owned], before
    )

    assert encode_exchange(connection) == encode_exchange(before[1])
    assert decode_answer(company)["users"][1] == "person-1@example.invalid"
    assert len({*decode_answer(company)["users"]}) == len(users)


def test_new_exchanges_do_not_reuse_placeholders_of_kept_ones() -> None:
    (earlier,) = PLAIN.apply([pair("companies_get", COMPANY)])
    new = {"id": "8", "users": ["eve@real.com"]}

    same, added = PLAIN.apply(
        [(earlier.question, earlier.answer), pair("companies_get", new, owner="8")],
        [earlier],
    )

    assert encode_exchange(same) == encode_exchange(earlier)
    assert decode_answer(added)["users"] == ["person-3@example.invalid"]


def test_error_messages_below_a_field_name_are_kept() -> None:
    sent = {"username": "jdoe99", "password": "hunter22"}
    answer = {"password": ["'hunter22' is too short."], "username": ["Is required."]}

    (exchange,) = PLAIN.apply(
        [pair("connections_create", answer, sent=sent, status=400)]
    )

    assert decode_question(exchange) == {
        "username": "username-1",
        "password": "password-1",
    }
    assert decode_answer(exchange) == {
        "password": ["'password-1' is too short."],
        "username": ["Is required."],
    }


def test_truncated_json_is_redacted_up_to_its_end() -> None:
    broken = Text(
        '{"id": "1", "username": "jd\\u006fe99", "connectionMagicLinkSecret": "ab'
    )

    (exchange,) = PLAIN.apply([pair("connections_get", broken)])

    assert isinstance(exchange.answer.body, Text)
    assert "jd" not in exchange.answer.body.text
    assert not exchange.answer.body.text.endswith('"ab')
    assert exchange.answer.body.text.startswith('{"id": "1", "username": "username-1"')


def test_a_form_in_the_body_is_redacted_as_json_is() -> None:
    sent = Text("name=HQ&address=5+Main+Street&note=at+5+Main+Street")

    (exchange,) = PLAIN.apply([pair("sites_create", sent=sent)])

    assert exchange.question.body == Text("name=HQ&address=address-1&note=at+address-1")


@pytest.mark.parametrize("operation", ["", "GET-portal", "connections_get"])
def test_names_that_are_always_secret_need_no_contract(operation: str) -> None:
    answer = {"any": {"userName": "jdoe99", "old_password": "hunter22"}}

    (exchange,) = PLAIN.apply([pair(operation, answer)])

    assert decode_answer(exchange) == {
        "any": {"userName": "username-1", "old_password": "password-1"}
    }


def test_ambiguous_names_are_secret_only_where_the_contract_marks_them() -> None:
    provider = {"id": "1", "name": "Example Power", "url": "https://example.com"}

    (exchange,) = PLAIN.apply([pair("providers_search", {"datasources": [provider]})])

    assert decode_answer(exchange)["datasources"] == [provider]


def test_a_rule_adds_keys_in_either_spelling_and_patterns() -> None:
    redaction = Redaction(
        rules=(
            Rule(kind="tenant", keys=("external_id",)),
            Rule(kind="ticket", pattern=r"\bTCK-\d+\b"),
            Rule(kind="trace", keys=("requestId",), is_volatile=True),
        )
    )
    sites = [
        {
            "id": at,
            "externalId": f"acme {at}",
            "name": f"TCK-{at}",
            "requestId": f"r{at}",
        }
        for at in "12"
    ]

    (exchange,) = redaction.apply([pair("sites_list_by_company", sites)])

    assert decode_answer(exchange) == [
        {
            "id": at,
            "externalId": f"tenant-{at}",
            "name": f"ticket-{at}",
            "requestId": f"trace:{at}/requestId",
        }
        for at in "12"
    ]


def test_rules_are_in_the_manifest_and_aliases_are_not() -> None:
    redaction = Redaction(
        rules=(
            Rule(kind="tenant", keys=("externalId",), pattern="ACME", is_volatile=True),
        ),
        aliases={"real": "tenant-1"},
        secrets=("hush",),
    )

    assert Redaction.of(redaction.manifest()) == Redaction(rules=redaction.rules)
    assert PLAIN.manifest() == {}
    with pytest.raises(RecordingError, match="rules"):
        Redaction.of({"rules": ["tenant"]})


def test_an_alias_distinguishes_otherwise_equal_requests() -> None:
    redaction = Redaction(aliases={"ann@real.com": "person-1@example.invalid"})
    questions = [
        pair("connections_list_by_company", [], query=(("connectionOwnerEmail", text),))
        for text in ("bob@real.com", "ann@real.com")
    ]
    bob, ann = redaction.apply(questions)
    wanted = questions[1][0]

    assert bob.key == ann.key == redaction.key(wanted)
    assert redaction.agrees(wanted, ann.question)
    assert not redaction.agrees(wanted, bob.question)
    assert PLAIN.agrees(wanted, bob.question)
    assert "ann@real.com" not in repr(redaction)


def test_a_placeholder_in_a_question_matches_itself_only() -> None:
    questions = [
        pair("meters_list_by_company", [], query=(("identifier", text),))
        for text in ("M-1000", "M-2000")
    ]
    first, second = PLAIN.apply(questions)

    assert first.key == second.key
    assert PLAIN.agrees(second.question, second.question)
    assert not PLAIN.agrees(second.question, first.question)
    assert PLAIN.agrees(questions[0][0], second.question)


def test_an_alias_matches_in_quoted_texts() -> None:
    pairs = [
        pair("accounts_update", {"id": "5", "accountNumber": "0099-4417"}),
        pair("documents_update", sent={"notes": "of 0099-4417"}),
    ]
    _, stored = PLAIN.apply(pairs)
    redaction = Redaction(aliases={"0099-4417": "account-1"})

    assert decode_question(stored) == {"notes": "of account-1"}
    assert redaction.key(pairs[1][0]) == stored.key


_names = st.sampled_from(
    ["username", "password", "notes", "name", "address", "url", "id", "bo@real.com"]
)
_mails = st.sampled_from(["ann@real.com", "Ann@Real.com", "bo+b@real.co.uk", "é@ü.com"])
_texts_ = st.text(max_size=8) | _mails | _mails.map("to {}!".format)
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | _texts_,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(_names, inner, max_size=4)
        | st.fixed_dictionaries(
            {"identifiers": st.lists(st.fixed_dictionaries({"value": _texts_}))}
        )
    ),
    max_leaves=8,
)
_operations = st.sampled_from(["connections_create", "documents_update", "unheard_of"])


@max_examples(300)
@given(_operations, _values, _texts_, st.sampled_from(["identifier", "search", "page"]))
@example("unheard_of", {"username": "jdoe99", "name": "of jdoe99"}, "jdoe99", "search")
def test_a_question_is_found_by_its_unredacted_parts(
    operation: str, sent: Any, text: str, key: str
) -> None:
    recorded = pair(operation, sent=sent, query=((key, text),))
    (exchange,) = PLAIN.apply([recorded])

    assert PLAIN.masked(exchange.question).key == PLAIN.masked(recorded[0]).key
    masked = PLAIN.masked(recorded[0])
    assert PLAIN.masked(masked) == masked
    assert PLAIN.agrees(recorded[0], exchange.question)


@max_examples(200)
@given(_operations, _values, _values)
def test_redacting_twice_changes_nothing(
    operation: str, sent: Any, answer: Any
) -> None:
    once = PLAIN.apply([pair(operation, answer, sent=sent)])
    twice = PLAIN.apply(
        [(exchange.question, exchange.answer) for exchange in once], once
    )

    assert [encode_exchange(exchange) for exchange in twice] == [
        encode_exchange(exchange) for exchange in once
    ]
