"""A wrong guess at a name raises an error with the right line of code."""

from __future__ import annotations

import copy
import inspect
import pickle
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from attrs import fields

from nectar_async import (
    MemoryTransport,
    NectarClient,
    Settings,
)
from nectar_async.settings import GUESSES

nectar: Any = NectarClient(transport=MemoryTransport({}))
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
