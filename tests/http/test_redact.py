"""Secrets are masked in errors and answers, in every escaping."""

from __future__ import annotations

import html
import json
import pickle
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import product
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, strategies as st

from nectar_async import NectarError, Response, Secret, TransportError, contract
from nectar_async._http.redact import (
    HEAD_BYTES,
    MASK,
    build_masker,
    build_redactor,
    find_sensitive_values,
    mask_spans,
    redact_error,
    redact_response,
    redact_values,
)
from nectar_async._http.status import raise_for_status
from nectar_async.contract import resolve_ref
from nectar_async.contract.sensitive import ANSWERED, SENSITIVE, SENT
from nectar_async.errors import DeadlineExceededError, DecodeError, StatusError

LINK = "https://u:pw@files.example/aBcDeFgHiJkLmNoP/bill.pdf?sig=sIgNa%2BtUrE&n=1#part"


KEY = "the-key-of-this-test"
PASSWORD = 'p"a\\ss/w<ö>rd &1'


def build_error(text: str, status: int = 400, kind: str = "text/plain") -> StatusError:
    with pytest.raises(StatusError) as caught:
        raise_for_status(
            Response(status, {"content-type": kind}, text.encode()),
            datetime(2026, 1, 1, tzinfo=UTC),
        )
    return caught.value


def join_texts(error: BaseException | None) -> str:
    """Every text of an error and of its causes."""
    if error is None:
        return ""
    parts = [str(error), repr(error), repr(error.args), *map(str, vars(error).values())]
    parts.append(repr(pickle.loads(pickle.dumps(error)).__dict__))  # noqa: S301  our own
    return "\n".join(parts) + join_texts(error.__cause__)


