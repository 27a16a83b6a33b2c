"""A secret shows its value only through `reveal`."""

from __future__ import annotations

import copy
import json
import logging
import pickle
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from strategies import words

from nectar_async import Secret

CANARY = "canary-4711"
SECRET = Secret(CANARY)


@pytest.mark.parametrize(
    "text",
    [
        repr,
        str,
        "{}".format,
        "{!r}".format,
        "{:>30}".format,
        lambda secret: "%s %r" % (secret, secret),  # noqa: UP031  one more way
        lambda secret: repr([{"key": secret}]),
        lambda secret: repr(dir(secret)),
    ],
)
def test_no_text_shows_it(text: Callable[[Secret[str]], str]) -> None:
    assert CANARY not in text(SECRET)


def test_the_mask_is_formatted_to_a_width() -> None:
    assert f"{SECRET:>5}" == "  ***"


def test_reveal_returns_the_value() -> None:
    assert SECRET.reveal() == CANARY


def test_no_log_shows_it(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("nectar_async").warning("%s %r", SECRET, SECRET)
    assert CANARY not in caplog.text


@given(words, words)
def test_it_compares_and_hashes_by_its_value(first: str, second: str) -> None:
    assert (Secret(first) == Secret(second)) == (first == second)
    assert len({Secret(first), Secret(first), Secret(second)}) == len({first, second})


def test_a_secret_does_not_equal_its_text() -> None:
    assert SECRET != CANARY
    assert hash(SECRET) != hash(CANARY)


def test_a_secret_is_immutable() -> None:
    with pytest.raises(AttributeError, match="is immutable"):
        SECRET._value = "other"
    with pytest.raises(AttributeError):
        SECRET.other = "x"
    assert SECRET.reveal() == CANARY


def test_the_value_cannot_be_deleted() -> None:
    secret = Secret(CANARY)
    with pytest.raises(AttributeError):
        del secret._value
    assert secret.reveal() == CANARY


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_survives_pickle(protocol: int) -> None:
    back = pickle.loads(pickle.dumps(SECRET, protocol))  # noqa: S301  our own bytes
    assert back == SECRET
    assert back.reveal() == CANARY


def test_it_survives_a_copy() -> None:
    assert copy.copy(SECRET) == copy.deepcopy(SECRET) == SECRET


def test_no_encoder_writes_a_secret_by_accident() -> None:
    with pytest.raises(TypeError) as caught:
        msgspec.json.encode({"key": SECRET})
    assert CANARY not in str(caught.value)


def test_json_of_the_standard_library_does_not_write_it_either() -> None:
    with pytest.raises(TypeError) as caught:
        json.dumps({"key": SECRET})
    assert CANARY not in str(caught.value)
    assert CANARY not in json.dumps({"key": SECRET}, default=str)


def test_a_secret_may_hold_any_value() -> None:
    billing = Secret({"card": CANARY})
    assert CANARY not in f"{billing} {billing!r}"
    assert billing.reveal() == {"card": CANARY}
    assert billing == Secret({"card": CANARY}) != Secret({})
