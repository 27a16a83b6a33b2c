"""How long and how often a pull asks, as the shell says it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_processes import sandbox

from nectar_async import RetryPolicy
from nectar_async.cli.app import run
from nectar_async.cli.client_options import settings_of
from nectar_async.cli.views import VIEWS

Capture = pytest.CaptureFixture[str]

BOUNDS = ("--attempts", "--attempt-timeout", "--deadline")
WALKS = [name for name, view in VIEWS.items() if view.walk is not None]


@pytest.fixture(scope="module")
def troubled_sandbox() -> Iterator[dict[str, str]]:
    """Usage fails, and meters never come."""
    faults = (
        "answer status=500 operation=usage_list_by_company",
        "stall seconds=60 operation=meters_list_by_company",
    )
    options = [word for fault in faults for word in ("--fault", fault)]
    with sandbox("--companies", "2", *options) as (_, environment):
        yield environment


@pytest.fixture
def troubled(troubled_sandbox: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in troubled_sandbox.items():
        monkeypatch.setenv(name, value)


def report_of(capsys: Capture, *arguments: str, code: int = 0) -> dict[str, Any]:
    assert run(["pull", *arguments, "--out", "out.jsonl", "--json"]) == code
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    return report


@pytest.mark.parametrize("view", VIEWS)
def test_every_pull_says_how_it_is_bounded(view: str, capsys: Capture) -> None:
    assert run(["pull", view, "--help"]) == 0
    said = capsys.readouterr().out
    assert all(f"{option} " in said for option in BOUNDS)
    # What comes with the list of companies is no walk, and so has no end to look at.
    assert ("--verify" in said) is (view in WALKS)


@pytest.mark.parametrize("view", WALKS)
def test_verify_asks_for_each_first_page_again(
    view: str, connected: object, capsys: Capture
) -> None:
    plain = report_of(capsys, view)
    verified = report_of(capsys, view, "--verify")
    assert verified["requests"] == plain["requests"] + len(plain["receipts"])
    assert verified["verdict"] == "complete"
    assert verified["records"] == plain["records"]


def test_attempts_say_how_often_a_request_is_sent(
    troubled: object, capsys: Capture
) -> None:
    report = report_of(capsys, "usage", "--attempts", "1", code=1)
    assert (report["requests"], report["retries"]) == (3, 0)
    assert "500" in report["failures"][0]["message"]


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        (["--attempt-timeout", "0.3", "--attempts", "1"], "AttemptTimeoutError"),
        (["--deadline", "0.3"], "DeadlineExceededError"),
    ],
    ids=["attempt", "request"],
)
def test_what_takes_too_long_is_given_up(
    options: list[str], kind: str, troubled: object, capsys: Capture
) -> None:
    report = report_of(capsys, "meters", *options, code=1)
    assert {failure["error"] for failure in report["failures"]} == {kind}


@pytest.mark.parametrize("option", ["--attempt-timeout", "--deadline"])
@pytest.mark.parametrize("value", ["0", "-1", "nan", "soon", ""])
def test_a_bound_that_is_none_is_one_line(
    option: str, value: str, connected: object, capsys: Capture
) -> None:
    assert run(["pull", "usage", "--out", "out.jsonl", f"{option}={value}"]) == 2
    (line, *_) = capsys.readouterr().err.splitlines()
    assert option in line
    assert "no number of seconds" in line
    assert not Path("out.jsonl").exists()


def test_what_is_not_said_is_left_to_the_client() -> None:
    nothing = dict.fromkeys(("concurrency", "attempts", "attempt_timeout", "deadline"))
    assert settings_of(nothing) == settings_of({}) == {}
    given = {"concurrency": 3, "attempts": 2, "attempt_timeout": 5.0, "deadline": 9.0}
    assert settings_of({**given, "company": ["c"]}) == {
        "max_concurrency": 3,
        "retry": RetryPolicy(attempts=2),
        "attempt_timeout": 5.0,
        "deadline": 9.0,
    }
