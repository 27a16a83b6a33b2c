"""A wrong guess at a name raises an error with the right line of code."""

from __future__ import annotations

import copy
import inspect
import operator
import pickle
import re
import rlcompleter
import traceback
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from attrs import fields

from nectar_async import (
    FanOut,
    MemoryTransport,
    NectarClient,
    Pager,
    Settings,
)
from nectar_async.settings import GUESSES

nectar: Any = NectarClient(transport=MemoryTransport({}))
pager: Any = nectar.usage.by_company("c")
fan_out: Any = nectar.repository.usage()
client_class: Any = NectarClient
settings_class: Any = Settings

KEY = "qz-key-of-a-customer"

KEYWORDS: dict[str, tuple[Callable[[], object], str]] = {
    "timeout": (
        lambda: client_class(timeout=9),
        "NectarClient(settings=Settings(attempt_timeout=...))",
    ),
    "base_url": (
        lambda: client_class(base_url="x"),
        "NectarClient(settings=Settings(base_url=...))",
    ),
    "retries": (
        lambda: client_class(retries=9),
        "NectarClient(settings=Settings(retry=RetryPolicy(attempts=...)))",
    ),
    "token": (lambda: client_class(token=KEY), "NectarClient(api_key)"),
    "trasport": (lambda: client_class(trasport=9), "did you mean 'transport'?"),
    "a setting": (
        lambda: settings_class(timeout=9),
        "Settings(attempt_timeout=...)",
    ),
    "the key as a setting": (
        lambda: settings_class(api_key=KEY),
        "NectarClient(api_key, settings=Settings(...))",
    ),
    "max_concurency": (
        lambda: settings_class(max_concurency=9),
        "did you mean 'max_concurrency'?",
    ),
    "from_env": (
        lambda: settings_class.from_env({}, dead_line=9),
        "did you mean 'deadline'?",
    ),
}


@pytest.mark.parametrize("guess", KEYWORDS)
def test_a_wrong_keyword_names_the_right_one(guess: str) -> None:
    call, advice = KEYWORDS[guess]
    with pytest.raises(TypeError) as caught:
        call()
    assert advice in str(caught.value)


@pytest.mark.parametrize("guess", ["timeout", "dead_line"])
def test_a_wrong_keyword_of_a_copy_names_the_right_one(guess: str) -> None:
    with pytest.raises(Exception, match=r"attempt_timeout|deadline"):
        nectar.with_settings(**{guess: 9})


def test_the_hinted_settings_exist() -> None:
    names = {field.name for field in fields(Settings)}
    assert {code.partition("=")[0] for code in GUESSES.values()} == names


def test_a_key_beside_a_wrong_keyword_is_in_no_local_of_the_traceback() -> None:
    with pytest.raises(TypeError) as caught:
        client_class(KEY, api_kee=KEY)
    frames = traceback.TracebackException.from_exception(
        caught.value, capture_locals=True
    ).stack
    inner = [frame for frame in frames if frame.filename != __file__]
    assert inner
    assert not any(KEY in repr(frame.locals) for frame in inner)


def test_the_key_may_be_a_keyword() -> None:
    assert isinstance(client_class(api_key=KEY), NectarClient)


def test_signatures_are_those_of_init() -> None:
    names = [*inspect.signature(NectarClient).parameters]
    assert names[:3] == ["api_key", "transport", "settings"]
    assert [*inspect.signature(Settings).parameters] == [
        field.name for field in fields(Settings)
    ]


def test_a_subclass_has_its_own_keywords() -> None:
    class TeamClient(NectarClient):
        def __init__(self, team: str, **others: Any) -> None:
            super().__init__(**others)
            self.team_name = team

    class PlainClient(NectarClient):
        def __init__(self, *, team: str) -> None:
            super().__init__(KEY)

    assert TeamClient("energy", api_key=KEY).team_name == "energy"
    assert [*inspect.signature(PlainClient).parameters] == ["team"]
    plain_class: Any = PlainClient
    with pytest.raises(TypeError, match="did you mean 'team'"):
        plain_class(teem="energy")


def test_settings_can_be_copied_and_pickled() -> None:
    settings = Settings(deadline=9)
    assert copy.copy(settings) == copy.deepcopy(settings) == settings
    assert pickle.loads(pickle.dumps(settings)) == settings  # noqa: S301  our own


AWAIT = "`records = await pager`"
LOOP = "`async for record in pager`"
ENTER = (
    "`async with nectar.repository.usage(...) as records:` and in that block"
    " `async for record in records:`"
)


