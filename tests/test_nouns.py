"""A client's nouns are loaded when they are first asked for, and stay what they are."""

from __future__ import annotations

import inspect
import pydoc
import threading
from typing import Any

import pytest
from nectar_async.resources._noun import _Noun

from nectar_async import MemoryTransport, NectarClient
from nectar_async.resources._resource import Resource

NOUNS = [name for name, one in vars(NectarClient).items() if isinstance(one, _Noun)]

each = pytest.mark.parametrize("noun", NOUNS)


@pytest.fixture
def nectar() -> NectarClient:
    return NectarClient(transport=MemoryTransport({}))


def test_there_are_fifteen() -> None:
    assert len(NOUNS) == 15
    assert sorted(NOUNS) == NOUNS


@each
def test_a_noun_is_of_the_class_that_its_annotation_says(
    nectar: NectarClient, noun: str
) -> None:
    kind = type(getattr(nectar, noun))
    assert issubclass(kind, Resource)
    assert kind.__name__ == inspect.get_annotations(NectarClient)[noun]
    assert kind.__module__ == f"nectar_async.resources.{noun}"


@each
def test_a_noun_is_the_same_each_time(nectar: NectarClient, noun: str) -> None:
    assert noun not in vars(nectar)
    assert getattr(nectar, noun) is getattr(nectar, noun)
    assert vars(nectar)[noun] is getattr(nectar, noun)


def test_a_copy_has_nouns_of_its_own_that_ask_in_its_way(nectar: NectarClient) -> None:
    before = nectar.usage
    strict = nectar.with_settings(strict=True)
    assert strict.usage is not before
    assert strict.usage._core.settings.strict
    assert nectar.usage is before
    assert not before._core.settings.strict
    assert strict.usage._core.clock is before._core.clock


def test_nouns_are_shown_before_they_are_loaded(nectar: NectarClient) -> None:
    assert {*NOUNS} <= {*dir(nectar)}
    assert {*NOUNS} <= {*dir(NectarClient)}
    text = pydoc.plain(pydoc.render_doc(NectarClient))
    assert "usage = <nectar_async.resources.usage.Usage>" in text


def test_a_noun_can_be_replaced_as_any_attribute(
    nectar: NectarClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    double: Any = object()
    monkeypatch.setattr(nectar, "usage", double)
    assert nectar.usage is double


def test_threads_that_come_at_once_are_given_one_noun(nectar: NectarClient) -> None:
    together = threading.Barrier(8)
    found: list[object] = []

    def ask() -> None:
        together.wait()
        found.append(nectar.meters)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert {id(one) for one in found} == {id(nectar.meters)}
