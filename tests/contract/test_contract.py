"""Every operation of the contract has its method, which sends what the contract says.

The tests are derived from the contract; see `endpoints`.
"""

from __future__ import annotations

import inspect
import re
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from endpoints import ENDPOINTS, FORM, JSON, Endpoint
from sent_requests import (
    KEY,
    SentRequest,
    build_client,
    build_example,
    build_response,
    call,
    list_expected,
    list_sent,
)

from nectar_async import (
    UNSET,
    MemoryTransport,
    NectarClient,
    Pager,
    Response,
    ServerError,
    contract,
    models,
)
from nectar_async._json.converter import Converter
from nectar_async.contract.wire_names import to_python
from nectar_async.resources._resource import Resource
from nectar_async.sandbox.handlers.routes import ROUTES, find_handler

# Methods that combine operations, or poll one.
WITHOUT_OPERATION = {
    "connections.activate",
    "connections.deactivate",
    "connections.wait_until_settled",
    "documents.download",
    "jobs.wait",
}
# The view across companies combines operations, and the contract has no tag for it.
WITHOUT_TAG = {"repository"}

# Arguments that are not sent.
NOT_SENT = {
    "companies_list": {"on_error"},
    "jobs_submit_document": {"file_name", "on_progress"},
}

# Fields whose default is True, because the call itself implies it.
IMPLIED_BY_THE_CALL = {("connections_confirm", "confirm")}

DELETES = {"companies_delete", "sites_delete", "usage_delete"}


