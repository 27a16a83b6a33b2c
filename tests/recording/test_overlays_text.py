"""Overlays as text: each effect can be ordered, and slips are explained."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from nectar_async.errors import ConfigurationError
from nectar_async.recording import effects
from nectar_async.recording.effects import (
    GRAMMAR,
    Answer,
    DropBody,
    Html,
    InsertRow,
    Stall,
    StallBody,
)
from nectar_async.recording.overlays import Overlay
from nectar_async.sandbox.fault_text import EFFECTS as FAULTS

# A text that every kind of field can be, and what it is then.
SAMPLES: dict[str, tuple[str, Any]] = {
    "int": ("3", 3),
    "float": ("0.5", 0.5),
    "float | str | datetime": ("text", "text"),
    "bytes": ("text", b"text"),
    "Mapping[str, str]": ('\'{"X-A":"b c"}\'', {"X-A": "b c"}),
    "Mapping[str, Any]": ('\'{"id":"a1"}\'', {"id": "a1"}),
}


@pytest.mark.parametrize(
    ("text", "overlay"),
    [
        (
            "answer status=429 retry-after='in 5 seconds' page=2 times=1",
            Overlay(Answer(429, retry_after="in 5 seconds"), page=2, times=1),
        ),
        (
            "drop-body operation=documents_download",
            Overlay(DropBody(), operation="documents_download"),
        ),
        ("html status=502 skip=3", Overlay(Html(status=502), skip=3)),
        ("stall-body", Overlay(StallBody())),
        ("stall seconds=2.5", Overlay(Stall(2.5))),
        (
            """insert-row after=2 row='{"id": "a1"}'""",
            Overlay(InsertRow(after=2, row={"id": "a1"})),
        ),
    ],
)
def test_a_text_is_an_overlay(text: str, overlay: Overlay) -> None:
    assert GRAMMAR.read(text) == overlay


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "there is no effect ''; there are answer, "),
        ("html staus=502", "html has no 'staus=502'; it takes status=, operation=, "),
        ("answer", "answer needs status="),
        ("stall seconds=-1", "seconds is a number from 0, not '-1'"),
        ("insert-row row=x", "row is an object"),
        ("html page=0", "page is a whole number from 1, not 0"),
        ("html operation=usage_lst_by_company", "mean 'usage_list_by_company'"),
        ("html 'x", 'overlay "html \'x": No closing quotation'),
    ],
)
def test_a_text_that_is_none_is_told_what_there_is(text: str, words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        GRAMMAR.read(text)
    assert words in str(caught.value)


def test_every_effect_that_is_exported_has_a_name() -> None:
    exported = {
        one
        for name in effects.__all__
        if isinstance(one := getattr(effects, name), type)
    }
    assert {*GRAMMAR.effects.values()} == exported


def test_what_has_the_name_of_a_fault_means_the_same() -> None:
    own = {"insert-row", "delete-row"}
    assert {*GRAMMAR.effects} - own <= {*FAULTS}


@pytest.mark.parametrize("name", GRAMMAR.effects)
def test_every_field_of_an_effect_can_be_said(name: str) -> None:
    kind: Any = GRAMMAR.effects[name]
    said, expected = [name], {}
    for one in attrs.fields(kind):
        sample, value = SAMPLES[str(one.type).removesuffix(" | None")]
        if one.name == "status":
            sample, value = "503", 503
        said.append(f"{one.name.replace('_', '-')}={sample}")
        expected[one.name] = value
    assert GRAMMAR.read(" ".join(said)).effect == kind(**expected)


def test_the_help_has_a_line_for_each_effect() -> None:
    lines = [*GRAMMAR.help()]
    assert "  answer status= [retry-after=] [headers=] [body=]" in lines
    assert "  stall-body [seconds=inf]" in lines
    assert lines[-1] == "each takes as well: operation=, page=, skip=, times="
    assert len(lines) == 2 + 2 * len(GRAMMAR.effects)
