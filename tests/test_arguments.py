"""Arguments are accepted and refused exactly as the contract says.

The values come from the schemas; see `values`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from endpoints import ENDPOINTS, Argument, Endpoint
from jsonschema import Draft202012Validator
from sent_requests import (
    SentRequest,
    build_client,
    build_example,
    call,
    list_expected,
    list_sent,
)
from values import build_invalid_values

from nectar_async import UNSET, InvalidArgumentError, contract

pytestmark = pytest.mark.anyio


def each_of(endpoints: list[Endpoint]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("endpoint", endpoints, ids=lambda e: e.operation)


each = each_of([endpoint for endpoint in ENDPOINTS if endpoint.arguments])
each_change = each_of(
    [endpoint for endpoint in ENDPOINTS if endpoint.method == "PATCH"]
)


@pytest.fixture
def anyio_backend() -> str:
    """One backend is enough, because nothing here waits."""
    return "asyncio"


def is_optional(endpoint: Endpoint, argument: Argument) -> bool:
    return endpoint.signature.parameters[argument.name].default is None


async def send_value(endpoint: Endpoint, argument: Argument, value: Any) -> SentRequest:
    """Call with one value and the required arguments; return what is sent."""
    nectar, wires = build_client(build_example(endpoint))
    await call(endpoint.on(nectar), endpoint.least | {argument.name: value})
    return wires[0]


@each
async def test_every_valid_value_is_sent(endpoint: Endpoint) -> None:
    least = {name: pair.wire for name, pair in endpoint.fits(everything=False).items()}
    faults = []
    for argument in endpoint.arguments:
        for pair in argument.fits:
            if pair.wire is None and is_optional(endpoint, argument):
                continue
            if (argument.name, pair.wire) == ("date_type", "UPDATED_DATE"):
                continue  # refused without dates
            sent = list_sent(
                endpoint, await send_value(endpoint, argument, pair.python)
            )
            sent.pop("query page", None)
            if sent != list_expected(endpoint, least | {argument.name: pair.wire}):
                faults.append((argument.name, pair, sent))
    assert faults == []


@each
async def test_every_invalid_value_is_refused_by_name_and_not_sent(
    endpoint: Endpoint,
) -> None:
    nectar, wires = build_client(build_example(endpoint))
    faults = []
    for argument in endpoint.arguments:
        for value in list_refused_values(endpoint, argument):
            fault = await find_refusal_fault(
                endpoint.on(nectar), endpoint, argument, value
            )
            faults += (
                [] if fault is None else [f"{argument.name}={str(value)[:80]}: {fault}"]
            )
    assert faults == []
    assert wires == []


async def find_refusal_fault(
    method: Any, endpoint: Endpoint, argument: Argument, value: Any
) -> str | None:
    """The fault in how a value is refused; None if there is none."""
    try:
        await call(method, endpoint.least | {argument.name: value})
    except InvalidArgumentError as error:
        is_named = re.match(rf"{argument.name}\b", error.message)
        return None if is_named else f"not named in {error.message!r}"
    return "was accepted"


def list_refused_values(endpoint: Endpoint, argument: Argument) -> Iterator[Any]:
    """All values that an argument must refuse."""
    if argument.place == "path":
        yield from ("", ".", "..", "a\n", None, 5)
        yield from (
            bad for bad in build_invalid_values(argument.shape) if isinstance(bad, str)
        )
        return
    yield from build_invalid_values(argument.shape)
    if not argument.shape.is_nullable and not is_optional(endpoint, argument):
        yield None
    if argument.shape.kind == "list":
        # The API would read an empty filter as every value.
        yield from [[]] * (argument.place == "query" or argument.is_required)
        # Text is a list of letters: most likely a forgotten bracket.
        yield from ["text"] * (argument.place == "body")


def may_be_empty(argument: Argument) -> bool:
    is_text_filter = argument.place == "query" and argument.shape.kind == "text"
    return is_text_filter and "minLength" not in argument.shape.schema


@each_of(
    [endpoint for endpoint in ENDPOINTS if any(map(may_be_empty, endpoint.arguments))]
)
async def test_an_empty_search_is_not_sent_as_a_filter(endpoint: Endpoint) -> None:
    for argument in filter(may_be_empty, endpoint.arguments):
        assert argument.wire not in (await send_value(endpoint, argument, "")).query


@each_change
async def test_unset_is_left_out_and_none_is_null(
    endpoint: Endpoint,
) -> None:
    body = [argument for argument in endpoint.arguments if argument.place == "body"]
    assert body
    for argument in body:
        if not argument.is_required:
            fields = (await send_value(endpoint, argument, UNSET)).fields
            assert argument.wire not in fields
        if argument.shape.is_nullable:
            fields = (await send_value(endpoint, argument, None)).fields
            assert fields[argument.wire] is None, argument.name
        if argument.shape.kind == "list" and not argument.is_required:
            fields = (await send_value(endpoint, argument, [])).fields
            assert fields[argument.wire] == [], argument.name


@each
def test_the_values_of_these_tests_fit_the_contract(endpoint: Endpoint) -> None:
    """The values of these tests are checked against the schema itself."""
    components = contract.load()["components"]
    for argument in endpoint.arguments:
        schema = {**argument.shape.schema, "components": components}
        if argument.shape.is_open:
            del schema["enum"]
        for pair in [argument.fit, *argument.fits]:
            if argument.place != "path" and argument.shape.kind != "file" and pair.wire:
                Draft202012Validator(schema).validate(pair.wire)


def test_there_are_wrong_values_for_every_kind_of_argument() -> None:
    """A schema with unknown keywords must not count as one without bounds."""
    values_by_kind = {
        argument.shape.kind: build_invalid_values(argument.shape)
        for endpoint in ENDPOINTS
        for argument in endpoint.arguments
    }
    assert all(values_by_kind.values())
    assert set(values_by_kind) == {
        "boolean",
        "date",
        "decimal",
        "email",
        "enum",
        "file",
        "id",
        "instant",
        "list",
        "object",
        "text",
        "whole",
    }