def each_of(endpoints: list[Endpoint]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("endpoint", endpoints, ids=lambda e: e.operation)


each = each_of(ENDPOINTS)
each_list = each_of([endpoint for endpoint in ENDPOINTS if endpoint.is_list])


@pytest.fixture
def anyio_backend() -> str:
    """Run on one backend: these tests do not depend on it."""
    return "asyncio"


@pytest.fixture
def nectar() -> NectarClient:
    """A client that sends nothing."""
    return NectarClient(transport=MemoryTransport({}))


def find_groups(nectar: NectarClient) -> dict[str, Resource]:
    return {
        name: group
        for name, group in inspect.getmembers(nectar)
        if isinstance(group, Resource) and name not in WITHOUT_TAG
    }


@each
def test_an_operation_has_its_method(endpoint: Endpoint, nectar: NectarClient) -> None:
    assert callable(endpoint.on(nectar))


@each
def test_the_docstring_names_the_operation_and_its_address(
    endpoint: Endpoint, nectar: NectarClient
) -> None:
    words = inspect.getdoc(endpoint.on(nectar)) or ""
    assert f"`{endpoint.operation}`" in words
    address = f"{endpoint.method} {endpoint.path}"
    assert address in re.sub(r"\s+", " ", words)


@each
def test_an_answer_has_its_model(endpoint: Endpoint, nectar: NectarClient) -> None:
    returns = get_type_hints(endpoint.on(nectar))["return"]
    if endpoint.model is None:
        assert returns is (str if endpoint.answer_schema else NoneType)
        return
    origin = get_origin(returns)
    kind = returns if origin is None else get_args(returns)[0]
    assert kind is getattr(models, endpoint.model)
    if endpoint.is_list:
        assert origin is Pager
    else:
        is_one = endpoint.model == endpoint.answer_name
        assert (origin is None) == is_one


@each
def test_an_operation_has_its_handler_in_the_sandbox(endpoint: Endpoint) -> None:
    route = ROUTES[endpoint.operation]
    assert (route.method, route.path) == (endpoint.method, endpoint.path)
    assert callable(route.handler)


@pytest.mark.parametrize(
    ("operation", "place"),
    [
        (
            "usage_list_by_planet",
            "`async def list_by_planet` to sandbox/handlers/usage",
        ),
        ("usage_list", "`async def list_all` to sandbox/handlers/usage"),
        ("planets_list", "`_NOUNS` in sandbox/handlers/routes"),
    ],
)
def test_a_missing_handler_is_named(operation: str, place: str) -> None:
    with pytest.raises(LookupError, match=re.escape(place)) as caught:
        find_handler(operation)
    assert operation in str(caught.value)


def test_the_sandbox_answers_nothing_else() -> None:
    assert set(ROUTES) == {endpoint.operation for endpoint in ENDPOINTS}


def test_every_other_public_method_has_an_operation(nectar: NectarClient) -> None:
    methods = {
        f"{noun}.{name}"
        for noun, group in find_groups(nectar).items()
        for name, _ in inspect.getmembers(group, callable)
        if not name.startswith("_")
    }
    assert methods - {endpoint.call for endpoint in ENDPOINTS} == WITHOUT_OPERATION


def test_the_nouns_are_the_tags(nectar: NectarClient) -> None:
    tags = {tag["name"] for tag in contract.load()["tags"]}
    assert set(find_groups(nectar)) == tags - {"ping"}


@each
def test_the_arguments_are_those_of_the_contract(endpoint: Endpoint) -> None:
    further = set(NOT_SENT.get(endpoint.operation, ()))
    if endpoint.body.get("x-body-complete") is False:
        further.add("extra")
    if str(endpoint.signature.return_annotation).startswith("Pager["):
        further.add("verify")
    known = {argument.name for argument in endpoint.arguments}
    assert set(endpoint.signature.parameters) == known | further


@each
def test_only_required_arguments_have_no_default(endpoint: Endpoint) -> None:
    parameters = endpoint.signature.parameters
    for argument in endpoint.arguments:
        default = parameters[argument.name].default
        if not argument.is_required:
            assert default is UNSET or default is None, argument.name
        elif (endpoint.operation, argument.wire) not in IMPLIED_BY_THE_CALL:
            assert default is inspect.Parameter.empty, argument.name


def test_fields_implied_by_the_call_default_to_true() -> None:
    for operation, wire in IMPLIED_BY_THE_CALL:
        (endpoint,) = (
            endpoint for endpoint in ENDPOINTS if endpoint.operation == operation
        )
        assert endpoint.signature.parameters[to_python(wire)].default is True


@pytest.mark.anyio
@pytest.mark.parametrize("everything", [False, True], ids=["required", "everything"])
@each
async def test_a_call_is_the_request_that_the_contract_describes(
    endpoint: Endpoint, everything: bool
) -> None:
    fits = endpoint.fits(everything=everything)
    nectar, wires = build_client(build_example(endpoint))
    arguments = {name: pair.python for name, pair in fits.items()}
    await call(endpoint.on(nectar), arguments)
    (wire,) = wires
    assert wire.operation == endpoint.operation
    values = {name: pair.wire for name, pair in fits.items()}
    page = {"query page": '["1"]'} if endpoint.is_list else {}
    assert list_sent(endpoint, wire) == list_expected(endpoint, values) | page
    assert_headers(endpoint, wire)


def assert_headers(endpoint: Endpoint, wire: SentRequest) -> None:
    (scheme,) = contract.load()["components"]["securitySchemes"].values()
    assert scheme["in"] == "header"
    assert wire.headers[scheme["name"].lower()] == KEY
    assert wire.headers["accept"] == JSON
    content_type = wire.headers.get("content-type", "").partition(";")[0]
    assert content_type == (endpoint.content_type or "")
    if endpoint.content_type is None:
        assert wire.body == b""
    if endpoint.content_type == FORM:
        file = wire.parts["document"]
        assert file.get_content_type() == "image/png"
        assert (file.get_filename() or "").endswith(".png")
        assert int(wire.headers["content-length"]) == len(wire.body)


@pytest.mark.anyio
@each_of(
    [
        endpoint
        for endpoint in ENDPOINTS
        if endpoint.body.get("x-body-complete") is False
    ]
)
async def test_a_body_that_is_not_known_in_full_takes_further_keys(
    endpoint: Endpoint,
) -> None:
    nectar, wires = build_client(build_example(endpoint))
    await call(endpoint.on(nectar), endpoint.least | {"extra": {"newKey": [1]}})
    assert list_sent(endpoint, wires[0])["body newKey"] == "[1]"


@pytest.mark.anyio
@each_list
async def test_a_list_is_read_page_by_page(endpoint: Endpoint) -> None:
    keys = endpoint.description["x-paginated"]
    (example, *_) = endpoint.answer_schema["examples"]
    (record, *_) = example[keys["items"]]
    pages = [
        {
            **example,
            keys["items"]: [{**record, "id": f"id-{number}"}],
            keys["total"]: 2,
            "totalPages": 2,
            "currentPage": number,
            "hasNext": number < 2,
            "hasPrevious": number > 1,
        }
        for number in (1, 2)
    ]
    nectar, wires = build_client(
        lambda request: build_response(200, pages[request.page - 1])
    )
    pager = endpoint.on(nectar)(**endpoint.least)
    assert [record.id async for record in pager] == ["id-1", "id-2"]
    assert str(pager.receipt.verdict) == "complete"
    assert [wire.query for wire in wires] == [{"page": ["1"]}, {"page": ["2"]}]


EXAMPLES = [
    pytest.param(endpoint, status, body, id=f"{endpoint.operation}-{status}-{number}")
    for endpoint in ENDPOINTS
    for status, schema in endpoint.answers
    for number, body in enumerate(schema.get("examples", ()))
]


@pytest.mark.anyio
@pytest.mark.parametrize(("endpoint", "status", "body"), EXAMPLES)
async def test_every_example_is_read_and_written_back(
    endpoint: Endpoint, status: int, body: Any
) -> None:
    nectar, wires = build_client(build_response(status, body))
    answer = await call(endpoint.on(nectar), endpoint.least)
    assert len(wires) == 1
    if endpoint.model is None:
        assert answer == "pong v2.2"
        return
    records = answer if isinstance(answer, list) else getattr(answer, "items", [answer])
    expected_records = read_records(endpoint, body)
    assert len(records) == len(expected_records) > 0
    for record, example in zip(records, expected_records, strict=True):
        assert type(record) is getattr(models, endpoint.model)
        assert record.extra == {}
        converter = Converter(is_strict=True)
        assert converter.decode(converter.encode(record), type(record)) == record
        for wire, value in example.items():
            is_there = getattr(record, to_python(wire)) not in (None, ())
            assert is_there == (value not in (None, [])), wire


def read_records(endpoint: Endpoint, body: Any) -> list[dict[str, Any]]:
    """Return the records of an example answer."""
    if endpoint.is_list:
        body = body[endpoint.description["x-paginated"]["items"]]
    return body if isinstance(body, list) else [body]


def test_every_answer_with_a_body_has_an_example() -> None:
    without_examples = {
        endpoint.operation
        for endpoint in ENDPOINTS
        for _, schema in endpoint.answers
        if not schema.get("examples")
    }
    assert without_examples == DELETES


@pytest.mark.anyio
@each_of([endpoint for endpoint in ENDPOINTS if endpoint.operation in DELETES])
async def test_a_deletion_returns_none_for_every_successful_status(
    endpoint: Endpoint,
) -> None:
    for status in {status for status, _ in endpoint.answers}:
        nectar, wires = build_client(Response(status))
        answer = await call(endpoint.on(nectar), endpoint.least)
        assert answer is None
        assert len(wires) == 1


@pytest.mark.anyio
@each
async def test_a_call_is_repeated_where_the_contract_allows_it(
    endpoint: Endpoint,
) -> None:
    nectar, wires = build_client(Response(500))
    with pytest.raises(ServerError):
        await call(endpoint.on(nectar), endpoint.least)
    attempts = nectar.settings.retry.attempts
    assert len(wires) == (attempts if endpoint.is_repeated else 1)
    assert attempts > 1


@pytest.mark.anyio
async def test_a_login_is_not_renewed_twice() -> None:
    """A repeat with credentials in its body could log in at the portal again."""
    (endpoint,) = (
        endpoint for endpoint in ENDPOINTS if endpoint.operation == "connections_update"
    )
    repeats = {}
    for argument in endpoint.arguments:
        nectar, wires = build_client(Response(500))
        with pytest.raises(ServerError):
            await call(
                endpoint.on(nectar),
                endpoint.least | {argument.name: argument.fit.python},
            )
        repeats[argument.name] = len(wires) > 1
    credentials = {
        argument.name for argument in endpoint.arguments if argument.is_sensitive
    }
    assert len(credentials) == 3
    assert {name for name, is_repeated in repeats.items() if not is_repeated} == (
        credentials
    )


@each
def test_a_deprecated_operation_warns_and_names_its_replacement(
    endpoint: Endpoint, nectar: NectarClient
) -> None:
    warning = getattr(endpoint.on(nectar), "__deprecated__", "")
    assert bool(warning) == endpoint.description.get("deprecated", False)
    if warning:
        replacement = endpoint.description["x-replaced-by"]
        (successor,) = (
            endpoint for endpoint in ENDPOINTS if endpoint.operation == replacement
        )
        assert f"{successor.call}(" in warning
        with pytest.warns(DeprecationWarning, match=re.escape(warning)):
            endpoint.on(nectar)(**endpoint.least).close()
