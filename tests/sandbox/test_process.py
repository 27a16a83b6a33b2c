"""The sandbox as a process."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import aiohttp
import pytest

import nectar_async
from nectar_async.sandbox import Options, serve
from nectar_async.sandbox.__main__ import main

ROOT = Path(nectar_async.__file__).parent.parent
TIMEOUT_SECONDS = 30


async def start(*arguments: str) -> Process:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", "-m", "nectar_async.sandbox", *arguments),
        stdin=PIPE,
        stdout=PIPE,
        env=environment,
    )


async def read_line(process: Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(TIMEOUT_SECONDS):
        return (await process.stdout.readline()).decode()


async def wait_for_exit(process: Process) -> int:
    async with asyncio.timeout(TIMEOUT_SECONDS):
        return await process.wait()


@pytest.mark.asyncio
async def test_the_process_prints_its_address_and_ends_with_its_parent() -> None:
    process = await start(
        *("--companies", "2", "--seed", "9", "--latency", "0.001"),
        *("--api-key", "k", "--json", "--exit-with-parent"),
        *("--clock-speed", "0", "--file-bytes", "30000"),
    )
    printed = json.loads(await read_line(process))
    assert printed.pop("url").startswith("http://127.0.0.1:")
    assert printed == {"api_key": "k", "companies": 2, "seed": 9, "latency": 0.001}
    assert process.stdin is not None
    process.stdin.close()
    assert await wait_for_exit(process) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to catch")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.asyncio
async def test_the_process_serves_until_a_signal(number: signal.Signals) -> None:
    """Without `--exit-with-parent`, the end of standard input has no effect."""
    process = await start("--companies", "1")
    assert process.stdin is not None
    process.stdin.close()
    assert "seed 7" in await read_line(process)
    exported = dict(word.split("=") for word in (await read_line(process)).split()[1:])
    async with (
        aiohttp.ClientSession(exported["NECTAR_BASE_URL"]) as session,
        session.get(
            "/v2.2/ping", headers={"X-API-Key": exported["NECTAR_API_KEY"]}
        ) as response,
    ):
        assert await response.json() == "pong v2.2"
    process.send_signal(number)
    assert await wait_for_exit(process) == 0


@pytest.mark.asyncio
async def test_serve_ends_at_a_signal_and_restores_its_handler() -> None:
    former = signal.getsignal(signal.SIGTERM)
    texts: list[str] = []

    def say(text: str) -> None:
        texts.append(text)
        signal.raise_signal(signal.SIGTERM)

    async with asyncio.timeout(TIMEOUT_SECONDS):
        await serve(Options(companies=1), say)
    assert "export NECTAR_BASE_URL=http://127.0.0.1:" in texts[0]
    assert signal.getsignal(signal.SIGTERM) is former


def test_the_end_of_standard_input_ends_the_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reader, writer = os.pipe()
    os.write(writer, b"ignored")
    os.close(writer)
    with os.fdopen(reader) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        main(["--companies", "1", "--json", "--exit-with-parent"])
    assert json.loads(capsys.readouterr().out)["companies"] == 1


def test_invalid_options_are_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["--port", "many"])
    assert "--port" in capsys.readouterr().err
