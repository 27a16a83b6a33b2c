"""Users can correct guessed addresses and keys in `Settings`, without a release.

The contract marks guessed addresses (`x-overridable`) and some guessed keys
(`x-key-candidates`). `GUESSED` has the other guessed keys of fields and filters.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import NamedTuple

import pytest
from endpoints import ENDPOINTS, Endpoint
from sent_requests import (
    build_client,
    build_example,
    build_response,
    call,
    list_expected,
    list_sent,
)

from nectar_async import ConfigurationError, MemoryTransport, NectarClient, Operation
from nectar_async.contract import resolve_ref

pytestmark = pytest.mark.anyio

BY_ID = {endpoint.operation: endpoint for endpoint in ENDPOINTS}
OVERRIDABLE = [
    endpoint for endpoint in ENDPOINTS if endpoint.description.get("x-overridable")
]

# Guessed fields and filters without other spellings in the contract.
GUESSED: Mapping[str, tuple[str, ...]] = {
    "connections_update": tuple(
        key
        for key in BY_ID["connections_update"].body["properties"]
        if key != "isActive"
    ),
    "documents_update": tuple(BY_ID["documents_update"].body["properties"]),
    "intervals_list_by_connection": ("startDate", "endDate"),
    "invitations_list_by_company": ("status", "invitationType"),
    "meters_update": tuple(
        key for key in BY_ID["meters_update"].body["properties"] if key != "identifiers"
    ),
}
# Envelopes with guessed keys of the records and of the total.
GUESSED_ENVELOPES = ("providers_search", "invitations_list_by_company")


class Key(NamedTuple):
    """A guessed key."""

    endpoint: Endpoint
    key: str
    corrected: str
    """Another spelling; the contract's second candidate, if it has one."""


def list_sent_keys() -> list[Key]:
    """Return the guessed keys of queries and bodies."""
    corrections = {
        (endpoint.operation, argument.wire): argument.candidates[1]
        for endpoint in ENDPOINTS
        for argument in endpoint.arguments
        if argument.candidates
    }
    for operation, keys in GUESSED.items():
        corrections |= {(operation, key): f"{key}Corrected" for key in keys}
    return [
        Key(BY_ID[name], key, corrected)
        for (name, key), corrected in corrections.items()
    ]


def list_read_keys() -> list[Key]:
    """Return the guessed keys of answers, without those of envelopes."""
    return [
        Key(endpoint, key, resolve_ref(schema)["x-key-candidates"][-1])
        for endpoint in ENDPOINTS
        for branch in (endpoint.answer_schema, *endpoint.answer_schema.get("anyOf", ()))
        for key, schema in branch.get("properties", {}).items()
        if "x-key-candidates" in resolve_ref(schema)
    ]


def each_key(keys: list[Key]) -> pytest.MarkDecorator:
    ids = [f"{guess.endpoint.operation}-{guess.key}" for guess in keys]
    return pytest.mark.parametrize("guess", keys, ids=ids)


