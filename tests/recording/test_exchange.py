"""Keys of recorded requests (`Question`), and file names of exchanges."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import evolve
from exchanges import NOW, answer, question

from nectar_async import Operation, Request, Response
from nectar_async._http.compression import decompress_body
from nectar_async.models.page import Listing, Page
from nectar_async.recording.bodies import Blob, Json, Text, parse_body
from nectar_async.recording.exchange import Exchange, RecordedAnswer, build_question

LIST: Request[Any] = Request.get(
    "usage_list_by_company",
    "/usage/company/{company_id}",
    Page[Any],
    query={"datasource_type": ["WATER", "GAS"], "search": "a b&c"},
    listing=Listing(items="usage_data"),
    company_id="a/b",
)


def build_key(base: str, request: Request[Any] = LIST) -> str:
    return build_question(request.at(2).resolve(base)).key


def test_host_prefix_and_version_are_not_in_the_key() -> None:
    assert build_key("https://a.example/v2.2") == build_key("http://127.0.0.1:1/x/v2")


def test_the_order_of_a_query_does_not_matter() -> None:
    reversed_query = evolve(LIST, query=LIST.query[::-1])
    assert build_key("https://a.example", reversed_query) == build_key(
        "https://a.example"
    )


def test_a_question_has_path_query_owner_and_page() -> None:
    asked_question = build_question(LIST.at(2).resolve("https://a.example/v2.2"))
    assert (asked_question.path, asked_question.owner, asked_question.page) == (
        "/usage/company/a%2Fb",
        "a/b",
        2,
    )
    assert asked_question.query == (
        ("datasourceType", "GAS"),
        ("datasourceType", "WATER"),
        ("page", "2"),
        ("search", "a b&c"),
    )
    assert str(asked_question).startswith(
        "GET /usage/company/a%2Fb?datasourceType=GAS&"
    )
    assert asked_question.without_page.page is None


def test_a_corrected_address_is_the_one_that_is_recorded() -> None:
    corrected = LIST.resolve("https://a.example", Operation("GET", "/new/{company_id}"))
    assert build_question(corrected).path == "/new/a%2Fb"


def test_equal_json_bodies_have_equal_keys_in_any_formatting() -> None:
    keys = {
        question(method="POST", body=parse_body(text)).key
        for text in (b'{"a": 1, "b": [2]}', b'{ "b":[2],"a":1}')
    }
    assert len(keys) == 1
    assert (
        question(method="POST", body=parse_body(b'{"a": 2, "b": [2]}')).key not in keys
    )
    assert question(method="POST", body=Text("x")).key != question(method="POST").key


def test_chunks_of_a_file_differ_in_their_range() -> None:
    link = "https://files.example/bill.pdf?sig=1"
    whole = question("", "documents_download", url=link)
    part = evolve(whole, range="bytes=0-9")
    assert part.key != whole.key
    assert str(part) == "GET https://files.example/bill.pdf"


def exchange(**facts: Any) -> Exchange:
    asked_question = question(**facts)
    return Exchange(question=asked_question, answer=answer(), key=asked_question.key)


def test_file_names_have_operation_owner_and_page() -> None:
    recorded = exchange(
        path="/usage/company/a",
        operation="usage_list_by_company",
        query=(("page", "12"),),
        owner="a",
    )
    assert recorded.name == f"usage_list_by_company.a.page-0012.{recorded.key[:8]}"
    assert evolve(recorded, order=3).name == f"{recorded.name}.3"


@pytest.mark.parametrize(
    ("owner", "shown"),
    [
        ("../../etc", "etc"),
        ("a/b c", "a-b-c"),
        ("x" * 200, "x" * 48),
        ("CON", "CON"),
        ("ü", ""),
        ("", ""),
    ],
)
def test_no_id_leads_out_of_the_folder(owner: str, shown: str) -> None:
    name = exchange(owner=owner).name
    middle = name.removeprefix("companies_list").rpartition(".")[0].strip(".")
    assert middle == shown
    assert "/" not in name
    assert len(name) < 200


def test_only_relevant_headers_are_recorded() -> None:
    headers = {
        "Content-Type": "application/json",
        "Set-Cookie": "a=b",
        "X-Request-Id": "1",
        "Date": "Sun, 01 Mar 2026 12:00:00 GMT",
        "ETag": '"1"',
        "Content-Encoding": "gzip",
    }
    recorded_answer = RecordedAnswer.of(
        Response(200, headers, gzip.compress(b'{"b":1,"a":2}')), NOW
    )
    assert recorded_answer.headers == {
        "content-type": "application/json",
        "etag": '"1"',
    }
    assert recorded_answer.body == Json(b'{"a":2,"b":1}')
    assert decompress_body(recorded_answer.response()) == b'{"a":2,"b":1}'


def test_a_retry_after_date_becomes_seconds() -> None:
    headers = {"Retry-After": "Sun, 01 Mar 2026 12:00:30 GMT"}
    assert RecordedAnswer.of(Response(429, headers), NOW).headers == {
        "retry-after": "30"
    }
    late = datetime(2026, 3, 1, 13, tzinfo=UTC)
    assert RecordedAnswer.of(Response(429, headers), late).headers == {
        "retry-after": "0"
    }
    assert RecordedAnswer.of(Response(429, {"Retry-After": "soon"}), NOW).headers == {
        "retry-after": "soon"
    }


def test_the_bytes_of_an_exchange_are_those_of_question_and_answer() -> None:
    recorded = exchange(method="POST", body=Blob(b"\xff"))
    both = evolve(
        recorded, answer=RecordedAnswer(status=200, body=Blob(b"\xfe", ".pdf"))
    )
    assert [blob.content for blob in both.blobs] == [b"\xff", b"\xfe"]
