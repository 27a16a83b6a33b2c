"""Every public verb is in `typing/api.py`, which type checkers read."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

from nectar_async import FanOut, MemoryTransport, NectarClient, Pager, contract

API = Path(__file__).parent / "typing" / "api.py"
TREE = ast.parse(API.read_text(encoding="utf-8"))


def public(kind: type) -> Iterator[str]:
    """The names of public methods and properties, inherited ones included."""
    for name, member in inspect.getmembers(kind):
        if not name.startswith("_") and (
            inspect.isfunction(member) or isinstance(member, property)
        ):
            yield name


def verbs() -> Iterator[str]:
    """Everything that can be called on a client, as it is written: `sites.get`."""
    client = NectarClient(transport=MemoryTransport({}))
    yield from public(NectarClient)
    for noun, resource in inspect.getmembers(client):
        if type(resource).__module__.startswith("nectar_async.resources"):
            yield from (f"{noun}.{verb}" for verb in public(type(resource)))


def mentioned() -> set[str]:
    """Chains of attributes on `nectar`, without it."""
    return {
        ast.unparse(node).removeprefix("nectar.")
        for node in ast.walk(TREE)
        if isinstance(node, ast.Attribute) and ast.unparse(node).startswith("nectar.")
    }


VERBS = sorted(verbs())


def test_there_are_as_many_verbs_as_operations_and_more() -> None:
    assert len(VERBS) > len(contract.operations())


@pytest.mark.parametrize("verb", VERBS)
def test_a_checker_reads_each_verb(verb: str) -> None:
    assert verb in mentioned()


@pytest.mark.parametrize("kind", [Pager, FanOut])
def test_a_checker_reads_each_part_of_a_walk(kind: type) -> None:
    names = {node.attr for node in ast.walk(TREE) if isinstance(node, ast.Attribute)}
    assert set(public(kind)) <= names


def test_what_a_checker_reads_is_asserted_and_not_taken_for_anything() -> None:
    """A call whose type is not asserted could be `Any`."""
    loose = [
        ast.unparse(node)
        for node in ast.walk(TREE)
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Await | ast.Call)
        and not ast.unparse(node).startswith("assert_type(")
    ]
    assert loose == []
