"""The options of a pull that limit requests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_processes import run_sandbox

from nectar_async import RetryPolicy
from nectar_async.cli.app import run
from nectar_async.cli.commands.pull import build_settings
from nectar_async.cli.views import VIEWS
from nectar_async.settings import _warn_about_concurrency

Capture = pytest.CaptureFixture[str]

LIMITS = ("--attempts", "--attempt-timeout", "--deadline")
LISTS = [name for name, view in VIEWS.items() if view.fan_out is not None]


@pytest.fixture(scope="module")
def troubled_sandbox() -> Iterator[dict[str, str]]:
    """Run a sandbox where usage fails and meters are never answered."""
    faults = (
        "answer status=500 operation=usage_list_by_company",
        "stall seconds=60 operation=meters_list_by_company",
    )
    options = [word for fault in faults for word in ("--fault", fault)]
    with run_sandbox("--companies", "2", *options) as (_, environment):
        yield environment


@pytest.fixture
def troubled(troubled_sandbox: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in troubled_sandbox.items():
        monkeypatch.setenv(name, value)


def pull_report(capsys: Capture, *arguments: str, code: int = 0) -> dict[str, Any]:
    assert run(["pull", *arguments, "--out", "out.jsonl", "--json"]) == code
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    return report


@pytest.mark.parametrize("view", VIEWS)
def test_the_help_of_every_pull_has_the_limits(view: str, capsys: Capture) -> None:
    assert run(["pull", view, "--help"]) == 0
    printed = capsys.readouterr().out
    assert all(f"{option} " in printed for option in LIMITS)
    # Companies and sites come in one list without pages.
    assert ("--verify" in printed) is (view in LISTS)


@pytest.mark.parametrize("view", LISTS)
def test_verify_requests_each_first_page_again(
    view: str, connected: object, capsys: Capture
) -> None:
    plain = pull_report(capsys, view)
    verified = pull_report(capsys, view, "--verify")
    assert verified["requests"] == plain["requests"] + len(plain["receipts"])
    assert verified["verdict"] == "complete"
    assert verified["records"] == plain["records"]


def test_attempts_limit_how_often_a_request_is_sent(
    troubled: object, capsys: Capture
) -> None:
    report = pull_report(capsys, "usage", "--attempts", "1", code=1)
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
def test_a_request_beyond_its_time_limit_fails(
    options: list[str], kind: str, troubled: object, capsys: Capture
) -> None:
    report = pull_report(capsys, "meters", *options, code=1)
    assert {failure["error"] for failure in report["failures"]} == {kind}


@pytest.mark.parametrize("option", ["--attempt-timeout", "--deadline"])
@pytest.mark.parametrize("value", ["0", "-1", "nan", "soon", ""])
def test_a_wrong_limit_is_one_error_line(
    option: str, value: str, connected: object, capsys: Capture
) -> None:
    assert run(["pull", "usage", "--out", "out.jsonl", f"{option}={value}"]) == 2
    (line, *_) = capsys.readouterr().err.splitlines()
    assert option in line
    assert "not a number of seconds" in line
    assert not Path("out.jsonl").exists()


def test_options_that_are_not_given_are_left_to_the_client() -> None:
    unset = dict.fromkeys(("concurrency", "attempts", "attempt_timeout", "deadline"))
    assert build_settings(unset) == build_settings({}) == {}
    values = {"concurrency": 3, "attempts": 2, "attempt_timeout": 5.0, "deadline": 9.0}
    assert build_settings({**values, "companies": ["c"]}) == {
        "max_concurrency": 3,
        "retry": RetryPolicy(attempts=2),
        "attempt_timeout": 5.0,
        "deadline": 9.0,
    }


def test_more_requests_at_once_than_advised_are_a_hint(
    connected: object, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    _warn_about_concurrency.cache_clear()
    monkeypatch.setenv("NECTAR_MAX_CONCURRENCY", "11")
    assert run(["pull", "meters", "--out", "out.jsonl"]) == 0
    hints = [
        line
        for line in capsys.readouterr().err.splitlines()
        if line.startswith("hint: max_concurrency")
    ]
    (hint,) = hints
    assert hint.endswith("the API advises at most 10 requests at once per key")
    _warn_about_concurrency.cache_clear()


def test_the_option_overrides_the_variable(
    connected: object, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NECTAR_MAX_CONCURRENCY", "none")
    assert run(["pull", "meters", "--out", "out.jsonl", "--concurrency", "2"]) == 0
    assert run(["pull", "meters", "--out", "out.jsonl"]) == 2
    assert "NECTAR_MAX_CONCURRENCY" in capsys.readouterr().err
