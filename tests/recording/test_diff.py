"""What changed in the API between two recordings is told, and what data says is not."""

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
    """A list of usage."""
    return make_recording([(USAGE, answer({"usageData": list(records)}))])


def site(value: Any, status: int = 200) -> Recording:
    return make_recording([(SITE, answer(value, status))])


def said(comparison: Comparison) -> Sequence[str]:
    return [f"{one.place}: {one}" for one in comparison]


def only(comparison: Comparison) -> RecordingChange:
    (change,) = comparison
    return change


def test_a_recording_is_the_same_as_itself() -> None:
    one = make_recording([make_page("a", 1, 2), make_page("a", 2, 2)])
    found = compare(one, one)
    assert found.is_same
    assert len(found) == 0
    assert found.by_operation == {}


def test_other_values_are_no_change() -> None:
    old = usage({"id": "1", "usage": "1.50", "site": {"name": "North"}})
    new = usage({"id": "2", "usage": "7", "site": {"name": "South"}})
    assert compare(old, new).is_same


def test_more_records_are_no_change() -> None:
    assert compare(usage({"id": "1"}), usage({"id": "1"}, {"id": "2"})).is_same


def test_stand_ins_are_no_change() -> None:
    plain = usage({"id": "1", "serviceAddress": "897 Beacon Hill Drive"})
    pairs = [(one.question, one.answer) for one in plain.exchanges]
    redacted = evolve(plain, exchanges=Redaction().apply(pairs))
    assert redacted.exchanges[0].answer != plain.exchanges[0].answer
    assert compare(plain, redacted).is_same


@pytest.mark.parametrize("value", ["GAS", "0012", 12], ids=["enum", "text", "number"])
def test_a_stand_in_by_a_rule_that_is_new_is_no_change(value: object) -> None:
    plain = usage({"id": "1", "datasourceType": value})
    pairs = [(one.question, one.answer) for one in plain.exchanges]
    redaction = Redaction(rules=(Rule(kind="tenant", keys=("datasourceType",)),))
    redacted = evolve(
        plain, exchanges=redaction.apply(pairs), redaction=redaction.manifest()
    )
    assert redacted.exchanges[0].answer != plain.exchanges[0].answer
    assert compare(plain, redacted).is_same
    assert compare(redacted, plain).is_same


def test_what_is_null_or_a_list_is_told_beside_stand_ins() -> None:
    old = usage({"id": "1", "meterAddress": "address-1"})
    new = usage({"id": "1", "meterAddress": None})
    assert str(only(compare(old, new))) == "was text, is null"


def test_a_new_key_is_told_with_its_place_and_how_often_it_is_there() -> None:
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


def test_what_is_below_a_new_key_is_told_with_it() -> None:
    old = usage({"id": "1"})
    new = usage({"id": "1", "meter": {"id": "m", "tags": [{"name": "x"}]}})
    change = only(compare(old, new))
    assert (change.place, change.after) == (
        "usageData[].meter",
        "object, in the only one",
    )


def test_a_key_that_is_gone_is_told() -> None:
    change = only(compare(usage({"id": "1", "cost": 3}), usage({"id": "1"})))
    assert change.kind is ChangeKind.KEY_VANISHED
    assert said(compare(usage({"id": "1", "cost": 3}), usage({"id": "1"}))) == [
        "usageData[].cost: key vanished; was number, in the only one"
    ]


def test_of_an_empty_list_nobody_knows_what_its_items_are_like() -> None:
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
def test_another_type_is_told(
    old: object, new: object, kind: ChangeKind, words: str
) -> None:
    change = only(compare(usage({"id": "1", "it": old}), usage({"id": "1", "it": new})))
    assert (change.kind, change.place, str(change)) == (kind, "usageData[].it", words)


def test_a_type_that_comes_besides_is_told_and_one_that_goes_is_less() -> None:
    one, both = usage({"it": "x"}), usage({"it": "x"}, {"it": None})
    assert str(only(compare(one, both))) == "was text, is null or text"
    less = only(compare(both, one))
    assert less.kind is ChangeKind.NARROWED
    assert str(less) == "was null or text, is only text"


def test_a_key_that_is_not_always_there_any_more_became_optional() -> None:
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


def test_new_values_of_an_enum_are_told_and_whether_the_contract_knows_them() -> None:
    old = usage({"datasourceType": "GAS"})
    new = usage({"datasourceType": "WATER"}, {"datasourceType": "STEAM"})
    changes = list(compare(old, new))
    assert [(one.kind, one.after) for one in changes] == [
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


def test_exchanges_that_come_and_go_are_told_by_name() -> None:
    old = make_recording([make_page("a", 1, 2), make_page("a", 2, 2)])
    new = make_recording([make_page("a", 1, 2), make_page("b", 1)])
    gone, come = compare(old, new)
    assert gone.kind is ChangeKind.EXCHANGE_VANISHED
    assert gone.place == old.exchanges[1].name
    assert str(gone) == "exchange vanished (200)"
    assert come.kind is ChangeKind.EXCHANGE_APPEARED
    assert come.place == new.exchanges[1].name


def test_one_answer_more_to_the_same_question_is_an_exchange_more() -> None:
    once, twice = ([make_page("a", 1)] * times for times in (1, 2))
    change = only(compare(make_recording(once), make_recording(twice)))
    assert change.kind is ChangeKind.EXCHANGE_APPEARED
    assert change.place.endswith(".2")


def test_an_operation_that_is_new_is_no_heap_of_new_keys() -> None:
    old = make_recording([make_page("a", 1)])
    new = make_recording([make_page("a", 1), (SITE, answer({"id": "1", "name": "x"}))])
    change = only(compare(old, new))
    assert (change.kind, change.operation) == (
        ChangeKind.EXCHANGE_APPEARED,
        "sites_get",
    )


def test_another_status_is_told_and_its_body_held_against_nothing() -> None:
    change = only(compare(site({"id": "1"}), site({"detail": "no"}, 404)))
    assert change.kind is ChangeKind.STATUS
    assert str(change) == "status was 200, is 404"


def test_errors_are_held_against_the_same_errors() -> None:
    gone, come = compare(site({"detail": "no"}, 404), site({"message": "no"}, 404))
    assert (gone.kind, gone.place) == (ChangeKind.KEY_VANISHED, "detail")
    assert (come.kind, come.place) == (ChangeKind.KEY_APPEARED, "message")
    assert gone.status == come.status == 404


def test_a_body_that_is_no_json_any_more_is_told() -> None:
    old = site({"id": "1"})
    for body, words in (
        (Text("<html>"), "was object, is text that is not JSON"),
        (Blob(b"%PDF", ".pdf"), "was object, is bytes"),
        (None, "was object, is nothing"),
    ):
        answered = evolve(old.exchanges[0].answer, body=body)
        change = only(compare(old, make_recording([(SITE, answered)])))
        assert (change.place, str(change)) == ("", words)


def test_another_version_of_the_api_is_told_first() -> None:
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
    names: Sequence[str] = [one.name for one in recording.exchanges]
    return names


def test_a_change_says_no_more_than_the_api_says() -> None:
    """Values of enums apart, what data says is in no change."""
    old = usage({"id": "MARK-1", "it": "MARK-2"})
    new = usage({"id": 1, "other": ["MARK-3"]})
    assert not compare(old, new).is_same
    assert "MARK" not in repr(list(compare(old, new)))
