"""Recorders and replays as they are often written; each has one flaw."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from doubles import MakeClient

from nectar_async import Request, Response

__all__ = [
    "ConstantRedaction",
    "NaiveRecorder",
    "ReplayFirstMatch",
    "ReplayInOrder",
    "ReplayWithoutDiff",
    "load_cassette",
    "read_har_texts",
    "record_usage",
]


class NaiveRecorder:
    """Records requests below the authentication, with their headers."""

    needs_key = True

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.entries: list[dict[str, Any]] = []

    async def send(self, request: Request[Any], /) -> Response:
        response: Response = await self._inner.send(request)
        self.entries.append(
            {
                "url": request.url,
                "headers": dict(request.headers),
                "body": response.body.decode(),
            }
        )
        return response

    async def aclose(self) -> None:
        pass


async def record_usage(
    make_client: MakeClient, key: str, transport: Any, *companies: str
) -> NaiveRecorder:
    """Record the usage lists of companies, one after the other."""
    recorder = NaiveRecorder(transport)
    nectar = make_client(recorder, api_key=key)
    for company in companies:
        async for _ in nectar.usage.by_company(company):
            pass
    return recorder


class ReplayInOrder:
    """Replays answers in the recorded order, whatever the requests are."""

    needs_key = False

    def __init__(self, entries: Sequence[Mapping[str, Any]]) -> None:
        self._entries = list(entries)

    async def send(self, _: Request[Any], /) -> Response:
        return Response(200, {}, str(self._entries.pop(0)["body"]).encode())

    async def aclose(self) -> None:
        pass


class ReplayFirstMatch(ReplayInOrder):
    """Replays the first recorded answer for a URL, also for repeated requests."""

    async def send(self, request: Request[Any], /) -> Response:
        entry = next(each for each in self._entries if each["url"] == request.url)
        return Response(200, {}, str(entry["body"]).encode())


class ReplayWithoutDiff(ReplayInOrder):
    """Replays answers, and raises an error without details for an unknown URL."""

    async def send(self, request: Request[Any], /) -> Response:
        if all(entry["url"] != request.url for entry in self._entries):
            raise LookupError("request not mocked")
        return await super().send(request)


class ConstantRedaction(ReplayFirstMatch):
    """Replays answers in which every secret was replaced by the same text."""

    def __init__(self, entries: Sequence[Mapping[str, Any]], *values: str) -> None:
        redacted = []
        for entry in entries:
            texts = {key: str(entry[key]) for key in ("url", "body")}
            for value in values:
                texts = {key: text.replace(value, "***") for key, text in texts.items()}
            redacted.append(texts)
        super().__init__(redacted)


def read_har_texts(data: bytes) -> list[str]:
    """Read the bodies of a HAR file; one that is missing is empty."""
    entries = json.loads(data)["log"]["entries"]
    return [entry["response"]["content"].get("text", "") for entry in entries]


def load_cassette(text: str) -> Any:
    """Load a cassette with the safe loader of PyYAML."""
    return yaml.safe_load(text)
