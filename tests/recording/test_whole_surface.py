"""A recording of the whole API contains no secret and can be replayed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from surface import call_everything

from nectar_async import NectarClient, Request, Response, VirtualClock, contract
from nectar_async._http.compression import decompress_body
from nectar_async._http.transport import Send
from nectar_async.recording.folder import Recording
from nectar_async.sandbox import Sandbox
from nectar_async.transports import Recorder

# The magic links are deprecated, and recorded all the same.
pytestmark = pytest.mark.filterwarnings("ignore:use invitations:DeprecationWarning")

KEY = "marked-key-0123456789"

# Keys of bodies below which every value is a secret or personal.
HIDDEN = {
    *("username", "password", "securityQuestions", "token", "invitationUrl", "billing"),
    *("magicLinkUrl", "companyMagicLinkSecret", "connectionMagicLinkSecret"),
    *("address", "accountNumber", "email", "users", "allowedEmails"),
    *("connectionOwnerEmail", "workflowOwnerEmail"),
}
PLACEHOLDER = re.compile(r"-\d+\b|\.invalid\b|^magic:|^\*+$|^link-part$")


class Spy:
    """A recorder that also stores the answers that the client received."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.needs_key = recorder.needs_key
        self.answers: list[tuple[str, int, bytes]] = []
        self.bodies: list[bytes] = []

    async def __call__(self, request: Request[Any], send: Send) -> Response:
        response = await self._recorder(request, send)
        self.answers.append(
            (request.operation, response.status, decompress_body(response))
        )
        if isinstance(request.body, bytes):
            self.bodies.append(request.body)
        return response

    async def finish(self, send: Send | None) -> bool:
        return await self._recorder.finish(send)


async def _record(folder: Path) -> Spy:
    # The clock stands still, so that created objects are the same each time.
    async with Sandbox(companies=4, clock_speed=0, api_key=KEY) as sandbox:
        spy = Spy(Recorder(folder, mode="record"))
        async with NectarClient(KEY, settings=sandbox.settings, recorder=spy) as nectar:
            await call_everything(nectar)
    return spy


async def _replay(folder: Path) -> Spy:
    recorder = Recorder(folder)
    spy = Spy(recorder)
    async with NectarClient(recorder=spy, clock=VirtualClock()) as nectar:
        await call_everything(nectar)
    recorder.check_unused()
    return spy


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("surface") / "all"


@pytest.fixture(scope="module")
def live(folder: Path) -> Spy:
    """Record the whole API."""
    return anyio.run(_record, folder)


def read_files(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def list_hidden_texts(value: Any, *, is_hidden: bool = False) -> Iterator[str]:
    """List the texts below sensitive keys."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from list_hidden_texts(inner, is_hidden=is_hidden or key in HIDDEN)
    elif isinstance(value, list):
        for inner in value:
            yield from list_hidden_texts(inner, is_hidden=is_hidden)
    elif is_hidden and isinstance(value, str):
        yield value


def test_every_operation_is_in_it(live: Spy, folder: Path) -> None:
    assert live.answers
    recorded = {
        exchange.question.operation for exchange in Recording.load(folder).exchanges
    }
    assert recorded == set(contract.operations())


def test_it_contains_no_secret_and_no_person(live: Spy, folder: Path) -> None:
    bodies = [body for _, _, body in live.answers] + live.bodies
    texts = [text for text in bodies if text[:1] in {b"{", b"["}]
    hidden = {value for text in texts for value in list_hidden_texts(json.loads(text))}
    hidden = {text for text in hidden if len(text) > 3}
    assert len(hidden) > 50
    files = b"".join(read_files(folder).values()).decode()
    assert KEY not in files
    assert not [
        text for text in hidden if json.dumps(text)[1:-1] in files or text in files
    ]


def test_it_replays_the_same_results_except_placeholders(
    live: Spy, folder: Path
) -> None:
    replayed = anyio.run(_replay, folder)
    assert [answer[:2] for answer in replayed.answers] == [
        answer[:2] for answer in live.answers
    ]
    differing = 0
    for (name, _, was), (_, _, now) in zip(live.answers, replayed.answers, strict=True):
        for before, after in zip(_leaves(was), _leaves(now), strict=True):
            if before != after:
                assert PLACEHOLDER.search(after), f"{name}: {before} became {after}"
                differing += 1
    assert differing > 100


@pytest.mark.slow
def test_recording_it_again_changes_nothing(live: Spy, folder: Path) -> None:
    assert live.answers
    before = read_files(folder)
    anyio.run(_record, folder)
    assert read_files(folder) == before


def _leaves(body: bytes) -> list[str]:
    """List every value with its path, sorted; the whole text if it is not JSON."""
    try:
        value = json.loads(body)
    except ValueError:
        return [body.decode("latin-1")]
    return sorted(f"{path} = {leaf}" for path, leaf in _walk("$", value))


def _walk(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _walk(f"{path}.{key}", inner)
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from _walk(f"{path}[{at}]", inner)
    else:
        yield path, value
