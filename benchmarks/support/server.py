"""The server of the benchmarks: prepared pages over loopback, in its own process.

It must cost little beside the clients that it measures, so it is a bare protocol on
uvloop, where that is installed, and answers with bytes that were rendered and
compressed beforehand. It serves one `Scenario` at a time.

    PUT /scenario       set a scenario and reset the counts
    GET /stats          the counts since then, as `Stats` reads them
    GET /v2.2/company, GET /v2.2/usage/company/{id}?page={n}

`python -m benchmarks.support.server` writes its port as a line and ends when its input
is closed.
"""

from __future__ import annotations

import asyncio
import heapq
import json
import sys
import time
import zlib
from itertools import count
from typing import Any, cast

from attrs import asdict, evolve

from benchmarks.support.child import has_speed, new_loop
from benchmarks.support.scenario import COMPANY_LIST, Entry, Scenario, company_id
from benchmarks.support.usage_pages import companies, dump, template

__all__ = ["main"]

_GZIP_KEPT, _GZIP_NOW = 6, 1
_LIST = b"/v2.2/company"
_USAGE = b"/v2.2/usage/company/"
# Timers of an event loop are late by up to a millisecond: 2 % of the latency.
_EARLY = 0.0015
_MOST_KEPT = 3


def _packed(body: bytes, level: int) -> bytes:
    gzip = zlib.compressobj(level, zlib.DEFLATED, 31)
    return gzip.compress(body) + gzip.flush()


def _answer(
    body: bytes, *, is_packed: bool = False, status: bytes = b"200 OK"
) -> bytes:
    head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\n" % status
    if is_packed:
        head += b"Content-Encoding: gzip\r\n"
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


