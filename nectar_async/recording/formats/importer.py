"""Turn the traffic that another tool recorded into a recording.

The readers of each format produce `TrafficEntry` values. This module decides which of
them belong to Nectar, and whether each is an API request or the download of a file.
"""

from __future__ import annotations

import base64
import binascii
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final, Protocol
from urllib.parse import unquote, urlsplit

from attrs import evolve, field, frozen

from nectar_async._http.response import Response
from nectar_async.contract.operation_ids import DOWNLOAD
from nectar_async.errors import BodyCorruptError, RecordingError
from nectar_async.recording.bodies import Body, Json
from nectar_async.recording.exchange import Pairs, Question, RecordedAnswer, parse_query
from nectar_async.recording.folder import Recording
from nectar_async.recording.formats.completeness import is_utf8
from nectar_async.recording.formats.imported_secrets import (
    drop_query_keys,
    find_header_secrets,
    find_url_secrets,
)
from nectar_async.recording.formats.routing import (
    RoutedUrl,
    UrlRouter,
    is_paged,
    parse_origin,
)
from nectar_async.recording.redaction.placeholders import resolve_location
from nectar_async.recording.redaction.redaction import Redaction

__all__ = [
    "ExportNote",
    "Imported",
    "TrafficEntry",
    "build_answer",
    "build_invalid_entry",
    "decode_base64",
    "import_traffic",
]

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MAX_ORIGINS: Final = 10
_OTHER_HOST: Final = "not Nectar's"

_GZIP: Final = b"\x1f\x8b"
_UNSUPPORTED_ENCODINGS: Final = frozenset({"br", "compress", "zstd", "x-compress"})

Pair = tuple[Question, RecordedAnswer]


@frozen(kw_only=True)
class Imported:
    """The result of an import: a recording, and how many entries it contains."""

    recording: Recording
    """The recording, which is not on disk yet; `save` writes it."""
    imported: int
    """How many entries were imported."""
    skipped: Mapping[str, int] = field(factory=dict)
    """How many entries were skipped, by reason."""


@frozen(kw_only=True)
class ExportNote:
    """Facts about an entry that this package exported, to import it unchanged."""

    operation: str
    owner: str
    is_file: bool


class AnswerParser(Protocol):
    """Parses the response of an entry; that of a file is stored as bytes."""

    def __call__(self, *, is_file: bool) -> RecordedAnswer:
        """Parse the response."""
        ...


@frozen(kw_only=True)
class TrafficEntry:
    """One recorded request with its response."""

    place: str
    """The place in the file; for messages."""
    method: str
    url: str
    sent: Pairs
    """The headers of the request."""
    received: Pairs
    """The headers of the response."""
    status: int
    body: Callable[[], Body | None]
    """Parses the request body. Called for entries of Nectar only, because the others
    may be malformed."""
    answer: AnswerParser
    """Parses the response; called for entries of Nectar only."""
    started: datetime | None = None
    skip: str = ""
    """Why the entry is not an exchange with a server, if the format says so."""
    problem: str = ""
    """Why the entry cannot be read; an error if the entry belongs to Nectar."""
    note: ExportNote | None = None


def import_traffic(
    entries: Sequence[TrafficEntry],
    *,
    base_url: str | None,
    redaction: Redaction | None,
) -> Imported:
    """Build a recording of the entries that belong to Nectar.

    Args:
        entries: in the order of the requests.
        base_url: the URL below which everything belongs to Nectar; None to find it by
            the contract.
        redaction: the user's own rules, aliases and secrets.

    Raises:
        RecordingError: no entry belongs to Nectar, one cannot be read, or the recording
            would contain a secret.
        ConfigurationError: `base_url` is invalid.
    """
    router = UrlRouter(
        base_url,
        ((entry.method, entry.url) for entry in entries),
        (
            entry.url
            for entry in entries
            if entry.note is not None and not entry.note.is_file
        ),
    )
    importer = _Importer(router)
    for entry in entries:
        importer.add(entry)
    if not importer.pairs:
        raise RecordingError(_describe_empty_import(entries, importer.skipped))
    redaction = redaction or Redaction()
    secrets = (*redaction.secrets, *dict.fromkeys(importer.secrets))
    redaction = evolve(redaction, secrets=secrets)
    exchanges = redaction.apply(importer.pairs)
    versions = importer.versions.most_common(1)
    recording = Recording(
        api_version=versions[0][0] if versions else "",
        recorded_at=max(importer.times, default=None),
        redaction=redaction.manifest(),
    ).with_exchanges(exchanges)
    return Imported(
        recording=recording,
        imported=len(exchanges),
        skipped=dict(importer.skipped),
    )