WRONG_LINES = {
    "pager.all()": f"{AWAIT}, or {LOOP}",
    "pager.to_list()": f"{AWAIT}, or {LOOP}",
    "pager.to_pandas()": f"{AWAIT}, then `records.to_pandas()`",
    "pager.total": f"{AWAIT}, then `len(records)`",
    "pager.limit(3)": "await pager.collect(limit=10)",
    "pager.next()": "`record = await pager.first()`",
    "len(pager)": f"{AWAIT}, then `len(records)`",
    "pager[0]": f"{AWAIT}, then `records[0]`",
    "for record in pager: pass": LOOP,
    "list(pager)": LOOP,
    "for record in fan_out: pass": ENTER,
    "with fan_out: pass": ENTER,
    "fan_out.all()": "`records = await nectar.repository.usage(...)`",
    "with nectar: pass": "`async with NectarClient() as nectar:`",
    "nectar.close()": "`await nectar.aclose()`",
    "nectar.timeout": "Settings(attempt_timeout=...)",
    "nectar.bills": "`nectar.documents`",
    "nectar.usage.list()": (
        "`await nectar.usage.by_company(...)` or `await nectar.repository.usage()`"
    ),
    "nectar.companies.list()": "`await nectar.companies.all()`",
    "nectar.sites.all()": "`await nectar.sites.by_company(...)`",
    "nectar.accounts.list()": "`await nectar.repository.accounts()`",
    "nectar.providers.list()": "`await nectar.providers.search(...)`",
    "nectar.invitations.remove('i')": "`await nectar.invitations.revoke(...)`",
    "nectar.jobs.create()": "`await nectar.jobs.submit_document(...)`",
}


@pytest.mark.parametrize("line", WRONG_LINES)
def test_a_wrong_line_raises_the_right_one(line: str) -> None:
    scope = {"nectar": nectar, "pager": pager, "fan_out": fan_out}
    with pytest.raises((AttributeError, TypeError)) as caught:
        exec(line, scope)  # noqa: S102  our own words
    assert WRONG_LINES[line] in str(caught.value)


@pytest.mark.anyio
async def test_a_block_or_a_loop_that_is_async_in_the_wrong_way_raises_it_too() -> None:
    with pytest.raises(TypeError, match=r"async with pager\.prefetch\(\) as records"):
        async with pager:
            pass
    with pytest.raises(RuntimeError, match="`async for record in records:`"):
        async for _ in nectar.repository.usage():
            pass


def test_a_hint_at_a_method_names_one_that_exists() -> None:
    for name, resource in vars(NectarClient).items():
        for guess, hint in getattr(resource, "_resource", Pager)._HINTS.items():
            for path in re.findall(r"nectar\.([a-z_.]+)\(", hint):
                assert callable(operator.attrgetter(path)(nectar)), (name, guess)


def test_other_names_raise_the_error_of_python() -> None:
    with pytest.raises(AttributeError) as caught:
        pager.recipt  # noqa: B018
    assert str(caught.value) == "'Pager' object has no attribute 'recipt'"
    assert (caught.value.name, caught.value.obj) == ("recipt", pager)


@pytest.mark.parametrize("thing", [nectar, pager, fan_out, nectar.usage, Settings()])
def test_an_object_with_hints_behaves_like_any_other(thing: Any) -> None:
    assert bool(thing)
    for name in ("all_", "__len__", "__iter__", "__getitem__", "_repr_html_"):
        assert not hasattr(thing, name)
    assert hasattr(thing, "__aenter__") == isinstance(thing, NectarClient | FanOut)
    assert type(copy.copy(thing)) is type(thing)
    assert {name for name in dir(thing) if not hasattr(thing, name)} == set()
    assert {
        name for name in dir(type(thing)) if not hasattr(type(thing), name)
    } == set()
    assert dict(inspect.getmembers(thing))
    completer = rlcompleter.Completer({"thing": thing})
    assert completer.complete("thing.", 0) is not None
    assert completer.complete("thing.to_l", 0) is None


@pytest.mark.parametrize("kind", [NectarClient, Pager, FanOut, Settings])
def test_a_class_with_hints_can_be_a_spec(kind: type) -> None:
    double = mock.create_autospec(kind)
    for name in ("bills", "to_list"):
        with pytest.raises(AttributeError):
            getattr(double, name)
    assert "to_list" not in dir(kind)
