"""The files of a recording: what stands in them, and how they are read and written.

docs/recordings.md describes the format for people and for other programs. What changes
there, changes `VERSION`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import PurePosixPath
from typing import Annotated, Any, Final

import msgspec

from nectar_async.errors import RecordingError
from nectar_async.recording.bodies import (
    Blob,
    Body,
    FormData,
    FormPart,
    Json,
    Text,
    sha256_hex,
)
from nectar_async.recording.exchange import Exchange, Pairs, Question, RecordedAnswer

__all__ = ["VERSION", "Manifest", "encode_exchange", "read_exchange", "read_manifest"]

VERSION: Final = 1
"""Of the format. A newer one is refused, older ones are read."""

_INDENT: Final = 2


class Manifest(
    msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True, rename="camel"
):
    """What holds for a whole recording: `recording.json`."""

    format: int
    recorded_at: Annotated[datetime, msgspec.Meta(tz=True)]
    """The instant of the last change to an exchange, in UTC."""
    library: str
    """The version of this package that wrote it."""
    api_version: str
    """As in `Settings`: `v2.2`."""
    contract: str
    """The SHA-256 of the contract that the package had."""
    redaction: dict[str, Any] = {}
    """The user's own rules, so that a replay knows them as well."""


class _Part(msgspec.Struct, kw_only=True, omit_defaults=True):
    name: str
    text: str | None = None
    file: str | None = None
    type: str | None = None
    sha256: str | None = None
    size: int | None = None


class _Question(msgspec.Struct, kw_only=True, omit_defaults=True):
    method: str
    path: str = ""
    url: str = ""
    owner: str = ""
    query: dict[str, str | list[str]] = {}
    range: str | None = None
    # A body is under one of four keys.
    json: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    text: str | None = None
    file: str | None = None
    form: list[_Part] | None = None


class _Answer(msgspec.Struct, kw_only=True, omit_defaults=True):
    status: int
    headers: dict[str, str] = {}
    json: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    text: str | None = None
    file: str | None = None


class _File(msgspec.Struct, kw_only=True, omit_defaults=True):
    operation: str
    request: _Question
    response: _Answer


_FILES: Final = msgspec.json.Decoder(_File)
_MANIFESTS: Final = msgspec.json.Decoder(Manifest)


class _Version(msgspec.Struct):
    format: int


def read_manifest(data: bytes, where: str) -> Manifest:
    """The manifest of a recording.

    Raises:
        RecordingError: it is none, or of a newer format.
    """
    try:
        version = msgspec.json.decode(data, type=_Version).format
        if version > VERSION:
            raise RecordingError(
                f"{where} has format {version}; this nectar_async reads up to"
                f" {VERSION}: upgrade it, or record anew"
            )
        return _MANIFESTS.decode(data)
    except msgspec.DecodeError as error:
        raise RecordingError(f"{where} is no manifest: {error}") from None


def read_exchange(
    data: bytes,
    key: Callable[[Question], str],
    files: Mapping[str, bytes],
    where: str,
) -> Exchange:
    """The exchange in a file.

    Args:
        data: what stands in it.
        key: what finds a question again.
        files: bytes that lie beside it, by name.
        where: the file's path; for messages.

    Raises:
        RecordingError: it is no exchange, or bytes that it names are not there.
    """
    try:
        file = _FILES.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordingError(f"{where} is no exchange: {error}") from None
    asked, answered = file.request, file.response
    question = Question(
        operation=file.operation,
        method=asked.method,
        path=asked.path,
        url=asked.url,
        query=_pairs(asked.query),
        range=asked.range,
        body=_body(asked, files, where),
        owner=asked.owner,
    )
    answer = RecordedAnswer(
        status=answered.status,
        headers=answered.headers,
        body=_body(answered, files, where),
    )
    return Exchange(question=question, answer=answer, key=key(question))


def encode_exchange(exchange: Exchange) -> bytes:
    """What stands in the file of an exchange: JSON for people, ending in a line."""
    asked, answered = exchange.question, exchange.answer
    file = _File(
        operation=asked.operation,
        request=_Question(
            method=asked.method,
            path=asked.path,
            url=asked.url,
            owner=asked.owner,
            query=_grouped(asked.query),
            range=asked.range,
            **_kept(asked.body),
        ),
        response=_Answer(
            status=answered.status,
            headers=dict(answered.headers),
            **_kept(answered.body),
        ),
    )
    return encode_pretty(file)


def encode_pretty(value: Any) -> bytes:
    """JSON for people and for `git diff`."""
    return msgspec.json.format(msgspec.json.encode(value), indent=_INDENT) + b"\n"


def _kept(body: Body | None) -> dict[str, Any]:
    match body:
        case None:
            return {}
        case Json():
            return {"json": msgspec.Raw(body.raw)}
        case Text():
            return {"text": body.text}
        case Blob():
            return {"file": body.name}
        case FormData():
            return {
                "form": [
                    _Part(
                        name=part.name,
                        text=part.text,
                        file=part.file,
                        type=part.type,
                        sha256=part.sha256,
                        size=part.size,
                    )
                    for part in body.parts
                ]
            }


def _body(
    kept: _Question | _Answer, files: Mapping[str, bytes], where: str
) -> Body | None:
    if not isinstance(kept.json, msgspec.UnsetType):
        # In the file it is indented, as deep as it stands there.
        return Json(msgspec.json.format(bytes(kept.json), indent=-1))
    if kept.text is not None:
        return Text(kept.text)
    if isinstance(kept, _Question) and kept.form is not None:
        return FormData(
            tuple(FormPart(**msgspec.structs.asdict(one)) for one in kept.form)
        )
    if kept.file is None:
        return None
    name = PurePosixPath(kept.file)
    if kept.file not in files:
        raise RecordingError(f"{where} names {kept.file!r}, which is not beside it")
    content = files[kept.file]
    actual = sha256_hex(content)
    if actual != name.stem:
        raise RecordingError(
            f"{name} was changed: its SHA-256 is {actual[:12]}…; record again"
        )
    return Blob(content, name.suffix)


def _grouped(query: Pairs) -> dict[str, str | list[str]]:
    grouped: dict[str, list[str]] = {}
    for key, text in query:
        grouped.setdefault(key, []).append(text)
    return {key: one[0] if len(one) == 1 else one for key, one in grouped.items()}


def _pairs(query: Mapping[str, str | list[str]]) -> Pairs:
    return tuple(
        sorted(
            (key, text)
            for key, texts in query.items()
            for text in ([texts] if isinstance(texts, str) else texts)
        )
    )
