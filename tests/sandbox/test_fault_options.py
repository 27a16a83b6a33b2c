"""Faults on the command lines of a sandbox."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from raw_client import RawClient

from nectar_async.cli.app import run
from nectar_async.sandbox import Sandbox, fault_help
from nectar_async.sandbox.__main__ import main


def test_the_module_lists_the_effects(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--tls-cert FILE --tls-key FILE" in fault_help().splitlines()[-1]
    main(["--fault", "help"])
    assert capsys.readouterr().out.strip() == fault_help()
    with pytest.raises(SystemExit):
        main(["--help"])
    assert fault_help() in capsys.readouterr().out


def test_the_module_explains_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--fault", "anwser status=429"])
    assert "there is no effect 'anwser'; there are" in capsys.readouterr().err


@pytest.mark.asyncio
async def test_the_faults_of_the_command_line_hit_requests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[Any] = []
    monkeypatch.setattr(
        "nectar_async.sandbox.__main__.run_loop",
        lambda _, options, __: started.append(options),
    )
    main(["--fault", "answer status=418 times=1", "--fault", "html status=503"])
    async with (
        Sandbox(companies=1, faults=started[0].faults) as sandbox,
        aiohttp.ClientSession() as session,
    ):
        raw_client = RawClient(sandbox, session)
        statuses = [(await raw_client.request("/v2.2/ping")).status for _ in range(3)]
    assert statuses == [418, 503, 503]


def test_the_command_takes_the_same_texts(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sandbox", "--fault", "help"]) == 0
    assert capsys.readouterr().out.strip() == fault_help()
    assert run(["sandbox", "--port", "0", "--fault", "anwser status=429"]) == 2
    assert "there is no effect 'anwser'; there are" in capsys.readouterr().err
