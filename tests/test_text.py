"""Texts of servers are shown without characters that a terminal or a log obeys."""

from __future__ import annotations

import json
import logging
import pickle
from io import StringIO

import msgspec
import pytest
from hypothesis import given, strategies as st
from rich.console import Console
from rich.table import Table

from nectar_async import (
    DecodeError,
    MemoryTransport,
    NectarClient,
    NectarError,
    Response,
    RetryPolicy,
    Settings,
    StatusError,
)
from nectar_async._text import escape_json, make_one_line, make_printable
from nectar_async.cli.terminal import build_console, escape

# Escape sequences, a carriage return, C1, directions, separators, tags.
HOSTILE = (
    "\x1b[2J\x1b]0;owned\x07\x1b]8;;https://a.example\x1b\\\r\x00\x7f\x85\x9b31m"
    "\u061c\u200e\u200f\u202a\u202e\u2066\u2069\u2028\u2029\ufeff\U000e0041"
)
COMPANY = "3b1e6f0a-1111-4222-8333-444455556666"


def is_fit(text: str) -> bool:
    """Whether a text has no character but printable ones, spaces and line feeds."""
    visible = text.replace("\n", "").replace("\t", "")
    return all(character.isprintable() for character in visible)


@pytest.mark.parametrize("character", sorted(set(HOSTILE) - set("[]0123458;:/.\\")))
def test_a_control_character_is_shown_as_its_escape(character: str) -> None:
    shown = make_printable(f"a{character}b")
    assert is_fit(shown)
    if not character.isprintable():
        assert shown == f"a{character.encode('unicode_escape').decode()}b"


def test_ordinary_text_is_shown_as_it_is() -> None:
    text = "Zürich 東京 👩\u200d🔧 a\n\tb"
    assert make_printable(text) == text
    assert make_one_line("a\r\nb\n c") == "a b  c"
    assert make_printable("a\r\nb") == "a\nb"


@given(st.text())
def test_a_shown_text_can_be_encoded_and_obeys_nothing(text: str) -> None:
    make_one_line(text).encode()
    assert not set(make_printable(text)) & set(HOSTILE) - set(make_printable(HOSTILE))
    assert len(make_one_line(text).splitlines()) <= 1


@given(st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from(HOSTILE))))
def test_escaped_json_has_the_same_value_on_one_line(text: str) -> None:
    data = msgspec.json.encode({text: [text]})
    written = escape_json(data)
    assert json.loads(written) == json.loads(data)
    assert len(written.decode().splitlines()) == 1
    assert not set(written.decode()) & set(HOSTILE) - set(make_printable(HOSTILE))


async def fail(status: int, body: object) -> NectarError:
    answer = Response(
        status, {"content-type": "application/json"}, msgspec.json.encode(body)
    )
    settings = Settings(retry=RetryPolicy(attempts=1), strict=True)
    transport = MemoryTransport(lambda _: answer)
    async with NectarClient(
        "any-key", transport=transport, settings=settings
    ) as nectar:
        with pytest.raises(NectarError) as caught:
            await nectar.companies.get(COMPANY)
    return caught.value


@pytest.mark.anyio
async def test_an_error_is_printed_without_controls_and_keeps_its_detail() -> None:
    error = await fail(400, {"detail": f"{HOSTILE}\nERROR forged line"})
    assert isinstance(error, StatusError)
    assert is_fit(str(error))
    assert "\n" not in str(error)
    assert r"\x1b[2J" in str(error)
    assert error.detail == f"{HOSTILE}\nERROR forged line"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301  our own


@pytest.mark.anyio
async def test_the_keys_and_enums_of_an_answer_are_printable_in_errors_and_logs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG, "nectar_async"):
        error = await fail(200, {"id": COMPANY, "name": "a", HOSTILE: 1})
    assert isinstance(error, DecodeError)
    assert is_fit(str(error))
    assert is_fit(caplog.text)


def test_a_cell_of_a_table_shows_markup_and_names_of_emojis_as_text() -> None:
    console = build_console()
    console.file = StringIO()
    table = Table()
    table.add_column("name")
    name = "[red]a[/red] [link=https://a.example]b[/link] :warning: \\"
    table.add_row(escape(f"{name}{HOSTILE}"))
    console.width = 300
    console.print(table)
    printed = console.file.getvalue()
    assert name in printed
    assert is_fit(printed)
    assert isinstance(console, Console)
