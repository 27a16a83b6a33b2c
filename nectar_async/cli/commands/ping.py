"""The command that tests the key and the connection: `nectar ping`."""

from __future__ import annotations

import json
import time

import typer

from nectar_async.cli import options
from nectar_async.cli.client import announce, kept, open_client, replayed_path
from nectar_async.cli.output import Ending, Exit, guarded
from nectar_async.sandbox.loop import run_loop
from nectar_async.settings import Settings

__all__ = ["ping"]


def ping(*, as_json: options.AsJson = False) -> int:
    """Test the key and the connection.

    Example: nectar ping
    """

    async def work() -> tuple[str, float]:
        async with open_client() as client:
            started = time.perf_counter()
            return await client.ping(), time.perf_counter() - started

    def say() -> int:
        facts = announce(as_json=as_json)
        answer, seconds = run_loop(work)
        path = replayed_path()
        url = None if path is not None else Settings.from_env().base_url
        if as_json:
            said = {"answer": answer, "url": url, "seconds": round(seconds, 4)}
            typer.echo(json.dumps({**said, **facts}))
        elif path is not None:
            typer.echo(f"{answer} from the recording at {path}")
        else:
            typer.echo(f"{answer} from {url} in {1000 * seconds:.0f} ms")
        return Exit.OK

    return kept(guarded(say, Ending(as_json=as_json)))
