"""Known values are found in other texts as whole words."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from time import process_time
from urllib.parse import quote, quote_plus

import pytest

from nectar_async._http.redact import replace_spans
from nectar_async.recording.redaction.known_values import KnownValues

PASSWORD = 'p"w<é>\\/+%d'
KNOWN = {
    "0099-4417": "account-1",
    "100 harbor street": "address-1",
    "100 harbor street, springfield": "address-2",
    "2024": "meter-1",
    "jdoe": "username-1",
    PASSWORD: "password-1",
    "?!!?": "password-2",
    "abc": "meter-2",
}


def replace_known(text: str) -> str:
    return replace_spans(text, [*KnownValues(KNOWN).find(text)])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("of 0099-4417.", "of account-1."),
        ("0099-44170", "0099-44170"),
        ("10099-4417", "10099-4417"),
        ("100 HARBOR STREET", "address-1"),
        ("100 Harbor Street, Springfield", "address-2"),
        ("100 Harbor Streets", "100 Harbor Streets"),
        ("jdoe_x (jdoe)", "username-1_x (username-1)"),
        ("jdoes", "jdoes"),
        ("in 2024", "in meter-1"),
        ("on 2024-01-31", "on 2024-01-31"),
        ("for 1.2024 or 2024:3", "for 1.2024 or 2024:3"),
        ("so ?!!? it is", "so password-2 it is"),
        ("abc", "abc"),
    ],
)
def test_whole_words_of_four_characters_and_more(text: str, found: str) -> None:
    assert replace_known(text) == found


SPELLINGS: dict[str, Callable[[str], str]] = {
    "json": lambda text: json.dumps(text)[1:-1],
    "python": lambda text: repr(text)[1:-1],
    "address": lambda text: quote(text, safe=""),
    "form": quote_plus,
    "html": html.escape,
    "twice": lambda text: html.escape(json.dumps(text))[6:-6],
}


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
def test_a_value_is_found_in_any_escaping(spell: Callable[[str], str]) -> None:
    assert replace_known(f"<{spell(PASSWORD)}>") == "<password-1>"


def test_a_long_text_may_end_in_the_middle_of_one() -> None:
    assert replace_known(f"{'x ' * 300}100 harbor st") == f"{'x ' * 300}address-1"


def test_spans_that_overlap_are_one() -> None:
    assert replace_spans("abcdef", [(2, 4, "two"), (1, 3, "one")]) == "aonee" + "f"


def test_the_time_does_not_grow_with_the_number_of_values() -> None:
    text = "invoice no. 17 of the account acc-99999 " * 50
    few, many = ({f"acc-{at}": "x" for at in range(n)} for n in (10, 50_000))
    seconds = []
    for known in (few, many):
        finder = KnownValues(known)
        start = process_time()
        for _ in range(20):
            assert [*finder.find(text)] == []
        seconds.append(process_time() - start)

    assert seconds[1] < 20 * seconds[0] + 0.1
