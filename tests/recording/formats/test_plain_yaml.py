"""Odd YAML concerns the entry that it is in, and never the whole file."""

from __future__ import annotations

from typing import Any, Final

import pytest
import yaml

from nectar_async import RecordingError
from nectar_async.recording.formats.cassette import read_cassette
from nectar_async.recording.formats.importer import Imported
from nectar_async.recording.formats.plain_yaml import load_plain_yaml

API: Final = "https://external.nectarclimate.com/v2.2/team"
OTHER: Final = "https://elsewhere.example/"
ENTRY: Final = """
- request: {method: GET, uri: 'URL', body: BODY, headers: {Accept: HEADER}}
  response:
    status: {code: 200}
    headers: {Content-Type: [application/json]}
    body: {string: STRING}
    FIELD: 1
"""
PLAIN: Final = {"BODY": "''", "HEADER": "x", "STRING": "'{\"id\": 1}'", "FIELD": "more"}


def entry(url: str, **values: str) -> str:
    """Write an interaction with these values in place of the plain ones."""
    text = ENTRY.replace("URL", url)
    for name, value in (PLAIN | values).items():
        text = text.replace(name, value)
    return text


def load(*entries: str, head: str = "") -> Imported:
    return read_cassette(f"{head}interactions:{''.join(entries)}".encode())


ODD: Final = {
    "a list as a key": "{? [a, b] : c}",
    "an object as a key": "{? {a: b} : c}",
    "a key with a tag": "{? !!python/tuple [a] : c}",
    "a key inside itself": "{? &a [*a] : c}",
    "a key of aliases": "{x: &a [1, 1], ? [*a, *a] : c}",
    "a merge of a number": "{<<: 5}",
    "a merge of numbers": "{<<: [5, {a: b}]}",
    "a merge of itself": "&a {<<: *a, b: c}",
    "a list inside itself": "&a [*a]",
    "a set of a list": "!!set [a]",
    "a number that is a list": "!!int [1]",
    "a number that is empty": "!!int ''",
    "a number of 5,000 digits": "1" * 5_000,
    "a text that is an object": "!!str {a: b}",
    "nothing that is a list": "!!null [a]",
    "an object that is a text": "!!map x",
    "a list that is a text": "!!seq x",
    "pairs of texts": "!!pairs [a]",
    "an unknown tag": "!mine x",
    "an unknown standard tag": "!!mine {a: b}",
    "an unknown handle": "!mine!x y",
    "a tag of a function": "!!python/object/apply:os.getcwd []",
    "a repeated anchor": "[&a 1, &a 2, *a]",
    "a character that YAML forbids": "'a\x01\x7fb\ufffe'",
    "half a pair": '"\\ud83d"',
    "an early date": "0000-99-99",
}
DAMAGED: Final = {
    "bytes that are no base64": ("!!binary '#'", "!!binary"),
    "bytes that are cut": ("!!binary eyJpZCI6M", "!!binary"),
    "bytes with other letters": ("!!binary ü", "!!binary"),
    "bytes that are a list": ("!!binary [a]", "!!binary"),
    "bytes of Python": ("!!python/bytes '#'", "!!binary"),
    "bytes in a list": ("[x, {y: !!binary '#'}]", "!!binary"),
    "bytes as a key": ("{!!binary '#': x}", "!!binary"),
    "bytes of a class": ("!!python/object/new:x.Y [!!binary '#']", "!!binary"),
    "an unknown alias": ("*nowhere", "an unknown alias nowhere"),
    "a value that is too deep": ("[" * 300 + "]" * 300, "nested too deeply"),
}
each_odd = pytest.mark.parametrize("value", ODD.values(), ids=ODD)
each_damaged = pytest.mark.parametrize(
    ("value", "words"), DAMAGED.values(), ids=DAMAGED
)
each_place = pytest.mark.parametrize("place", PLAIN)


def fit(value: str, place: str) -> str:
    return f"? {value}\n    " if place == "FIELD" else value


@each_place
@each_odd
def test_an_odd_value_of_another_host_is_passed_over(value: str, place: str) -> None:
    result = load(entry(API), entry(OTHER, **{place: fit(value, place)}), entry(API))
    assert (result.imported, result.skipped) == (2, {"not Nectar's": 1})


@each_place
@each_damaged
def test_a_damaged_value_matters_only_if_it_belongs_to_nectar(
    value: str, words: str, place: str
) -> None:
    damaged = {place: fit(value, place)}
    assert load(entry(API), entry(OTHER, **damaged), entry(API)).imported == 2
    with pytest.raises(RecordingError, match=words) as caught:
        load(entry(API), entry(API, **damaged))
    assert f"$.interactions[1] (GET {API}) cannot be read: it has" in str(caught.value)


@each_odd
def test_an_odd_value_outside_of_the_entries_is_passed_over(value: str) -> None:
    assert load(entry(API), head=f"x: {value}\n").imported == 1


def test_an_unknown_handle_is_passed_over_in_a_document_with_a_head() -> None:
    text = f"--- !x!y\ninteractions:{entry(API)}"
    assert read_cassette(text.encode()).imported == 1


@pytest.mark.parametrize(
    "text",
    ['a: "\\UFFFFFFFF"', "a: [", "a: b: c", "a: 1\n---\nb: 1", "%YAML 3.0\n--- a"],
)
def test_an_error_of_syntax_refuses_the_file(text: str) -> None:
    with pytest.raises(RecordingError, match="not a cassette: invalid YAML"):
        read_cassette(text.encode())


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("{a: &x {b: 1, c: 1}, d: {<<: *x, c: 2}}", {"b": 1, "c": 2}),
        ("{d: {c: 2, <<: [{b: 1}, {b: 2, e: 3}]}}", {"b": 1, "e": 3, "c": 2}),
        ("{d: {<<: 5}}", {"<<": 5}),
        ("{d: {'<<': {a: 1}}}", {"<<": {"a": 1}}),
        ("{d: {? [1, 2] : 3}}", {"[1, 2]": 3}),
        ("{d: {=: 3}}", {"=": 3}),
        ("{d: [&a 1, *a, &a 2, *a]}", [1, 1, 2, 2]),
        (
            "{d: [1, 0x1f, 1.5, yes, ~, 2026-01-01]}",
            [1, 31, 1.5, True, None, "2026-01-01"],
        ),
        ("{d: !!set {a, b}}", {"a": None, "b": None}),
        ("{d: !!binary 'eA=='}", b"x"),
    ],
)
def test_values_are_those_of_yaml(text: str, value: Any) -> None:
    loaded = load_plain_yaml(yaml, text)
    assert (loaded and loaded["d"]) == value


@pytest.mark.timeout(5)
def test_a_key_of_many_aliases_is_short() -> None:
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60)]
    head = "\n".join([*lines, "b: {? *a59 : 1}", ""])
    assert load(entry(API), head=head).imported == 1
