"""Traffic that another tool wrote down, made a recording.

Which format it came in is the reader's affair; here it is told what of it belongs to
Nectar, what of that is an answer of the API, and what is a file.
"""

from __future__ import annotations

import base64
import binascii
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from attrs import evolve, field, frozen

from nectar_async._http.response import Response
from nectar_async.contract.operation_ids import DOWNLOAD
from nectar_async.errors import BodyCorruptError, RecordingError
from nectar_async.recording.bodies import Body, Json
from nectar_async.recording.exchange import Pairs, Question, RecordedAnswer, parse_query
from nectar_async.recording.folder import Recording
from nectar_async.recording.formats.credentials import (
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
    "decode_base64",
    "import_traffic",
]

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MOST_ORIGINS: Final = 10

Pair = tuple[Question, RecordedAnswer]


@frozen(kw_only=True)
class Imported:
    """A recording that was made of another tool's, and what came of its entries."""

    recording: Recording
    """To look at, or to `save`."""
    imported: int
    """How many entries are in it."""
    skipped: Mapping[str, int] = field(factory=dict)
    """How many are not, by the reason in words."""


@frozen(kw_only=True)
class ExportNote:
    """What our own export says of an entry besides, so that it comes back the same."""

    operation: str
    owner: str
    is_file: bool


@frozen(kw_only=True)
class TrafficEntry:
    """One request and its answer, as they were written down."""

    place: str
    """Where it stands; for messages."""
    method: str
    url: str
    sent: Pairs
    """The request's headers."""
    received: Pairs
    """The answer's headers."""
    status: int
    body: Callable[[], Body | None]
    """What was sent. It is read when it is known to belong here: what does not may
    well be broken."""
    answer: Callable[[], RecordedAnswer]
    """What was answered."""
    started: datetime | None = None
    skip: str = ""
    """Why it is no exchange with a server, if the format knows."""
    told: ExportNote | None = None


def import_traffic(
    seen: Sequence[TrafficEntry], *, base_url: str | None, redaction: Redaction | None
) -> Imported:
    """A recording of what belongs to Nectar.

    Args:
        seen: in the order in which it was asked for.
        base_url: below which all belongs to Nectar; None finds that by the contract.
        redaction: rules, aliases and secrets of the user's own.

    Raises:
        RecordingError: nothing belongs to Nectar, an entry that does cannot be read, or
            a secret would survive.
        ConfigurationError: `base_url` cannot be one.
    """
    addresses = UrlRouter(
        base_url,
        ((one.method, one.url) for one in seen),
        (one.url for one in seen if one.told is not None and not one.told.is_file),
    )
    sorting = _Sorting(addresses)
    for one in seen:
        sorting.take(one)
    if not sorting.pairs:
        raise RecordingError(_nothing(seen, sorting.skipped))
    found = redaction or Redaction()
    found = evolve(found, secrets=(*found.secrets, *dict.fromkeys(sorting.secrets)))
    exchanges = found.apply(sorting.pairs)
    versions = sorting.versions.most_common(1)
    recording = Recording(
        api_version=versions[0][0] if versions else "",
        recorded_at=max(sorting.times, default=None),
        redaction=found.manifest(),
    ).with_exchanges(exchanges)
    return Imported(
        recording=recording,
        imported=len(exchanges),
        skipped=dict(sorting.skipped),
    )


class _Sorting:
    """Takes one entry after the other, and knows the links that were given so far."""

    def __init__(self, addresses: UrlRouter) -> None:
        self._addresses = addresses
        self._files: dict[str, tuple[str, str]] = {}
        self.pairs: list[Pair] = []
        self.skipped: Counter[str] = Counter()
        self.versions: Counter[str] = Counter()
        self.times: list[datetime] = []
        self.secrets: list[str] = []

    def take(self, one: TrafficEntry) -> None:
        """Make a question and an answer of it, or count why not."""
        # The host of files may be that of the API.
        file = self._file(one)
        address = None if file else self._addresses.of(one.method, one.url)
        if address is None and file is None:
            self.skipped["not Nectar's"] += 1
            return
        self.secrets += (
            *find_header_secrets(one.sent),
            *find_header_secrets(one.received),
        )
        if reason := _reason(one, is_file=file is not None):
            self.skipped[reason] += 1
            return
        question = _question(one, address, file)
        answer = one.answer()
        if file is not None and one.told is None:
            answer = answer.as_file()  # our own exports say what it was
        self.pairs.append((question, answer))
        self.times += [] if one.started is None else [one.started]
        if address is None:
            self._follow(question, answer)
            return
        self.secrets += find_url_secrets(one.url)
        self.versions.update([address.version] if address.version else [])
        self._note(question, answer)

    def _file(self, one: TrafficEntry) -> tuple[str, str] | None:
        """The link that was asked for, and whose it is."""
        if one.told is not None:
            return (one.url, one.told.owner) if one.told.is_file else None
        is_read = one.method == "GET"
        return self._files.get(_bare(one.url)) if is_read else None

    def _note(self, question: Question, answer: RecordedAnswer) -> None:
        """Keep in mind what an answer about documents links to."""
        is_about = question.operation.startswith("documents_")
        if is_about and isinstance(answer.body, Json):
            for link, owner in _links(answer.body.value):
                self._files[_bare(link)] = link, owner

    def _follow(self, question: Question, answer: RecordedAnswer) -> None:
        """Keep in mind where the host of a file sends on to."""
        if answer.status in _REDIRECTS and "location" in answer.headers:
            link = resolve_location(question.url, answer.headers["location"])
            self._files[_bare(link)] = link, question.owner


