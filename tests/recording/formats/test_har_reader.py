"""HAR files of browsers and proxies are imported."""

from __future__ import annotations

import base64
from functools import partial
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
from exchanges import NOW, make_page
from har_entries import COMPANY, entry, har

from nectar_async import ConfigurationError, NectarClient, RecordingError
from nectar_async.recording.bodies import Blob, Json, Text
from nectar_async.recording.exchange import Exchange
from nectar_async.recording.formats.har_reader import read_har
from nectar_async.recording.formats.importer import Imported
from nectar_async.recording.redaction.redaction import Redaction, Rule
from nectar_async.transports import RecordedTransport

SAMPLES = Path(__file__).parents[2] / "samples"
LINK = "https://files.example/bills/b%20ill.pdf?X-Amz-Signature=0a1b2c3d4e5f"
DOCUMENT = "f83a5d12-6b7e-4c90-9e21-7d4b0c8f1a51"


def only(data: bytes, **how: Any) -> Exchange:
    """Import the only exchange of a file."""
    (exchange,) = read_har(data, **how).recording.exchanges
    return exchange


@pytest.fixture
def exported() -> Imported:
    """Import the export of a browser session."""
    path = f"/usage/company/{COMPANY}"
    return read_har(
        har(
            entry("https://fonts.example/a.woff2"),
            entry("/company", method="OPTIONS", status=204),
            entry("/company", [{"id": COMPANY, "name": "Amber"}]),
            # A browser requests the first page without a page number.
            entry(path, page(COMPANY, 1, 2)),
            entry(f"{path}?page=2", page(COMPANY, 2, 2)),
        )
    )


def page(owner: str, number: int, pages: int) -> Any:
    """Build a page of usage records."""
    body = make_page(owner, number, pages)[1].body
    assert isinstance(body, Json)
    return body.value


def test_only_requests_to_nectar_are_imported_from_a_browser(
    exported: Imported,
) -> None:
    assert exported.imported == 3
    assert exported.skipped == {"not Nectar's": 1, "preflights": 1}


@pytest.mark.anyio
async def test_an_export_of_a_browser_is_replayed(
    exported: Imported, tmp_path: Path
) -> None:
    save = partial(exported.recording.save, tmp_path / "r", NOW)
    await anyio.to_thread.run_sync(save)
    transport = RecordedTransport(tmp_path / "r")
    async with NectarClient(transport=transport) as nectar:
        (company,) = await nectar.companies.all()
        records = [record.id async for record in nectar.usage.by_company(company.id)]
    assert records == [f"{COMPANY}-1", f"{COMPANY}-2"]
    transport.check_unused()


def test_the_recording_has_the_date_of_the_traffic() -> None:
    recording = read_har(
        har(
            entry("/company", at="2026-03-01T13:00:00.0001234+0200"),
            entry("/team", at="2026-03-01T11:30:00Z"),
            entry("https://elsewhere.example/", at="2026-04-01T00:00:00Z"),
        )
    ).recording
    assert recording.recorded_at is not None
    assert recording.recorded_at.isoformat() == "2026-03-01T11:30:00+00:00"
    assert recording.api_version == "v2.2"


@pytest.mark.parametrize(
    ("method", "path", "operation", "owner"),
    [
        ("GET", f"/connection/{COMPANY}/details", "connections_get", COMPANY),
        ("PATCH", "/usage/a%2fb", "usage_update", "a/b"),
        ("GET", "/label/8123/items", "get_label_items", "8123"),
        ("PUT", f"/company/{COMPANY}", "put_company", COMPANY),
        ("GET", "/company/", "companies_list", ""),
    ],
)
def test_an_exchange_is_named_by_the_contract_or_by_verb_and_path(
    method: str, path: str, operation: str, owner: str
) -> None:
    asked = only(har(entry(path, method=method))).question
    assert (asked.operation, asked.owner) == (operation, owner)
    assert asked.path == path.replace("%2f", "%2F").rstrip("/")


@pytest.mark.parametrize(
    ("base_url", "address", "path", "version"),
    [
        (None, "https://proxy.example:8443/n/v2/company", "/company", "v2.0"),
        (None, "http://127.0.0.1:1/v2.1/company", "/company", "v2.1"),
        ("https://x.example/n", "https://X.example:443/n/v2.0/a", "/a", "v2.0"),
        ("https://x.example/n/", "https://x.example/n/register", "/register", ""),
    ],
)
def test_nectar_is_recognized_by_paths_or_by_the_base_url(
    base_url: str | None, address: str, path: str, version: str
) -> None:
    recording = read_har(har(entry(address)), base_url=base_url).recording
    (exchange,) = recording.exchanges
    assert exchange.question.path == path
    assert recording.api_version == version


