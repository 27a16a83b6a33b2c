"""Complaints about logs, errors and spans."""

from __future__ import annotations

import logging
import pickle
import traceback

import aiohttp
import pytest
from complaints.host import Host, hosting
from complaints.naive_telling import (
    ApiError,
    OneSpan,
    RequestError,
    get,
    log_request,
)
from complaints.scene import GET, OK
from doubles import MakeClient
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from nectar_async import (
    MemoryTransport,
    NectarClient,
    NectarError,
    NotFoundError,
    Response,
    RetryPolicy,
    Settings,
    VirtualClock,
)

KEY = "canary-8f14e45f"
ONCE = RetryPolicy(attempts=1)


def client_of(host: Host) -> NectarClient:
    return NectarClient(KEY, settings=Settings(base_url=host.origin, retry=ONCE))


def told_by(error: BaseException) -> str:
    """All that a log or a report makes of an error."""
    lines = traceback.format_exception(error)
    return f"{error!r} {error} {error.args!r} {vars(error)!r} {''.join(lines)}"


async def failure_of(host: Host) -> NectarError:
    """What our client raises when this server fails."""
    async with client_of(host) as nectar:
        with pytest.raises(NectarError) as caught:
            await nectar.send(GET)
    return caught.value


@pytest.mark.asyncio
async def test_the_key_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """The API key is in the debug log; the list of secret headers lacks this one.

    What may be logged is a list: no header, no body and no address is on it.

    https://github.com/openai/openai-python/issues/1196
    https://github.com/superset-sh/superset/issues/3956
    """
    caplog.set_level(logging.DEBUG)
    log_request("GET", "/thing", {"X-API-Key": KEY, "Authorization": "Bearer x"})
    assert "Bearer" not in caplog.text
    assert KEY in caplog.text

    caplog.clear()
    with hosting() as host:
        async with client_of(host) as nectar:
            await nectar.send(GET)
    assert "thing_get" in caplog.text
    assert KEY not in caplog.text


@pytest.mark.asyncio
@pytest.mark.parametrize("trouble", ["status", "connection"])
async def test_the_key_is_in_no_error(trouble: str) -> None:
    """The HTTP library's error holds the request's headers, and so the key.

    Its error is translated and cut off; the key is stamped below all that could keep
    it.

    https://github.com/getsentry/sentry-python/issues/2417
    https://github.com/aio-libs/aiohttp/issues/8402
    https://github.com/zalando-incubator/kopf/issues/306
    https://github.com/earthobservations/wetterdienst/issues/1934
    """
    with hosting(status=404) as host:
        with pytest.raises(aiohttp.ClientResponseError) as caught:
            await get(host.origin, KEY)
        assert KEY in told_by(caught.value)

    each = 0 if trouble == "connection" else None
    with hosting(status=404, each_connection=each) as host:
        assert KEY not in told_by(await failure_of(host))


@pytest.mark.asyncio
async def test_errors_travel_to_another_process() -> None:
    """Errors of SDKs and of aiohttp cannot cross a process.

    Every error pickles, and comes out as it went in.

    https://github.com/meridianlabs-ai/inspect_scout/issues/616
    https://github.com/NVIDIA-NeMo/Gym/issues/2726
    """
    naive = pickle.dumps(ApiError("404", response=None))
    with pytest.raises(TypeError):
        pickle.loads(naive)  # noqa: S301 - our own
    with hosting(status=404) as host:
        with pytest.raises(aiohttp.ClientResponseError) as caught:
            await get(host.origin, KEY)
        with pytest.raises(TypeError):
            pickle.dumps(caught.value)

        error = await failure_of(host)
    assert isinstance(error, NotFoundError)
    travelled = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert type(travelled) is NotFoundError
    assert (str(travelled), vars(travelled)) == (str(error), vars(error))


@pytest.mark.asyncio
async def test_errors_that_travel_take_no_key_along() -> None:
    """Errors that do pickle carry the credentials along.

    Errors hold no header and no live request.

    https://github.com/pydantic/httpx2/issues/1211
    """
    naive = RequestError("404", {"X-API-Key": KEY})
    assert KEY.encode() in pickle.dumps(naive)

    with hosting(status=404) as host:
        assert KEY.encode() not in pickle.dumps(await failure_of(host))


@pytest.mark.anyio
async def test_each_attempt_has_a_span_of_its_own(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One span hides all retries of a call.

    A span for the call, a child for each attempt; waits are attributes.

    https://github.com/Arize-ai/openinference/issues/3664
    """
    # Not the provider of the process: that can be set once.
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)

    def failing_twice() -> MemoryTransport:
        answers = [OK, Response(503), Response(503)]
        return MemoryTransport(lambda _: answers.pop())

    tracer = trace.get_tracer("naive")
    await OneSpan(failing_twice().send, VirtualClock(), tracer).ask(GET)
    assert [span.name for span in exporter.get_finished_spans()] == ["GET"]

    exporter.clear()
    await make_client(failing_twice(), clock=VirtualClock()).send(GET)
    *attempts, call = exporter.get_finished_spans()
    told = [dict(span.attributes or {}) for span in attempts]
    assert [one["http.response.status_code"] for one in told] == [503, 503, 200]
    assert [one["nectar.backoff_seconds"] for one in told] == [0, 0.5, 1.5]
    assert dict(call.attributes or {})["nectar.attempts"] == 3
