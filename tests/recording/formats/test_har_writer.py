"""An exported HAR is valid, and is imported without a change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from attrs import evolve
from exchanges import NOW, answer, make_page, make_recording, question
from hypothesis import given, strategies as st
from jsonschema import ValidationError
from jsonschema.validators import Draft6Validator
from profiles import max_examples
from referencing import Registry
from referencing.jsonschema import DRAFT6
from strategies import json_values

from nectar_async import ConfigurationError, RecordingError
from nectar_async.recording.bodies import (
    Blob,
    Body,
    FormData,
    FormPart,
    Json,
    Text,
    sha256_hex,
)
from nectar_async.recording.exchange import Exchange, Question, RecordedAnswer
from nectar_async.recording.folder import Recording
from nectar_async.recording.formats.har_reader import read_har
from nectar_async.recording.formats.har_writer import write_har
from nectar_async.recording.redaction.redaction import Redaction

SCHEMAS: Final = Path(__file__).parents[2] / "samples" / "har-schema"
ID: Final = "3b1e6f0a-52d7-4c55-9f0e-0d2b7c1a9e44"
PDF: Final = Blob(b"%PDF-1.7\xff", ".pdf")
UPLOAD: Final = FormData(
    (
        FormPart(name="siteIds", text="Ü"),
        FormPart(
            name="file",
            file="bill.pdf",
            type="application/pdf",
            sha256=sha256_hex(b"%PDF"),
            size=4,
        ),
    )
)

PAIRS: Final = [
    (question(), answer([{"id": ID, "name": "Amber"}])),
    make_page(ID, 2, 3),
    (question(), answer({"detail": "slow down"}, 429)),
    (
        question(
            f"/job/company/{ID}",
            "jobs_submit_document",
            method="POST",
            owner=ID,
            body=UPLOAD,
        ),
        answer({"id": "1"}, 201),
    ),
    (
        question(f"/site/{ID}", "sites_delete", method="DELETE", owner=ID),
        RecordedAnswer(status=204),
    ),
    (
        question("/label/8123", "labels_get", owner="8123", query=(("a b", "ü&"),)),
        RecordedAnswer(
            status=502, headers={"content-type": "text/html"}, body=Text("<p>ü")
        ),
    ),
    (
        question(
            "",
            "documents_download",
            url=f"https://link.invalid/{ID}/url",
            owner=ID,
            range="bytes=0-9",
        ),
        RecordedAnswer(
            status=206,
            headers={"content-range": "bytes 0-9/10", "etag": '"1"'},
            body=PDF,
        ),
    ),
    (
        question("", "documents_download", url=f"https://link.invalid/{ID}/url"),
        RecordedAnswer(
            status=302, headers={"location": f"https://link.invalid/{ID}/url/location"}
        ),
    ),
]
RECORDING: Final = evolve(make_recording(PAIRS), recorded_at=NOW)


@pytest.fixture(scope="module")
def validator() -> Draft6Validator:
    """Build a validator with the schemas of har-validator."""
    registry: Registry[Any] = Registry().with_resources(
        (path.name, DRAFT6.create_resource(_schema(path)))
        for path in SCHEMAS.glob("*.json")
    )
    return Draft6Validator(_schema(SCHEMAS / "har.json"), registry=registry)


def _schema(path: Path) -> Any:
    schema = json.loads(path.read_bytes())
    del schema["$id"]  # the others refer to it by the name of its file
    return schema


def exported(recording: Recording = RECORDING, **how: Any) -> Any:
    return json.loads(write_har(recording, **how))


def test_an_export_is_valid(validator: Draft6Validator) -> None:
    value = exported()
    assert len(value["log"]["entries"]) == len(PAIRS)
    validator.validate(value)


@pytest.mark.parametrize(
    "path",
    [("log", "creator"), ("log", "entries", 0, "timings"), ("request", "cookies")],
    ids=lambda path: path[-1],
)
def test_the_validator_finds_what_is_missing(
    validator: Draft6Validator, path: tuple[Any, ...]
) -> None:
    value = exported()
    inner = value if path[0] == "log" else value["log"]["entries"][3]
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    with pytest.raises(ValidationError, match=path[-1]):
        validator.validate(value)


def test_times_and_sizes_have_the_unknown_values_of_the_format() -> None:
    for entry in exported()["log"]["entries"]:
        assert entry["startedDateTime"] == "2026-03-01T12:00:00.000+00:00"
        assert entry["time"] == sum(entry["timings"].values()) == 0
        assert entry["request"]["headersSize"] == -1
        assert entry["response"]["bodySize"] == -1


def test_urls_are_absolute() -> None:
    def urls(**how: Any) -> set[str]:
        entries = exported(**how)["log"]["entries"]
        return {entry["request"]["url"] for entry in entries}

    api = "https://external.nectarclimate.com/v2.2"
    assert f"{api}/usage/company/{ID}?page=2" in urls()
    assert f"{api}/label/8123?a%20b=%C3%BC%26" in urls()
    assert f"https://link.invalid/{ID}/url" in urls()
    old = evolve(RECORDING, api_version="v2.0")
    assert "http://127.0.0.1:1/n/v2/company" in urls(
        recording=old, base_url="http://127.0.0.1:1/n"
    )
    with pytest.raises(ConfigurationError):
        write_har(RECORDING, base_url="127.0.0.1")


def test_bodies_are_text_or_base64_or_fields() -> None:
    entries = {
        (entry["_nectar"]["operation"], entry["response"]["status"]): entry
        for entry in exported()["log"]["entries"]
    }
    content = entries["labels_get", 502]["response"]["content"]
    assert content == {"size": 5, "mimeType": "text/html", "text": "<p>ü"}
    content = entries["documents_download", 206]["response"]["content"]
    assert (content["size"], content["encoding"]) == (9, "base64")
    form = entries["jobs_submit_document", 201]["request"]["postData"]
    assert [param["name"] for param in form["params"]] == ["siteIds", "file"]
    assert entries["sites_delete", 204]["response"]["content"]["size"] == 0


def test_an_exported_recording_is_imported_unchanged(tmp_path: Path) -> None:
    RECORDING.save(tmp_path / "r", NOW)
    for recording in (RECORDING, Recording.load(tmp_path / "r")):
        result = read_har(write_har(recording))
        assert result.recording.exchanges == recording.exchanges
        assert result.skipped == {}
        assert result.recording.recorded_at == NOW
        assert result.recording.api_version == "v2.2"


def test_an_export_with_another_base_url_is_imported_unchanged() -> None:
    alone = make_recording([PAIRS[5]])
    data = write_har(alone, base_url="http://127.0.0.1:1/n")
    assert read_har(data).recording.exchanges == alone.exchanges


@pytest.mark.parametrize(
    ("at", "key", "kind", "words"),
    [
        (0, "answered", ".pdf/../../x", "has an unknown kind of body '.pdf/../../x'"),
        (0, "answered", "xml", "has an unknown kind of body 'xml'"),
        (5, "answered", "json", "should have JSON"),
        (3, "asked", "json", "should have JSON"),
    ],
    ids=["path", "unknown", "answered", "asked"],
)
def test_an_edited_export_is_refused_or_imported_as_foreign(
    at: int, key: str, kind: str, words: str
) -> None:
    value = exported(Recording().with_exchanges(RECORDING.exchanges))
    operation = PAIRS[at][0].operation
    entry = next(
        entry
        for entry in value["log"]["entries"]
        if entry["_nectar"]["operation"] == operation
    )
    entry["_nectar"][key] = kind
    with pytest.raises(RecordingError) as caught:
        read_har(json.dumps(value).encode())
    assert words in caught.value.message


@max_examples(60)
@given(st.data(), json_values)
def test_a_damaged_file_is_read_or_refused_with_a_message(
    data: st.DataObject, value: Any
) -> None:
    whole = inner = exported()
    path = data.draw(st.sampled_from([*_paths(whole)]))
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with suppress(RecordingError):
        read_har(json.dumps(whole, default=float).encode())


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """List the places of a value by their keys."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in pairs:
        yield (*path, key)
        if isinstance(inner, dict | list):
            yield from _paths(inner, (*path, key))


