"""Downloads over slow links: chunks shrink after a timeout, and grow again later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest
from doubles import MakeClient
from scripted_file_host import FileHost, respond, serve_file

from nectar_async import NectarClient, Request, Response, RetryPolicy, VirtualClock
from nectar_async.errors import AttemptTimeoutError, ServerTimeoutError

pytestmark = pytest.mark.anyio

KIB = 1024
DATA = bytes(range(256)) * (4 * 9 * KIB)  # nine mebibytes
ONCE = RetryPolicy(attempts=1)


class Link:
    """A link with a fixed number of bytes a second, on a virtual clock.

    A response that would take longer than a second times out.
    """

    def __init__(self, host: FileHost, speed: int) -> None:
        self.host = host
        self.speed = speed
        self.clock = VirtualClock()
        self.sizes: list[int] = []
        """The bytes of each response; 0 for a timeout."""
        host.tricks = [self.carry] * 999

    async def carry(self, request: Request[Any]) -> Response:
        answer = self.host.serve_range(request)
        seconds = len(answer.body) / self.speed
        self.sizes.append(0 if seconds > 1 else len(answer.body))
        if seconds > 1:
            raise too_slow(request)
        self.clock.advance(seconds)
        return answer


def too_slow(request: Request[Any]) -> AttemptTimeoutError:
    """Build the error that the pipeline raises after a timeout."""
    return AttemptTimeoutError("too slow", is_permanent=request.can_halve)


async def hang(_: Request[Any]) -> None:
    await anyio.sleep_forever()


@pytest.fixture
def host() -> FileHost:
    return FileHost(DATA)


def build_client(
    make_client: MakeClient, host: FileHost, clock: VirtualClock, **options: Any
) -> NectarClient:
    options = {"attempt_timeout": 1.0, "retry": ONCE, **options}
    return make_client(host.transport, clock=clock, **options)


async def test_a_chunk_that_times_out_is_requested_in_smaller_ones(
    host: FileHost, make_client: MakeClient, tmp_path: Path
) -> None:
    link = Link(host, 300 * KIB)
    client = build_client(make_client, host, link.clock)
    done = await client.documents.download("d-1", tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == DATA
    assert done.size == len(DATA)
    assert link.sizes[:3] == [0, 0, 256 * KIB]
    assert client.statistics().retries == 0


async def test_chunks_of_a_slow_link_do_not_grow_again(
    host: FileHost, make_client: MakeClient, tmp_path: Path
) -> None:
    link = Link(host, 300 * KIB)
    client = build_client(make_client, host, link.clock)
    await client.documents.download("d-1", tmp_path / "x")
    assert link.sizes == [0, 0, *[256 * KIB] * 36]


async def test_chunks_grow_when_the_link_is_fast_again(
    host: FileHost, make_client: MakeClient, tmp_path: Path
) -> None:
    host.tricks = [too_slow, too_slow]
    client = build_client(make_client, host, VirtualClock())
    await client.documents.download("d-1", tmp_path / "x")
    asked = [str(text)[6:].split("-") for text in host.ranges]
    sizes = [int(last) - int(first) + 1 for first, last in asked]
    assert [size // KIB for size in sizes] == [
        4096,
        1024,
        256,
        512,
        1024,
        2048,
        *[4096] * 2,
    ]


async def test_a_resumed_range_that_times_out_is_requested_without_a_condition(
    host: FileHost, make_client: MakeClient, tmp_path: Path
) -> None:
    host.tricks = [serve_file, too_slow]
    client = build_client(make_client, host, VirtualClock())
    await client.documents.download("d-1", tmp_path / "x")
    conditions = [request.headers.get("If-Range") for request in host.chunk_requests]
    assert conditions[:2] == [None, '"v1"']
    assert set(conditions[2:]) == {None}


async def test_a_timeout_of_the_smallest_chunk_advises_a_longer_attempt_timeout(
    host: FileHost, make_client: MakeClient, tmp_path: Path
) -> None:
    host.tricks = [hang] * 9
    retry = RetryPolicy(attempts=3)
    client = build_client(
        make_client, host, VirtualClock(), retry=retry, attempt_timeout=0.02
    )
    with pytest.raises(
        AttemptTimeoutError, match="set a longer attempt_timeout"
    ) as got:
        await client.documents.download("d-1", tmp_path / "x")
    assert not got.value.is_permanent
    assert got.value.attempts == 3
    assert got.value.args == (got.value.message,)
    least = [f"bytes=0-{64 * KIB - 1}"] * 3
    assert host.ranges[1:] == ["bytes=0-1048575", "bytes=0-262143", *least]


async def test_a_whole_file_that_times_out_is_retried_like_any_request(
    host: FileHost, make_client: MakeClient, tmp_path: Path
) -> None:
    host.tricks = [respond(206), hang, hang]
    retry = RetryPolicy(attempts=2)
    client = build_client(
        make_client, host, VirtualClock(), retry=retry, attempt_timeout=0.02
    )
    with pytest.raises(AttemptTimeoutError, match="set a longer attempt_timeout"):
        await client.documents.download("d-1", tmp_path / "x")
    assert host.ranges[1:] == [None, None]


async def test_smaller_chunks_are_requested_after_a_504(
    host: FileHost, make_client: MakeClient, tmp_path: Path
) -> None:
    host.tricks = [respond(504)] * 2
    client = build_client(
        make_client, host, VirtualClock(), retry=RetryPolicy(attempts=4)
    )
    await client.documents.download("d-1", tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == DATA
    assert host.ranges[2] == "bytes=0-1048575"


async def test_a_504_that_persists_is_raised(
    host: FileHost, make_client: MakeClient, tmp_path: Path
) -> None:
    host.tricks = [respond(504)] * 99
    client = build_client(make_client, host, VirtualClock())
    with pytest.raises(ServerTimeoutError, match="the file host answered 504"):
        await client.documents.download("d-1", tmp_path / "x")


async def test_chunks_stay_large_without_an_attempt_timeout(
    host: FileHost, make_client: MakeClient, tmp_path: Path
) -> None:
    client = build_client(make_client, host, VirtualClock(), attempt_timeout=None)
    await client.documents.download("d-1", tmp_path / "x")
    assert len(host.chunk_requests) == 3
