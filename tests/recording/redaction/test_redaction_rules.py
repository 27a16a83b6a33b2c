"""Redaction rules are validated, and encoded for the manifest."""

from __future__ import annotations

from typing import Any

import pytest

from nectar_async.errors import InvalidArgumentError
from nectar_async.recording.redaction.redaction import Rule, encode_rules, parse_rules


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "tenant"}, "neither keys nor a pattern"),
        ({"kind": "Tenant 1", "keys": ("a",)}, "lower-case letter"),
        ({"kind": "tenant", "keys": "externalId"}, "must be a tuple"),
        ({"kind": "tenant", "pattern": "("}, "pattern of the rule for 'tenant'"),
    ],
    ids=["nothing", "kind", "keys", "pattern"],
)
def test_invalid_rules_are_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidArgumentError, match=words):
        Rule(**fields)


def test_rules_are_parsed_as_they_were_encoded() -> None:
    rules = (
        Rule(kind="tenant", keys=("externalId", "name")),
        Rule(kind="ticket", pattern=r"TCK-\d+", is_volatile=True),
    )

    assert parse_rules(encode_rules(rules)) == rules
    assert encode_rules(rules)["rules"][0] == {
        "kind": "tenant",
        "keys": ["externalId", "name"],
    }
    assert encode_rules(()) == {}
