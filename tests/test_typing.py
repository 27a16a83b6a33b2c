"""Every public method is used in `typing/api.py`, which type checkers check."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

from nectar_async import FanOut, MemoryTransport, NectarClient, Pager, contract

API = Path(__file__).parent / "typing" / "api.py"
TREE = ast.parse(API.read_text(encoding="utf-8"))


def find_public(kind: type) -> Iterator[str]:
    """Find the names of public methods and properties, also of inherited ones."""
    for name, member in inspect.getmembers(kind):
        if not name.startswith("_") and (
            inspect.isfunction(member) or isinstance(member, property)
        ):
            yield name


def find_methods() -> Iterator[str]:
    """Find all methods of a client and its groups: `ping`, `sites.get`."""
    client = NectarClient(transport=MemoryTransport({}))
    yield from find_public(NectarClient)
    for group, resource in inspect.getmembers(client):
        if type(resource).__module__.startswith("nectar_async.resources"):
            yield from (f"{group}.{name}" for name in find_public(type(resource)))


def find_uses() -> set[str]:
    """Find the chains of attributes of `nectar`, without that name."""
    return {
        ast.unparse(node).removeprefix("nectar.")
        for node in ast.walk(TREE)
        if isinstance(node, ast.Attribute) and ast.unparse(node).startswith("nectar.")
    }


METHODS = sorted(find_methods())


def test_the_client_has_a_method_for_each_operation() -> None:
    assert len(METHODS) > len(contract.operations())


@pytest.mark.parametrize("method", METHODS)
def test_each_method_is_used(method: str) -> None:
    assert method in find_uses()


@pytest.mark.parametrize("kind", [Pager, FanOut])
def test_each_attribute_of_a_list_is_used(kind: type) -> None:
    names = {node.attr for node in ast.walk(TREE) if isinstance(node, ast.Attribute)}
    assert set(find_public(kind)) <= names


def test_the_type_of_each_call_is_asserted() -> None:
    """Without an assertion the type of a call could be `Any`."""
    unasserted = [
        ast.unparse(node)
        for node in ast.walk(TREE)
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Await | ast.Call)
        and not ast.unparse(node).startswith("assert_type(")
    ]
    assert unasserted == []
