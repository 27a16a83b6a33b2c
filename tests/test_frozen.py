"""A class that is made whole on first use is what attrs makes of it at once."""

from __future__ import annotations

import copy
import inspect
import threading
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import pytest
from attrs import field

from nectar_async._http.frozen import (
    _ADDED,
    _StandIn,
    changed,
    finish_classes,
    frozen,
)


def hidden(extra: Mapping[str, int]) -> str:
    return f"{len(extra)} more"


def written(decorator: Any) -> type[Any]:
    """A class that extends another one, made by a decorator; new each time."""

    @decorator(kw_only=True, weakref_slot=False)
    class Part:
        """A part."""

        id: str
        amount: int | None = None
        extra: Mapping[str, int] = field(factory=dict, hash=False, repr=hidden)

    @decorator(kw_only=True, weakref_slot=False)
    class Whole(Part):
        """Extends it."""

        name: str = field(default="", converter=str.strip)
        extra: Mapping[str, int] = field(factory=dict, hash=False)

        @property
        def title(self) -> str:
            return self.name.title()

    kind: type[Any] = Whole
    return kind


def is_whole(kind: type) -> bool:
    return not any(isinstance(one, _StandIn) for one in vars(kind).values())


def refusal(kind: type[Any], change: Callable[[Any], None]) -> str:
    one = kind(id="1")
    with pytest.raises(attrs.exceptions.FrozenInstanceError) as caught:
        change(one)
    return str(caught.value)


def misuse(kind: type[Any]) -> str:
    with pytest.raises(TypeError) as caught:
        kind("1")
    return str(caught.value)


def bare(kind: type[Any]) -> Any:
    """An instance that no `__init__` has seen, as unpickling makes it."""
    one = object.__new__(kind)
    for name, value in {"id": "1", "amount": 2, "name": "n", "extra": {}}.items():
        object.__setattr__(one, name, value)
    return one


# What somebody may do first with a class, and what it shows of what the class is.
TOUCHES: dict[str, Callable[[type[Any]], object]] = {
    "make": lambda kind: repr(kind(id="1", name=" a ")),
    "make wrongly": misuse,
    "has": attrs.has,
    "fields": attrs.fields,
    "signature": inspect.signature,
    "match": lambda kind: kind.__match_args__,
    "repr": lambda kind: repr(bare(kind)),
    "equal": lambda kind: bare(kind) == bare(kind),
    "unequal": lambda kind: bare(kind) != bare(kind),
    "hash": lambda kind: hash(bare(kind)) == hash(kind(id="1", amount=2, name="n")),
    "copy": lambda kind: repr(copy.copy(bare(kind))),
    "evolve": lambda kind: repr(attrs.evolve(bare(kind), amount=3)),
    "asdict": lambda kind: attrs.asdict(bare(kind)),
    "set": lambda kind: refusal(kind, lambda one: setattr(one, "amount", 3)),
    "delete": lambda kind: refusal(kind, lambda one: delattr(one, "amount")),
    "state": lambda kind: bare(kind).__getstate__(),
    "extend": lambda kind: repr(type("More", (kind,), {})(id="1")),
    "missing": lambda kind: hasattr(kind, "__lt__") and hasattr(kind, "nothing"),
}


@pytest.mark.parametrize("touch", TOUCHES.values(), ids=TOUCHES.keys())
def test_whatever_is_asked_first_the_answer_is_that_of_attrs(
    touch: Callable[[type[Any]], object],
) -> None:
    assert touch(written(frozen)) == touch(written(attrs.frozen))


def test_it_is_made_whole_with_its_base_and_not_before() -> None:
    kind = written(frozen)
    assert not is_whole(kind)
    assert (kind.__name__, kind.__doc__) == ("Whole", "Extends it.")
    assert kind.__slots__ == ("name",)
    assert not is_whole(kind)
    attrs.fields(kind)
    assert is_whole(kind)
    assert is_whole(kind.__bases__[0])


def test_then_it_has_what_attrs_adds_and_nothing_more() -> None:
    kind = written(frozen)
    attrs.fields(kind)
    assert vars(kind).keys() == vars(written(attrs.frozen)).keys()


def test_there_is_a_stand_in_for_all_that_this_attrs_adds() -> None:
    class Plain:
        one: int = 1

    before = {*vars(Plain), "__slots__", "__weakref__", "one"}
    assert vars(attrs.frozen(Plain)).keys() - before <= {*_ADDED}


def test_what_a_class_says_itself_stays() -> None:
    @frozen
    class Own:
        one: int

        def __repr__(self) -> str:
            return "own"

    assert repr(Own(1)) == "own"
    assert Own(1) == Own(1)


def test_all_that_is_there_can_be_made_at_once() -> None:
    kind = written(frozen)
    finish_classes()
    assert is_whole(kind)
    assert is_whole(kind.__bases__[0])


def test_threads_that_come_at_once_find_one_class() -> None:
    kind = written(frozen)
    together = threading.Barrier(8)
    found: list[Any] = []

    def touch() -> None:
        together.wait()
        found.append((attrs.fields(kind), kind(id="1"), hash(kind(id="1"))))

    threads = [threading.Thread(target=touch) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len({id(fields) for fields, _, _ in found}) == 1
    assert len({(one, hashed) for _, one, hashed in found}) == 1


@pytest.mark.parametrize("decorator", [frozen, attrs.frozen])
def test_a_changed_copy_is_that_of_attrs(decorator: Any) -> None:
    one = written(decorator)(id="1", amount=2, extra={"a": 1})
    other = changed(one, id="2", extra={})
    assert other == attrs.evolve(one, id="2", extra={})
    assert one == attrs.evolve(other, id="1", extra={"a": 1})
    assert changed(one) == one
    assert changed(one) is not one
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        other.id = "3"


def test_what_is_changed_is_taken_as_it_is() -> None:
    one = written(frozen)(id="1", name=" quay ")
    assert one.name == "quay"
    assert changed(one, name=" quay ").name == " quay "


def test_a_field_that_is_not_there_cannot_be_changed() -> None:
    with pytest.raises(TypeError, match="Whole has no field nmae"):
        changed(written(frozen)(id="1"), nmae="x")