def find_sensitive(
    schema: Mapping[str, Any], key: str = "", *, is_within: bool = False
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The sensitive parts of a schema with their keys."""
    schema = resolve_ref(schema)
    if schema.get("x-sensitive"):
        yield key, schema
        if not is_within:
            return
    for name, inner in schema.get("properties", {}).items():
        yield from find_sensitive(inner, name, is_within=is_within)
    branches = [*schema.get("anyOf", ()), *schema.get("allOf", ())]
    for inner in filter(None, (*branches, schema.get("items"))):
        yield from find_sensitive(inner, key, is_within=is_within)


def list_body_schemas(operation: contract.OperationSpec) -> Iterator[Mapping[str, Any]]:
    content = operation.description.get("requestBody", {}).get("content", {})
    yield from (media["schema"] for media in content.values())


def list_answer_schemas(
    operation: contract.OperationSpec,
) -> Iterator[Mapping[str, Any]]:
    for status, answer in operation.description["responses"].items():
        if status.startswith("2"):
            content = resolve_ref(answer).get("content", {})
            yield from (inner["schema"] for inner in content.values())


def test_the_sensitive_keys_are_those_of_the_contract() -> None:
    schemas = contract.load()["components"]["schemas"].values()
    sensitive = [
        pair for schema in schemas for pair in find_sensitive(schema, is_within=True)
    ]
    candidates = {
        candidate
        for _, schema in sensitive
        for candidate in schema.get("x-key-candidates", ())
    }
    assert {key for key, _ in sensitive if key} | candidates == SENSITIVE


def test_the_sensitive_keys_of_answers_are_secret_in_every_answer() -> None:
    schemas = [
        schema
        for operation in contract.operations().values()
        for schema in list_answer_schemas(operation)
    ]
    keys = {key for schema in schemas for key, _ in find_sensitive(schema)}
    assert keys - SENT - {""} <= ANSWERED | {"key", "url", "value"}


def test_the_sensitive_keys_of_bodies_are_those_of_the_contract() -> None:
    schemas = [
        schema
        for operation in contract.operations().values()
        for schema in list_body_schemas(operation)
    ]
    keys = {key for schema in schemas for key, _ in find_sensitive(schema)}
    assert keys == SENT
    for key in keys:
        assert find_sensitive_values({key: "x"}) == ["x"]
    others = {
        key for schema in schemas for key in resolve_ref(schema).get("properties", {})
    }
    assert find_sensitive_values(dict.fromkeys(others - keys, "x")) == []


def find_nouns_with_links() -> set[str]:
    """The nouns whose answers have a link that opens without a key."""
    return {
        operation.description["tags"][0]
        for operation in contract.operations().values()
        for schema in list_answer_schemas(operation)
        for key, _ in find_sensitive(schema)
        if key not in {"username", "billing"}
    }


@pytest.mark.parametrize("operation", contract.operations())
def test_links_are_masked_for_operations_that_send_or_return_links(
    operation: str,
) -> None:
    error = build_error(f"see {LINK}")
    redact_error(error, operation)
    noun = contract.operations()[operation].description["tags"][0]
    is_masked = "aBcDeFgHiJkLmNoP" not in join_texts(error)
    is_sent_links = operation == "jobs_submit_bulk"
    assert is_masked == (noun in find_nouns_with_links() or is_sent_links)
    assert is_masked == ("see https://files.example/***" in error.message)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (LINK, "https://files.example/***"),
        ("HTTPS://dash.example/p/i/token.", "HTTPS://dash.example/***"),
        ("http:\\/\\/dash.example\\/p\\/i\\/token", "http://dash.example/***"),
        ("https%3A%2F%2Fdash.example%2Fp%3Fx", "https://dash.example/***"),
        ("https://app.example#key=token", "https://app.example/***"),
        ("https://app.example", "https://app.example"),
        ("<a href='https://dash.example/token'>", "<a href='https://dash.example/***'>"),
        ("https://", "https://"),
        ("no link: https", "no link: https"),
    ],
)  # fmt: skip
def test_a_masked_link_keeps_its_host(text: str, masked: str) -> None:
    error = build_error(text)
    redact_error(error, "documents_get")
    assert error.body == masked


SPELLINGS = {
    "plain": PASSWORD,
    "json": json.dumps(PASSWORD),
    "json-in-json": json.dumps(json.dumps({"password": PASSWORD})),
    "utf-8-json": json.dumps(PASSWORD, ensure_ascii=False),
    "slashes": json.dumps(PASSWORD).replace("/", "\\/"),
    "quoted": quote(PASSWORD),
    "safe": quote(PASSWORD, safe=""),
    "form": quote_plus(PASSWORD),
    "html": html.escape(PASSWORD),
    "capitals": PASSWORD.upper(),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_secret_is_found_in_every_escaping(spelling: str) -> None:
    error = build_error(f"refused: {SPELLINGS[spelling]}")
    redact_values(error, [PASSWORD])
    words = join_texts(error).lower()
    for part in ("ss/w", "ss\\", "w<", "%c3", "&lt;"):
        assert part not in words
    assert "refused: " in error.message
    assert "***" in error.message


@given(st.text("abcdef", min_size=4, max_size=20), st.text("xyz \n", max_size=20))
def test_no_secret_of_four_characters_survives(secret: str, around: str) -> None:
    error = DecodeError(f"{around}{secret}{around}{secret}")
    redact_values(error, [secret])
    assert error.message == f"{around}***{around}***"


def test_the_causes_and_notes_of_an_error_are_redacted() -> None:
    error = DeadlineExceededError("late with hunter2!")
    error.__cause__ = build_error("hunter2!")
    error.add_note("also: hunter2!")
    redact_values(error, ["hunter2!"])
    assert "hunter" not in join_texts(error)
    assert error.args == ("late with ***",)


def test_texts_of_three_characters_are_not_masked() -> None:
    error = build_error("the abc of it")
    redact_values(error, ["abc", ""])
    redact_values(error, [])
    assert error.detail == "the abc of it"


@pytest.mark.parametrize("shown", [4, 8, 19])
def test_a_secret_that_is_truncated_with_its_text_is_masked(shown: int) -> None:
    secret = "correct-horse-battery"
    error = build_error("x" * (2_000 - shown) + secret + "x" * 50, kind="")
    assert error.body.endswith(secret[:shown])
    redact_values(error, [secret])
    assert error.body == "x" * (2_000 - shown) + "***"
    short = build_error("the correct")
    redact_values(short, [secret])
    assert short.body == "the correct"


@pytest.mark.parametrize(
    "quoted",
    [
        "sIgNa%2BtUrE",
        "sIgNa+tUrE",
        "sig=sIgNa%2BtUrE&n=1",
        "//files.example/aBcDeFgHiJkLmNoP/bill.pdf",
        "/aBcDeFgHiJkLmNoP/bill.pdf",
        "aBcDeFgHiJkLmNoP",
        "bill.pdf",
    ],
)
def test_the_parts_of_a_link_are_masked_too(quoted: str) -> None:
    error = build_error(f"cannot fetch {quoted}!")
    redact_error(error, "jobs_submit_bulk", {"documents": [LINK]})
    words = join_texts(error)
    for part in ("sIg", "aBcD", "bill"):
        assert part not in words
    assert error.body.endswith("!")


HOSTILE = {
    "backslashes": "\\",
    "open lists": '"token":[',
    "open texts": "&quot;token&quot;:&#39;",
    "escaped percents": "%25",
    "links": "https://a/",
    "escapes after backslashes": "\\" * 100 + "u",
}


@pytest.mark.timeout(10)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_is_searched_in_linear_time(name: str) -> None:
    text = HOSTILE[name] * (256 * 1024 // len(HOSTILE[name]))
    redact = build_redactor("documents_get", {"password": "correct-horse"})
    assert "correct" not in redact(f"{text}correct-horse")


@pytest.mark.timeout(10)
def test_thousands_of_links_take_no_time() -> None:
    links = [f"{LINK}{number}" for number in range(2_000)]
    error = build_error("x" * 3_000 + links[7])
    redact_error(error, "jobs_submit_bulk", {"documents": links})
    assert "sIg" not in join_texts(error)


def test_values_of_sensitive_fields_are_found_at_every_depth() -> None:
    body: dict[str, object] = {
        "url": "https://portal.example",
        "username": Secret("u-1"),
        "securityQuestions": [{"key": "pet?", "value": Secret("Rex")}],
        "connections": [{"password": "p-1", "name": "n"}, {"notes": "none"}],
        "documents": [LINK],
        "isActive": True,
    }
    assert find_sensitive_values(body) == ["u-1", "pet?", "Rex", "p-1", LINK]
    assert find_sensitive_values({}) == []


def test_an_error_that_quotes_nothing_is_unchanged() -> None:
    error = NectarError("nothing secret here")
    redact_error(error, "connections_create", {"password": "hunter2!"})
    assert (error.message, error.args) == ("nothing secret here", error.args[:1])


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ('{"detail": "no", "token": "t-1234"}', '{"detail": "no", "token": "***"}'),
        ("{'token': \"it's\", 'id': 7}", "{'token': \"***\", 'id': 7}"),
        (
            "<b>&quot;token&quot;: &quot;t&quot;</b>",
            "<b>&quot;token&quot;: &quot;***&quot;</b>",
        ),
        (
            '{"d": "{\\"username\\": \\"a \\\\\\" b\\"}"}',
            '{"d": "{\\"username\\": \\"***\\"}"}',
        ),
        (
            'x {"billing": {"card": ["1", {}]}, "id": 7}',
            'x {"billing": {***}, "id": 7}',
        ),
        ('x {"password": "cut in the mid', 'x {"password": "***'),
        ('{"username": ["is taken"]}', '{"username": ["is taken"]}'),
        ("username: is taken; token expired", "username: is taken; token expired"),
    ],
)
def test_values_behind_sensitive_keys_are_masked_and_messages_are_not(
    text: str, redacted: str
) -> None:
    error = build_error(text)
    redact_error(error, "companies_get")
    assert error.body == redacted


def test_secret_values_are_masked_below_every_key() -> None:
    body = {"oneTimeCode": Secret("123456"), "more": [{"pin": Secret("7890")}]}
    assert find_sensitive_values(body) == ["123456", "7890"]


def test_the_problems_of_an_answer_are_redacted() -> None:
    error = DecodeError.of("thing", ("unknown key @ $.hunter2!",))
    redact_values(error, ["hunter2!"])
    assert error.problems == ("unknown key @ $.***",)


ESCAPES: dict[str, Callable[[str], str]] = {
    "json": lambda text: json.dumps(text)[1:-1],
    "utf-8-json": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "slashes": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "python": lambda text: repr(text)[1:-1],
    "bytes": lambda text: repr(text.encode())[2:-1],
    "address": quote,
    "all-of-it": lambda text: quote(text, safe=""),
    "form": quote_plus,
    "html": html.escape,
    "entities": lambda text: "".join(f"&#{ord(character)};" for character in text),
}


SECRETS = [
    '"abc\\d',
    'a"b\\c/d',
    "\\\\start",
    'é"%41<x',
    'qz & "',
    "it's+me\nno",
    '😀pass"w',
]


@pytest.mark.parametrize("outer", ESCAPES)
@pytest.mark.parametrize("inner", ESCAPES)
def test_a_value_is_found_in_every_escaping_of_every_escaping(
    inner: str, outer: str
) -> None:
    for secret in SECRETS:
        written = ESCAPES[outer](f"<{ESCAPES[inner](secret)}>")
        around = [ESCAPES[outer](character) for character in "<>"]
        assert build_masker([secret])(written) == MASK.join(around)


@pytest.mark.parametrize("secret", SECRETS)
def test_masked_json_is_still_json(secret: str) -> None:
    """The message of an error is read from JSON that was masked."""
    hide = build_masker([secret])
    assert json.loads(hide(json.dumps({"detail": secret}))) == {"detail": MASK}
    within = json.dumps({"detail": f"got {json.dumps([secret])}"})
    assert json.loads(hide(within)) == {"detail": f'got ["{MASK}"]'}


@given(st.text(min_size=4, max_size=12), st.text(max_size=12), st.text(max_size=12))
def test_a_value_itself_is_always_masked(secret: str, before: str, after: str) -> None:
    masked = build_masker([secret])(before + secret + after)
    assert secret not in masked.replace(MASK, "\0") or secret in "\0" * 12


@given(st.text(alphabet="xyz \\%&+\"'é", max_size=40))
def test_other_text_is_unchanged(text: str) -> None:
    assert build_masker(["secret", "another"])(text) == text


def test_without_values_nothing_is_masked() -> None:
    assert build_masker([])("any") == build_masker(["any"])("any") == "any"


def test_values_are_found_in_capitals_and_truncated_at_the_end_of_a_long_text() -> None:
    hide = build_masker(["correct-horse"])
    assert hide("CORRECT-Horse!") == "***!"
    assert hide("x" * 1_993 + "correct") == "x" * 1_993 + "***"
    assert hide("x" * 1_993 + "correct ") == "x" * 1_993 + "correct "
    assert hide("correct") == "correct"


def test_overlapping_spans_are_masked_as_one() -> None:
    assert mask_spans("0123456789", [(5, 7), (1, 4), (2, 3), (6, 8)]) == "0***4***89"
    assert mask_spans("0123", []) == "0123"


@pytest.mark.parametrize("escape", ESCAPES)
@pytest.mark.parametrize("secret", [PASSWORD, "correct-horse-battery", 'é"%41<x' * 3])
@pytest.mark.slow
def test_a_secret_that_the_end_of_the_head_cuts_does_not_show(
    secret: str, escape: str
) -> None:
    written = ESCAPES[escape](secret)
    redact = build_redactor("connections_create", {"password": secret})
    mask = build_masker([KEY])
    places = range(0, len(written) + 1, len(written) // 8 + 1)
    for size, place in product((HEAD_BYTES, 2 * HEAD_BYTES), places):
        before = f"{written} {KEY} " * 3
        text = f"{before}{'-' * (size - len(before) - place)}{written}{'-' * 9_999}"
        response = Response(500, {"content-type": "text/plain"}, text.encode())
        masked = redact_response(response, mask, 2 * HEAD_BYTES)
        body = redact_response(masked, redact).body.decode()
        assert set(body) <= set(f"{MASK} -")


def test_the_message_of_a_cut_json_text_is_found() -> None:
    error = build_error(json.dumps({"detail": 'no "bulk"', "input": ["x"] * 9_000}))
    assert error.detail == 'no "bulk"'
    cut = build_error('{"errors": [{"msg": "' + r"\"\u00e9" * 9_000, kind="")
    assert cut.detail == '"é' * 1_000


def test_errors_that_cause_each_other_are_redacted_once() -> None:
    first, second = TransportError("key-1234"), TransportError("key-1234")
    first.__cause__, second.__cause__ = second, first
    redact_values(first, ["key-1234"])
    assert str(first) == str(second) == "***"
