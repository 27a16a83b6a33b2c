"""Over real HTTP, errors, logs and frames of aiohttp show no secret."""

from __future__ import annotations

import ssl

import anyio
import pytest
import trustme
from canaries.calls import CASES, Case
from canaries.canaries import KEY, build_marked_answer, list_marks
from canaries.loopback import BREAKS, Answer, Loopback, run_server, success
from canaries.run import Outcome, collect_outcome
from canaries.search import list_secret_texts

from nectar_async import NectarClient, NectarError, RetryPolicy, Settings, VirtualClock

pytestmark = [pytest.mark.anyio, pytest.mark.without_coverage]

NAMES = (
    "connections.by_company",
    "connections.create",
    "connections.create with secrets that are masked",
    "connections.update",
    "documents.by_company in the background",
    "documents.download",
    "documents.get",
    "invitations.create",
    "jobs.submit_bulk",
    "magic_links.create",
    "repository.connections that collects",
    "send",
    "team.get",
    "webhook_portal.get",
)
SENSITIVE = [case for case in CASES if str(case) in NAMES]
ONCE = RetryPolicy(attempts=1)
TWICE = RetryPolicy(attempts=2)


async def run_case_over_http(
    case: Case, answer: Answer, fails_at: str = "", tls: ssl.SSLContext | None = None
) -> Outcome:
    """Make a call to a failing server with the default transport."""
    out = Outcome()
    scope = anyio.CancelScope()
    server = Loopback(answer, fails_at, scope.cancel)
    is_slow = answer.__name__ == "silence"
    async with run_server(server, tls):
        settings = Settings(
            base_url=server.origin,
            retry=ONCE if is_slow else TWICE,
            attempt_timeout=0.05 if is_slow else 20,
        )
        nectar = NectarClient(KEY, settings=settings, clock=VirtualClock())
        await collect_outcome(case, nectar, scope, out)
        await nectar.aclose()
    out.recorded = server.heard
    return out


def test_every_call_of_the_table_exists() -> None:
    assert {str(case) for case in SENSITIVE} == set(NAMES)


@pytest.mark.parametrize("answer", BREAKS, ids=lambda answer: answer.__name__)
async def test_nothing_is_shown(answer: Answer) -> None:
    leaks: list[str] = []
    for case in SENSITIVE:
        out = await run_case_over_http(case, answer)
        leaks += [f"{case}: {leak}" for leak in out.leaks]
        assert f"X-API-Key: {KEY}" in out.recorded[0]
        if not case.title.startswith("that"):
            assert isinstance(
                out.error, NectarError | anyio.get_cancelled_exc_class()
            ), case
    assert leaks == []


@pytest.mark.parametrize("answer", BREAKS, ids=lambda answer: answer.__name__)
async def test_a_failing_file_host_shows_nothing(answer: Answer) -> None:
    case = next(case for case in CASES if str(case) == "documents.download from a host")
    out = await run_case_over_http(case, answer, "/bill.pdf")
    requests = [text for text in out.recorded if "/bill.pdf" in text]
    assert "qzsigned" in requests[0]
    assert not [text for text in requests if "x-api-key" in text.lower()]
    assert out.error is not None
    assert out.leaks == []


@pytest.mark.parametrize("case", SENSITIVE, ids=str)
async def test_a_success_shows_nothing_and_returns_every_value(case: Case) -> None:
    out = await run_case_over_http(case, success)
    assert out.error is None
    assert out.leaks == []
    if case.endpoint is not None:
        marks = list_marks(build_marked_answer(case.endpoint))
        links = {mark for mark in marks if "://files" in mark}
        assert list_secret_texts(out.seen) >= marks - links
        assert len(list_secret_texts(out.seen)) == len(marks)


async def test_an_untrusted_server_receives_nothing_and_shows_nothing() -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(tls)
    leaks: list[str] = []
    for case in SENSITIVE:
        out = await run_case_over_http(case, success, tls=tls)
        assert out.recorded == []
        leaks += out.leaks
    assert leaks == []
