"""Read cassettes of vcrpy: YAML or JSON, format version 1.

A body is text, or bytes if it is not UTF-8, such as a compressed answer; headers have
lists of values. Interactions with other hosts may be invalid. YAML needs PyYAML (the
extra `cassettes`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from importlib import import_module
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from nectar_async.errors import ConfigurationError, RecordingError
from nectar_async.recording.bodies import Body, parse_body
from nectar_async.recording.exchange import Pairs, RecordedAnswer
from nectar_async.recording.formats.cassette_forms import read_form
from nectar_async.recording.formats.completeness import (
    StoredBody,
    can_answer_have_body,
    can_request_have_body,
)
from nectar_async.recording.formats.importer import (
    Imported,
    TrafficEntry,
    build_answer,
    build_invalid_entry,
    decode_base64,
    import_traffic,
)
from nectar_async.recording.formats.plain_yaml import find_damage, load_plain_yaml
from nectar_async.recording.formats.traffic_json import decode_text, load_traffic
from nectar_async.recording.redaction.redaction import Redaction

__all__ = ["read_cassette"]

_VERSION: Final = 1

_DEPTH: Final = 4
"""How many lists and objects are around the parts of a request."""

_ADVICE: Final = "A filter (before_record_…) of vcrpy may have removed it"

_NESTED: Final = ("_store", "_list")
"""Attributes in which the classes of requests and httpx have their headers."""

_PAIR_LENGTH: Final = 2


class _Request(msgspec.Struct):
    method: str
    body: Any = None
    headers: Any = None


class _Status(msgspec.Struct):
    code: int


class _Response(msgspec.Struct, rename={"old_status": "status_code"}):
    """A response; vcrpy before version 5 wrote the last two fields for httpx."""

    headers: Any = None
    status: _Status | None = None
    body: Any = None
    old_status: int | None = None
    content: Any = None


class _Interaction(msgspec.Struct):
    request: _Request
    response: _Response


class _Cassette(msgspec.Struct):
    interactions: list[Any]
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
        _read_entry(interaction, f"$.interactions[{index}]")
        for index, interaction in enumerate(_parse_cassette(data).interactions)
    ]
    return import_traffic(entries, base_url=base_url, redaction=redaction)


def _parse_cassette(data: bytes) -> _Cassette:
    value = _parse_value(decode_text(data))
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
    """Parse a text as JSON if it begins with a bracket, or else as YAML."""
    if text.lstrip().startswith(("{", "[")):
        return load_traffic(text, "a cassette", depth=_DEPTH)
    try:
        yaml = import_module("yaml")
    except ModuleNotFoundError:
        raise ConfigurationError(
            "to read a cassette in YAML, install nectar-async[cassettes]"
        ) from None
    try:
        return load_plain_yaml(yaml, text)
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        words = " ".join(str(error).split())
        raise RecordingError(
            f"the file is not a cassette: invalid YAML: {words}"
        ) from None


def _read_entry(interaction: Any, place: str) -> TrafficEntry:
    """Read an interaction; an invalid one is an error only if it belongs to Nectar."""
    request = interaction.get("request") if isinstance(interaction, Mapping) else None
    request = request if isinstance(request, Mapping) else {}
    method = _to_text(request.get("method")).strip().upper()
    url = _to_text(request.get("uri")).strip().partition("#")[0]
    described = f"{place} ({method} {url.partition('?')[0]})"
    if problem := find_damage(interaction):
        return build_invalid_entry(described, method, url, problem)
    try:
        read = msgspec.convert(
            {**interaction, "request": {**request, "method": method}}
            if isinstance(interaction, Mapping)
            else interaction,
            _Interaction,
            strict=False,
        )
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        return build_invalid_entry(described, method, url, str(error))
    status = read.response.old_status
    if read.response.status is not None:
        status = read.response.status.code
    if status is None:
        return build_invalid_entry(
            described, method, url, f"{place}.response has no status"
        )
    sent = _flatten_headers(read.request.headers)
    received = _flatten_headers(read.response.headers)
    return TrafficEntry(
        place=described,
        method=method,
        url=url,
        sent=sent,
        received=received,
        status=status,
        body=partial(_parse_body, read.request, sent, described),
        answer=partial(
            _build_answer, read.response, status, received, described, method=method
        ),
    )


def _parse_body(request: _Request, sent: Pairs, place: str) -> Body | None:
    """Parse the body of a request, which aiohttp's stub stores before its encoding."""
    body = request.body
    headers = {name.lower(): text for name, text in sent}
    kind = headers.get("content-type", "")
    form = read_form(body)
    if form is not None:
        return form
    is_wrapped = isinstance(body, Mapping) and {*body} <= {"string", "base64_string"}
    is_objects = isinstance(body, list) and any(isinstance(x, Mapping) for x in body)
    if (isinstance(body, Mapping) and not is_wrapped) or is_objects:
        if "form" in kind.lower() and isinstance(body, Mapping):
            pairs = [(_to_text(name), _to_text(text)) for name, text in body.items()]
            return parse_body(urlencode(pairs).encode(), kind)
        try:
            return parse_body(json.dumps(body).encode(), kind or "application/json")
        except (TypeError, ValueError, RecursionError) as error:
            raise RecordingError(f"{place}: its body is not JSON: {error}") from None
    data = _decode_body(body, place)
    # A filter of vcrpy may have shortened it, so only a missing body is an error.
    if not data and can_request_have_body(request.method):
        StoredBody(data=data, sent_with=sent).check(f"{place}, its request", _ADVICE)
    return parse_body(data, kind)


def _build_answer(
    response: _Response,
    status: int,
    headers: Pairs,
    place: str,
    *,
    method: str,
    is_file: bool,
) -> RecordedAnswer:
    body = response.content if response.body is None else response.body
    data = _decode_body(body, place)
    if can_answer_have_body(method, status):
        StoredBody(
            data=data,
            sent_with=headers,
            # YAML that was edited by hand may have lost the CR of line ends.
            slack=data.count(b"\n"),
            is_absent=_is_absent(body),
        ).check(place, _ADVICE)
    return build_answer(
        status, headers, data, None, f"the body of {place}", is_file=is_file
    )


def _is_absent(body: Any) -> bool:
    """Whether a response has no body, not even an empty one."""
    if isinstance(body, Mapping):
        return body.get("string") is None and body.get("base64_string") is None
    return body is None


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


def _flatten_headers(headers: Any) -> Pairs:
    """Flatten headers: a mapping to texts or lists of texts, or a list of pairs."""
    for name in _NESTED:
        if isinstance(headers, Mapping) and name in headers:
            headers = headers[name]
            if isinstance(headers, Mapping):  # the value has the name as sent
                headers = list(headers.values())
    if isinstance(headers, Mapping):
        pairs = [(name, texts) for name, texts in headers.items()]
    elif isinstance(headers, list):
        pairs = [
            (pair[0], pair[-1])
            for pair in headers
            if isinstance(pair, list) and len(pair) >= _PAIR_LENGTH
        ]
    else:
        pairs = []
    return tuple(
        (_to_text(name), _to_text(text))
        for name, texts in pairs
        for text in (texts if isinstance(texts, list) else [texts])
    )


def _to_text(value: Any) -> str:
    """Convert a value to text, without incomplete characters (lone surrogates)."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return "" if value is None else _replace_surrogates(str(value))


def _replace_surrogates(text: str) -> str:
    """Replace incomplete characters (lone surrogates), which YAML can represent."""
    return text.encode("utf-8", "replace").decode()