def _question(
    one: TrafficEntry, address: RoutedUrl | None, file: tuple[str, str] | None
) -> Question:
    headers = {name.lower(): text for name, text in one.sent}
    asked = Question(
        operation=DOWNLOAD,
        method=one.method,
        range=headers.get("range"),
        body=one.body(),
    )
    if address is None:
        url, owner = file or (one.url, "")
        asked = evolve(asked, url=url, owner=owner)
    else:
        asked = evolve(
            asked,
            operation=address.operation,
            path=address.path,
            query=_query(one, address.operation),
            owner=address.owner,
        )
    if one.told is not None:
        return evolve(asked, operation=one.told.operation, owner=one.told.owner)
    return asked


def _query(one: TrafficEntry, operation: str) -> Pairs:
    query = parse_query(urlsplit(one.url).query)
    if one.told is not None:
        return query
    query = drop_query_keys(query)
    # This package always says which page it wants, also of the first one.
    if is_paged(operation) and "page" not in dict(query):
        query = tuple(sorted((*query, ("page", "1"))))
    return query


def _reason(one: TrafficEntry, *, is_file: bool) -> str:
    """Why it is no exchange as this package would have it; empty when it is one."""
    if one.told is not None or one.skip:
        return one.skip
    reasons = {
        "preflights": one.method in {"OPTIONS", "CONNECT"},
        "without an answer": one.status < HTTPStatus.OK,
        "not modified (304)": one.status == HTTPStatus.NOT_MODIFIED,
        "redirects": one.status in _REDIRECTS and not is_file,
    }
    return next((words for words, is_so in reasons.items() if is_so), "")


def _links(value: Any) -> Iterator[tuple[str, str]]:
    """The links of documents, each with the id of its document."""
    todo = [value]
    while todo:
        one = todo.pop()
        if isinstance(one, list):
            todo += one
        elif isinstance(one, Mapping):
            link, owner = one.get("url"), one.get("id")
            if isinstance(link, str) and parse_origin(link) is not None:
                yield link.strip(), owner if isinstance(owner, str) else ""
            todo += one.values()


def _bare(link: str) -> str:
    """An address as it reads, however many of its characters are escaped."""
    origin = parse_origin(link)
    if origin is None:
        return link
    parts = urlsplit(link.strip())
    return unquote(f"{origin}{parts.path or '/'}?{parts.query}")


def _nothing(seen: Iterable[TrafficEntry], skipped: Counter[str]) -> str:
    """Why there is nothing to import, and what to do."""
    ours = skipped.total() - skipped["not Nectar's"]
    if ours:
        reasons = ", ".join(f"{count} {reason}" for reason, count in skipped.items())
        return f"nothing in it can be imported; its entries are: {reasons}"
    origins = Counter(parse_origin(one.url) or "no web address" for one in seen)
    if not origins:
        return "there is not one request in it"
    shown = ", ".join(
        f"{origin} ({count})" for origin, count in origins.most_common(_MOST_ORIGINS)
    )
    return (
        "nothing in it is of Nectar: no address has a version and a path of the"
        f" contract. It has {shown}; pass base_url (--base-url), an origin with an"
        " optional path, if one of these is where Nectar is"
    )


_GZIP: Final = b"\x1f\x8b"
_FOREIGN: Final = frozenset({"br", "compress", "zstd", "x-compress"})


def build_answer(
    status: int, headers: Pairs, data: bytes, started: datetime | None, place: str
) -> RecordedAnswer:
    """An answer as a recording keeps it.

    Args:
        status: of HTTP.
        headers: as they came.
        data: the body, packed or not.
        started: when it was asked for: what a date to wait for counts from, if the
            answer has no date of its own.
        place: where it stands; for messages.

    Raises:
        RecordingError: the body is packed, and cannot be unpacked.
    """
    kept = {name.lower(): text for name, text in headers}
    packing = kept.pop("content-encoding", "").strip().lower()
    if data.startswith(_GZIP) and "gzip" in packing:
        kept["content-encoding"] = "gzip"
    elif packing == "deflate" and not _is_text(data):
        kept["content-encoding"] = "deflate"
    elif packing in _FOREIGN and _means_text(kept) and not _is_text(data):
        raise RecordingError(
            f"{place} is packed as {packing!r}, which only its server's clients unpack;"
            " record it anew unpacked (vcrpy: decode_compressed_response=True), or with"
            " 'Accept-Encoding: gzip'"
        )
    try:
        return RecordedAnswer.of(
            Response(status, kept, data), started or datetime.now(UTC)
        )
    except BodyCorruptError as error:
        raise RecordingError(f"{place} cannot be unpacked: {error}") from None


def decode_base64(text: str, place: str) -> bytes:
    """The bytes that base64 stands for, in lines or not.

    Raises:
        RecordingError: it is none.
    """
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise RecordingError(f"{place}: its body is no base64: {error}") from None


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _means_text(headers: dict[str, str]) -> bool:
    kind = headers.get("content-type", "").lower()
    return "json" in kind or kind.startswith("text/")
