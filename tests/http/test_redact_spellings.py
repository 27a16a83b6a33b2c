"""A text is found in another one, however many times it was spelled anew."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, strategies as st

from nectar_async._http.redact import MASK, build_masker, mask_spans

SPELLINGS: dict[str, Callable[[str], str]] = {
    "json": lambda text: json.dumps(text)[1:-1],
    "utf-8-json": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "slashes": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "python": lambda text: repr(text)[1:-1],
    "bytes": lambda text: repr(text.encode())[2:-1],
    "address": quote,
    "all-of-it": lambda text: quote(text, safe=""),
    "form": quote_plus,
    "html": html.escape,
    "entities": lambda text: "".join(f"&#{ord(one)};" for one in text),
}
SECRETS = [
    '"abc\\d',
    'a"b\\c/d',
    "\\\\start",
    'é"%41<x',
    'qz & "',
    "it's+me\nno",
    '😀pass"w',
]


@pytest.mark.parametrize("outer", SPELLINGS)
@pytest.mark.parametrize("inner", SPELLINGS)
def test_it_is_found_in_every_spelling_of_every_spelling(
    inner: str, outer: str
) -> None:
    for secret in SECRETS:
        written = SPELLINGS[outer](f"<{SPELLINGS[inner](secret)}>")
        around = [SPELLINGS[outer](one) for one in "<>"]
        assert build_masker([secret])(written) == MASK.join(around)


@pytest.mark.parametrize("secret", SECRETS)
def test_json_stays_json(secret: str) -> None:
    """Or the words of an error could not be read any more."""
    hide = build_masker([secret])
    assert json.loads(hide(json.dumps({"detail": secret}))) == {"detail": MASK}
    within = json.dumps({"detail": f"got {json.dumps([secret])}"})
    assert json.loads(hide(within)) == {"detail": f'got ["{MASK}"]'}


@given(st.text(min_size=4, max_size=12), st.text(max_size=12), st.text(max_size=12))
def test_a_text_itself_never_survives(secret: str, before: str, after: str) -> None:
    left = build_masker([secret])(before + secret + after)
    assert secret not in left.replace(MASK, "\0") or secret in "\0" * 12


@given(st.text(alphabet="xyz \\%&+\"'é", max_size=40))
def test_what_is_not_hidden_stays_as_it_is(text: str) -> None:
    assert build_masker(["secret", "another"])(text) == text


def test_nothing_to_hide_hides_nothing() -> None:
    assert build_masker([])("any") == build_masker(["any"])("any") == "any"


def test_capitals_and_the_end_of_a_long_text_do_not_help() -> None:
    hide = build_masker(["correct-horse"])
    assert hide("CORRECT-Horse!") == "***!"
    assert hide("x" * 1_993 + "correct") == "x" * 1_993 + "***"
    assert hide("x" * 1_993 + "correct ") == "x" * 1_993 + "correct "
    assert hide("correct") == "correct"


def test_spans_that_overlap_are_cut_out_as_one() -> None:
    assert mask_spans("0123456789", [(5, 7), (1, 4), (2, 3), (6, 8)]) == "0***4***89"
    assert mask_spans("0123", []) == "0123"
