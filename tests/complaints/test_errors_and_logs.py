"""Complaints about logs, errors and spans."""

from __future__ import annotations

import json
import logging
import pickle
import traceback

import aiohttp
import pytest
from complaints.counting_server import CountingServer, run_server
from complaints.flawed_telemetry import (
    ApiError,
    RequestError,
    SpanPerCall,
    get_json,
    log_request,
)
from complaints.scenario import GET, OK
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
    StatusError,
    VirtualClock,
)

pytestmark = pytest.mark.without_coverage

KEY = "canary-8f14e45f"
ONCE = RetryPolicy(attempts=1)


def build_client(server: CountingServer) -> NectarClient:
    return NectarClient(KEY, settings=Settings(base_url=server.origin, retry=ONCE))


def format_error(error: BaseException) -> str:
    """Format an error in all ways that logs and reports use."""
    lines = traceback.format_exception(error)
    return f"{error!r} {error} {error.args!r} {vars(error)!r} {''.join(lines)}"


async def catch_error(server: CountingServer) -> NectarError:
    """Return the error that the client raises for the answer of a server."""
    async with build_client(server) as nectar:
        with pytest.raises(NectarError) as caught:
            await nectar.send(GET)
    return caught.value


@pytest.mark.asyncio
async def test_the_key_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """The debug log has the API key, because the list of secret headers lacks its name.

    Only listed values are logged, and no header, body or URL is among them.

    https://github.com/openai/openai-python/issues/1196
    https://github.com/superset-sh/superset/issues/3956
    """
    caplog.set_level(logging.DEBUG)
    log_request("GET", "/thing", {"X-API-Key": KEY, "Authorization": "Bearer x"})
    assert "Bearer" not in caplog.text
    assert KEY in caplog.text

    caplog.clear()
    with run_server() as server:
        async with build_client(server) as nectar:
            await nectar.send(GET)
    assert "thing_get" in caplog.text
    assert KEY not in caplog.text


@pytest.mark.asyncio
@pytest.mark.parametrize("failure", ["status", "connection"])
async def test_the_key_is_in_no_error(failure: str) -> None:
    """The error of the HTTP library has the headers of the request, and so the key.

    That error is replaced and not chained. The key is added below all code that could
    keep it.

    https://github.com/getsentry/sentry-python/issues/2417
    https://github.com/aio-libs/aiohttp/issues/8402
    https://github.com/zalando-incubator/kopf/issues/306
    https://github.com/earthobservations/wetterdienst/issues/1934
    """
    with run_server(status=404) as server:
        with pytest.raises(aiohttp.ClientResponseError) as caught:
            await get_json(server.origin, KEY)
        assert KEY in format_error(caught.value)

    each = 0 if failure == "connection" else None
    with run_server(status=404, each_connection=each) as server:
        assert KEY not in format_error(await catch_error(server))


@pytest.mark.asyncio
async def test_errors_can_be_pickled() -> None:
    """Errors of SDKs and of aiohttp cannot be sent to another process.

    Every error can be pickled and is equal afterwards.

    https://github.com/meridianlabs-ai/inspect_scout/issues/616
    https://github.com/NVIDIA-NeMo/Gym/issues/2726
    """
    flawed = pickle.dumps(ApiError("404", response=None))
    with pytest.raises(TypeError):
        pickle.loads(flawed)  # noqa: S301 - our own
    with run_server(status=404) as server:
        with pytest.raises(aiohttp.ClientResponseError) as caught:
            await get_json(server.origin, KEY)
        with pytest.raises(TypeError):
            pickle.dumps(caught.value)

        error = await catch_error(server)
    assert isinstance(error, NotFoundError)
    copied = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert type(copied) is NotFoundError
    assert (str(copied), vars(copied)) == (str(error), vars(error))


@pytest.mark.asyncio
async def test_pickled_errors_do_not_contain_the_key() -> None:
    """Errors that can be pickled contain the credentials.

    Errors contain neither headers nor requests.

    https://github.com/pydantic/httpx2/issues/1211
    """
    flawed = RequestError("404", {"X-API-Key": KEY})
    assert KEY.encode() in pickle.dumps(flawed)

    with run_server(status=404) as server:
        assert KEY.encode() not in pickle.dumps(await catch_error(server))


@pytest.mark.anyio
async def test_each_attempt_has_its_own_span(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One span hides all retries of a call.

    A call has a span with a child span for each attempt. Waits are attributes.

    https://github.com/Arize-ai/openinference/issues/3664
    """
    # The global provider can be set only once in a process.
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)

    def build_failing_transport() -> MemoryTransport:
        answers = [OK, Response(503), Response(503)]
        return MemoryTransport(lambda _: answers.pop())

    tracer = trace.get_tracer("flawed")
    await SpanPerCall(build_failing_transport().send, VirtualClock(), tracer).ask(GET)
    assert [span.name for span in exporter.get_finished_spans()] == ["GET"]

    exporter.clear()
    await make_client(build_failing_transport(), clock=VirtualClock()).send(GET)
    *attempts, call = exporter.get_finished_spans()
    attributes = [dict(span.attributes or {}) for span in attempts]
    assert [each["http.response.status_code"] for each in attributes] == [503, 503, 200]
    assert [each["nectar.backoff_seconds"] for each in attributes] == [0, 0.5, 1.5]
    assert dict(call.attributes or {})["nectar.attempts"] == 3


@pytest.mark.asyncio
async def test_a_server_cannot_rewrite_the_screen() -> None:
    """A text of the server has an escape sequence, which the terminal obeys.

    Errors, log lines and tables show control and direction characters as escapes;
    attributes and data keep the original text.

    https://github.com/vtmocanu/uzi/issues/180
    https://github.com/JSONbored/loopover/pull/6396
    """
    detail = "\x1b[2J\x1b[1;1HAll records were saved\x1b[8m"
    body = json.dumps({"detail": detail}).encode()
    flawed = ApiError(json.loads(body)["detail"], response=body)
    assert "\x1b[2J" in str(flawed)

    answer = Response(400, {"content-type": "application/json"}, body)
    async with NectarClient(KEY, transport=MemoryTransport(lambda _: answer)) as nectar:
        with pytest.raises(StatusError) as caught:
            await nectar.send(GET)
    assert "\x1b" not in "".join(traceback.format_exception(caught.value))
    assert r"\x1b[2J" in str(caught.value)
    assert caught.value.detail == detail
