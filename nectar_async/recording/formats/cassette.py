"""Cassettes of vcrpy, read into a recording: YAML or JSON, format version 1.

A body is text, or bytes where it is no UTF-8, as a packed answer; headers have lists of
values. YAML is read by PyYAML (the extra `cassettes`), JSON needs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from importlib import import_module
from typing import Any, Final

import msgspec

from nectar_async.errors import ConfigurationError, RecordingError
from nectar_async.recording.bodies import Body, parse_body
from nectar_async.recording.exchange import Pairs, RecordedAnswer
from nectar_async.recording.formats.importer import (
    Imported,
    TrafficEntry,
    build_answer,
    decode_base64,
    import_traffic,
)
from nectar_async.recording.redaction.redaction import Redaction

__all__ = ["read_cassette"]

_VERSION: Final = 1

_Values = Mapping[Any, Any] | None


class _Request(msgspec.Struct):
    method: str
    uri: str
    body: Any = None
    headers: _Values = None


class _Status(msgspec.Struct):
    code: int


class _Response(msgspec.Struct, rename={"old_status": "status_code"}):
    """The last two are how vcrpy wrote down what httpx got, before its version 5."""

    headers: _Values = None
    status: _Status | None = None
    body: Any = None
    old_status: int | None = None
    content: Any = None


class _Interaction(msgspec.Struct):
    request: _Request
    response: _Response


class _Cassette(msgspec.Struct):
    interactions: list[_Interaction]
    version: int = _VERSION


def read_cassette(
    data: bytes, *, base_url: str | None = None, redaction: Redaction | None = None
) -> Imported:
    """A recording of what a cassette has of Nectar. Nothing is written to disk.

    ```python
    found = read_cassette(Path("cassettes/usage.yaml").read_bytes())
    found.recording.save("tests/recordings/usage", datetime.now(UTC))
    ```

    Args:
        data: what stands in the file.
        base_url: as in `read_har`.
        redaction: as in `read_har`.

    Raises:
        RecordingError: it is no cassette, is of another version, has nothing of Nectar,
            or a secret would survive; says where.
        ConfigurationError: it is YAML and PyYAML is not there, or `base_url` cannot be
            one.
    """
    seen = [
        _seen(one, f"$.interactions[{at}]")
        for at, one in enumerate(_parsed(data).interactions)
    ]
    return import_traffic(seen, base_url=base_url, redaction=redaction)


def _parsed(data: bytes) -> _Cassette:
    value = _value(data.decode("utf-8-sig", "replace"))
    if isinstance(value, list):
        raise RecordingError(
            "it is a cassette of vcrpy before 1.0; 'python -m vcr.migration PATH' makes"
            " it one of today"
        )
    if isinstance(value, Mapping) and value.get("version", _VERSION) != _VERSION:
        raise RecordingError(
            f"it is a cassette of version {value['version']!r}; version {_VERSION} can"
            " be read"
        )
    try:
        return msgspec.convert(value, _Cassette, strict=False)
    except msgspec.ValidationError as error:
        raise RecordingError(f"it is no cassette of vcrpy: {error}") from None
    except UnicodeEncodeError as error:
        raise RecordingError(f"it has half a character: {error.reason}") from None


def _value(text: str) -> Any:
    """What the text says: JSON, or else YAML."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        if text.lstrip().startswith("{"):
            raise RecordingError(f"it is no JSON: {error}") from None
    try:
        yaml = import_module("yaml")
    except ModuleNotFoundError:
        raise ConfigurationError(
            "to read a cassette in YAML, install nectar-async[cassettes]"
        ) from None
    try:
        return yaml.load(text, Loader=_loader(yaml))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        words = " ".join(str(error).split())
        raise RecordingError(f"it is no YAML of a cassette: {words}") from None


def _loader(yaml: Any) -> Any:
    """A loader that makes nothing but values.

    vcrpy writes bodies that were files or iterators as objects of Python; of these it
    takes the bytes.
    """

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        pass

    def text(loader: Any, node: Any) -> Any:
        return loader.construct_scalar(node)

    def items(loader: Any, node: Any) -> Any:
        return loader.construct_sequence(node, deep=True)

    def state(loader: Any, node: Any) -> Any:
        found = loader.construct_mapping(node, deep=True)
        return next(iter(found.get("state") or found.get("args") or ()), b"")

    prefix = "tag:yaml.org,2002:python/"
    for tag, made in (
        ("str", text),
        ("unicode", text),
        ("tuple", items),
        ("object/new:_io.BytesIO", state),
        ("object/apply:builtins.iter", state),
    ):
        Loader.add_constructor(prefix + tag, made)
    return Loader


def _seen(one: _Interaction, place: str) -> TrafficEntry:
    asked, reply = one.request, one.response
    status = reply.old_status if reply.status is None else reply.status.code
    if status is None:
        raise RecordingError(f"{place}.response has no status")
    sent, got = _headers(asked.headers), _headers(reply.headers)
    method, url = _whole(asked.method.strip().upper()), _whole(asked.uri.strip())
    named = f"{place} ({method} {url.partition('?')[0]})"
    return TrafficEntry(
        place=named,
        method=method,
        url=url.partition("#")[0],
        sent=sent,
        received=got,
        status=status,
        body=partial(_body, asked.body, sent, named),
        answer=partial(_answer, reply, status, got, named),
    )


def _body(body: Any, sent: Pairs, place: str) -> Body | None:
    headers = {name.lower(): text for name, text in sent}
    return parse_body(_bytes(body, place), headers.get("content-type", ""))


def _answer(
    reply: _Response, status: int, headers: Pairs, place: str
) -> RecordedAnswer:
    data = _bytes(reply.content if reply.body is None else reply.body, place)
    return build_answer(status, headers, data, None, f"the body of {place}")


def _bytes(body: Any, place: str) -> bytes:
    """The bytes of a body, however it is spelled."""
    if isinstance(body, Mapping):
        if isinstance(text := body.get("base64_string"), str):
            return decode_base64(text, place)
        body = body.get("string")
    parts = body if isinstance(body, list) else [body]
    found = [
        _whole(one).encode() if isinstance(one, str) else one or b"" for one in parts
    ]
    if not all(isinstance(one, bytes) for one in found):
        raise RecordingError(f"{place} has a body that is neither text nor bytes")
    return b"".join(found)


def _headers(headers: _Values) -> Pairs:
    """Names and values; each name has one value or a list."""
    return tuple(
        (_whole(str(name)), _whole(str(text)))
        for name, texts in (headers or {}).items()
        for text in (texts if isinstance(texts, list) else [texts])
    )


def _whole(text: str) -> str:
    """A text without halves of characters, which YAML can spell."""
    return text.encode("utf-8", "replace").decode()
