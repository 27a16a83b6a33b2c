"""The docstring of each list method describes every argument, for help in editors."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from nectar_async import NectarClient
from nectar_async.resources._group import Group

GROUPS = [
    getattr(NectarClient, name)
    for name, attribute in vars(NectarClient).items()
    if isinstance(attribute, Group)
]


def find_lists() -> Iterator[Any]:
    for group in GROUPS:
        for name, method in inspect.getmembers(group, inspect.isfunction):
            returns = str(method.__annotations__.get("return", ""))
            if not name.startswith("_") and returns.startswith(("Pager", "FanOut")):
                yield pytest.param(method, id=f"{group.__name__}.{name}")


LISTS = list(find_lists())


def test_the_lists_of_all_groups_are_found() -> None:
    assert {"Usage.by_company", "Repository.usage"} <= {
        str(method.id) for method in LISTS
    }


@pytest.mark.parametrize("method", LISTS)
def test_a_list_describes_each_of_its_arguments(method: Callable[..., Any]) -> None:
    doc = inspect.getdoc(method) or ""
    for name in list(inspect.signature(method).parameters)[1:]:
        assert f"    {name}: " in doc, name


@pytest.mark.parametrize("method", LISTS)
def test_a_list_with_a_window_of_days_names_the_default_and_the_last_day(
    method: Callable[..., Any],
) -> None:
    doc = " ".join((inspect.getdoc(method) or "").split())
    if "date_type" in inspect.signature(method).parameters:
        default = (
            "USAGE_PERIOD" if "by_document" in method.__qualname__ else "BILL_DATE"
        )
        assert f"`{default}` (the default" in doc
        assert "BILL_DATE" in doc
        assert ("without a bill" in doc) is (default == "BILL_DATE")
        assert "00:00 UTC: ask for the day after" in doc


@pytest.mark.parametrize("method", LISTS)
def test_a_list_that_needs_async_with_says_so(method: Callable[..., Any]) -> None:
    is_view = method.__qualname__.startswith("Repository.")
    assert ("Needs `async with`" in (inspect.getdoc(method) or "")) is is_view
