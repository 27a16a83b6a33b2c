"""Redaction as a whole: what is found, what stands for it, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, Self

from attrs import evolve, field, frozen

from nectar_async._types import Secret
from nectar_async.recording.exchange import Exchange, Question, RecordedAnswer
from nectar_async.recording.redaction.guard import SecretGuard
from nectar_async.recording.redaction.known_values import KnownValues
from nectar_async.recording.redaction.masking import (
    MASK,
    FreeTexts,
    MaskVisitor,
    SensitiveTexts,
)
from nectar_async.recording.redaction.patterns import PatternSearch
from nectar_async.recording.redaction.placeholders import (
    FileRequest,
    LinkTable,
    PlaceholderTable,
    guess_link_placeholder,
    normalize_value,
    resolve_location,
)
from nectar_async.recording.redaction.replacement import (
    PlaceholderCollector,
    PlaceholderWriter,
    ValueCollector,
)
from nectar_async.recording.redaction.rules import Rule, encode_rules, parse_rules
from nectar_async.recording.redaction.sensitive_fields import (
    Kind,
    list_kinds,
    normalize_key,
)
from nectar_async.recording.redaction.walk import ExchangeWalk

__all__ = ["Redaction", "Rule"]

_ROOT: Final = "question"

Pair = tuple[Question, RecordedAnswer]


@frozen(kw_only=True)
class Redaction:
    """How secrets and persons are kept out of a recording.

    `apply` puts stand-ins in their place, `masked` takes them out of a question, so
    that it is found whatever stands there.
    """

    rules: tuple[Rule, ...] = ()
    """What is redacted besides."""
    aliases: Mapping[str, str] = field(factory=dict, repr=False)
    """Real text to its stand-in: for what shall tell one request from another. It is
    never written to disk."""
    secrets: tuple[str | Secret[str], ...] = field(default=(), repr=False)
    """What must not survive anywhere. It is never written to disk."""

    def masked(self, question: Question) -> Question:
        """The question with a constant wherever something is redacted."""
        return self._masked(question, ())

    def key(self, question: Question) -> str:
        """The same for questions that differ only in what is redacted."""
        return self.masked(question).key

    def agrees(self, question: Question, stored: Question) -> bool:
        """Whether what has an alias is what stands in the stored question.

        A stand-in is its own alias: who asks for `meter-2` means none of the others.
        """
        return not self.disagreements(question, stored)

    def disagreements(
        self, question: Question, stored: Question
    ) -> Mapping[str, tuple[str, str]]:
        """Where it is not: by place, the stand-in that is asked for and the other."""
        asked = self._wanted(question)
        if not asked:
            return {}
        gather = SensitiveTexts(self._marks, self._aliased)
        self._walk.question(stored, gather, _ROOT)
        return {
            place.removeprefix(f"{_ROOT}/"): (text, gather.found.get(place, ""))
            for place, text in asked.items()
            if gather.found.get(place) != text
        }

    def resembles(self, question: Question, stored: Question) -> bool:
        """Whether a stored question is this one, but for values that it quotes.

        What a name or a note quotes from another exchange has a stand-in in the
        recording; nobody who replays it knows which. Then anything may stand there.
        """
        theirs, mine = FreeTexts(), FreeTexts()
        self._walk.question(stored, theirs, _ROOT)
        shapes = {
            place: pattern
            for place, text in theirs.texts.items()
            if (pattern := self._marks.around(text)) is not None
        }
        if not shapes or question.path != stored.path:
            return False
        self._walk.question(question, mine, _ROOT)
        return (
            all(one.fullmatch(mine.texts.get(at, "")) for at, one in shapes.items())
            and self._masked(question, shapes).key == self._masked(stored, shapes).key
        )

    def apply(
        self, exchanges: Sequence[Pair], previous: Sequence[Exchange] = ()
    ) -> tuple[Exchange, ...]:
        """The exchanges as they may be saved, in the order in which they came.

        Args:
            exchanges: as they were recorded. What is redacted in them already stays.
            previous: what stood in the recording before. A value that stands where a
                stand-in stood gets that one again, so that little changes.

        Raises:
            RecordingError: a registered secret would be in a file, or what looks like
                a token; says in which file and where.
        """
        shelves = [*_told_apart(self._shelf(*pair) for pair in exchanges)]
        order = sorted(range(len(exchanges)), key=shelves.__getitem__)
        book = PlaceholderTable(self._kinds, self.aliases, self._places(previous))
        links = LinkTable()
        census = ValueCollector(self._marks, book, links)
        for at in order:
            self._count(*exchanges[at], shelves[at], census, links)
        links.follow([_hop(*pair) for pair in exchanges if pair[0].url])
        given = book.settle()
        quotable = {name: given[name] for name in book.quotable()}
        known = {**links.known(), **census.volatile, **quotable, **self._others}
        finder = KnownValues(known)
        writer = PlaceholderWriter(self._marks, links, given, census.volatile, finder)
        counts: dict[str, int] = {}
        guard = SecretGuard(_revealed(self.secrets))
        found = []
        for (asked, answered), shelf in zip(exchanges, shelves, strict=True):
            question, answer = self._written(asked, answered, shelf, writer)
            key = self.key(question)
            counts[key] = counts.get(key, 0) + 1
            one = Exchange(question=question, answer=answer, key=key, order=counts[key])
            guard.check(one)
            found.append(one)
        return tuple(found)

    def manifest(self) -> dict[str, Any]:
        """The rules, as they stand in the manifest."""
        return encode_rules(self.rules)

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Self:
        """The rules of a manifest.

        Raises:
            RecordingError: it has something else in their place.
        """
        return cls(rules=parse_rules(manifest))

    @cached_property
    def _kinds(self) -> tuple[Kind, ...]:
        return (*(rule.as_kind for rule in self.rules), *list_kinds())

    @cached_property
    def _walk(self) -> ExchangeWalk:
        return ExchangeWalk(
            {normalize_key(key): one.as_kind for one in self.rules for key in one.keys}
        )

    @cached_property
    def _marks(self) -> PatternSearch:
        patterns = [
            (re.compile(rule.pattern), rule.as_kind)
            for rule in self.rules
            if rule.pattern
        ]
        return PatternSearch(patterns, self._kinds)

    @cached_property
    def _others(self) -> Mapping[str, str]:
        return {
            normalize_value(text): standin for text, standin in self.aliases.items()
        }

    @cached_property
    def _aliased(self) -> KnownValues:
        return KnownValues(self._others)

    def _masked(self, question: Question, blank: Collection[str]) -> Question:
        url = (
            guess_link_placeholder(question.url, question.owner) if question.url else ""
        )
        mask = MaskVisitor(self._marks, self._aliased, blank)
        masked = self._walk.question(question, mask, _ROOT)
        if mask.known and mask.has_free:
            # What stands in its place may be quoted in another one.
            finder = KnownValues({**mask.known, **self._others})
            mask = MaskVisitor(self._marks, finder, blank)
            masked = self._walk.question(question, mask, _ROOT)
        return evolve(masked, url=url) if url else masked

    def _wanted(self, question: Question) -> Mapping[str, str]:
        """What has to stand in a stored question, by place."""
        gather = SensitiveTexts(self._marks, self._aliased)
        self._walk.question(question, gather, _ROOT)
        wanted = {}
        for place, text in gather.found.items():
            alias = self._others.get(normalize_value(text))
            if alias is not None or self._marks.is_standin(text):
                wanted[place] = alias or text
        return wanted

    def _shelf(self, asked: Question, answered: RecordedAnswer) -> str:
        """The name that a pair has before anything is replaced in it."""
        masked = self.masked(asked)
        return Exchange(question=masked, answer=answered, key=masked.key).base_name

    def _places(self, previous: Sequence[Exchange]) -> Mapping[str, set[str]]:
        places = PlaceholderCollector(self._marks)
        for one in previous:
            shelf = _numbered(self._shelf(one.question, one.answer), one.order)
            self._walk.question(one.question, places, f"{shelf}/asked")
            self._walk.answer(one.answer, one.question.operation, places, shelf)
        return places.found

    def _count(
        self,
        asked: Question,
        answered: RecordedAnswer,
        shelf: str,
        census: ValueCollector,
        links: LinkTable,
    ) -> None:
        census.is_sent = True
        self._walk.question(asked, census, f"{shelf}/asked")
        census.is_sent = False
        self._walk.answer(answered, asked.operation, census, shelf)
        location = answered.headers.get("location")
        if location is not None and not asked.url:
            links.note(location, f"{shelf}/location")

    def _written(
        self,
        asked: Question,
        answered: RecordedAnswer,
        shelf: str,
        writer: PlaceholderWriter,
    ) -> Pair:
        links = writer.links
        sent = evolve(writer, is_sent=True)
        question = self._walk.question(asked, sent, f"{shelf}/asked")
        answer = self._walk.answer(answered, asked.operation, writer, shelf)
        if asked.url:
            question = evolve(question, url=links.of(asked.url, asked.owner) or MASK)
        if (location := answered.headers.get("location")) is not None:
            standin = links.of(resolve_location(asked.url, location)) or MASK
            headers = {**answer.headers, "location": standin}
            answer = evolve(answer, headers=headers)
        return question, answer


def _told_apart(shelves: Iterable[str]) -> Iterator[str]:
    """The names of shelves, those that come again with a number."""
    counts: dict[str, int] = {}
    for shelf in shelves:
        counts[shelf] = counts.get(shelf, 0) + 1
        yield _numbered(shelf, counts[shelf])


def _numbered(shelf: str, order: int) -> str:
    return f"{shelf}.{order}" if order > 1 else shelf


def _hop(asked: Question, answered: RecordedAnswer) -> FileRequest:
    return FileRequest(asked.url, asked.owner, answered.headers.get("location"))


def _revealed(secrets: Iterable[str | Secret[str]]) -> Iterator[str]:
    for one in secrets:
        yield one.reveal() if isinstance(one, Secret) else one
