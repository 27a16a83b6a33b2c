"""Sensitive fields are found by the contract."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import pytest

from nectar_async import contract
from nectar_async.recording.redaction import sensitive_fields
from nectar_async.recording.redaction.sensitive_fields import (
    ADDRESS,
    LINK,
    METER,
    PERSON,
    FieldNode,
    find_operation_fields,
    list_kinds,
)


def find_node(node: FieldNode, path: str) -> FieldNode:
    for word in path.split("."):
        if word == "[]":
            assert node.items is not None
            node = node.items
        else:
            node = node.keys[word]
    return node


@pytest.mark.parametrize(
    ("operation", "path", "kind"),
    [
        ("documents_list_by_site", "documents.[].url", LINK),
        ("usage_list_by_meter", "usageData.[].document.url", LINK),
        ("usage_get", "identifiers.[].value", METER),
        ("sites_list_by_company", "[].address", ADDRESS),
        ("sites_list_by_company", "sites.[].address", ADDRESS),
        ("webhook_portal_get", "appPortalUrl", LINK),
        ("invitations_get", "auditLog.[].email", PERSON),
        ("providers_search", "providers.[].url", None),
        ("connections_get", "url", None),
        ("companies_get", "users.[].name", PERSON),
    ],
)
def test_fields_are_found_through_references_lists_and_key_candidates(
    operation: str, path: str, kind: object
) -> None:
    assert find_node(find_operation_fields(operation).response, path).kind == kind


def test_a_body_that_is_a_link_is_sensitive() -> None:
    assert find_operation_fields("webhook_portal_get").response.kind == LINK


def test_in_unknown_objects_marked_names_of_the_operation_are_sensitive() -> None:
    answer, elsewhere = (
        find_operation_fields("documents_get"),
        find_operation_fields("connections_get"),
    )

    assert answer.below(FieldNode(), "url").kind == LINK
    assert elsewhere.below(FieldNode(), "url").kind is None


def test_dates_numbers_and_enum_values_are_typed() -> None:
    row = find_operation_fields("usage_get").response

    assert row.keys["startDate"].is_typed("2024-01-31")
    assert row.keys["usage"].is_typed("-12.50")
    assert row.keys["usageUnits"].is_typed("kWh")
    assert row.keys["created"].is_typed("2024-02-20T09:15:43.123456789Z")
    assert not row.keys["startDate"].is_typed("ask Ann")
    assert not row.keys["tariff"].is_typed("2024-01-31")


@pytest.mark.parametrize("step", [0, 1, 2, 3, 10, 30])
def test_a_thread_never_gets_fields_that_another_thread_has_not_finished(
    step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = find_operation_fields.__wrapped__
    complete = describe_field(find("connections_get").response)
    monkeypatch.setattr(sensitive_fields, "_finished_nodes", {})
    iterate_alternatives = contract.iterate_alternatives
    steps = count()
    seen = []

    def let_another_thread_find_them(schema: Any) -> Any:
        if next(steps) == step:
            with ThreadPoolExecutor() as threads:
                fields = threads.submit(find, "connections_get").result()
            seen.append(describe_field(fields.response))
        return iterate_alternatives(schema)

    monkeypatch.setattr(
        sensitive_fields, "iterate_alternatives", let_another_thread_find_them
    )
    find("connections_get")
    assert seen == [complete]


def describe_field(field: FieldNode, depth: int = 3) -> Any:
    """Describe a field and the ones below it as plain values."""
    if depth == 0:
        return None
    keys = {key: describe_field(inner, depth - 1) for key, inner in field.keys.items()}
    items = field.items and describe_field(field.items, depth - 1)
    return field.kind, field.is_id, field.has_type, keys, items


def test_every_operation_has_fields_and_every_kind_a_unique_name() -> None:
    for operation in contract.operations():
        assert find_operation_fields(operation) is find_operation_fields(operation)
    names = [kind.name for kind in list_kinds()]
    assert len(names) == len({*names})
    assert find_operation_fields("unheard_of").marked == {}
