"""No secret is shown by results, errors, logs and spans of any call."""

from __future__ import annotations

import ast
import logging
import pickle
import re
from pathlib import Path

import anyio
import anyio.lowlevel
import msgspec
import pytest
from canaries.calls import CASES, Case, list_public_calls
from canaries.canaries import (
    EMBEDDED,
    KEY,
    build_arguments,
    build_marked_answer,
    list_marks,
)
from canaries.run import Outcome, run_case
from canaries.search import list_secret_texts
from canaries.server import NEVER, WAYS, Way, build_answer, wrap_texts
from endpoints import ENDPOINTS

import nectar_async
from nectar_async import WaitTimeoutError
from nectar_async._json import field_by_field
from nectar_async._json.converter import get_converter
from nectar_async.models import Connection

pytestmark = [pytest.mark.anyio, pytest.mark.without_coverage]

CASE = {str(case): case for case in CASES}
WAY = {way.name: way for way in WAYS}
OPERATIONS = [case for case in CASES if case.endpoint is not None and not case.title]


# The parts that a log line may have. Make sure that a part you add is no secret.
ALLOWED = re.compile(
    r"(?P<operation>\w+) (?P<target>[-\w, ]*): attempt \d+, request_id [0-9a-f]*,"
    r" (outcome (cancelled|\d{3}( \w+Error)?|\w+Error|read again after a change"
    r"|split in halves)"
    r"|(bytes|seconds|again_in) [\d.]+|, )+"
)
FACTS = {
    "again_in",
    "attempt",
    "bytes",
    "operation",
    "outcome",
    "request_id",
    "seconds",
}
PARTS = {
    argument.name
    for endpoint in ENDPOINTS
    for argument in endpoint.arguments
    if argument.place == "path"
}


def list_unexpected_lines(records: list[logging.LogRecord]) -> list[str]:
    """List log lines of the package with unexpected content."""
    return [
        record.getMessage()
        for record in records
        if record.name == "nectar_async" and record.levelno < logging.WARNING
        if not ALLOWED.fullmatch(record.getMessage())
        or not set(record.__dict__["nectar"]) <= FACTS | PARTS
    ]


async def test_each_call_is_in_the_log() -> None:
    out = await run_case(CASE["connections.create"], WAY["unsent"])
    levels = [
        record.levelname for record in out.logged if record.name == "nectar_async"
    ]
    assert levels == ["DEBUG", "INFO", "DEBUG"]


def test_every_public_call_is_a_case() -> None:
    cases = {name for case in CASES for name in (case.name, *case.covers)}
    assert sorted(list_public_calls() - cases) == [], "these have no case"
    assert sorted(cases - list_public_calls()) == [], "these are no public calls"


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_nothing_is_shown(case: Case) -> None:
    """No secret is shown, and no unexpected line is logged."""
    leaks: list[str] = []
    for way in WAYS:
        out = await run_case(case, way)
        leaks += [f"{way}: {leak}" for leak in out.leaks]
        leaks += [f"{way}: {line}" for line in list_unexpected_lines(out.logged)]
    assert leaks == []


@pytest.mark.parametrize("way", WAYS, ids=str)
async def test_each_way_raises_its_error(way: Way) -> None:
    """Check that the failures of the other tests really occur."""
    out = await run_case(CASE["connections.create"], way)
    assert_sent(out, CASE["connections.create"])
    if way.is_cancelled:
        assert isinstance(out.error, anyio.get_cancelled_exc_class())
    elif way.fails is None:
        assert out.error is None
    else:
        assert isinstance(out.error, way.fails)


def assert_sent(out: Outcome, case: Case) -> None:
    """Check that the server received every sensitive value and the key."""
    assert case.endpoint is not None
    passed = build_arguments(case.endpoint, masked=True)
    hidden = [
        passed[argument.name]
        for argument in case.endpoint.arguments
        if argument.is_sensitive
    ]
    assert out.sent_requests
    for sent in out.sent_requests:
        assert sent.headers["x-api-key"] == KEY
        assert list_marks(sent.fields) == list_secret_texts(hidden)