class _Importer:
    """Collects entries in order, and the file links that answers contained so far."""

    def __init__(self, router: UrlRouter) -> None:
        self._router = router
        self._files: dict[str, tuple[str, str]] = {}
        self.pairs: list[Pair] = []
        self.skipped: Counter[str] = Counter()
        self.versions: Counter[str] = Counter()
        self.times: list[datetime] = []
        self.secrets: list[str] = []

    def add(self, entry: TrafficEntry) -> None:
        """Convert an entry to a question and an answer, or count why it is skipped."""
        # Files are looked up first: the API's host may also serve them.
        file = self._find_file(entry)
        route = None if file else self._router.route(entry.method, entry.url)
        if route is None and file is None:
            self.skipped[_OTHER_HOST] += 1
            return
        if entry.problem:
            raise RecordingError(f"{entry.place} cannot be read: {entry.problem}")
        for headers in (entry.sent, entry.received):
            self.secrets += find_header_secrets(headers)
        if reason := _find_skip_reason(entry, is_file=file is not None):
            self.skipped[reason] += 1
            return
        question = _build_question(entry, route, file)
        # The note of an export has the kind of body.
        answer = entry.answer(is_file=file is not None and entry.note is None)
        self.pairs.append((question, answer))
        self.times += [] if entry.started is None else [entry.started]
        if route is None:
            self._add_redirect(question, answer)
            return
        self.secrets += find_url_secrets(entry.url)
        self.versions.update([route.version] if route.version else [])
        self._add_links(question, answer)

    def _find_file(self, entry: TrafficEntry) -> tuple[str, str] | None:
        """Find the file link that an entry requests, and its owner."""
        if entry.note is not None:
            return (entry.url, entry.note.owner) if entry.note.is_file else None
        is_get = entry.method == "GET"
        return self._files.get(_normalize_url(entry.url)) if is_get else None

    def _add_links(self, question: Question, answer: RecordedAnswer) -> None:
        """Add the file links in an answer about documents."""
        is_about_documents = question.operation.startswith("documents_")
        if is_about_documents and isinstance(answer.body, Json):
            for link, owner in _list_document_links(answer.body.value):
                self._files[_normalize_url(link)] = link, owner

    def _add_redirect(self, question: Question, answer: RecordedAnswer) -> None:
        """Add the target of a file host's redirect."""
        if answer.status in _REDIRECTS and "location" in answer.headers:
            link = resolve_location(question.url, answer.headers["location"])
            self._files[_normalize_url(link)] = link, question.owner


def _build_question(
    entry: TrafficEntry, route: RoutedUrl | None, file: tuple[str, str] | None
) -> Question:
    headers = {name.lower(): text for name, text in entry.sent}
    question = Question(
        operation=DOWNLOAD,
        method=entry.method,
        range=headers.get("range"),
        body=entry.body(),
    )
    if route is None:
        url, owner = file or (entry.url, "")
        question = evolve(question, url=url, owner=owner)
    else:
        question = evolve(
            question,
            operation=route.operation,
            path=route.path,
            query=_build_query(entry, route.operation),
            owner=route.owner,
        )
    if entry.note is not None:
        note = entry.note
        return evolve(question, operation=note.operation, owner=note.owner)
    return question


def _build_query(entry: TrafficEntry, operation: str) -> Pairs:
    query = parse_query(urlsplit(entry.url).query)
    if entry.note is not None:
        return query
    query = drop_query_keys(query)
    # This package always sends the page, also for the first one.
    if is_paged(operation) and "page" not in dict(query):
        query = tuple(sorted((*query, ("page", "1"))))
    return query


def _find_skip_reason(entry: TrafficEntry, *, is_file: bool) -> str:
    """Find why an entry is not an exchange of this package; empty if it is one."""
    if entry.note is not None or entry.skip:
        return entry.skip
    reasons = {
        "preflights": entry.method in {"OPTIONS", "CONNECT"},
        "without an answer": entry.status < HTTPStatus.OK,
        "not modified (304)": entry.status == HTTPStatus.NOT_MODIFIED,
        "redirects": entry.status in _REDIRECTS and not is_file,
    }
    return next((reason for reason, applies in reasons.items() if applies), "")