def test_unknown_paths_at_a_known_base_belong_to_nectar() -> None:
    result = read_har(
        har(
            entry("https://a.example/v2/label"),
            entry("https://a.example/v2/company"),
            entry("https://b.example/v2/label"),
            entry("https://a.example/n/v2/label"),
        )
    )
    names = [exchange.question.operation for exchange in result.recording.exchanges]
    assert sorted(names) == ["companies_list", "get_label"]
    assert result.skipped == {"not Nectar's": 2}


def test_without_requests_to_nectar_the_origins_are_listed() -> None:
    data = har(
        entry("https://a.example/v2/label"),
        entry("https://a.example/x"),
        entry("https://ab.example/company"),
        entry("data:text/css,a"),
    )
    with pytest.raises(RecordingError) as caught:
        read_har(data)
    assert "https://a.example (2), https://ab.example (1)" in caught.value.message
    assert "base_url (--base-url)" in caught.value.message
    with pytest.raises(RecordingError, match=r"https://ab\.example"):
        read_har(data, base_url="https://a")
    with pytest.raises(RecordingError, match="contains no requests"):
        read_har(har())
    with pytest.raises(ConfigurationError, match="base_url"):
        read_har(data, base_url="a.example")


@pytest.mark.parametrize(
    ("reason", "skipped"),
    [
        ("preflights", entry("/company", method="OPTIONS", status=204)),
        ("preflights", entry("/company", _resourceType="preflight")),
        ("without an answer", entry("/company", status=0)),
        ("from a cache", entry("/company", _fromCache="disk")),
        ("not modified (304)", entry("/company", status=304)),
        ("redirects", entry("/company", status=301)),
        ("websockets", entry("/company", _resourceType="websocket")),
        ("websockets", entry("/company", status=101)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_skipped_entries_are_counted_by_reason(
    reason: str, skipped: dict[str, Any]
) -> None:
    result = read_har(har(skipped, entry("/team")))
    assert result.imported == 1
    assert result.skipped == {reason: 1}
    with pytest.raises(RecordingError) as caught:
        read_har(har(skipped))
    assert f"1 {reason}" in caught.value.message


def test_failures_in_chrome_and_cached_entries_of_safari_are_counted() -> None:
    failed, cached = entry("/company"), entry("/company")
    failed["response"]["_error"] = "net::ERR_ABORTED"
    cached["response"]["_fetchType"] = "Memory Cache"
    result = read_har(har(failed, cached, entry("/team")))
    assert result.skipped == {"without an answer": 1, "from a cache": 1}


def test_a_file_is_known_by_the_link_that_a_document_named() -> None:
    target = "https://store.example/x?sig=aaaaaaaaaaaaaaaa"
    result = read_har(
        har(
            entry(LINK),  # too early: no document has named the link yet
            entry(f"/document/{DOCUMENT}", {"id": DOCUMENT, "url": LINK}),
            entry(
                LINK.replace("%20", " ").replace("files.", "FILES."),
                status=302,
                received={"location": target},
            ),
            entry(
                target,
                sent={"Range": "bytes=0-3"},
                status=206,
                received={"content-type": "application/pdf"},
                content={
                    "mimeType": "application/pdf",
                    "text": base64.b64encode(b"%PDF").decode(),
                    "encoding": "base64",
                },
            ),
            entry("https://files.example/other.pdf"),
        )
    )
    first, second, document = sorted(
        result.recording.exchanges,
        key=lambda exchange: (exchange.question.path, exchange.name),
    )
    assert document.question.operation == "documents_get"
    assert result.skipped == {"not Nectar's": 2}
    for download in (first, second):
        assert download.question.operation == "documents_download"
        assert download.question.owner == DOCUMENT
        assert download.question.url.startswith(f"https://link.invalid/{DOCUMENT}/url")
    chunk = first if first.question.range else second
    assert chunk.question.range == "bytes=0-3"
    assert chunk.answer.body == Blob(b"%PDF", ".pdf")


def test_a_file_on_the_host_of_the_api_is_a_file() -> None:
    link = "https://n.example/_files/1.pdf?sig=aaaaaaaaaaaaaaaa"
    document = f"https://n.example/v2/document/{DOCUMENT}"
    result = read_har(
        har(entry(document, {"id": DOCUMENT, "url": link}), entry(link)),
        base_url="https://n.example",
    )
    names = {exchange.question.operation for exchange in result.recording.exchanges}
    assert names == {"documents_get", "documents_download"}


def test_links_are_found_in_lists_of_documents_whatever_else_is_in_them() -> None:
    documents = [
        {"id": "none", "url": None},
        {"id": "odd", "url": "http://[x"},
        {"id": DOCUMENT, "url": LINK},
    ]
    path = f"/document/company/{COMPANY}?page=1"
    result = read_har(har(entry(path, {"documents": documents}), entry(LINK)))
    owners = {exchange.question.owner for exchange in result.recording.exchanges}
    assert owners == {COMPANY, DOCUMENT}


def test_answers_to_one_question_stay_in_order_whatever_the_time_zone() -> None:
    late = entry("/company", "late", at="2026-03-01T12:00:00+01:00")
    early = entry("/company", "early", at="2026-03-01T12:00:00+02:00")
    untimed = entry("/company", "untimed", at="")
    for entries, words in (
        ((late, early), ["early", "late"]),
        ((late, untimed, early), ["early", "late", "untimed"]),
    ):
        exchanges = read_har(har(*entries)).recording.exchanges
        assert [exchange.order for exchange in exchanges] == [*range(1, len(words) + 1)]
        bodies = [exchange.answer.body for exchange in exchanges]
        assert bodies == [Json(f'"{word}"'.encode()) for word in words]


KEY = "correct-horse-battery-staple"


@pytest.mark.parametrize(
    "sent",
    [
        {"X-API-Key": KEY},
        {"Authorization": f"Bearer {KEY}"},
        {"authorization": f"Basic {base64.b64encode(f'me:{KEY}'.encode()).decode()}"},
        {"Cookie": f"lang=en-US; session={KEY}0"},
    ],
    ids=["key", "bearer", "basic", "cookie"],
)
def test_a_key_is_never_imported(sent: dict[str, str]) -> None:
    result = read_har(har(entry(f"/team?api_key={KEY}", sent=sent)))
    assert KEY not in repr(result.recording)
    assert result.recording.exchanges[0].question.query == ()
    body = {"note": f"{KEY}0 is your key"}
    with pytest.raises(RecordingError, match="a registered secret in response") as it:
        read_har(har(entry("/company", body), entry("/team", sent=sent)))
    assert KEY not in it.value.message


def test_separate_cookies_and_keys_in_urls_are_secrets() -> None:
    apart = entry("/team")
    apart["response"]["cookies"] = [{"name": "s", "value": f"{KEY}0"}]
    login = entry(f"https://me:{KEY}@n.example/v2/team")
    odd = entry("/team", sent={"Authorization": "Basic %"})
    assert read_har(har(odd)).imported == 1
    for secret in (apart, login, entry(f"/team?token={KEY}")):
        with pytest.raises(RecordingError, match="a registered secret"):
            read_har(har(secret, entry("/company", [{"note": f"{KEY}0"}])))


def test_harmless_cookie_values_are_not_secrets() -> None:
    sent = {
        "X-API-Key": "[REDACTED]",
        "Cookie": f"company={COMPANY}; seen=2026-03-01T12:00:00Z; redacted=REDACTED",
    }
    body = [{"id": COMPANY, "name": "REDACTED", "created": "2026-03-01T12:00:00Z"}]
    assert read_har(har(entry("/company", body, sent=sent))).imported == 1


def test_persons_are_replaced_and_rules_are_kept() -> None:
    rule = Rule(kind="tenant", keys=("externalId",))
    body = [{"id": COMPANY, "users": ["ada@example.com"], "externalId": "Lovelace"}]
    result = read_har(har(entry("/company", body)), redaction=Redaction(rules=(rule,)))
    assert result.recording.redaction == Redaction(rules=(rule,)).manifest()
    shown = str(result.recording.exchanges[0].answer.body.data())  # type: ignore[union-attr]
    assert "tenant-1" in shown
    assert "Lovelace" not in shown
    assert "ada" not in shown


def test_the_published_sample_of_another_tool_is_imported() -> None:
    data = (SAMPLES / "har2locust" / "reqres.in.har").read_bytes()
    with pytest.raises(RecordingError, match=r"https://reqres\.in \(2\)"):
        read_har(data)
    result = read_har(data, base_url="https://reqres.in/api")
    patched, registered = result.recording.exchanges
    assert result.skipped == {}
    assert str(patched.question) == "PATCH /users/2"
    assert patched.question.operation == "patch_users"
    assert patched.question.body == Json(b'{"job":"zion resident","name":"morpheus"}')
    assert patched.answer.status == 200
    assert registered.question.body == Json(
        b'{"email":"person-1@example.invalid","password":"password-1"}'
    )
    fields = SAMPLES / "har2locust" / "url-encoded-body-no-text-field.har"
    exchange = only(fields.read_bytes(), base_url="https://reqres.in")
    assert exchange.question.operation == "post_api_users"
    assert isinstance(exchange.question.body, Text)
    assert exchange.answer.status == 201
