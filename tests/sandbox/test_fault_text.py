"""Faults as the shell has them: each effect can be ordered, and slips are explained."""

from __future__ import annotations

from typing import Any

import aiohttp
import attrs
import pytest
from visitor import Visitor

import nectar_async.sandbox
from nectar_async.cli.app import run
from nectar_async.errors import ConfigurationError
from nectar_async.sandbox import (
    Answer,
    Change,
    Crowd,
    DropBody,
    Effect,
    Fault,
    Html,
    Refuse,
    Reset,
    RunOutOfTime,
    Sandbox,
    SendAway,
    SetValue,
    StallBody,
    StandStill,
    WrongLength,
)
from nectar_async.sandbox.__main__ import main
from nectar_async.sandbox.server.faults import EFFECTS, fault_help, read_fault

# A text that every kind of field can be, and what it is then.
SAMPLES: dict[str, tuple[str, Any]] = {
    "int": ("3", 3),
    "float": ("0.5", 0.5),
    "str": ("text", "text"),
    "float | str | datetime": ("text", "text"),
    "Mapping[str, Any]": ('\'{"id":"a1"}\'', {"id": "a1"}),
    "bytes": ("text", b"text"),
    "int | str": ("3", 3),
    "Mapping[str, str]": ('\'{"X-A":"b c"}\'', {"X-A": "b c"}),
}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            "answer status=429 retry-after=1 page=2 times=1",
            Fault(Answer(status=429, retry_after="1"), page=2, times=1),
        ),
        (
            "drop-body operation=usage_list_by_company probability=0.05",
            Fault(DropBody(), operation="usage_list_by_company", probability=0.05),
        ),
        ("html status=502 skip=3", Fault(Html(status=502), skip=3)),
        (
            'answer status=429 retry-after="Fri, 01 Jan 2027 00:00:00 GMT"',
            Fault(Answer(status=429, retry_after="Fri, 01 Jan 2027 00:00:00 GMT")),
        ),
        (
            """answer status=200 headers='{"X-A": "b"}' body='<p>a=b</p>'""",
            Fault(Answer(status=200, headers={"X-A": "b"}, body=b"<p>a=b</p>")),
        ),
        ("stall-body seconds=inf", Fault(StallBody(float("inf")))),
        ("wrong-length by=-5", Fault(WrongLength(by=-5))),
        ("reset share=0.5", Fault(Reset(share=0.5))),
        ("refuse seconds=2", Fault(Refuse(2.0))),
        ("run-out-of-time above=500", Fault(RunOutOfTime(above=500))),
        ("crowd limit=4", Fault(Crowd(limit=4))),
        ("send-away origin=http://a:1", Fault(SendAway(origin="http://a:1"))),
        ("set-value key=usage json=1e999", Fault(SetValue(key="usage", json="1e999"))),
        ("stand-still at=2 page=3", Fault(StandStill(at=2), page=3)),
        ("change delete=2 at=end", Fault(Change(delete=2, at="end"))),
        ("change insert=1 at=7 page=2", Fault(Change(insert=1, at=7), page=2)),
        ("disconnect company=x", Fault(EFFECTS["disconnect"](), company="x")),
        ("drop-body operation=documents_download", None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_text_is_a_fault(text: str, fault: Fault | None) -> None:
    expected = fault or Fault(DropBody(), operation="documents_download")
    assert read_fault(text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "there is no effect ''; there are stall, "),
        ("anwser status=429", "there is no effect 'anwser'; there are "),
        ("answer", "answer needs status="),
        ("answer stats=429", "it takes status=, retry-after=, .*, probability="),
        ("answer status", "answer has no 'status'; it takes status="),
        ("answer status=many", "status is a whole number, not 'many'"),
        ("stall seconds=-1", "seconds is a number from 0, not '-1'"),
        ("stall seconds=nan", "seconds is a number from 0, not 'nan'"),
        ("answer status=429 headers=x", "headers is an object of texts"),
        ("html probability=2", "probability is between 0 and 1"),
        ("html operation=usage_lst_by_company", "mean 'usage_list_by_company'"),
        ("html operation=nothing", "there are accounts_bulk_update, "),
        ("answer 'status=429", "No closing quotation"),
        ("stand-still page=x", "page is a whole number"),
        ("change at=middle", "at is front, end, or the number of a row from 1"),
        ("change at=0", "at is front, end, or the number of a row from 1"),
    ],
)
def test_a_text_that_is_none_is_told_what_there_is(text: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        read_fault(text)


def test_every_effect_that_is_exported_has_a_name_in_the_shell() -> None:
    exported = {
        one
        for name in nectar_async.sandbox.__all__
        if isinstance(one := getattr(nectar_async.sandbox, name), type)
        and hasattr(one, "apply")
    }
    assert set(EFFECTS.values()) == exported - {Effect, nectar_async.sandbox.Faults}


@pytest.mark.parametrize("name", EFFECTS)
def test_every_field_of_an_effect_can_be_said(name: str) -> None:
    kind: Any = EFFECTS[name]
    said, expected = [name], {}
    for one in attrs.fields(kind):
        sample, value = SAMPLES[str(one.type).removesuffix(" | None")]
        if one.name == "status":
            sample, value = "503", 503
        said.append(f"{one.name.replace('_', '-')}={sample}")
        expected[one.name] = value
    assert read_fault(" ".join(said)).effect == kind(**expected)


def test_no_effect_has_a_field_that_is_a_condition_as_well() -> None:
    conditions = {one.name for one in attrs.fields(Fault)}
    for kind in EFFECTS.values():
        fields: Any = attrs.fields(kind)
        assert conditions.isdisjoint(one.name for one in fields)


def test_the_help_has_a_line_for_each_effect() -> None:
    lines = fault_help().splitlines()
    for name, kind in EFFECTS.items():
        place = next(n for n, line in enumerate(lines) if line.split()[0] == name)
        assert lines[place + 1].strip() == (kind.__doc__ or "").partition("\n")[0]
    assert "  html [status=200]" in lines
    assert "  stall seconds=" in lines
    assert "  change [insert=0] [delete=0] [at=front]" in lines
    assert "--tls-cert FILE --tls-key FILE" in lines[-1]


def test_the_shell_shows_the_effects(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--fault", "help"])
    assert capsys.readouterr().out.strip() == fault_help()
    with pytest.raises(SystemExit):
        main(["--help"])
    assert fault_help() in capsys.readouterr().out


def test_the_shell_says_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--fault", "anwser status=429"])
    assert "there is no effect 'anwser'; there are" in capsys.readouterr().err


@pytest.mark.asyncio
async def test_faults_of_the_shell_are_met(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[Any] = []
    monkeypatch.setattr(
        "nectar_async.sandbox.__main__.run_loop",
        lambda _, options, __: made.append(options),
    )
    main(["--fault", "answer status=418 times=1", "--fault", "html status=503"])
    async with (
        Sandbox(companies=1, faults=made[0].faults) as sandbox,
        aiohttp.ClientSession() as session,
    ):
        visitor = Visitor(sandbox, session)
        statuses = [(await visitor.ask("/v2.2/ping")).status for _ in range(3)]
    assert statuses == [418, 503, 503]


def test_the_command_takes_the_same_texts(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sandbox", "--fault", "help"]) == 0
    assert capsys.readouterr().out.strip() == fault_help()
    assert run(["sandbox", "--port", "0", "--fault", "anwser status=429"]) == 2
    assert "there is no effect 'anwser'; there are" in capsys.readouterr().err