def test_a_recording_without_a_date_is_exported_with_the_epoch() -> None:
    zone = datetime.fromisoformat("2026-03-01T14:00:00+02:00")
    for at, text in ((None, "1970-01-01T00:00:00"), (zone, "2026-03-01T12:00:00")):
        entries = exported(evolve(RECORDING, recorded_at=at))["log"]["entries"]
        assert entries[0]["startedDateTime"] == f"{text}.000+00:00"
    assert NOW - datetime.fromtimestamp(0, UTC) > timedelta(days=365)


texts = st.text(st.characters(codec="utf-8"), max_size=20)
ids = st.text("abcdef0123456789-", min_size=1, max_size=12)
bodies: st.SearchStrategy[Body | None] = st.one_of(
    st.none(),
    st.builds(Json.of, json_values),
    st.builds(Text, texts),
    st.builds(Blob, st.binary(max_size=20), st.sampled_from([".bin", ".pdf", ".zip"])),
)
forms = st.builds(
    FormData,
    st.lists(
        st.builds(FormPart, name=texts, text=texts)
        | st.builds(
            FormPart,
            name=texts,
            file=st.none() | texts,
            type=st.none() | texts,
            sha256=st.binary().map(sha256_hex),
            size=st.integers(0, 9),
        )
    ).map(tuple),
)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Question, RecordedAnswer]:
    owner = draw(ids)
    operation, path = draw(
        st.sampled_from(
            [
                ("companies_list", "/company"),
                ("usage_list_by_company", f"/usage/company/{owner}"),
                ("labels_find", "/labels:find"),
                ("documents_download", ""),
            ]
        )
    )
    query = st.lists(st.tuples(texts, texts), max_size=3).map(sorted).map(tuple)
    asked = Question(
        operation=operation,
        method=draw(st.sampled_from(["GET", "POST", "OPTIONS"])),
        path=path,
        url="" if path else f"https://link.invalid/{owner}/url",
        query=draw(query) if path else (),
        range=draw(st.sampled_from([None, "bytes=0-9"])),
        body=draw(bodies | forms),
        owner=owner if not path or path.endswith(owner) else "",
    )
    headers = draw(st.sampled_from([{}, {"content-type": "text/html", "etag": "a"}]))
    status = draw(st.sampled_from([200, 204, 206, 304, 307, 404, 429, 502, 599]))
    return asked, RecordedAnswer(status=status, headers=headers, body=draw(bodies))


@max_examples(60)
@given(st.lists(pairs(), min_size=1, max_size=4))
def test_every_recording_is_imported_as_it_was_exported(
    recorded: list[tuple[Question, RecordedAnswer]],
) -> None:
    exchanges: tuple[Exchange, ...] = Redaction().apply(recorded)
    recording = Recording(api_version="v2.2").with_exchanges(exchanges)
    assert read_har(write_har(recording)).recording.exchanges == recording.exchanges
