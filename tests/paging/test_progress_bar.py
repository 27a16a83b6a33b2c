"""A list that is read shows a bar, which is closed whatever happens."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Mapping
from types import ModuleType, SimpleNamespace
from typing import Any, Self

import pytest
from doubles import ListServer, MakeClient, rows

from nectar_async import ConfigurationError, NectarClient, NectarError, Pager, UsageData
from nectar_async._paging import progress_bar
from nectar_async._paging.progress_bar import open_bar

LIST = "usage_list_by_company of company a"


class Terminal(io.StringIO):
    """Standard error as a terminal."""

    def isatty(self) -> bool:
        return True


class Bar:
    """A bar of tqdm that keeps what it is told."""

    made: list[Bar]

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.total: int | None = options["total"]
        self.n = 0
        self.note = ""
        self.is_closed = False
        self.made.append(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.is_closed = True

    def set_postfix_str(self, note: str, *, refresh: bool) -> None:
        assert not refresh
        self.note = note

    def update(self, count: int) -> None:
        assert not self.is_closed
        self.n += count


@pytest.fixture
def bars(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Bar]]:
    """The bars that are made on a terminal with tqdm only."""
    module = ModuleType("tqdm.auto")
    module.tqdm = Bar  # type: ignore[attr-defined]
    monkeypatch.setattr(Bar, "made", [], raising=False)
    monkeypatch.setitem(sys.modules, "tqdm.auto", module)
    # pytest replaces the stream itself when a fixture is set up.
    stream = SimpleNamespace(stderr=Terminal(), modules=sys.modules)
    monkeypatch.setattr(progress_bar, "sys", stream)
    install(monkeypatch, tqdm=True)
    yield Bar.made
    assert all(bar.is_closed for bar in Bar.made)


def install(monkeypatch: pytest.MonkeyPatch, **installed: bool) -> None:
    """Let only these libraries be found."""
    monkeypatch.setattr(progress_bar, "find_spec", installed.get)


@pytest.fixture
def server() -> ListServer:
    return ListServer({"a": rows("a", 7), "b": rows("b", 3)})


@pytest.fixture
def nectar(server: ListServer, make_client: MakeClient) -> NectarClient:
    return make_client(server.transport)


@pytest.mark.anyio
@pytest.mark.parametrize("options", [{}, {"limit": 7}])
async def test_a_collection_shows_records_and_pages_of_the_total(
    nectar: NectarClient, bars: list[Bar], options: Mapping[str, Any]
) -> None:
    await nectar.usage.by_company("a").collect(progress=True, **options)
    (bar,) = bars
    assert (bar.n, bar.total, bar.note) == (7, 7, "4 pages, 7 of 7 records")
    assert (bar.options["desc"], bar.options["unit"]) == (LIST, " records")


@pytest.mark.anyio
async def test_a_fan_out_shows_companies(
    nectar: NectarClient, bars: list[Bar], server: ListServer
) -> None:
    server.script("b", 1, {"usageData": "no list"})
    await nectar.repository.usage(on_error="collect").collect(progress=True)
    (bar,) = bars
    assert (bar.n, bar.total, bar.note) == (2, 2, "4 pages, 7 of 7 records")
    assert (bar.options["desc"], bar.options["unit"]) == ("UsageData", " companies")


async def read_three(pager: Pager[UsageData]) -> None:
    async for record in pager:
        if record.id == "a-3":
            break


@pytest.mark.anyio
async def test_a_bar_is_closed_when_a_loop_is_left(
    nectar: NectarClient, bars: list[Bar]
) -> None:
    pager = nectar.usage.by_company("a")
    with pager.show_progress() as shown:
        assert shown is pager
        await read_three(pager)
    assert [bar.is_closed for bar in bars] == [True]
    await read_three(pager)  # draws no more
    async with nectar.repository.usage() as records:
        with records.show_progress():
            await anext(records)
        assert [bar.is_closed for bar in bars] == [True, True]
        assert len([record async for record in records]) == 9


@pytest.mark.anyio
async def test_a_prefetch_in_the_block_is_shown(
    nectar: NectarClient, bars: list[Bar]
) -> None:
    pager = nectar.usage.by_company("a")
    with pager.show_progress():
        async with pager.prefetch() as records:
            assert len([record async for record in records]) == 7
    assert bars[0].n == 7


@pytest.mark.anyio
async def test_a_bar_is_closed_when_a_page_fails(
    nectar: NectarClient, bars: list[Bar], server: ListServer
) -> None:
    for lists in (nectar.usage.by_company("a"), nectar.repository.usage()):
        server.script("a", 2, {"usageData": "no list"})
        with pytest.raises(NectarError):
            await lists.collect(progress=True)
    assert [bar.is_closed for bar in bars] == [True, True]


@pytest.mark.anyio
async def test_no_bar_is_shown_by_default(
    nectar: NectarClient, bars: list[Bar]
) -> None:
    await nectar.usage.by_company("a")
    await nectar.repository.usage()
    assert bars == []


@pytest.mark.anyio
async def test_without_a_terminal_there_is_one_last_line(
    nectar: NectarClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch)
    monkeypatch.setattr(sys, "stderr", stderr := io.StringIO())
    await nectar.usage.by_company("a").collect(progress=True)
    assert stderr.getvalue() == f"{LIST}: 4 pages, 7 of 7 records\n"
    monkeypatch.setattr(sys, "stderr", None)
    await nectar.usage.by_company("a").collect(progress=True)


@pytest.mark.anyio
async def test_without_a_library_the_error_says_what_to_install(
    nectar: NectarClient, server: ListServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch)
    monkeypatch.setattr(sys, "stderr", Terminal())
    for lists in (nectar.usage.by_company("a"), nectar.repository.usage()):
        with pytest.raises(ConfigurationError, match="pip install tqdm"):
            await lists.collect(progress=True)
    assert server.asked == []


@pytest.mark.parametrize(("is_notebook", "library"), [(False, "rich"), (True, "tqdm")])
def test_a_terminal_prefers_rich_and_a_notebook_tqdm(
    *, monkeypatch: pytest.MonkeyPatch, is_notebook: bool, library: str
) -> None:
    install(monkeypatch, rich=True, tqdm=True)
    if is_notebook:
        monkeypatch.setitem(sys.modules, "ipykernel", ModuleType("ipykernel"))
    else:
        monkeypatch.setattr(sys, "stderr", Terminal())
    opened: list[str] = []
    openers = {
        name: lambda *_, name=name: opened.append(name) for name in ("rich", "tqdm")
    }
    monkeypatch.setattr(progress_bar, "_OPENERS", openers)
    open_bar("a", "records")
    assert opened == [library]


@pytest.mark.parametrize("library", ["rich", "tqdm"])
@pytest.mark.parametrize("total", [3, None])
def test_each_library_draws_and_closes_its_bar(
    library: str, total: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip(library)
    install(monkeypatch, **{library: True})
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", stderr := Terminal())
    with open_bar("a [red]title\x1b]0;owned\x07", "records") as draw:
        for done in range(4):
            draw(done, total, f"{done} pages")
    shown = stderr.getvalue()
    assert "a [red]title\\x1b]0;owned\\x07" in shown
    assert "3 pages" in shown
    assert shown.rstrip(" ").endswith(("\n", "\x1b[?25h"))
