"""The garbage collector is relaxed for as long as somebody asks, and then as before."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import anyio
import pytest

import nectar_async
from nectar_async import MemoryTransport, NectarClient, relaxed_gc

USUAL = (701, 11, 12)


@pytest.fixture(autouse=True)
def usual() -> Iterator[None]:
    """Thresholds that nobody else has, put back at the end."""
    before = gc.get_threshold()
    gc.set_threshold(*USUAL)
    yield
    gc.set_threshold(*before)


class Cycle:
    """Something that only the collector can free."""

    def __init__(self) -> None:
        self.itself = self


def stops() -> tuple[list[int], ExitStack]:
    """The generations that are collected from now on."""
    seen: list[int] = []

    def note(phase: str, facts: dict[str, int]) -> None:
        if phase == "start":
            seen.append(facts["generation"])

    stack = ExitStack()
    gc.callbacks.append(note)
    stack.callback(gc.callbacks.remove, note)
    return seen, stack


def test_inside_only_what_is_new_is_looked_at() -> None:
    kept = []
    with relaxed_gc():
        seen, stack = stops()
        with stack:
            kept = [[number] for number in range(60_000)]
    assert len(kept) == 60_000
    assert set(seen) == {0}
    assert len(seen) <= 12


def test_outside_the_same_is_looked_at_all_over_again() -> None:
    seen, stack = stops()
    with stack:
        kept = [[number] for number in range(60_000)]
    assert len(kept) == 60_000
    assert 1 in seen
    assert len(seen) > 60


def test_what_was_kept_is_not_looked_at_right_afterwards() -> None:
    with relaxed_gc():
        kept = [[number] for number in range(60_000)]
    seen, stack = stops()
    with stack:
        few = [[number] for number in range(1_000)]
    assert (len(kept), len(few)) == (60_000, 1_000)
    assert set(seen) <= {0}


def test_cycles_are_still_found_while_they_are_new() -> None:
    with relaxed_gc():
        gc.collect(0)
        seen, stack = stops()
        with stack:
            for _ in range(20_000):
                Cycle()
            left = [one for one in gc.get_objects() if isinstance(one, Cycle)]
    assert seen
    assert len(left) < 10_000


def test_the_thresholds_are_put_back_exactly() -> None:
    with relaxed_gc():
        assert gc.get_threshold() != USUAL
    assert gc.get_threshold() == USUAL


def test_they_are_put_back_when_an_exception_flies() -> None:
    with pytest.raises(KeyError), relaxed_gc():
        raise KeyError
    assert gc.get_threshold() == USUAL


def test_inside_of_itself_it_changes_nothing() -> None:
    with relaxed_gc():
        relaxed = gc.get_threshold()
        with relaxed_gc():
            assert gc.get_threshold() == relaxed
        assert gc.get_threshold() == relaxed
    assert gc.get_threshold() == USUAL


def test_the_last_to_leave_puts_them_back_whoever_came_first() -> None:
    first, second = ExitStack(), ExitStack()
    first.enter_context(relaxed_gc())
    second.enter_context(relaxed_gc())
    first.close()
    assert gc.get_threshold() != USUAL
    second.close()
    assert gc.get_threshold() == USUAL


def test_threads_may_be_inside_at_once() -> None:
    barrier = threading.Barrier(4)

    def work() -> None:
        for _ in range(50):
            barrier.wait()
            with relaxed_gc():
                pass

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert gc.get_threshold() == USUAL


def test_what_others_have_frozen_stays_frozen() -> None:
    gc.freeze()
    frozen = gc.get_freeze_count()
    try:
        with relaxed_gc():
            pass
        # Some of them are gone by now, as things go; thawed, there would be none.
        assert gc.get_freeze_count() > frozen / 2
    finally:
        gc.unfreeze()


def test_nothing_is_left_frozen() -> None:
    with relaxed_gc():
        pass
    assert gc.get_freeze_count() == 0


def test_a_collector_that_is_off_stays_off() -> None:
    gc.set_threshold(0)
    with relaxed_gc():
        assert gc.get_threshold()[0] == 0
    assert gc.get_threshold()[0] == 0


def test_thresholds_that_are_higher_stay_so() -> None:
    gc.set_threshold(100_000, 10, 10)
    with relaxed_gc():
        assert gc.get_threshold()[0] == 100_000
    assert gc.get_threshold() == (100_000, 10, 10)


def test_no_call_of_the_package_touches_the_collector(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    touched: list[str] = []
    for name in ("set_threshold", "freeze", "unfreeze", "disable", "enable", "collect"):
        monkeypatch.setattr(gc, name, lambda *_, name=name: touched.append(name))

    async def pull() -> None:
        transport = MemoryTransport(
            {
                "companies_list": [{"id": "c-1", "name": "Harbor"}],
                "usage_list_by_company": [],
            }
        )
        async with (
            NectarClient(transport=transport) as nectar,
            nectar.repository.usage() as records,
        ):
            assert [record async for record in records] == []

    anyio.run(pull)
    monkeypatch.undo()
    assert touched == []


def test_it_is_at_the_root_of_the_package() -> None:
    assert "relaxed_gc" in nectar_async.__all__
