"""The groups of a client: classes on `NectarClient`, instances on a client."""

from __future__ import annotations

import inspect
import pydoc
import threading
from typing import Any
from unittest.mock import create_autospec

import pytest

from nectar_async import MemoryTransport, NectarClient
from nectar_async.resources._group import Group
from nectar_async.resources._resource import Resource
from nectar_async.resources.usage import Usage

GROUPS = [
    name
    for name, attribute in vars(NectarClient).items()
    if isinstance(attribute, Group)
]

each = pytest.mark.parametrize("group", GROUPS)


@pytest.fixture
def nectar() -> NectarClient:
    return NectarClient(transport=MemoryTransport({}))


@each
def test_on_the_class_a_group_is_its_resource_class(group: str) -> None:
    kind = getattr(NectarClient, group)
    assert issubclass(kind, Resource)
    assert kind.__module__ == f"nectar_async.resources.{group}"


@each
def test_on_a_client_a_group_is_one_instance(nectar: NectarClient, group: str) -> None:
    assert isinstance(getattr(nectar, group), getattr(NectarClient, group))
    assert getattr(nectar, group) is getattr(nectar, group)


def test_a_copy_has_groups_of_its_own_settings(nectar: NectarClient) -> None:
    before = nectar.usage
    strict = nectar.with_settings(strict=True)
    assert strict.usage is not before
    assert strict.usage._executor.settings.strict
    assert nectar.usage is before
    assert not before._executor.settings.strict
    assert strict.usage._executor.clock is before._executor.clock


def test_help_and_completion_show_the_groups(nectar: NectarClient) -> None:
    assert {*GROUPS} <= {*dir(nectar)}
    assert {*GROUPS} <= {*dir(NectarClient)}
    text = pydoc.plain(pydoc.render_doc(NectarClient.usage))
    assert "by_company(" in text
    assert "company_id" in str(inspect.signature(NectarClient.usage.by_company))


def test_autospec_knows_the_operations_of_a_group() -> None:
    double = create_autospec(NectarClient, instance=True)
    double.usage.by_company("c-1")
    with pytest.raises(AttributeError):
        _ = double.usage.by_compny
    with pytest.raises(TypeError):
        double.companies.get()


def test_a_group_can_be_replaced_as_any_attribute(
    nectar: NectarClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    double: Any = object()
    monkeypatch.setattr(nectar, "usage", double)
    assert nectar.usage is double


def test_concurrent_threads_get_one_instance(nectar: NectarClient) -> None:
    barrier = threading.Barrier(8)
    instances: list[object] = []

    def ask() -> None:
        barrier.wait()
        instances.append(nectar.usage)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(instances) == 8
    assert {type(group) for group in instances} == {Usage}
    assert len({id(group) for group in instances}) == 1
