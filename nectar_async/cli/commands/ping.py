"""`nectar ping`: test the key and the connection."""

from __future__ import annotations

import json
import time

from nectar_async.cli import options
from nectar_async.cli.client import (
    announce_recording,
    find_replayed_path,
    open_client,
    report_unwritten_recording,
    run_async,
)
from nectar_async.cli.output import ErrorOutput, ExitCode, run_guarded
from nectar_async.cli.terminal import echo
from nectar_async.settings import Settings

__all__ = ["ping"]


def ping(*, as_json: options.AsJson = False) -> int:
    """Test the API key and the connection.

    Example: nectar ping
    """

    async def send_ping() -> tuple[str, float]:
        async with open_client() as client:
            started = time.perf_counter()
            return await client.ping(), time.perf_counter() - started

    def work() -> int:
        recording = announce_recording(as_json=as_json)
        answer, seconds = run_async(send_ping)
        path = find_replayed_path()
        url = None if path is not None else Settings.from_env().base_url
        if as_json:
            facts = {"answer": answer, "url": url, "seconds": round(seconds, 4)}
            echo(json.dumps({**facts, **recording}))
        elif path is not None:
            echo(f"{answer} from the recording at {path}")
        else:
            echo(f"{answer} from {url} in {1000 * seconds:.0f} ms")
        return ExitCode.OK

    code = run_guarded(work, ErrorOutput(as_json=as_json))
    return report_unwritten_recording(code)
