"""The file format of recordings: encode and decode the manifest and the exchanges.

docs/recordings.md describes the format. A change of the format changes `VERSION`.
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
"""The version of the format. Newer versions are refused, older ones are read."""

_INDENT: Final = 2


class Manifest(
    msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True, rename="camel"
):
    """The file `recording.json`, which describes the whole recording."""

    format: int
    recorded_at: Annotated[datetime, msgspec.Meta(tz=True)]
    """When an exchange last changed, in UTC."""
    library: str
    """The version of this package that wrote the recording."""
    api_version: str
    """The API version as in `Settings`: `v2.2`."""
    contract: str
    """The SHA-256 of that version's contract."""
    redaction: dict[str, Any] = {}
    """The user's own redaction rules; a replay applies them to its requests too."""


class _PartFields(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The JSON object of one part of a multipart form."""

    name: str
    text: str | None = None
    file: str | None = None
    type: str | None = None
    sha256: str | None = None
    size: int | None = None


class _RequestFields(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The JSON object under `request` in an exchange file."""

    method: str
    path: str = ""
    url: str = ""
    owner: str = ""
    query: dict[str, str | list[str]] = {}
    range: str | None = None
    # The body is stored under one of four keys.
    json: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    text: str | None = None
    file: str | None = None
    form: list[_PartFields] | None = None


class _ResponseFields(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The JSON object under `response` in an exchange file."""

    status: int
    headers: dict[str, str] = {}
    json: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    text: str | None = None
    file: str | None = None


class _ExchangeFields(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The JSON object of an exchange file."""

    operation: str
    request: _RequestFields
    response: _ResponseFields


_EXCHANGE_DECODER: Final = msgspec.json.Decoder(_ExchangeFields)
_MANIFEST_DECODER: Final = msgspec.json.Decoder(Manifest)


class _FormatVersion(msgspec.Struct):
    """The key of a manifest that is read first, to refuse newer formats."""

    format: int


def read_manifest(data: bytes, where: str) -> Manifest:
    """Decode the manifest of a recording.

    Args:
        data: the bytes of the file.
        where: the path of the file; for messages.

    Raises:
        RecordingError: it is not a manifest, or its format is newer than `VERSION`.
    """
    try:
        version = msgspec.json.decode(data, type=_FormatVersion).format
        if version > VERSION:
            raise RecordingError(
                f"{where} has format {version}; this nectar_async reads up to"
                f" {VERSION}: upgrade it, or record again"
            )
        return _MANIFEST_DECODER.decode(data)
    except msgspec.DecodeError as error:
        raise RecordingError(f"{where} is not a manifest: {error}") from None


def read_exchange(
    data: bytes,
    key: Callable[[Question], str],
    files: Mapping[str, bytes],
    where: str,
) -> Exchange:
    """Decode the exchange in a file.

    Args:
        data: the bytes of the file.
        key: computes the key of the question, with redacted values masked.
        files: the binary bodies of the recording, by file name.
        where: the path of the file; for messages.

    Raises:
        RecordingError: it is not an exchange, or a binary body is missing.
    """
    try:
        fields = _EXCHANGE_DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordingError(f"{where} is not an exchange: {error}") from None
    request, response = fields.request, fields.response
    question = Question(
        operation=fields.operation,
        method=request.method,
        path=request.path,
        url=request.url,
        query=_parse_query_object(request.query),
        range=request.range,
        body=_parse_body_fields(request, files, where),
        owner=request.owner,
    )
    answer = RecordedAnswer(
        status=response.status,
        headers=response.headers,
        body=_parse_body_fields(response, files, where),
    )
    return Exchange(question=question, answer=answer, key=key(question))


def encode_exchange(exchange: Exchange) -> bytes:
    """Encode an exchange as the bytes of its file: indented JSON and a newline."""
    question, answer = exchange.question, exchange.answer
    fields = _ExchangeFields(
        operation=question.operation,
        request=_RequestFields(
            method=question.method,
            path=question.path,
            url=question.url,
            owner=question.owner,
            query=_build_query_object(question.query),
            range=question.range,
            **_build_body_fields(question.body),
        ),
        response=_ResponseFields(
            status=answer.status,
            headers=dict(answer.headers),
            **_build_body_fields(answer.body),
        ),
    )
    return encode_pretty(fields)


def encode_pretty(value: Any) -> bytes:
    """Encode a value as indented JSON, which people and `git diff` can read."""
    return msgspec.json.format(msgspec.json.encode(value), indent=_INDENT) + b"\n"


def _build_body_fields(body: Body | None) -> dict[str, Any]:
    """Build the one key that stores a body, with its value; no key for None."""
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
                    _PartFields(
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


def _parse_body_fields(
    fields: _RequestFields | _ResponseFields, files: Mapping[str, bytes], where: str
) -> Body | None:
    """Read the body of a request or response; None if no key stores one.

    Args:
        fields: the JSON object of the request or response.
        files: the binary bodies of the recording, by file name.
        where: the path of the exchange file; for messages.

    Raises:
        RecordingError: the file of a binary body is missing or was changed.
    """
    if not isinstance(fields.json, msgspec.UnsetType):
        # The raw JSON has the indentation of the file.
        return Json(msgspec.json.format(bytes(fields.json), indent=-1))
    if fields.text is not None:
        return Text(fields.text)
    if isinstance(fields, _RequestFields) and fields.form is not None:
        return FormData(
            tuple(FormPart(**msgspec.structs.asdict(part)) for part in fields.form)
        )
    if fields.file is None:
        return None
    name = PurePosixPath(fields.file)
    if fields.file not in files:
        raise RecordingError(f"{where} names {fields.file!r}, which is missing")
    content = files[fields.file]
    actual = sha256_hex(content)
    if actual != name.stem:
        raise RecordingError(
            f"{name} was changed: its SHA-256 is {actual[:12]}…; record again"
        )
    return Blob(content, name.suffix)


def _build_query_object(query: Pairs) -> dict[str, str | list[str]]:
    """Group query pairs by key: one text, or a list for a key that is repeated."""
    grouped: dict[str, list[str]] = {}
    for key, text in query:
        grouped.setdefault(key, []).append(text)
    return {
        key: texts[0] if len(texts) == 1 else texts for key, texts in grouped.items()
    }


def _parse_query_object(query: Mapping[str, str | list[str]]) -> Pairs:
    """Convert a query object back to sorted pairs of key and text."""
    return tuple(
        sorted(
            (key, text)
            for key, texts in query.items()
            for text in ([texts] if isinstance(texts, str) else texts)
        )
    )
