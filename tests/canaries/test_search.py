"""The search for leaks finds every secret that a test plants."""

from __future__ import annotations

import html
import json
import logging
import re
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from attrs import frozen
from canaries.calls import CASES
from canaries.canaries import (
    EMBEDDED,
    KEY,
    MARKS,
    SENT,
    VALUES,
    build_marked_answer,
    list_texts,
)
from canaries.run import run_case
from canaries.search import Trail, find_leaks, list_secret_texts, list_shown_texts
from canaries.server import WAYS
from endpoints import ENDPOINTS
from opentelemetry import trace

from nectar_async import (
    MemoryTransport,
    NectarClient,
    NectarError,
    NotFoundError,
    Records,
    Secret,
)
from nectar_async._http import executor, redact, telemetry
from nectar_async._paging.records import Failure
from nectar_async.models import Connection, Invitation, Site

pytestmark = [pytest.mark.anyio, pytest.mark.without_coverage]

PASSWORD: str = VALUES["password"]

SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "json": json.dumps,
    "json in json": lambda text: json.dumps(json.dumps({"in": text})),
    "python": repr,
    "python bytes": lambda text: repr(text.encode()),
    "address": quote,
    "form": quote_plus,
    "html": html.escape,
    "capitals": str.upper,
    "cut": lambda text: text[:9],
    "without its beginning": lambda text: text[10:],
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("text", [KEY, EMBEDDED, *list_texts(VALUES)])
def test_a_value_is_found_in_any_escaping(text: str, spelling: str) -> None:
    written = SPELLINGS[spelling](text)
    leaks = find_leaks([("here", f"a word {written} more")])
    assert leaks != [] or not MARKS.search(written)
    if spelling not in {"cut", "without its beginning"}:
        assert find_leaks([("here", written)]) != []


def test_ordinary_words_are_not_secrets() -> None:
    assert find_leaks([("here", "the password of the key: ***, token 7")]) == []


def test_every_sensitive_key_of_the_contract_has_a_canary() -> None:
    for endpoint in ENDPOINTS:
        build_marked_answer(endpoint)  # raises a KeyError for a key without one
    names = {
        argument.name
        for endpoint in ENDPOINTS
        for argument in endpoint.arguments
        if argument.is_sensitive
    }
    assert names == set(SENT)


def raise_and_catch(error: BaseException) -> BaseException:
    with pytest.raises(type(error)) as caught:
        raise error
    return caught.value


def build_linked_error(name: str) -> BaseException:
    error = NectarError("all is well")
    setattr(error, name, ValueError(PASSWORD))
    return error


def build_error_with_note() -> BaseException:
    error = NectarError("all is well")
    error.add_note(PASSWORD)
    return error


def build_error_with_attributes(**attributes: Any) -> BaseException:
    error = NotFoundError("all is well")
    vars(error).update(attributes)
    return error


class DeepError(NectarError):
    """An error whose pickle contains what its text does not show."""

    def __reduce__(self) -> tuple[Any, ...]:
        return str, (PASSWORD,)


def build_error_with_frame() -> BaseException:
    """Build an error of a frame outside of the tests, with a secret in a local."""
    source = "def leak(hidden):\n    copied = [hidden]\n    raise ValueError('no')"
    code: CodeType = compile(source, "/library/leaky.py", "exec")
    scope: dict[str, Any] = {}
    exec(code, scope)  # noqa: S102  our own source, at another place
    with pytest.raises(ValueError, match="no") as caught:
        scope["leak"](PASSWORD)
    return caught.value


def build_error_group() -> BaseException:
    return ExceptionGroup("all is well", [NectarError("so"), ValueError(PASSWORD)])


@frozen
class Leaky:
    text: str = "all is well"
    extra: Any = None
    parts: tuple[Any, ...] = ()


PLANTED: dict[str, Callable[[], object]] = {
    "args": lambda: ValueError(PASSWORD),
    "detail": lambda: NotFoundError("no", detail=PASSWORD),
    "body": lambda: NotFoundError("no", body=json.dumps({"input": PASSWORD})),
    "target": lambda: build_error_with_attributes(target=PASSWORD),
    "attribute": lambda: build_error_with_attributes(
        request={"headers": {"X-API-Key": KEY}}
    ),
    "cause": lambda: build_linked_error("__cause__"),
    "context": lambda: build_linked_error("__context__"),
    "note": build_error_with_note,
    "pickle": lambda: DeepError("all is well"),
    "frame": build_error_with_frame,
    "group": build_error_group,
    "repr": lambda: Leaky(PASSWORD),
    "extra": lambda: Connection(id="n-1", extra={"new": PASSWORD}),
    "nested extra": lambda: Leaky(parts=(Invitation(id="i", extra={"n": KEY}),)),
    "list": lambda: [Secret(PASSWORD), (PASSWORD,)],
    "failure": lambda: Failure(PASSWORD, NectarError("no")),
    "records": lambda: Records((Site(id="s", name=PASSWORD),)),
}


@pytest.mark.parametrize("place", PLANTED)
def test_a_secret_that_is_planted_in_a_value_is_found(place: str) -> None:
    assert find_leaks(list_shown_texts(PLANTED[place]())) != []


