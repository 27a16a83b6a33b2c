"""Read cassettes of vcrpy: YAML or JSON, format version 1.

A body is text, or bytes if it is not UTF-8, such as a compressed answer; headers have
lists of values. YAML needs PyYAML (the extra `cassettes`).
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

_HeaderValues = Mapping[Any, Any] | None


class _Request(msgspec.Struct):
    method: str
    uri: str
    body: Any = None
    headers: _HeaderValues = None


class _Status(msgspec.Struct):
    code: int


class _Response(msgspec.Struct, rename={"old_status": "status_code"}):
    """A response; vcrpy before version 5 wrote the last two fields for httpx."""

    headers: _HeaderValues = None
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
    """Build a recording of the Nectar requests in a cassette, in memory.

    ```python
    result = read_cassette(Path("cassettes/usage.yaml").read_bytes())
    result.recording.save("tests/recordings/usage", datetime.now(UTC))
    ```

    Args:
        data: the bytes of the file.
        base_url: as in `read_har`.
        redaction: as in `read_har`.

    Raises:
        RecordingError: it is not a cassette, has another version or no requests to
            Nectar, or the recording would contain a secret; the message has the place.
        ConfigurationError: it is YAML and PyYAML is not installed, or `base_url` is
            invalid.
    """
    entries = [
        _build_entry(interaction, f"$.interactions[{index}]")
        for index, interaction in enumerate(_parse_cassette(data).interactions)
    ]
    return import_traffic(entries, base_url=base_url, redaction=redaction)


def _parse_cassette(data: bytes) -> _Cassette:
    value = _parse_value(data.decode("utf-8-sig", "replace"))
    if isinstance(value, list):
        raise RecordingError(
            "it is a cassette of vcrpy before 1.0; 'python -m vcr.migration PATH'"
            " converts it"
        )
    if isinstance(value, Mapping) and value.get("version", _VERSION) != _VERSION:
        raise RecordingError(
            f"it is a cassette of version {value['version']!r}; version {_VERSION} can"
            " be read"
        )
    try:
        return msgspec.convert(value, _Cassette, strict=False)
    except msgspec.ValidationError as error:
        raise RecordingError(f"it is not a cassette of vcrpy: {error}") from None
    except UnicodeEncodeError as error:
        raise RecordingError(
            f"it has an incomplete character: {error.reason}"
        ) from None


def _parse_value(text: str) -> Any:
    """Parse a text as JSON, or else as YAML."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        if text.lstrip().startswith("{"):
            raise RecordingError(
                f"the file is not a cassette: invalid JSON: {error}"
            ) from None
    try:
        yaml = import_module("yaml")
    except ModuleNotFoundError:
        raise ConfigurationError(
            "to read a cassette in YAML, install nectar-async[cassettes]"
        ) from None
    try:
        return yaml.load(text, Loader=_build_loader(yaml))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        words = " ".join(str(error).split())
        raise RecordingError(
            f"the file is not a cassette: invalid YAML: {words}"
        ) from None


def _build_loader(yaml: Any) -> Any:
    """Build a YAML loader that creates plain values only.

    vcrpy writes bodies that were files or iterators as Python objects; the loader takes
    only their bytes.
    """

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        pass

    def text(loader: Any, node: Any) -> Any:
        return loader.construct_scalar(node)

    def items(loader: Any, node: Any) -> Any:
        return loader.construct_sequence(node, deep=True)

    def state(loader: Any, node: Any) -> Any:
        decoded = loader.construct_mapping(node, deep=True)
        return next(iter(decoded.get("state") or decoded.get("args") or ()), b"")

    prefix = "tag:yaml.org,2002:python/"
    for tag, construct in (
        ("str", text),
        ("unicode", text),
        ("tuple", items),
        ("object/new:_io.BytesIO", state),
        ("object/apply:builtins.iter", state),
    ):
        Loader.add_constructor(prefix + tag, construct)
    return Loader


def _build_entry(interaction: _Interaction, place: str) -> TrafficEntry:
    request, response = interaction.request, interaction.response
    status = response.old_status if response.status is None else response.status.code
    if status is None:
        raise RecordingError(f"{place}.response has no status")
    request_headers = _flatten_headers(request.headers)
    response_headers = _flatten_headers(response.headers)
    method = _replace_surrogates(request.method.strip().upper())
    url = _replace_surrogates(request.uri.strip())
    described = f"{place} ({method} {url.partition('?')[0]})"
    return TrafficEntry(
        place=described,
        method=method,
        url=url.partition("#")[0],
        sent=request_headers,
        received=response_headers,
        status=status,
        body=partial(_parse_body, request.body, request_headers, described),
        answer=partial(_build_answer, response, status, response_headers, described),
    )


def _parse_body(body: Any, sent: Pairs, place: str) -> Body | None:
    headers = {name.lower(): text for name, text in sent}
    return parse_body(_decode_body(body, place), headers.get("content-type", ""))


def _build_answer(
    response: _Response, status: int, headers: Pairs, place: str
) -> RecordedAnswer:
    data = _decode_body(
        response.content if response.body is None else response.body, place
    )
    return build_answer(status, headers, data, None, f"the body of {place}")


def _decode_body(body: Any, place: str) -> bytes:
    """Decode the bytes of a body in any of its representations."""
    if isinstance(body, Mapping):
        if isinstance(text := body.get("base64_string"), str):
            return decode_base64(text, place)
        body = body.get("string")
    parts = body if isinstance(body, list) else [body]
    decoded = [
        _replace_surrogates(part).encode() if isinstance(part, str) else part or b""
        for part in parts
    ]
    if not all(isinstance(part, bytes) for part in decoded):
        raise RecordingError(f"{place} has a body that is neither text nor bytes")
    return b"".join(decoded)


def _flatten_headers(headers: _HeaderValues) -> Pairs:
    """Flatten headers, whose values are texts or lists of texts."""
    return tuple(
        (_replace_surrogates(str(name)), _replace_surrogates(str(text)))
        for name, texts in (headers or {}).items()
        for text in (texts if isinstance(texts, list) else [texts])
    )


def _replace_surrogates(text: str) -> str:
    """Replace incomplete characters (lone surrogates), which YAML can represent."""
    return text.encode("utf-8", "replace").decode()
