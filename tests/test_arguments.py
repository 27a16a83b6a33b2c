"""What an argument may be is what the contract takes: no more, and no less.

The values come from the schemas; see `values`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from endpoints import ENDPOINTS, Argument, Endpoint
from jsonschema import Draft202012Validator
from values import wrong
from wires import Wire, answer_of, asked, client_on, expected, said

from nectar_async import UNSET, InvalidArgumentError, contract

pytestmark = pytest.mark.anyio


def each_of(endpoints: list[Endpoint]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("endpoint", endpoints, ids=lambda e: e.operation)


each = each_of([one for one in ENDPOINTS if one.arguments])
each_change = each_of([one for one in ENDPOINTS if one.method == "PATCH"])


@pytest.fixture
def anyio_backend() -> str:
    """One is enough: nothing here waits."""
    return "asyncio"


def is_left_out_by_none(endpoint: Endpoint, one: Argument) -> bool:
    return endpoint.signature.parameters[one.name].default is None


async def wire_with(endpoint: Endpoint, one: Argument, value: Any) -> Wire:
    """What a call says that has this value, and otherwise no more than it needs."""
    nectar, wires = client_on(answer_of(endpoint))
    await asked(endpoint.on(nectar), endpoint.least | {one.name: value})
    return wires[0]


@each
async def test_whatever_fits_arrives(endpoint: Endpoint) -> None:
    least = {name: pair.wire for name, pair in endpoint.fits(everything=False).items()}
    faults = []
    for one in endpoint.arguments:
        for pair in one.fits:
            if pair.wire is None and is_left_out_by_none(endpoint, one):
                continue
            found = said(endpoint, await wire_with(endpoint, one, pair.python))
            found.pop("query page", None)
            if found != expected(endpoint, least | {one.name: pair.wire}):
                faults.append((one.name, pair, found))
    assert faults == []


@each
async def test_whatever_does_not_fit_is_named_and_not_sent(endpoint: Endpoint) -> None:
    nectar, wires = client_on(answer_of(endpoint))
    faults = []
    for one in endpoint.arguments:
        for value in refused(endpoint, one):
            fault = await fault_of(endpoint.on(nectar), endpoint, one, value)
            faults += (
                [] if fault is None else [f"{one.name}={str(value)[:80]}: {fault}"]
            )
    assert faults == []
    assert wires == []


async def fault_of(
    method: Any, endpoint: Endpoint, one: Argument, value: Any
) -> str | None:
    """What is wrong with how a value is refused; None if nothing is."""
    try:
        await asked(method, endpoint.least | {one.name: value})
    except InvalidArgumentError as error:
        is_named = re.match(rf"{one.name}\b", error.message)
        return None if is_named else f"not named in {error.message!r}"
    return "was taken"


def refused(endpoint: Endpoint, one: Argument) -> Iterator[Any]:
    """Everything that an argument may not be."""
    if one.place == "path":
        yield from ("", ".", "..", "a\n", None, 5)
        yield from (bad for bad in wrong(one.shape) if isinstance(bad, str))
        return
    yield from wrong(one.shape)
    if not one.shape.is_nullable and not is_left_out_by_none(endpoint, one):
        yield None
    if one.shape.kind == "list":
        # The API would read an empty filter as every value.
        yield from [[]] * (one.place == "query" or one.is_required)
        # Text is a list of letters: most likely a forgotten bracket.
        yield from ["text"] * (one.place == "body")


def may_be_empty(one: Argument) -> bool:
    is_text_filter = one.place == "query" and one.shape.kind == "text"
    return is_text_filter and "minLength" not in one.shape.schema


@each_of([one for one in ENDPOINTS if any(map(may_be_empty, one.arguments))])
async def test_a_search_for_nothing_is_no_filter(endpoint: Endpoint) -> None:
    for one in filter(may_be_empty, endpoint.arguments):
        assert one.wire not in (await wire_with(endpoint, one, "")).query


@each_change
async def test_what_is_unset_stays_at_home_and_what_is_none_is_null(
    endpoint: Endpoint,
) -> None:
    body = [one for one in endpoint.arguments if one.place == "body"]
    assert body
    for one in body:
        if not one.is_required:
            fields = (await wire_with(endpoint, one, UNSET)).fields
            assert one.wire not in fields
        if one.shape.is_nullable:
            fields = (await wire_with(endpoint, one, None)).fields
            assert fields[one.wire] is None, one.name
        if one.shape.kind == "list" and not one.is_required:
            fields = (await wire_with(endpoint, one, [])).fields
            assert fields[one.wire] == [], one.name


@each
def test_the_values_of_these_tests_are_the_contracts_own(endpoint: Endpoint) -> None:
    """A border that the schema itself would not take proves nothing."""
    components = contract.load()["components"]
    for one in endpoint.arguments:
        schema = {**one.shape.schema, "components": components}
        if one.shape.is_open:
            del schema["enum"]
        for pair in [one.fit, *one.fits]:
            if one.place != "path" and one.shape.kind != "file" and pair.wire:
                Draft202012Validator(schema).validate(pair.wire)


def test_there_are_wrong_values_for_every_sort_of_argument() -> None:
    """A schema whose marks nobody understands must not pass for one without bounds."""
    found = {
        one.shape.kind: wrong(one.shape)
        for endpoint in ENDPOINTS
        for one in endpoint.arguments
    }
    assert all(found.values())
    assert set(found) == {
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
