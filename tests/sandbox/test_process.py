"""The sandbox as a process of its own."""

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
PATIENCE = 30


async def start(*arguments: str) -> Process:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", "-m", "nectar_async.sandbox", *arguments),
        stdin=PIPE,
        stdout=PIPE,
        env=environment,
    )


async def line_of(process: Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        return (await process.stdout.readline()).decode()


async def code_of(process: Process) -> int:
    async with asyncio.timeout(PATIENCE):
        return await process.wait()


@pytest.mark.asyncio
async def test_it_says_where_it_is_and_ends_with_its_parent() -> None:
    process = await start(
        *("--companies", "2", "--seed", "9", "--latency", "0.001"),
        *("--api-key", "k", "--json", "--exit-with-parent"),
        *("--clock-speed", "0", "--file-bytes", "30000"),
    )
    said = json.loads(await line_of(process))
    assert said.pop("url").startswith("http://127.0.0.1:")
    assert said == {"api_key": "k", "companies": 2, "seed": 9, "latency": 0.001}
    assert process.stdin is not None
    process.stdin.close()
    assert await code_of(process) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to catch")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.asyncio
async def test_it_serves_until_it_is_told_to_stop(number: signal.Signals) -> None:
    """Without a parent to watch, the end of standard input means nothing."""
    process = await start("--companies", "1")
    assert process.stdin is not None
    process.stdin.close()
    assert "seed 7" in await line_of(process)
    exported = dict(word.split("=") for word in (await line_of(process)).split()[1:])
    async with (
        aiohttp.ClientSession(exported["NECTAR_BASE_URL"]) as session,
        session.get(
            "/v2.2/ping", headers={"X-API-Key": exported["NECTAR_API_KEY"]}
        ) as response,
    ):
        assert await response.json() == "pong v2.2"
    process.send_signal(number)
    assert await code_of(process) == 0


@pytest.mark.asyncio
async def test_a_signal_ends_it_and_finds_its_former_handler_again() -> None:
    former = signal.getsignal(signal.SIGTERM)
    said: list[str] = []

    def say(text: str) -> None:
        said.append(text)
        signal.raise_signal(signal.SIGTERM)

    async with asyncio.timeout(PATIENCE):
        await serve(Options(companies=1), say)
    assert "export NECTAR_BASE_URL=http://127.0.0.1:" in said[0]
    assert signal.getsignal(signal.SIGTERM) is former


def test_the_end_of_standard_input_ends_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reader, writer = os.pipe()
    os.write(writer, b"ignored")
    os.close(writer)
    with os.fdopen(reader) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        main(["--companies", "1", "--json", "--exit-with-parent"])
    assert json.loads(capsys.readouterr().out)["companies"] == 1


def test_options_that_are_none_are_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["--port", "many"])
    assert "--port" in capsys.readouterr().err
