"""Faults as text: every effect can be written, and mistakes are explained.

The tests use the vocabulary of the sandbox, which contains all other effects too.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import attrs
import pytest

import nectar_async.sandbox
from nectar_async import faults
from nectar_async.errors import ConfigurationError
from nectar_async.faults import VOCABULARY, Effect, Fault
from nectar_async.sandbox import (
    Answer,
    Change,
    Crowd,
    DropBody,
    Faults,
    Html,
    InsertRow,
    Refuse,
    Reset,
    RunOutOfTime,
    SendAway,
    SetValue,
    Stall,
    StallBody,
    StandStill,
    WrongLength,
    fault_help,
)

SANDBOX = Faults.vocabulary

# A text for every type of a field, and its value.
SAMPLES: dict[str, tuple[str, Any]] = {
    "int": ("3", 3),
    "float": ("0.5", 0.5),
    "str": ("text", "text"),
    "float | str | datetime": ("text", "text"),
    "bytes": ("text", b"text"),
    "int | str": ("3", 3),
    "Mapping[str, str]": ('\'{"X-A":"b c"}\'', {"X-A": "b c"}),
    "Mapping[str, Any]": ('\'{"id":"a1"}\'', {"id": "a1"}),
}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            "answer status=429 retry-after=1 page=2 times=1",
            Fault(Answer(status=429, retry_after="1"), page=2, times=1),
        ),
        (
            "answer status=429 retry-after='in 5 seconds' page=2 times=1",
            Fault(Answer(429, retry_after="in 5 seconds"), page=2, times=1),
        ),
        (
            'answer status=429 retry-after="Fri, 01 Jan 2027 00:00:00 GMT"',
            Fault(Answer(status=429, retry_after="Fri, 01 Jan 2027 00:00:00 GMT")),
        ),
        (
            """answer status=200 headers='{"X-A": "b"}' body='<p>a=b</p>'""",
            Fault(Answer(status=200, headers={"X-A": "b"}, body=b"<p>a=b</p>")),
        ),
        (
            "drop-body operation=usage_list_by_company probability=0.05",
            Fault(DropBody(), operation="usage_list_by_company", probability=0.05),
        ),
        (
            "drop-body operation=documents_download",
            Fault(DropBody(), operation="documents_download"),
        ),
        ("html status=502 skip=3", Fault(Html(status=502), skip=3)),
        ("disconnect company=x", Fault(faults.Disconnect(), company="x")),
        ("stall seconds=2.5", Fault(Stall(2.5))),
        ("stall-body", Fault(StallBody())),
        ("stall-body seconds=inf", Fault(StallBody(float("inf")))),
        ("wrong-length by=-5", Fault(WrongLength(by=-5))),
        ("reset share=0.5", Fault(Reset(share=0.5))),
        ("refuse", Fault(Refuse())),
        ("refuse seconds=2", Fault(Refuse(2.0))),
        ("run-out-of-time above=500", Fault(RunOutOfTime(above=500))),
        ("crowd limit=4", Fault(Crowd(limit=4))),
        ("send-away origin=http://a:1", Fault(SendAway(origin="http://a:1"))),
        ("set-value key=usage json=1e999", Fault(SetValue(key="usage", json="1e999"))),
        ("stand-still at=2 page=3", Fault(StandStill(at=2), page=3)),
        ("change delete=2 at=end", Fault(Change(delete=2, at="end"))),
        ("change insert=1 at=7 page=2", Fault(Change(insert=1, at=7), page=2)),
        (
            """insert-row after=2 row='{"id": "a1"}'""",
            Fault(InsertRow(after=2, row={"id": "a1"})),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_text_is_parsed_to_a_fault(text: str, fault: Fault) -> None:
    assert SANDBOX.parse(text) == fault
    if fault.effect.__class__ in VOCABULARY.effects.values():
        assert VOCABULARY.parse(text) == fault


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "there is no effect ''; there are stall, "),
        ("anwser status=429", "there is no effect 'anwser'; there are "),
        ("answer", "answer needs status="),
        ("answer stats=429", "write one of status=, retry-after=, .*, probability="),
        ("answer status", "answer does not accept 'status'; write one of status="),
        ("answer status=many", "status must be a whole number, not 'many'"),
        ("answer status=429 headers=x", "headers must be a JSON object of strings"),
        ("answer 'status=429", 'fault "answer \'status=429": No closing quotation'),
        ("stall seconds=-1", "seconds must be a number from 0, not '-1'"),
        ("stall seconds=nan", "seconds must be a number from 0, not 'nan'"),
        ("html probability=2", "probability must be between 0 and 1"),
        ("html page=0", "page must be a whole number from 1, not 0"),
        ("html operation=usage_lst_by_company", "mean 'usage_list_by_company'"),
        ("html operation=nothing", "there are accounts_bulk_update, "),
        ("insert-row row=x", "row must be a JSON object"),
        ("stand-still page=x", "page must be a whole number"),
        ("change at=middle", "at must be front, end, or the number of a row from 1"),
        ("change at=0", "at must be front, end, or the number of a row from 1"),
    ],
)
def test_a_mistake_in_a_text_is_explained(text: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        SANDBOX.parse(text)


@pytest.mark.parametrize("name", SANDBOX.effects)
def test_every_field_of_every_effect_can_be_written(name: str) -> None:
    kind: Any = SANDBOX.effects[name]
    words, values = [name], {}
    for attribute in attrs.fields(kind):
        text, value = SAMPLES[str(attribute.type).removesuffix(" | None")]
        if attribute.name == "status":
            text, value = "503", 503
        words.append(f"{attribute.name.replace('_', '-')}={text}")
        values[attribute.name] = value
    assert SANDBOX.parse(" ".join(words)).effect == kind(**values)


def test_no_field_of_an_effect_is_named_like_a_condition() -> None:
    conditions = {attribute.name for attribute in attrs.fields(Fault)}
    for kind in SANDBOX.effects.values():
        fields = attrs.fields(kind)
        assert conditions.isdisjoint(attribute.name for attribute in fields)


def list_exported(module: ModuleType) -> set[type]:
    """List the effects that a module exports."""
    exported = (getattr(module, name) for name in module.__all__)
    return {
        value
        for value in exported
        if isinstance(value, type) and hasattr(value, "apply") and attrs.has(value)
    }


def test_all_effects_are_exported() -> None:
    shared, all_effects = {*VOCABULARY.effects.values()}, {*SANDBOX.effects.values()}
    assert list_exported(faults) == shared
    assert list_exported(nectar_async.sandbox) == all_effects
    assert shared < all_effects


def test_the_help_describes_every_effect() -> None:
    lines = fault_help().splitlines()
    assert [*VOCABULARY.help()][:-1] == lines[: 1 + 2 * len(VOCABULARY.effects)]
    for name, kind in SANDBOX.effects.items():
        index = next(n for n, line in enumerate(lines) if line.split()[0] == name)
        first = (kind.__doc__ or "").partition("\n")[0]
        assert first.endswith(".")
        assert lines[index + 1].strip() == first
    assert "  html [status=200]" in lines
    assert "  stall seconds=" in lines
    assert "  answer status= [retry-after=] [headers=] [body=]" in lines
    assert "  change [insert=0] [delete=0] [at=front]" in lines
    conditions = "operation=, page=, company=, skip=, times=, probability="
    assert f"all effects also take: {conditions}" in lines


@pytest.mark.parametrize(
    "name", [name for name in SANDBOX.effects if name not in VOCABULARY.effects]
)
@pytest.mark.anyio
async def test_an_effect_of_the_sandbox_says_that_it_needs_one(name: str) -> None:
    kind: Any = SANDBOX.effects[name]
    values = {
        attribute.name: SAMPLES[str(attribute.type)][1]
        for attribute in attrs.fields(kind)
        if attribute.default is attrs.NOTHING
    }
    effect: Effect = kind(**values)
    unused: Any = None
    with pytest.raises(ConfigurationError, match="works in a sandbox only"):
        await effect.apply(unused, unused)
