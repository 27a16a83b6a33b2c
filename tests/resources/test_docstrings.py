"""What an editor shows of a list is enough to call it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from nectar_async.resources.connections import Connections
from nectar_async.resources.documents import Documents
from nectar_async.resources.intervals import Intervals
from nectar_async.resources.meters import Meters
from nectar_async.resources.repository import Repository
from nectar_async.resources.usage import Usage

GROUPS = (Connections, Documents, Intervals, Meters, Repository, Usage)


def lists() -> Iterator[Any]:
    for group in GROUPS:
        for name, method in inspect.getmembers(group, inspect.isfunction):
            gives = str(method.__annotations__.get("return", ""))
            if not name.startswith("_") and gives.startswith(("Pager", "FanOut")):
                yield pytest.param(method, id=f"{group.__name__}.{name}")


LISTS = list(lists())


def test_there_are_lists_in_each_group() -> None:
    assert len(LISTS) == 19
    assert {str(one.id).partition(".")[0] for one in LISTS} == {
        group.__name__ for group in GROUPS
    }


@pytest.mark.parametrize("method", LISTS)
def test_a_list_describes_each_of_its_arguments(method: Callable[..., Any]) -> None:
    said = inspect.getdoc(method) or ""
    for name in list(inspect.signature(method).parameters)[1:]:
        assert f"    {name}: " in said, name


@pytest.mark.parametrize("method", LISTS)
def test_a_list_with_a_window_of_days_tells_its_traps(
    method: Callable[..., Any],
) -> None:
    said = " ".join((inspect.getdoc(method) or "").split())
    if "date_type" in inspect.signature(method).parameters:
        usual = "USAGE_PERIOD" if "by_document" in method.__qualname__ else "BILL_DATE"
        assert f"`{usual}` (where nothing is said)" in said
        assert "00:00 UTC: ask for the day after" in said


@pytest.mark.parametrize("method", LISTS)
def test_what_must_be_entered_says_so(method: Callable[..., Any]) -> None:
    is_view = method.__qualname__.startswith("Repository.")
    assert ("Needs `async with`" in (inspect.getdoc(method) or "")) is is_view