class Play:
    """A scenario with its answers and counts."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self._answers: dict[tuple[int, int, bool], bytes] = {}
        self._numbers = {
            company_id(owner).encode(): owner for owner in range(len(scenario.sizes))
        }
        self.forget()
        for owner, size in enumerate(scenario.sizes if scenario.is_kept else ()):
            for page in range(1, size + 1):
                self.answer(owner, page, is_packed=True)

    def forget(self) -> None:
        """Reset the counts."""
        self.log: list[Entry] = []
        self.in_flight = self.peak = 0
        self.since = time.perf_counter()
        self.cpu = time.process_time()

    def find(self, target: bytes) -> tuple[int, int] | None:
        """Parse an address into its company and page."""
        path, _, query = target.partition(b"?")
        if path == _LIST:
            return COMPANY_LIST, 1
        owner = self._numbers.get(path.removeprefix(_USAGE))
        if owner is None:
            return None
        number = query.rpartition(b"page=")[2].partition(b"&")[0] or b"1"
        return owner, min(int(number), self.scenario.sizes[owner])

    def answer(self, owner: int, page: int, *, is_packed: bool) -> bytes:
        """Build the answer with its header."""
        key = (owner, page, is_packed)
        if (kept := self._answers.get(key)) is not None:
            return kept
        if owner == COMPANY_LIST:
            body = dump(companies([key.decode() for key in self._numbers]))
        else:
            size = self.scenario.sizes[owner]
            body = template(owner * 7 + page).body(owner, page, size)
        level = _GZIP_KEPT if self.scenario.is_kept else _GZIP_NOW
        body = _packed(body, level) if is_packed else body
        answer = _answer(body, is_packed=is_packed)
        if self.scenario.is_kept:
            self._answers[key] = answer
        return answer

    def stats(self) -> dict[str, Any]:
        """Build the counts as JSON, for `Stats`."""
        return {
            "peak": self.peak,
            "cpu": time.process_time() - self.cpu,
            "log": [[*asdict(entry).values()] for entry in self.log],
        }


class Timers:
    """Sends answers at their time, precise to a tenth of a millisecond."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: list[tuple[float, int, Answer]] = []
        self._numbers = count()
        self._timer: asyncio.Handle | None = None

    def at(self, moment: float, answer: Answer) -> None:
        """Send an answer at a moment of `time.perf_counter`."""
        heapq.heappush(self._waiting, (moment, next(self._numbers), answer))
        if self._timer is None or self._waiting[0][2] is answer:
            self._look()

    def _look(self) -> None:
        """Send all due answers; spin shortly before the next one."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting:
            ahead = self._waiting[0][0] - time.perf_counter()
            if ahead > _EARLY:
                self._timer = self._loop.call_later(ahead - _EARLY, self._look)
                return
            if ahead > 0:
                self._timer = self._loop.call_soon(self._look)
                return
            heapq.heappop(self._waiting)[2].send()


class Answer:
    """An answer that waits for its time."""

    def __init__(self, play: Play, connection: Connection, entry: Entry) -> None:
        self.play = play
        self.connection = connection
        self.entry = entry
        self.body = b""

    def send(self) -> None:
        """Send the answer and count it."""
        play, start = self.play, self.entry.start
        play.in_flight -= 1
        took = time.perf_counter() - play.since - start
        play.log.append(evolve(self.entry, took=took))
        self.connection.write(self.body)


class Connection(asyncio.Protocol):
    """A client's connection. Only the request for a new scenario has a body."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport of a new connection."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Handle each complete request in the received bytes."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end]
            length = 0
            if head.startswith(b"PUT"):
                length = int(head.lower().rpartition(b"content-length:")[2].split()[0])
            if len(self._buffer) < end + 4 + length:
                return
            body = self._buffer[end + 4 : end + 4 + length]
            self._buffer = self._buffer[end + 4 + length :]
            self._server.serve(self, head, body)

    def write(self, data: bytes) -> None:
        """Send bytes if the connection is still open."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)


class Server:
    """Choose the handler of each address."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.play = Play(Scenario(sizes=(1,)))
        self._plays: dict[tuple[int, ...], Play] = {}
        self._timers = Timers(loop)

    def serve(self, connection: Connection, head: bytes, body: bytes) -> None:
        """Answer one request, at once or after its latency."""
        target = head.split(b" ", 2)[1]
        if target == b"/scenario":
            self._change(Scenario(**json.loads(body)))
            connection.write(_answer(b"{}"))
        elif target == b"/stats":
            connection.write(_answer(dump(self.play.stats())))
        elif (found := self.play.find(target)) is not None:
            self._list(connection, *found, is_packed=b"gzip" in head)
        else:
            body = dump({"error": "Not found."})
            connection.write(_answer(body, status=b"404 Not Found"))

    def _change(self, scenario: Scenario) -> None:
        """Set a scenario; pages of recent scenarios are kept."""
        sizes = tuple(scenario.sizes)
        play = self._plays.pop(sizes, None) or Play(scenario)
        play.scenario = scenario
        play.forget()
        self.play = self._plays[sizes] = play
        if len(self._plays) > _MOST_KEPT:
            del self._plays[next(iter(self._plays))]

    def _list(
        self, connection: Connection, owner: int, page: int, *, is_packed: bool
    ) -> None:
        play = self.play
        play.in_flight += 1
        play.peak = max(play.peak, play.in_flight)
        now = time.perf_counter()
        latency = play.scenario.compute_latency(owner, page)
        entry = Entry(owner, page, latency, now - play.since, 0.0)
        answer = Answer(play, connection, entry)
        answer.body = play.answer(owner, page, is_packed=is_packed)
        if latency:
            self._timers.at(now + latency, answer)
        else:
            answer.send()


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = Server(loop)
    listener = await loop.create_server(
        lambda: Connection(server), "127.0.0.1", 0, backlog=512
    )
    over = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), over.set)
    print(listener.sockets[0].getsockname()[1], flush=True)
    await over.wait()
    listener.close()


def main() -> None:
    """Serve until the input ends."""
    with asyncio.Runner(loop_factory=lambda: new_loop(speed=has_speed())) as runner:
        runner.run(_serve())


if __name__ == "__main__":
    main()
