"""An open enum keeps unknown values."""

from __future__ import annotations

import copy
import json
import pickle

import pytest
from hypothesis import given
from strategies import words

from nectar_async._types import OpenEnum


class Colour(OpenEnum):
    """Colours, for these tests."""

    RED = "RED"
    LIGHT_BLUE = "Light blue"


def test_a_known_value_is_its_member() -> None:
    assert Colour("RED") is Colour.RED
    assert Colour.RED.is_known
    assert Colour.RED.value == "RED" == str(Colour.RED) == f"{Colour.RED}"


def test_an_unknown_value_stays_a_member_that_keeps_its_text() -> None:
    green = Colour("GREEN")
    assert isinstance(green, Colour)
    assert not green.is_known
    assert green.value == green.name == green == str(green) == f"{green}" == "GREEN"
    assert json.dumps([green]) == '["GREEN"]'


def test_a_repr_shows_whether_a_value_is_known() -> None:
    assert repr(Colour.LIGHT_BLUE) == "<Colour.LIGHT_BLUE: 'Light blue'>"
    assert repr(Colour("GREEN")) == "<Colour.<unknown>: 'GREEN'>"


@given(words)
def test_every_text_is_a_member_equal_to_it(text: str) -> None:
    member = Colour(text)
    assert type(member) is Colour
    assert member == text
    assert hash(member) == hash(text) == hash(Colour(text))
    assert member.is_known == (text in {"RED", "Light blue"})


def test_unknown_values_do_not_grow_the_enum() -> None:
    for number in range(50):
        Colour(f"GREEN-{number}")
    assert list(Colour) == [Colour.RED, Colour.LIGHT_BLUE]
    assert len(Colour._value2member_map_) == 2


@pytest.mark.parametrize("value", [5, None, b"RED", 1.5, ("RED",), ["RED"]])
def test_a_value_that_is_not_text_is_not_a_member(value: object) -> None:
    with pytest.raises(ValueError, match="is not a valid Colour"):
        Colour(value)  # type: ignore[arg-type]  # the point of the test


@pytest.mark.parametrize("text", ["RED", "GREEN", "", "name", "_value_"])
def test_members_survive_pickle_and_copies(text: str) -> None:
    member = Colour(text)
    for back in (
        pickle.loads(pickle.dumps(member)),  # noqa: S301  our own bytes
        copy.copy(member),
        copy.deepcopy(member),
    ):
        assert type(back) is Colour
        assert back == member
        assert back.is_known == member.is_known


def test_an_unknown_value_reaches_the_default_branch() -> None:
    def paint(colour: Colour) -> str:
        match colour:
            case Colour.RED:
                return "warm"
            case _:
                return f"other: {colour}"

    assert [paint(Colour("RED")), paint(Colour("GREEN"))] == ["warm", "other: GREEN"]