def each_of(endpoints: list[Endpoint]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("endpoint", endpoints, ids=lambda e: e.operation)


@pytest.fixture
def anyio_backend() -> str:
    """Run on one backend: these tests do not depend on it."""
    return "asyncio"


def find_parameters(path: str) -> list[str]:
    return re.findall(r"\{(\w+)\}", path)


def test_the_overridable_operations_are_those_with_inferred_addresses() -> None:
    assert OVERRIDABLE
    inferred = [
        endpoint.operation
        for endpoint in ENDPOINTS
        if endpoint.description["x-evidence"] == "inferred"
    ]
    assert inferred == [endpoint.operation for endpoint in OVERRIDABLE]


def test_guessed_keys_are_found_in_queries_bodies_and_answers() -> None:
    assert {
        (guess.endpoint.operation, guess.key, guess.corrected)
        for guess in list_sent_keys()
    } >= {
        ("accounts_bulk_update", "accounts", "accountIds"),
        ("connections_confirm", "confirm", "isConfirmed"),
        ("connections_create", "sites", "initialSites"),
        ("providers_search", "search", "query"),
    }
    assert {(guess.endpoint.operation, guess.key) for guess in list_read_keys()} == {
        ("invitations_get", "events"),
        ("webhook_portal_get", "url"),
    }


@each_of(OVERRIDABLE)
async def test_another_address_reaches_the_wire(endpoint: Endpoint) -> None:
    corrected = "/corrected" + "".join(
        f"/{{{part}}}/x" for part in find_parameters(endpoint.path)
    )
    values = {name: pair.wire for name, pair in endpoint.fits(everything=False).items()}
    page = {"query page": '["1"]'} if endpoint.is_list else {}
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        operations = {endpoint.operation: Operation(method, corrected)}
        nectar, wires = build_client(build_example(endpoint), operations=operations)
        await call(endpoint.on(nectar), endpoint.least)
        corrected_endpoint = Endpoint(
            endpoint.operation, method, corrected, endpoint.description
        )
        assert (
            list_sent(corrected_endpoint, wires[0])
            == list_expected(corrected_endpoint, values) | page
        )


CANDIDATES = [
    pytest.param(endpoint, *address.split(" "), id=f"{endpoint.operation}-{address}")
    for endpoint in OVERRIDABLE
    for address in endpoint.description.get("x-address-candidates", ())
]


@pytest.mark.parametrize(("endpoint", "method", "path"), CANDIDATES)
async def test_each_other_guess_can_be_tried(
    endpoint: Endpoint, method: str, path: str
) -> None:
    """An address with an unknown path parameter is refused before anything is sent."""
    operations = {endpoint.operation: Operation(method, path)}
    nectar, wires = build_client(build_example(endpoint), operations=operations)
    known = find_parameters(endpoint.path)
    unknown = [part for part in find_parameters(path) if part not in known]
    if not unknown:
        await call(endpoint.on(nectar), endpoint.least)
        corrected_endpoint = Endpoint(
            endpoint.operation, method, path, endpoint.description
        )
        assert list_sent(corrected_endpoint, wires[0])["at"] == f"{method} {path}"
        return
    names = f"{endpoint.operation} names {{{unknown[0]}}}"
    words = f"{names}, but the request has {', '.join(known)}"
    with pytest.raises(ConfigurationError, match=re.escape(words)):
        await call(endpoint.on(nectar), endpoint.least)
    assert wires == []


@each_of(OVERRIDABLE)
async def test_an_unknown_path_parameter_is_named_with_the_known_ones(
    endpoint: Endpoint,
) -> None:
    operations = {endpoint.operation: Operation(path="/x/{planet_id}")}
    nectar, wires = build_client(build_example(endpoint), operations=operations)
    parts = ", ".join(find_parameters(endpoint.path)) or "no parts"
    names = f"the path of {endpoint.operation} names {{planet_id}}"
    words = f"{names}, but the request has {parts}"
    with pytest.raises(ConfigurationError, match=re.escape(words)):
        await call(endpoint.on(nectar), endpoint.least)
    assert wires == []


@each_key(list_sent_keys())
async def test_another_key_is_sent_and_the_answer_is_read_as_before(guess: Key) -> None:
    endpoint = guess.endpoint
    (argument,) = (
        argument for argument in endpoint.arguments if argument.wire == guess.key
    )
    arguments = endpoint.least | {argument.name: argument.fit.python}
    plain, _ = build_client(build_example(endpoint))
    operations = {endpoint.operation: Operation(keys={guess.key: guess.corrected})}
    nectar, wires = build_client(build_example(endpoint), operations=operations)
    answer = await call(endpoint.on(nectar), arguments)
    sent = list_sent(endpoint, wires[0])
    text = list_expected(endpoint, {argument.name: argument.fit.wire})[
        f"{argument.place} {guess.key}"
    ]
    assert sent[f"{argument.place} {guess.corrected}"] == text
    assert f"{argument.place} {guess.key}" not in sent
    assert answer == await call(endpoint.on(plain), arguments)


@each_key(list_read_keys())
async def test_another_key_of_an_answer_is_read(guess: Key) -> None:
    endpoint = guess.endpoint
    status, schema = endpoint.answers[0]
    (example, *_) = schema["examples"]
    assert example[guess.key]
    renamed = {
        guess.corrected if key == guess.key else key: example[key] for key in example
    }
    operations = {endpoint.operation: Operation(keys={guess.key: guess.corrected})}
    nectar, _ = build_client(build_response(status, renamed), operations=operations)
    plain, _ = build_client(build_response(status, example))
    answer = await call(endpoint.on(nectar), endpoint.least)
    assert answer == await call(endpoint.on(plain), endpoint.least)
    assert answer.extra == {}


@each_of([BY_ID[operation] for operation in GUESSED_ENVELOPES])
async def test_another_envelope_is_read(endpoint: Endpoint) -> None:
    """Strict decoding needs `keys`; lenient decoding finds the list by itself."""
    status, schema = endpoint.answers[0]
    (example, *_) = schema["examples"]
    names = endpoint.description["x-paginated"]
    keys = {names["items"]: "records", names["total"]: "totalRecords"}
    renamed = {keys.get(key, key): example[key] for key in example}
    operations = {endpoint.operation: Operation(keys=keys)}
    nectar, _ = build_client(build_response(status, renamed), operations=operations)
    plain, _ = build_client(build_response(status, example))
    page = await call(endpoint.on(nectar), endpoint.least)
    assert page == await call(endpoint.on(plain), endpoint.least)
    assert page.items
    assert page.total == example[names["total"]]
    lenient = NectarClient(transport=MemoryTransport({endpoint.operation: renamed}))
    assert await call(endpoint.on(lenient), endpoint.least) == page


@each_of([BY_ID[operation] for operation in GUESSED_ENVELOPES])
async def test_other_pages_are_asked_for_by_the_corrected_key(
    endpoint: Endpoint,
) -> None:
    operations = {endpoint.operation: Operation(keys={"page": "pageNumber"})}
    nectar, wires = build_client(build_example(endpoint), operations=operations)
    await call(endpoint.on(nectar), endpoint.least)
    assert wires[0].query == {"pageNumber": ["1"]}


def find_experimental() -> list[str]:
    nectar = NectarClient(transport=MemoryTransport({}))
    return [
        endpoint.operation
        for endpoint in ENDPOINTS
        if "Experimental" in (inspect.getdoc(endpoint.on(nectar)) or "")
    ]


def test_an_address_of_low_confidence_is_described_as_experimental() -> None:
    low = [
        endpoint.operation
        for endpoint in OVERRIDABLE
        if endpoint.description["x-address-confidence"] == "low"
    ]
    assert find_experimental() == low
    assert low


@each_of(OVERRIDABLE)
def test_a_guessed_address_says_where_to_correct_it(endpoint: Endpoint) -> None:
    nectar = NectarClient(transport=MemoryTransport({}))
    noun = getattr(nectar, endpoint.noun or "")
    words = (inspect.getdoc(endpoint.on(nectar)) or "") + (inspect.getdoc(noun) or "")
    assert "Settings(operations={" in re.sub(r"\s+", " ", words)


@each_of(OVERRIDABLE)
async def test_a_correction_leaves_every_other_operation_alone(
    endpoint: Endpoint,
) -> None:
    others = {
        other.operation: Operation("PUT", "/elsewhere", keys={"name": "title"})
        for other in ENDPOINTS
        if other is not endpoint
    }
    nectar, wires = build_client(build_example(endpoint), operations=others)
    await call(endpoint.on(nectar), endpoint.least)
    assert list_sent(endpoint, wires[0])["at"] == f"{endpoint.method} {endpoint.path}"
