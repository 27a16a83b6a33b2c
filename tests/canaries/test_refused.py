"""Errors about invalid arguments do not show the arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from canaries.calls import ID
from canaries.canaries import KEY, VALUES
from canaries.search import Trail, find_leaks, list_shown_texts

from nectar_async import (
    ConfigurationError,
    InvalidArgumentError,
    MemoryTransport,
    NectarClient,
    Request,
    Secret,
    SecurityQuestion,
)
from nectar_async.models import Connection

pytestmark = [pytest.mark.anyio, pytest.mark.without_coverage]

PASSWORD = VALUES["password"]
LOGIN = {"username": VALUES["username"], "password": PASSWORD}
FULL = {**LOGIN, "url": "https://portal.example", "sites": [ID]}
LINKS = VALUES["documents"]
LONE = f"{PASSWORD}\ud800"

Call = Callable[[NectarClient], Any]


def create(**changes: Any) -> Call:
    return lambda nectar: nectar.connections.create(ID, **{**FULL, **changes})


def update(**changes: Any) -> Call:
    return lambda nectar: nectar.connections.update(ID, **{**LOGIN, **changes})


def submit_bulk(documents: Any, **options: Any) -> Call:
    return lambda nectar: nectar.jobs.submit_bulk(ID, documents, **options)


def send(json: Any, **parts: Any) -> Call:
    return lambda nectar: nectar.send(
        Request.post(
            "connections_create",
            "/connection/company/{company_id}",
            Connection,
            json=json,
            **parts,
        )
    )


def iterate(*items: Any) -> Iterable[Any]:
    yield from items


def call_by_position(method: Callable[..., Any], *arguments: Any) -> Any:
    return method(ID, "https://portal.example", *arguments)


def create_without(name: str) -> Call:
    arguments = {key: value for key, value in FULL.items() if key != name}
    return lambda nectar: nectar.connections.create(ID, **arguments)


REFUSED: dict[str, tuple[type[Exception], Call]] = {
    "country": (InvalidArgumentError, create(country="USA")),
    "sites": (InvalidArgumentError, create(sites=[])),
    "owner": (InvalidArgumentError, update(workflow_owner_email="nobody")),
    "empty": (InvalidArgumentError, create(username="")),
    "none": (InvalidArgumentError, create(username=None)),
    "bytes": (InvalidArgumentError, create(password=PASSWORD.encode())),
    "bytearray": (InvalidArgumentError, create(password=bytearray(b"qzpasswd"))),
    "in a list": (InvalidArgumentError, create(password=[PASSWORD])),
    "in a mapping": (InvalidArgumentError, update(password={"is": PASSWORD})),
    "in a secret list": (InvalidArgumentError, update(password=Secret([PASSWORD]))),
    "lone surrogate": (InvalidArgumentError, create(password=LONE)),
    "lone surrogate, masked": (InvalidArgumentError, update(password=Secret(LONE))),
    "questions as text": (InvalidArgumentError, update(security_questions=PASSWORD)),
    "questions as pairs": (
        InvalidArgumentError,
        create(security_questions=[(VALUES["key"], VALUES["value"])]),
    ),
    "questions as objects": (
        InvalidArgumentError,
        create(security_questions=[{"key": VALUES["key"], "value": VALUES["value"]}]),
    ),
    "questions as they come": (
        InvalidArgumentError,
        create(security_questions=iterate([VALUES["key"], VALUES["value"]])),
    ),
    "answer as bytes": (
        InvalidArgumentError,
        create(security_questions={VALUES["key"]: VALUES["value"].encode()}),
    ),
    "question as bytes": (
        InvalidArgumentError,
        update(security_questions={VALUES["key"].encode(): VALUES["value"]}),
    ),
    "answer with a lone surrogate": (
        InvalidArgumentError,
        update(security_questions=[SecurityQuestion(key=VALUES["key"], value=LONE)]),
    ),
    "misspelled": (TypeError, create(passwort=PASSWORD)),
    "misspelled question": (TypeError, update(questions={VALUES["key"]: PASSWORD})),
    "in no place": (
        TypeError,
        lambda nectar: call_by_position(nectar.connections.create, *LOGIN.values()),
    ),
    "without another": (TypeError, create_without("sites")),
    "twice": (InvalidArgumentError, update(extra={"Password": 1, "url_": object()})),
    "more keys": (
        InvalidArgumentError,
        update(
            country="USA", extra={"password": PASSWORD, "securityQuestions": [LOGIN]}
        ),
    ),
    "no link": (
        InvalidArgumentError,
        submit_bulk([*LINKS, LINKS[0].replace("s:", ":", 1)]),
    ),
    "links as text": (InvalidArgumentError, submit_bulk(LINKS[0])),
    "links as bytes": (InvalidArgumentError, submit_bulk([LINKS[0].encode()])),
    "links with a lone surrogate": (
        InvalidArgumentError,
        submit_bulk([LINKS[0] + "\ud800"]),
    ),
    "links as they come": (
        InvalidArgumentError,
        submit_bulk(iterate(*LINKS, "ftp://files.example.com/qzbulkeg")),
    ),
    "links and no site": (InvalidArgumentError, submit_bulk(LINKS, site_id=7)),
    "links and no company": (
        InvalidArgumentError,
        lambda nectar: nectar.jobs.submit_bulk("", LINKS),
    ),
    "by hand": (
        InvalidArgumentError,
        send({name: Secret(text) for name, text in LOGIN.items()}, company_id=""),
    ),
    "by hand, twice": (
        InvalidArgumentError,
        send({"password": Secret(PASSWORD), "Password": Secret(1)}, company_id=""),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_refused_call_shows_nothing(name: str) -> None:
    kind, call = REFUSED[name]
    transport = MemoryTransport({})
    nectar = NectarClient(KEY, transport=transport)
    with Trail() as trail, pytest.raises(kind) as caught:
        await call(nectar)
    assert transport.requests == []
    assert (
        find_leaks(
            [*trail.texts(), *list_shown_texts(caught.value), *list_shown_texts(nectar)]
        )
        == []
    )


async def return_later(key: Any) -> Any:
    return key


SOURCES: dict[str, Callable[[Any], Any]] = {
    "text": lambda key: key,
    "secret": Secret,
    "function": lambda key: lambda: key,
    "async": lambda key: lambda: return_later(key),
}
WRONG: dict[str, Any] = {
    "two lines": f"{KEY}\n{KEY}",
    "not ASCII": f"{KEY}é",
    "control": f"{KEY}\x7f",
    "bytes": KEY.encode(),
}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("wrong", WRONG)
async def test_an_invalid_key_is_not_shown(wrong: str, source: str) -> None:
    key = SOURCES[source](WRONG[wrong])
    with Trail() as trail, pytest.raises(ConfigurationError) as caught:
        await ping(key)
    assert find_leaks([*trail.texts(), *list_shown_texts(caught.value)]) == []


async def ping(key: Any) -> str:
    return await NectarClient(
        key, transport=MemoryTransport({"ping_get": "pong"})
    ).ping()


def test_an_invalid_key_in_the_environment_is_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NECTAR_API_KEY", WRONG["two lines"])
    with pytest.raises(ConfigurationError) as caught:
        NectarClient()
    assert find_leaks(list_shown_texts(caught.value)) == []


@pytest.mark.parametrize(
    "arguments",
    [
        {"settings": 7},
        {"settings": {"base_url": "https://x"}},
    ],
    ids=["number", "mapping"],
)
def test_a_client_with_invalid_arguments_does_not_show_its_key(arguments: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        NectarClient(KEY, transport=MemoryTransport({}), **arguments)
    assert find_leaks(list_shown_texts(caught.value)) == []
