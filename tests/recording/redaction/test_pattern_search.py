"""E-mail addresses and matches of patterns are found, and placeholders are not."""

from __future__ import annotations

import re

import pytest

from nectar_async.recording.redaction.patterns import PatternSearch
from nectar_async.recording.redaction.sensitive_fields import PERSON, Kind, list_kinds

TICKET = Kind("ticket", is_secret=True, is_rule=True)
MARKS = PatternSearch([(re.compile(r"TCK-\d+"), TICKET)], (TICKET, *list_kinds()))


def test_addresses_and_matches_of_the_patterns_are_found() -> None:
    matches = [*MARKS.find("Ann@Real.com wrote TCK-17, see bob%40real.com")]

    assert [(match.kind, match.text) for match in matches] == [
        (PERSON, "ann@real.com"),
        (PERSON, "bob@real.com"),
        (TICKET, "TCK-17"),
    ]


def test_placeholders_are_not_found_as_sensitive() -> None:
    text = "person-1@example.invalid wrote ticket-2, see account-3"

    assert [*MARKS.find(text)] == []
    assert [match[0] for match in MARKS.find_placeholders(text)] == text.replace(
        ",", ""
    ).split()[::2]
    assert [match[0] for match in MARKS.find_matched_placeholders(text)] == [
        "person-1@example.invalid",
        "ticket-2",
    ]


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("of 0099-4417 (ann@real.com)", True),
        ("of  ()", False),
        ("to 0099-4417 (ann@real.com)", False),
    ],
)
def test_a_wildcard_matches_anything_in_place_of_placeholders(
    text: str, fits: bool
) -> None:
    pattern = MARKS.build_wildcard("of account-1 (person-1@example.invalid)")

    assert pattern is not None
    assert bool(pattern.fullmatch(text)) is fits
    assert MARKS.build_wildcard("of 0099-4417") is None
