"""`relaxed_gc` changes the garbage collector inside its block, and restores it."""

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
    """Set unusual thresholds, and restore the old ones at the end."""
    before = gc.get_threshold()
    gc.unfreeze()  # the collected tests are frozen, and `relaxed_gc` sees that
    gc.collect()  # the counts of earlier tests could bring a larger collection
    gc.set_threshold(*USUAL)
    yield
    gc.set_threshold(*before)
    gc.freeze()


class Cycle:
    """A reference cycle, which only the collector can free."""

    def __init__(self) -> None:
        self.itself = self


def stops() -> tuple[list[int], ExitStack]:
    """Record the generations that are collected from now on."""
    seen: list[int] = []

    def note(phase: str, facts: dict[str, int]) -> None:
        if phase == "start":
            seen.append(facts["generation"])

    stack = ExitStack()
    gc.callbacks.append(note)
    stack.callback(gc.callbacks.remove, note)
    return seen, stack


def test_inside_only_new_objects_are_traversed() -> None:
    objects = []
    with relaxed_gc():
        seen, stack = stops()
        with stack:
            objects = [[number] for number in range(60_000)]
    assert len(objects) == 60_000
    assert set(seen) == {0}
    assert len(seen) <= 12


@pytest.mark.slow
def test_outside_old_objects_are_traversed_again() -> None:
    seen, stack = stops()
    with stack:
        objects = [[number] for number in range(60_000)]
    assert len(objects) == 60_000
    assert 1 in seen
    assert len(seen) > 60


@pytest.mark.slow
def test_kept_objects_are_not_traversed_right_afterwards() -> None:
    with relaxed_gc():
        objects = [[number] for number in range(60_000)]
    seen, stack = stops()
    with stack:
        few = [[number] for number in range(1_000)]
    assert (len(objects), len(few)) == (60_000, 1_000)
    assert set(seen) <= {0}


@pytest.mark.slow
def test_new_cycles_are_still_freed() -> None:
    with relaxed_gc():
        gc.collect(0)
        seen, stack = stops()
        with stack:
            for _ in range(20_000):
                Cycle()
            alive = [item for item in gc.get_objects() if isinstance(item, Cycle)]
    assert seen
    assert len(alive) < 10_000


def test_the_thresholds_are_restored() -> None:
    with relaxed_gc():
        assert gc.get_threshold() != USUAL
    assert gc.get_threshold() == USUAL


@pytest.mark.slow
def test_the_thresholds_are_restored_after_an_exception() -> None:
    with pytest.raises(KeyError), relaxed_gc():
        raise KeyError
    assert gc.get_threshold() == USUAL


@pytest.mark.slow
def test_a_nested_block_changes_nothing() -> None:
    with relaxed_gc():
        relaxed = gc.get_threshold()
        with relaxed_gc():
            assert gc.get_threshold() == relaxed
        assert gc.get_threshold() == relaxed
    assert gc.get_threshold() == USUAL


@pytest.mark.slow
def test_the_block_that_is_left_last_restores_the_thresholds() -> None:
    first, second = ExitStack(), ExitStack()
    first.enter_context(relaxed_gc())
    second.enter_context(relaxed_gc())
    first.close()
    assert gc.get_threshold() != USUAL
    second.close()
    assert gc.get_threshold() == USUAL


@pytest.mark.slow
def test_threads_may_enter_at_the_same_time() -> None:
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


def test_objects_that_the_application_froze_stay_frozen() -> None:
    gc.freeze()
    frozen = gc.get_freeze_count()
    try:
        with relaxed_gc():
            pass
        # Some of them may have been freed; unfrozen, there would be none.
        assert gc.get_freeze_count() > frozen / 2
    finally:
        gc.unfreeze()


@pytest.mark.slow
def test_no_object_is_left_frozen() -> None:
    with relaxed_gc():
        pass
    assert gc.get_freeze_count() == 0


@pytest.mark.slow
def test_a_collector_that_is_turned_off_stays_off() -> None:
    gc.set_threshold(0)
    with relaxed_gc():
        assert gc.get_threshold()[0] == 0
    assert gc.get_threshold()[0] == 0


@pytest.mark.slow
def test_higher_thresholds_are_kept() -> None:
    gc.set_threshold(100_000, 10, 10)
    with relaxed_gc():
        assert gc.get_threshold()[0] == 100_000
    assert gc.get_threshold() == (100_000, 10, 10)


@pytest.mark.slow
def test_no_call_of_the_package_changes_the_collector(
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


@pytest.mark.slow
def test_relaxed_gc_is_exported_at_the_root() -> None:
    assert "relaxed_gc" in nectar_async.__all__