@pytest.mark.parametrize("case", OPERATIONS, ids=str)
async def test_every_value_is_sent_and_received(case: Case) -> None:
    out = await run_case(case, WAY["success"])
    assert out.error is None
    assert_sent(out, case)
    assert case.endpoint is not None
    assert list_secret_texts(out.seen) == list_marks(build_marked_answer(case.endpoint))


async def test_unknown_secrets_are_readable_by_name() -> None:
    out = await run_case(CASE["invitations.get"], WAY["novel"])
    extra = out.seen[0].extra
    assert extra == {"newSecret": EMBEDDED, "newObject": {"deep": [EMBEDDED]}}
    assert repr(extra) == str(extra) == "{'newSecret': ..., 'newObject': ...}"


def get_key() -> str:
    return KEY


async def fetch_key() -> str:
    await anyio.lowlevel.checkpoint()
    return KEY


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("source", [get_key, fetch_key])
async def test_a_key_from_a_function_is_not_shown(source: object, way: Way) -> None:
    out = await run_case(CASE["connections.create"], way, source)
    assert_sent(out, CASE["connections.create"])
    assert out.leaks == []


@pytest.mark.parametrize("way", WAYS, ids=str)
async def test_a_recorder_never_receives_the_key(way: Way) -> None:
    """The key is neither in a request nor in an answer that quotes it."""
    out = await run_case(CASE["connections.create"], way)
    assert out.recorded
    assert not [text for text in out.recorded if "qzapike" in text.lower()]
    assert "qzpasswd" in out.recorded[0], "the recorder receives the request"


@pytest.mark.parametrize("name", ["connections.wait_until_settled", "jobs.wait"])
async def test_the_last_request_is_shown_and_pickled_without_secrets(
    name: str,
) -> None:
    out = await run_case(CASE[name], NEVER)
    assert isinstance(out.error, WaitTimeoutError)
    assert out.error.last == out.seen[-1]
    assert out.leaks == []
    assert list_secret_texts(out.error.last) == list_secret_texts(out.seen[-1])
    copy = pickle.loads(pickle.dumps(out.error))  # noqa: S301  our own bytes
    assert copy.last.status == out.error.last.status
    assert list_secret_texts(copy.last) == set()


def test_a_warning_about_drift_shows_paths_and_no_values(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(field_by_field, "_logged_fields", set())
    body = msgspec.json.encode(wrap_texts(build_answer("connections_create")[1]))
    get_converter(is_strict=False).decode(body, Connection)
    lines = [record.getMessage() for record in caplog.records]
    left_out = [line for line in lines if "left out" in line]
    assert sorted(line.partition(" ")[0] for line in left_out) == [
        "Connection.connection_magic_link_secret",
        "Connection.username",
    ]
    known = re.compile(
        r"\w+\.\w+ does not fit and is (left out|kept in \.extra): "
        r"(expected [\w :.-]+, got [\w ]+ @ \$[\w.\[\]]*(; )?)+ \(logged once\)"
    )
    assert [line for line in lines if not known.fullmatch(line)] == []


def test_there_is_one_logger() -> None:
    """Every `getLogger` call names the package's logger."""
    for path in Path(nectar_async.__file__).parent.rglob("*.py"):
        if path.name == "pdf_pages.py":
            continue  # it mutes the loggers of a parser
        source = path.read_text("utf-8")
        for node in ast.walk(ast.parse(source)) if "logging" in source else ():
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "logging":
                assert node.attr.isupper() or node.attr == "getLogger", path
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(
                "getLogger"
            ):
                assert ast.unparse(node) == "logging.getLogger('nectar_async')", path
    loggers = logging.root.manager.loggerDict
    names = [name for name in loggers if name.startswith("nectar")]
    assert names == ["nectar_async"]