def log_with_extra(name: str, **more: Any) -> None:
    logging.getLogger(name).debug("all is well", extra=more)


def log_an_error() -> None:
    try:
        raise ValueError(PASSWORD)  # noqa: TRY301  to be logged with its traceback
    except ValueError:
        logging.getLogger("nectar_async").exception("all is well")


def record_span(**attributes: str) -> None:
    with trace.get_tracer("any").start_as_current_span("all is well") as span:
        span.set_attributes(attributes)


def record_event() -> None:
    with trace.get_tracer("any").start_as_current_span("all is well") as span:
        span.record_exception(ValueError(PASSWORD))


def record_status() -> None:
    with trace.get_tracer("any").start_as_current_span("all is well") as span:
        span.set_status(trace.Status(trace.StatusCode.ERROR, PASSWORD))


WRITTEN: dict[str, Callable[[], object]] = {
    "line": lambda: logging.getLogger("nectar_async").debug("sent %s", PASSWORD),
    "other logger": lambda: logging.getLogger("asyncio").info(KEY),
    "record": lambda: log_with_extra("aiohttp.client", nectar={"password": PASSWORD}),
    "traceback": log_an_error,
    "span": lambda: record_span(**{"http.request.header.x-api-key": KEY}),
    "name of a span": lambda: trace.get_tracer("a").start_span(PASSWORD).end(),
    "event": record_event,
    "status": record_status,
    "warning": lambda: warnings.warn(f"use {PASSWORD} no more", stacklevel=1),
}


@pytest.mark.parametrize("place", WRITTEN)
def test_a_secret_in_a_log_or_a_span_is_found(place: str) -> None:
    with Trail() as trail:
        WRITTEN[place]()
    assert find_leaks(trail.texts()) != []
    with Trail() as trail:
        logging.getLogger("nectar_async").debug("all is well")
    assert find_leaks(trail.texts()) == []


def test_a_masked_secret_is_present_and_not_found() -> None:
    masked = Connection(id="n-1", username=Secret(PASSWORD))
    assert find_leaks(list_shown_texts([masked, Secret({"in": [PASSWORD]})])) == []
    assert list_secret_texts([masked, Secret({"in": [KEY]})]) == {PASSWORD, KEY}


def test_frames_of_the_tests_are_left_out() -> None:
    copied = PASSWORD
    assert find_leaks(list_shown_texts(raise_and_catch(ValueError("no")))) == []
    assert copied


CREATE = next(case for case in CASES if str(case) == "connections.create")
WAY = {way.name: way for way in WAYS}


def log_the_body(monkeypatch: pytest.MonkeyPatch) -> None:
    write = telemetry._write

    def careless(level: int, request: Any, **facts: object) -> None:
        write(level, request, **facts, body=request.body)

    monkeypatch.setattr(telemetry, "_write", careless)


def skip_redaction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor, "redact_error", lambda *_: None)
    monkeypatch.setattr("nectar_async._http.status.build_redactor", lambda *_: str)


def skip_unescaping(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redact, "_ESCAPE", re.compile("(?!)"))


def skip_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nectar_async._http.auth._list_values_to_mask", lambda _: [])


def show_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Secret, "__repr__", lambda self: f"Secret({self._value!r})")


def record_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    tracer = trace.get_tracer("careless")
    monkeypatch.setattr(
        "nectar_async._http.telemetry._start_span",
        lambda trace, name, request: tracer.start_as_current_span(
            name, attributes={"url.full": request.url, "body": str(request.body)}
        ),
    )


BROKEN = [
    (log_the_body, "success"),
    (skip_redaction, "echo"),
    (skip_unescaping, "unprocessable"),
    (skip_the_key, "dump"),
    (show_secrets, "success"),
    (record_the_request, "success"),
]


@pytest.mark.parametrize(
    ("breaks", "way"), BROKEN, ids=lambda value: getattr(value, "__name__", value)
)
async def test_a_leak_in_the_package_is_detected(
    breaks: Callable[[pytest.MonkeyPatch], None],
    way: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert (await run_case(CREATE, WAY[way])).leaks == []
    breaks(monkeypatch)
    assert (await run_case(CREATE, WAY[way])).leaks != []


def list_locals(error: BaseException) -> Iterator[str]:
    """List what the standard library shows of frames, except those of tests."""
    whole = traceback.TracebackException.from_exception(error, capture_locals=True)
    for frame in whole.stack:
        if "canaries" not in Path(frame.filename).parts:
            yield from (frame.locals or {}).values()


async def test_the_search_lists_the_same_locals_as_the_standard_library() -> None:
    """It reads the frames itself, because it leaves those of tests out."""
    nectar = NectarClient(KEY, transport=MemoryTransport({"team_get": OSError("no")}))
    with pytest.raises(OSError, match="no") as caught:
        await nectar.team.get()
    listed = [
        text for where, text in list_shown_texts(caught.value) if " local " in where
    ]
    assert sorted(listed) == sorted(list_locals(caught.value))
    assert len(listed) > len(ENDPOINTS) // 2
