"""A comparison of recordings reports changes of the API and not of its data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from attrs import evolve
from exchanges import answer, make_page, make_recording, question

from nectar_async.recording.bodies import Blob, Text
from nectar_async.recording.diff import ChangeKind, Comparison, RecordingChange, compare
from nectar_async.recording.folder import Recording
from nectar_async.recording.redaction.redaction import Redaction, Rule

USAGE = question("/usage/company/a", "usage_list_by_company", owner="a")
SITE = question("/site/a", "sites_get", owner="a")


def usage(*records: dict[str, Any]) -> Recording:
    """Build a page of usage records."""
    return make_recording([(USAGE, answer({"usageData": list(records)}))])


def site(value: Any, status: int = 200) -> Recording:
    return make_recording([(SITE, answer(value, status))])


def format_changes(comparison: Comparison) -> Sequence[str]:
    return [f"{change.place}: {change}" for change in comparison]


def only(comparison: Comparison) -> RecordingChange:
    (change,) = comparison
    return change


def test_a_recording_is_the_same_as_itself() -> None:
    recording = make_recording([make_page("a", 1, 2), make_page("a", 2, 2)])
    comparison = compare(recording, recording)
    assert comparison.is_same
    assert len(comparison) == 0
    assert comparison.by_operation == {}


def test_different_values_are_no_change() -> None:
    old = usage({"id": "1", "usage": "1.50", "site": {"name": "North"}})
    new = usage({"id": "2", "usage": "7", "site": {"name": "South"}})
    assert compare(old, new).is_same


def test_more_records_are_no_change() -> None:
    assert compare(usage({"id": "1"}), usage({"id": "1"}, {"id": "2"})).is_same


def test_placeholders_are_no_change() -> None:
    plain = usage({"id": "1", "serviceAddress": "897 Beacon Hill Drive"})
    pairs = [(exchange.question, exchange.answer) for exchange in plain.exchanges]
    redacted = evolve(plain, exchanges=Redaction().apply(pairs))
    assert redacted.exchanges[0].answer != plain.exchanges[0].answer
    assert compare(plain, redacted).is_same


@pytest.mark.parametrize("value", ["GAS", "0012", 12], ids=["enum", "text", "number"])
def test_a_placeholder_of_a_new_rule_is_no_change(value: object) -> None:
    plain = usage({"id": "1", "datasourceType": value})
    pairs = [(exchange.question, exchange.answer) for exchange in plain.exchanges]
    redaction = Redaction(rules=(Rule(kind="tenant", keys=("datasourceType",)),))
    redacted = evolve(
        plain, exchanges=redaction.apply(pairs), redaction=redaction.manifest()
    )
    assert redacted.exchanges[0].answer != plain.exchanges[0].answer
    assert compare(plain, redacted).is_same
    assert compare(redacted, plain).is_same


def test_null_and_lists_are_reported_next_to_placeholders() -> None:
    old = usage({"id": "1", "meterAddress": "address-1"})
    new = usage({"id": "1", "meterAddress": None})
    assert str(only(compare(old, new))) == "was text, is null"


def test_a_new_key_is_reported_with_its_place_and_share() -> None:
    old = usage({"id": "1", "document": {"id": "9"}})
    new = usage(
        {"id": "1", "document": {"id": "9", "url": "x"}},
        {"id": "2", "document": {"id": "8"}},
    )
    change = only(compare(old, new))
    assert change.kind is ChangeKind.KEY_APPEARED
    assert change.operation == "usage_list_by_company"
    assert change.place == "usageData[].document.url"
    assert str(change) == "new key: text, in 1 of 2"


def test_keys_below_a_new_key_are_not_reported_separately() -> None:
    old = usage({"id": "1"})
    new = usage({"id": "1", "meter": {"id": "m", "tags": [{"name": "x"}]}})
    change = only(compare(old, new))
    assert (change.place, change.after) == (
        "usageData[].meter",
        "object, in the only one",
    )


def test_a_vanished_key_is_reported() -> None:
    change = only(compare(usage({"id": "1", "cost": 3}), usage({"id": "1"})))
    assert change.kind is ChangeKind.KEY_VANISHED
    assert format_changes(
        compare(usage({"id": "1", "cost": 3}), usage({"id": "1"}))
    ) == ["usageData[].cost: key vanished; was number, in the only one"]


def test_empty_lists_say_nothing_about_their_items() -> None:
    assert compare(usage({"id": "1", "cost": 3}), usage()).is_same
    assert compare(usage(), usage({"id": "1", "cost": 3})).is_same


@pytest.mark.parametrize(
    ("old", "new", "kind", "words"),
    [
        (1.5, "1.5", ChangeKind.TYPE, "was number, is text"),
        ("1.5", 1.5, ChangeKind.TYPE, "was text, is number"),
        ("x", None, ChangeKind.TYPE, "was text, is null"),
        (None, ["x"], ChangeKind.TYPE, "was null, is list"),
        (True, 1, ChangeKind.TYPE, "was bool, is number"),
        ({"a": 1}, ["a"], ChangeKind.TYPE, "was object, is list"),
    ],
    ids=["to-text", "to-number", "to-null", "to-list", "to-number-2", "to-list-2"],
)
def test_another_type_is_reported(
    old: object, new: object, kind: ChangeKind, words: str
) -> None:
    change = only(compare(usage({"id": "1", "it": old}), usage({"id": "1", "it": new})))
    assert (change.kind, change.place, str(change)) == (kind, "usageData[].it", words)


def test_an_additional_type_and_a_missing_type_are_reported() -> None:
    text_only, both = usage({"it": "x"}), usage({"it": "x"}, {"it": None})
    assert str(only(compare(text_only, both))) == "was text, is null or text"
    less = only(compare(both, text_only))
    assert less.kind is ChangeKind.NARROWED
    assert str(less) == "was null or text, is only text"


def test_a_key_that_is_missing_in_some_objects_became_optional() -> None:
    always = usage({"id": "1", "it": "x"}, {"id": "2", "it": "y"})
    sometimes = usage({"id": "1", "it": "x"}, {"id": "2"}, {"id": "3"})
    change = only(compare(always, sometimes))
    assert change.kind is ChangeKind.OPTIONAL
    assert str(change) == "became optional: was in all 2, is in 1 of 3"
    back = only(compare(sometimes, always))
    assert back.kind is ChangeKind.ALWAYS
    assert str(back) == "is always present: was in 1 of 3, is in all 2"


def test_a_key_that_was_optional_before_stays_so() -> None:
    old = usage({"id": "1", "it": "x"}, {"id": "2"})
    new = usage({"id": "1", "it": "x"}, {"id": "2"}, {"id": "3"})
    assert compare(old, new).is_same


def test_new_enum_values_are_reported_with_whether_the_contract_lists_them() -> None:
    old = usage({"datasourceType": "GAS"})
    new = usage({"datasourceType": "WATER"}, {"datasourceType": "STEAM"})
    changes = list(compare(old, new))
    assert [(change.kind, change.after) for change in changes] == [
        (ChangeKind.UNKNOWN_VALUE, "STEAM"),
        (ChangeKind.VALUE, "WATER"),
    ]
    assert str(changes[0]) == "new value 'STEAM', which the contract does not list"
    assert str(changes[1]) == "new value 'WATER'"


def test_an_alias_of_an_enum_is_known() -> None:
    asked = question("/connection/a/details", "connections_get", owner="a")
    old, new = (
        make_recording([(asked, answer({"id": "a", "status": status}))])
        for status in ("CONNECTED", "INCORRECT_PASSWORD")
    )
    assert only(compare(old, new)).kind is ChangeKind.VALUE


def test_the_keys_of_a_free_object_are_data() -> None:
    old = usage({"additionalFields": {"invoice 1": "x"}})
    new = usage({"additionalFields": {"invoice 2": 3}})
    assert compare(old, new).is_same
    assert not compare(old, usage({"additionalFields": None})).is_same


def test_added_and_removed_exchanges_are_reported_by_name() -> None:
    old = make_recording([make_page("a", 1, 2), make_page("a", 2, 2)])
    new = make_recording([make_page("a", 1, 2), make_page("b", 1)])
    vanished, appeared = compare(old, new)
    assert vanished.kind is ChangeKind.EXCHANGE_VANISHED
    assert vanished.place == old.exchanges[1].name
    assert str(vanished) == "exchange vanished (200)"
    assert appeared.kind is ChangeKind.EXCHANGE_APPEARED
    assert appeared.place == new.exchanges[1].name


def test_a_further_answer_to_the_same_question_is_a_new_exchange() -> None:
    once, twice = ([make_page("a", 1)] * times for times in (1, 2))
    change = only(compare(make_recording(once), make_recording(twice)))
    assert change.kind is ChangeKind.EXCHANGE_APPEARED
    assert change.place.endswith(".2")


def test_a_new_operation_is_not_reported_key_by_key() -> None:
    old = make_recording([make_page("a", 1)])
    new = make_recording([make_page("a", 1), (SITE, answer({"id": "1", "name": "x"}))])
    change = only(compare(old, new))
    assert (change.kind, change.operation) == (
        ChangeKind.EXCHANGE_APPEARED,
        "sites_get",
    )


def test_another_status_is_reported_without_comparing_bodies() -> None:
    change = only(compare(site({"id": "1"}), site({"detail": "no"}, 404)))
    assert change.kind is ChangeKind.STATUS
    assert str(change) == "status was 200, is 404"


def test_errors_are_compared_with_errors_of_the_same_status() -> None:
    vanished, appeared = compare(
        site({"detail": "no"}, 404), site({"message": "no"}, 404)
    )
    assert (vanished.kind, vanished.place) == (ChangeKind.KEY_VANISHED, "detail")
    assert (appeared.kind, appeared.place) == (ChangeKind.KEY_APPEARED, "message")
    assert vanished.status == appeared.status == 404


def test_a_body_that_is_no_longer_json_is_reported() -> None:
    old = site({"id": "1"})
    for body, words in (
        (Text("<html>"), "was object, is text that is not JSON"),
        (Blob(b"%PDF", ".pdf"), "was object, is bytes"),
        (None, "was object, is nothing"),
    ):
        answered = evolve(old.exchanges[0].answer, body=body)
        change = only(compare(old, make_recording([(SITE, answered)])))
        assert (change.place, str(change)) == ("", words)


def test_another_api_version_is_reported_first() -> None:
    old = usage({"id": "1"})
    new = evolve(usage({"id": 1}), api_version="v2.1")
    first, second = compare(old, new)
    assert (first.kind, first.operation) == (ChangeKind.VERSION, "")
    assert str(first) == "the API version was v2.2, is v2.1"
    assert second.kind is ChangeKind.TYPE
    assert [*compare(old, new).by_operation] == ["", "usage_list_by_company"]


def test_other_rules_of_redaction_are_no_change() -> None:
    asked = evolve(USAGE, query=(("tenant", "acme"),))
    plain = make_recording([(asked, answer({"usageData": []}))])
    redaction = Redaction(rules=(Rule(kind="tenant", keys=("tenant",)),))
    (redacted,) = redaction.apply([(asked, answer({"usageData": []}))])
    ruled = Recording(api_version="v2.2", redaction=redaction.manifest())
    ruled = ruled.with_exchanges([redacted])
    assert _names(plain) != _names(ruled)
    assert compare(plain, ruled).is_same
    assert compare(ruled, plain).is_same


def _names(recording: Recording) -> Sequence[str]:
    names: Sequence[str] = [exchange.name for exchange in recording.exchanges]
    return names


def test_a_change_shows_no_values() -> None:
    """No change shows a value, except values of enums."""
    old = usage({"id": "MARK-1", "it": "MARK-2"})
    new = usage({"id": 1, "other": ["MARK-3"]})
    assert not compare(old, new).is_same
    assert "MARK" not in repr(list(compare(old, new)))
