"""No secret is written because its body cannot be parsed, and replays are the same."""

from __future__ import annotations

import codecs
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from attrs import evolve
from doubles import MakeClient
from exchanges import NOW

from nectar_async import NectarClient, RecordingError, Request, Response
from nectar_async.recording.bodies import Blob, Json, parse_body
from nectar_async.recording.check import check
from nectar_async.recording.exchange import Question, RecordedAnswer
from nectar_async.recording.folder import Recording
from nectar_async.recording.redaction.redaction import Redaction
from nectar_async.transports import RecordedTransport, Recorder

SECRET: Final = "quietly-hidden-7731"
TEXT: Final = json.dumps(
    {
        "usageData": [
            {"id": "1", "novel": "NOVEL", "password": SECRET},
            {
                "id": "2",
                "novel": "Mühle",
                "document": {"id": "d", "url": f"https://files.example/{SECRET}.pdf"},
            },
        ],
        "totalUsageData": 2,
        "totalPages": 1,
        "companyMagicLinkSecret": SECRET,
    },
    ensure_ascii=False,
)
ENCODINGS: Final = (
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "utf-32",
    "utf-32-le",
    "utf-32-be",
    "latin-1",
)
JSON: Final = "application/json"


def damage(novel: str, encoding: str = "utf-8") -> bytes:
    """Build a page in which the first record has this text in place of a value."""
    return TEXT.replace('"NOVEL"', novel).encode(encoding)


BODIES: Final[dict[str, tuple[bytes, str]]] = {
    **{f"{name}, declared": (damage('"x"', name), name) for name in ENCODINGS},
    **{name: (damage('"x"', name), "") for name in ENCODINGS},
    "utf-16, declared for utf-8": (damage('"x"'), "utf-16"),
    "cp1252": (damage('"€"', "cp1252"), "cp1252"),
    "NaN": (damage("NaN"), ""),
    "NaN in utf-16": (damage("NaN", "utf-16"), "utf-16"),
    "-Infinity": (damage("-Infinity"), ""),
    "an invalid byte": (damage('"x~"').replace(b"~", b"\xff"), ""),
    "half a pair": (damage('"\\ud83d"'), ""),
    "a control character": (damage('"\x01"'), ""),
    "a NUL": (damage('"\x00"'), ""),
    "a bad escape": (damage('"\\x"'), ""),
    "a long number": (damage("1" * 5_000), ""),
    "deep": (damage("[" * 200 + "]" * 200), ""),
}
# Only of JSON the charset is respected.
CASES: Final = {
    f"{name}, {kind}": (body, f"{kind}; charset={charset}" if charset else kind)
    for name, (body, charset) in BODIES.items()
    for kind in ((JSON,) if charset else (JSON, "text/plain", ""))
}


def find_leaks(folder: Path) -> list[str]:
    """Find the files of a folder that contain the secret in any encoding."""
    spelled = [SECRET.encode(name) for name in ENCODINGS if "sig" not in name]
    return [
        file.name
        for file in folder.iterdir()
        if any(secret in file.read_bytes() for secret in spelled)
    ]


async def read(nectar: NectarClient) -> list[tuple[Any, ...]]:
    records = [record async for record in nectar.usage.by_company("c")]
    return [(record.id, record.extra.get("novel")) for record in records]


@pytest.mark.anyio
@pytest.mark.parametrize(("body", "kind"), CASES.values(), ids=CASES)
async def test_a_damaged_body_is_redacted_and_replayed_as_it_was_read(
    make_client: MakeClient, tmp_path: Path, body: bytes, kind: str
) -> None:
    async def answer(_: Request[Any]) -> Response:
        return Response(200, {"Content-Type": kind}, body)

    nectar = make_client(answer, recorder=Recorder(tmp_path / "r", mode="record"))
    live = await read(nectar)
    await nectar.aclose()
    assert live[1][1] in {"Mühle", "M\ufffdhle"}
    assert find_leaks(tmp_path / "r") == []
    assert await read(make_client(RecordedTransport(tmp_path / "r"))) == live


def save(folder: Path, body: bytes, kind: str = JSON) -> Any:
    """Save a recording with one answer and return the body that it has."""
    question = Question(operation="usage_list_by_company", method="GET", path="/u")
    response = Response(200, {"content-type": kind}, body)
    answer = RecordedAnswer.of(response, datetime.now(UTC))
    exchanges = Redaction().apply([(question, answer)])
    Recording().with_exchanges(exchanges).save(folder, NOW)
    return exchanges[0].answer.body


@pytest.mark.parametrize("kind", [JSON, "text/html", "application/octet-stream"])
@pytest.mark.parametrize("cut", [1, 2, 3, 5])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_body_that_is_cut_off_is_redacted_in_every_encoding(
    tmp_path: Path, encoding: str, cut: int, kind: str
) -> None:
    body = damage('"\xfc"', encoding)[:-cut]
    save(tmp_path / "r", body, kind)
    assert find_leaks(tmp_path / "r") == []


@pytest.mark.parametrize("kind", [JSON, "application/json; charset=utf-16", ""])
@pytest.mark.parametrize("end", [b"\0", b"\n", b"\xff"])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_body_with_more_behind_its_json_is_redacted(
    tmp_path: Path, encoding: str, end: bytes, kind: str
) -> None:
    save(tmp_path / "r", damage('"\xfc"', encoding) + end, kind)
    assert find_leaks(tmp_path / "r") == []


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("text/html", "<p>ü amber@quiet.example"),
        ("application/xml", "<a>ü amber@quiet.example</a>"),
        ("application/x-www-form-urlencoded", "note=ü&password=amber@quiet.example"),
    ],
)
def test_other_text_in_another_charset_is_redacted(
    tmp_path: Path, kind: str, text: str
) -> None:
    body = save(tmp_path / "r", text.encode("latin-1"), f"{kind}; charset=latin-1")
    assert b"amber@quiet.example" not in body.data()
    assert list(tmp_path.glob("r/*.bin")) == []


def test_an_answer_that_an_earlier_version_stored_as_bytes_is_redacted_now(
    tmp_path: Path,
) -> None:
    question = Question(operation="usage_list_by_company", method="GET", path="/u")
    answer = RecordedAnswer(
        status=200,
        headers={"content-type": JSON},
        body=Blob(damage('"x"', "utf-16")),
    )
    (exchange,) = Redaction().apply([(question, RecordedAnswer(status=200))])
    old = evolve(exchange, answer=answer)
    Recording().with_exchanges([old]).save(tmp_path / "r", NOW)
    assert find_leaks(tmp_path / "r") != []
    assert not check(tmp_path / "r").is_sound
    (exchange,) = Redaction().apply([(question, answer)])
    assert isinstance(exchange.answer.body, Json)
    Recording().with_exchanges([exchange]).save(tmp_path / "r", NOW)
    assert find_leaks(tmp_path / "r") == []
    assert check(tmp_path / "r").is_sound


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_bytes_with_a_registered_secret_are_refused_in_every_encoding(
    encoding: str,
) -> None:
    question = Question(operation="ping_get", method="GET", path="/ping")
    body = b"\x01\xff" + SECRET.encode(encoding)
    answer = RecordedAnswer(status=200, body=Blob(body))
    with pytest.raises(RecordingError, match="a registered secret"):
        Redaction(secrets=(SECRET,)).apply([(question, answer)])


@pytest.mark.parametrize("data", [codecs.BOM_UTF16_LE, b"%PDF-1.7 \xff", b"PK\x03\xff"])
def test_bytes_that_are_no_text_stay_bytes(data: bytes) -> None:
    assert parse_body(data, is_sent=False) == Blob(data)