def _list_document_links(value: Any) -> Iterator[tuple[str, str]]:
    """List the file links in a JSON value, each with the id of its document."""
    tasks = [value]
    while tasks:
        current = tasks.pop()
        if isinstance(current, list):
            tasks += current
        elif isinstance(current, Mapping):
            link, owner = current.get("url"), current.get("id")
            if isinstance(link, str) and parse_origin(link) is not None:
                yield link.strip(), owner if isinstance(owner, str) else ""
            tasks += current.values()


def _normalize_url(url: str) -> str:
    """Resolve percent escapes, so that all spellings of a URL are equal."""
    origin = parse_origin(url)
    if origin is None:
        return url
    parts = urlsplit(url.strip())
    return unquote(f"{origin}{parts.path or '/'}?{parts.query}")


def _describe_empty_import(
    entries: Iterable[TrafficEntry], skipped: Counter[str]
) -> str:
    """Build the error message for traffic without importable entries."""
    if skipped.total() > skipped[_OTHER_HOST]:
        reasons = ", ".join(f"{count} {reason}" for reason, count in skipped.items())
        return f"no entry can be imported; the entries are: {reasons}"
    origins = Counter(parse_origin(entry.url) or "no web address" for entry in entries)
    if not origins:
        return "the file contains no requests"
    shown = ", ".join(
        f"{origin} ({count})" for origin, count in origins.most_common(_MAX_ORIGINS)
    )
    return (
        "no request belongs to Nectar: no address has a version and a path of the"
        f" contract. The file has requests to {shown}; if one of these is Nectar, pass"
        " base_url (--base-url), an origin with an optional path"
    )


def build_invalid_entry(
    place: str, method: str, url: str, problem: str
) -> TrafficEntry:
    """Build an entry that cannot be read; traffic of other hosts may have any form."""

    def fail(**_: object) -> Any:
        raise RecordingError(f"{place} cannot be read: {problem}")

    return TrafficEntry(
        place=place,
        method=method,
        url=url,
        sent=(),
        received=(),
        status=0,
        body=fail,
        answer=fail,
        problem=problem,
    )


def build_answer(
    status: int,
    headers: Pairs,
    data: bytes,
    started: datetime | None,
    place: str,
    *,
    is_file: bool = False,
) -> RecordedAnswer:
    """Build the answer to record from a response in another tool's file.

    Some tools store the compressed bytes and others the decompressed ones, with the
    same headers, so the bytes decide which they are.

    Args:
        status: the HTTP status.
        headers: as received.
        data: the body, compressed or not.
        started: when the request was sent. A `Retry-After` date counts from it if the
            response has no date.
        place: the place in the file; for messages.
        is_file: whether it answers the download of a document.

    Raises:
        RecordingError: the body cannot be decompressed.
    """
    by_name = {name.lower(): text for name, text in headers}
    encoding = by_name.pop("content-encoding", "").strip().lower()
    if data.startswith(_GZIP) and "gzip" in encoding:
        by_name["content-encoding"] = "gzip"
    elif encoding == "deflate" and not is_utf8(data):
        by_name["content-encoding"] = "deflate"
    elif (
        encoding in _UNSUPPORTED_ENCODINGS
        and _has_text_type(by_name)
        and not is_utf8(data)
    ):
        raise RecordingError(
            f"{place} is compressed with {encoding!r}, which is not supported; record"
            " it again decompressed (vcrpy: decode_compressed_response=True), or with"
            " 'Accept-Encoding: gzip'"
        )
    try:
        return RecordedAnswer.of(
            Response(status, by_name, data),
            started or datetime.now(UTC),
            is_file=is_file,
        )
    except BodyCorruptError as error:
        raise RecordingError(f"{place} cannot be decompressed: {error}") from None


def decode_base64(text: str, place: str) -> bytes:
    """Decode base64, with or without line breaks.

    Raises:
        RecordingError: the text is not base64.
    """
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise RecordingError(f"{place}: its body is not base64: {error}") from None


def _has_text_type(headers: Mapping[str, str]) -> bool:
    media_type = headers.get("content-type", "").lower()
    return "json" in media_type or media_type.startswith("text/")
