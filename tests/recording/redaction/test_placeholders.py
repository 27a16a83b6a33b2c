"""Placeholders have the form of the value, and keep their numbers."""

from __future__ import annotations

import pytest

from nectar_async.recording.redaction.patterns import build_placeholder_regex
from nectar_async.recording.redaction.placeholders import (
    PlaceholderTable,
    build_link_placeholder,
    build_pattern,
    is_quotable,
    normalize_value,
    strip_number,
)
from nectar_async.recording.redaction.sensitive_fields import (
    ACCOUNT,
    ADDRESS,
    METER,
    PERSON,
    USERNAME,
    Kind,
    list_kinds,
)

TENANT = Kind("tenant", is_secret=True, is_rule=True)


def build_table(
    before: dict[str, str] | None = None, **aliases: str
) -> PlaceholderTable:
    earlier = {place: {placeholder} for place, placeholder in (before or {}).items()}
    return PlaceholderTable((TENANT, *list_kinds()), aliases, earlier)


def test_two_values_of_the_same_place_keep_their_placeholders() -> None:
    earlier = {"m": {f"meter-{n}" for n in (9, 10)}, "n": {"meter-10"}}
    table = PlaceholderTable(list_kinds(), {}, earlier)
    for text, place in (("new", "m"), ("old", "m"), ("old", "n")):
        table.add(METER, text, (None, place))
    assert table.assign() == {"new": "meter-9", "old": "meter-10"}


def test_values_are_numbered_by_kind() -> None:
    table = build_table()
    for text in ("A-1", "A-2", "A-1", "a-1 "):
        table.add(ACCOUNT, text, (None, text))
    table.add(PERSON, "ann@real.com", (None, "m"))
    table.add(PERSON, "Ann", (None, "n"))

    assert table.assign() == {
        "a-1": "account-1",
        "a-2": "account-2",
        "ann@real.com": "person-1@example.invalid",
        "ann": "person-2",
    }


@pytest.mark.parametrize("is_reversed", [False, True])
def test_a_value_of_several_kinds_gets_the_first_kind(is_reversed: bool) -> None:
    table = build_table()
    for kind in (METER, ACCOUNT)[:: -1 if is_reversed else 1]:
        table.add(kind, "A-1", (None, "x"))

    assert table.assign() == {"a-1": "account-1"}


def test_an_email_address_is_a_person_unless_a_rule_applies() -> None:
    table = build_table()
    table.add(USERNAME, "ann@real.com", (None, "x"))
    table.add(TENANT, "bob@real.com", (None, "y"))
    table.add(TENANT, "https://acme.example.com", (None, "z"))

    assert table.assign() == {
        "ann@real.com": "person-1@example.invalid",
        "bob@real.com": "tenant-1@example.invalid",
        "https://acme.example.com": "https://link.invalid/tenant-2",
    }


def test_earlier_placeholders_are_kept_and_their_numbers_reserved() -> None:
    table = build_table({"1/accountNumber": "account-2", "gone": "account-1"})
    table.add(ACCOUNT, "new", (None, "new"))
    table.add(ACCOUNT, "old", ((None, "1"), "accountNumber"))

    assert table.assign() == {"old": "account-2", "new": "account-3"}


def test_a_place_with_a_name_weighs_more_than_one_in_a_list() -> None:
    table = build_table({"1/users/0": "person-1", "1/firstName": "person-1"})
    table.add(PERSON, "new", (((None, "1"), "users"), 0))
    table.add(PERSON, "old", ((None, "1"), "firstName"))

    assert table.assign()["old"] == "person-1"


def test_a_placeholder_of_another_form_is_not_kept() -> None:
    table = build_table({"1/user": "person-4"})
    table.add(PERSON, "ann@real.com", ((None, "1"), "user"))

    assert table.assign() == {"ann@real.com": "person-1@example.invalid"}


def test_an_alias_is_used_unchanged() -> None:
    table = build_table(real="account-1")
    table.add(ACCOUNT, "other", (None, "x"))
    table.add(ACCOUNT, "Real", (None, "y"))

    assert table.assign() == {"real": "account-1", "other": "account-2"}


@pytest.mark.parametrize(
    "text",
    [
        "account-12",
        "person-1@example.invalid",
        build_link_placeholder("3b1e/identifiers/0/ü x"),
        "magic:3b1e/connectionMagicLinkSecret",
        "link-part",
    ],
)
def test_placeholders_are_recognized(text: str) -> None:
    pattern = build_placeholder_regex(list_kinds())

    assert pattern.fullmatch(text)
    assert pattern.search(f"({text})")
    assert not pattern.search(f"x{text}") or text.startswith("https")


@pytest.mark.parametrize(
    "text", ["account-0", "account-1a", "my-account-1", "tenant-1"]
)
def test_other_texts_are_not_placeholders(text: str) -> None:
    assert not build_placeholder_regex(list_kinds()).search(text)


def test_placeholders_of_a_kind_have_the_same_form() -> None:
    assert build_pattern(PERSON, "ann@real.com") == strip_number(
        "person-17@example.invalid"
    )
    assert build_pattern(ACCOUNT, "1") != strip_number("meter-1")
    assert normalize_value(" Ann@Real.COM ") == "ann@real.com"


def test_a_street_without_a_number_is_not_quotable() -> None:
    assert not is_quotable(ADDRESS, "Harbor")
    assert is_quotable(ADDRESS, "1 Harbor")
    assert is_quotable(USERNAME, "harbor")
