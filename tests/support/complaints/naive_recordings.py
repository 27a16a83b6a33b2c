"""Recordings as they are often made: each has one flaw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from doubles import MakeClient

from nectar_async import Request, Response

__all__ = [
    "ByTurns",
    "ConstantRedaction",
    "EveryTimeTheFirst",
    "Tape",
    "Unmocked",
    "taped",
]


class Tape:
    """Writes down requests as they go over the wire."""

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


async def taped(
    make_client: MakeClient, key: str, transport: Any, *companies: str
) -> Tape:
    """The usage of companies, one after the other, on a tape."""
    tape = Tape(transport)
    nectar = make_client(tape, api_key=key)
    for company in companies:
        async for _ in nectar.usage.by_company(company):
            pass
    return tape


class ByTurns:
    """Gives answers in the order in which they were recorded, whatever is asked."""

    needs_key = False

    def __init__(self, entries: Sequence[Mapping[str, Any]]) -> None:
        self._left = list(entries)

    async def send(self, _: Request[Any], /) -> Response:
        return Response(200, {}, str(self._left.pop(0)["body"]).encode())

    async def aclose(self) -> None:
        pass


class EveryTimeTheFirst(ByTurns):
    """Gives the first answer to an address, each time that it is asked for."""

    async def send(self, request: Request[Any], /) -> Response:
        entry = next(one for one in self._left if one["url"] == request.url)
        return Response(200, {}, str(entry["body"]).encode())


class Unmocked(ByTurns):
    """Says of an address that it does not know that it does not know it."""

    async def send(self, request: Request[Any], /) -> Response:
        if all(one["url"] != request.url for one in self._left):
            raise LookupError("request not mocked")
        return await super().send(request)


class ConstantRedaction(EveryTimeTheFirst):
    """Replays what was recorded with the same stars in place of every value."""

    def __init__(self, entries: Sequence[Mapping[str, Any]], *values: str) -> None:
        starred = []
        for entry in entries:
            texts = {key: str(entry[key]) for key in ("url", "body")}
            for value in values:
                texts = {key: text.replace(value, "***") for key, text in texts.items()}
            starred.append(texts)
        super().__init__(starred)
