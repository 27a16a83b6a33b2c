"""`Redaction` replaces sensitive values of exchanges, and masks them in questions."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, Self

from attrs import evolve, field, frozen

from nectar_async._http.redact import MASK
from nectar_async._types import Secret
from nectar_async.errors import InvalidArgumentError, RecordingError
from nectar_async.recording.bodies import UNKNOWN_SUFFIX, Blob, parse_body
from nectar_async.recording.exchange import Exchange, Question, RecordedAnswer
from nectar_async.recording.redaction.guard import SecretGuard
from nectar_async.recording.redaction.known_values import KnownValues
from nectar_async.recording.redaction.patterns import PatternSearch
from nectar_async.recording.redaction.placeholders import (
    FileRequest,
    LinkTable,
    PlaceholderTable,
    guess_link_placeholder,
    normalize_value,
    resolve_location,
)
from nectar_async.recording.redaction.sensitive_fields import (
    Kind,
    list_kinds,
    normalize_key,
)
from nectar_async.recording.redaction.visitors import (
    FreeTexts,
    MaskVisitor,
    PlaceholderCollector,
    PlaceholderWriter,
    SensitiveTexts,
    ValueCollector,
)
from nectar_async.recording.redaction.walk import ExchangeWalk

__all__ = ["Redaction", "Rule", "encode_rules", "parse_rules"]

_ROOT: Final = "question"

Pair = tuple[Question, RecordedAnswer]

_KIND: Final = re.compile(r"[a-z][a-z0-9-]*")


def _convert_keys(keys: Iterable[str]) -> tuple[str, ...]:
    if isinstance(keys, str):
        raise InvalidArgumentError(
            f"keys must be a tuple of texts, not the single text {keys!r}"
        )
    return tuple(keys)


@frozen(kw_only=True)
class Rule:
    """A redaction rule in addition to the built-in ones.

    It replaces everything below its keys, and everything that its pattern matches.

    Raises:
        InvalidArgumentError: the rule has neither keys nor pattern, or one of its
            values is invalid.
    """

    kind: str
    """The prefix of the placeholders: of a `tenant` the first is `tenant-1`."""
    keys: tuple[str, ...] = field(default=(), converter=_convert_keys)
    """Keys of JSON bodies, queries and forms, in wire or in Python spelling."""
    pattern: str = ""
    """A regular expression, applied to every text except ids."""
    is_volatile: bool = False
    """Whether the value differs in every answer; then its place names the placeholder.
    """

    def __attrs_post_init__(self) -> None:
        if _KIND.fullmatch(self.kind) is None:
            raise InvalidArgumentError(
                f"kind is {self.kind!r}; it starts with a lower-case letter and has"
                " lower-case letters, digits and dashes, as 'tenant'"
            )
        if not self.keys and not self.pattern:
            raise InvalidArgumentError(
                f"the rule for {self.kind!r} has neither keys nor a pattern"
            )
        try:
            is_empty = bool(self.pattern) and re.search(self.pattern, "") is not None
        except re.error as error:
            raise InvalidArgumentError(
                f"the pattern of the rule for {self.kind!r} is not a regular"
                f" expression: {error}"
            ) from None
        if is_empty:
            raise InvalidArgumentError(
                f"the pattern of the rule for {self.kind!r} matches the empty text, so"
                " it would match everywhere; require a character, as '.+@acme'"
            )

    @property
    def as_kind(self) -> Kind:
        """The kind of the values that the rule replaces."""
        return Kind(
            self.kind, is_secret=True, is_volatile=self.is_volatile, is_rule=True
        )


@frozen(kw_only=True)
class Redaction:
    """Keeps secrets and personal values out of a recording.

    `apply` replaces them by placeholders before a recording is saved. `masked` and
    `key` ignore them when a replay looks for a question.
    """

    rules: tuple[Rule, ...] = ()
    """Rules in addition to the built-in ones."""
    aliases: Mapping[str, str] = field(factory=dict, repr=False)
    """Placeholders for chosen values, by value: they keep requests distinct that differ
    only in these values. Never written to disk."""
    secrets: tuple[str | Secret[str], ...] = field(default=(), repr=False)
    """Texts that must not be in any saved file. Never written to disk."""

    def masked(self, question: Question) -> Question:
        """Copy a question with a constant in place of every sensitive value."""
        return self._mask(question, ())

    def key(self, question: Question) -> str:
        """The key of a question; equal if only sensitive values differ."""
        return self.masked(question).key

    def agrees(self, question: Question, stored: Question) -> bool:
        """Whether a stored question has the placeholders that a question asks for.

        A question asks for a placeholder by the value of an alias, or by the
        placeholder itself: `meter-2` matches no other meter.
        """
        return not self.disagreements(question, stored)

    def disagreements(
        self, question: Question, stored: Question
    ) -> Mapping[str, tuple[str, str]]:
        """List the places that do not agree, with the asked and the stored text."""
        wanted = self._find_wanted_placeholders(question)
        if not wanted:
            return {}
        texts = SensitiveTexts(self._patterns, self._alias_values)
        self._walk.question(stored, texts, _ROOT)
        return {
            place.removeprefix(f"{_ROOT}/"): (text, texts.by_place.get(place, ""))
            for place, text in wanted.items()
            if texts.by_place.get(place) != text
        }

    def resembles(self, question: Question, stored: Question) -> bool:
        """Whether a stored question equals a question except for quoted values.

        A free text may quote a sensitive value of another exchange. The recording has a
        placeholder there, and a replay does not know its value, so any text matches.
        """
        stored_texts, asked_texts = FreeTexts(), FreeTexts()
        self._walk.question(stored, stored_texts, _ROOT)
        wildcards = {
            place: pattern
            for place, text in stored_texts.by_place.items()
            if (pattern := self._patterns.build_wildcard(text)) is not None
        }
        if not wildcards or question.path != stored.path:
            return False
        self._walk.question(question, asked_texts, _ROOT)
        return (
            all(
                pattern.fullmatch(asked_texts.by_place.get(place, ""))
                for place, pattern in wildcards.items()
            )
            and self._mask(question, wildcards).key == self._mask(stored, wildcards).key
        )

    def apply(
        self, exchanges: Sequence[Pair], previous: Sequence[Exchange] = ()
    ) -> tuple[Exchange, ...]:
        """Replace all sensitive values by placeholders, keeping the order.

        Args:
            exchanges: as recorded. Existing placeholders are kept.
            previous: the exchanges of the earlier recording. A value in the place of an
                earlier placeholder gets that one again, so that little changes.

        Raises:
            RecordingError: a file would contain a registered secret or a token; the
                message has the file and the place.
        """
        exchanges = [_parse_bytes(*pair) for pair in exchanges]
        names = [*_number_names(self._build_base_name(*pair) for pair in exchanges)]
        order = sorted(range(len(exchanges)), key=names.__getitem__)
        before = self._collect_placeholders(previous)
        table = PlaceholderTable(self._kinds, self.aliases, before)
        links = LinkTable()
        collector = ValueCollector(self._patterns, table, links)
        for index in order:
            self._collect(*exchanges[index], names[index], collector, links)
        links.follow([_build_file_request(*pair) for pair in exchanges if pair[0].url])
        assigned = table.assign()
        known = {
            **links.list_quotable(),
            **collector.volatile,
            **{name: assigned[name] for name in table.list_quotable()},
            **self._normalized_aliases,
        }
        writer = PlaceholderWriter(
            self._patterns, links, assigned, collector.volatile, KnownValues(known)
        )
        guard = SecretGuard(_reveal(self.secrets))
        counts: dict[str, int] = {}
        redacted = []
        for pair, name in zip(exchanges, names, strict=True):
            question, answer = self._replace(*pair, name, writer)
            key = self.key(question)
            counts[key] = counts.get(key, 0) + 1
            exchange = Exchange(
                question=question, answer=answer, key=key, order=counts[key]
            )
            guard.check(exchange)
            redacted.append(exchange)
        return tuple(redacted)

    def manifest(self) -> dict[str, Any]:
        """Encode the rules for the manifest of a recording."""
        return encode_rules(self.rules)

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Self:
        """Build a redaction with the rules of a manifest.

        Raises:
            RecordingError: the manifest has invalid rules.
        """
        return cls(rules=parse_rules(manifest))

    @cached_property
    def _kinds(self) -> tuple[Kind, ...]:
        return (*(rule.as_kind for rule in self.rules), *list_kinds())

    @cached_property
    def _walk(self) -> ExchangeWalk:
        return ExchangeWalk(
            {
                normalize_key(key): rule.as_kind
                for rule in self.rules
                for key in rule.keys
            }
        )

    @cached_property
    def _patterns(self) -> PatternSearch:
        patterns = [
            (re.compile(rule.pattern), rule.as_kind)
            for rule in self.rules
            if rule.pattern
        ]
        return PatternSearch(patterns, self._kinds)

    @cached_property
    def _normalized_aliases(self) -> Mapping[str, str]:
        return {normalize_value(text): alias for text, alias in self.aliases.items()}

    @cached_property
    def _alias_values(self) -> KnownValues:
        return KnownValues(self._normalized_aliases)

    def _mask(self, question: Question, blank: Collection[str]) -> Question:
        """Mask a question; texts at the places in `blank` are masked completely."""
        mask = MaskVisitor(self._patterns, self._alias_values, blank)
        masked = self._walk.question(question, mask, _ROOT)
        if mask.masked and mask.has_free_text:
            # A free text may quote a value that was masked elsewhere.
            values = KnownValues({**mask.masked, **self._normalized_aliases})
            mask = MaskVisitor(self._patterns, values, blank)
            masked = self._walk.question(question, mask, _ROOT)
        if not question.url:
            return masked
        return evolve(masked, url=guess_link_placeholder(question.url, question.owner))

    def _find_wanted_placeholders(self, question: Question) -> Mapping[str, str]:
        """Find the placeholders that a stored question must have, by place."""
        texts = SensitiveTexts(self._patterns, self._alias_values)
        self._walk.question(question, texts, _ROOT)
        wanted = {}
        for place, text in texts.by_place.items():
            alias = self._normalized_aliases.get(normalize_value(text))
            if alias is not None or self._patterns.is_placeholder(text):
                wanted[place] = alias or text
        return wanted

    def _build_base_name(self, question: Question, answer: RecordedAnswer) -> str:
        """Build the name of an exchange before its values are replaced."""
        masked = self.masked(question)
        return Exchange(question=masked, answer=answer, key=masked.key).base_name

    def _collect_placeholders(
        self, previous: Sequence[Exchange]
    ) -> Mapping[str, set[str]]:
        collector = PlaceholderCollector(self._patterns)
        for exchange in previous:
            question, answer = exchange.question, exchange.answer
            name = _add_number(self._build_base_name(question, answer), exchange.order)
            self._walk.question(question, collector, f"{name}/asked")
            self._walk.answer(answer, question.operation, collector, name)
        return collector.by_place

    def _collect(
        self,
        question: Question,
        answer: RecordedAnswer,
        name: str,
        collector: ValueCollector,
        links: LinkTable,
    ) -> None:
        collector.is_sent = True
        self._walk.question(question, collector, f"{name}/asked")
        collector.is_sent = False
        self._walk.answer(answer, question.operation, collector, name)
        location = answer.headers.get("location")
        if location is not None and not question.url:
            links.add(location, f"{name}/location")

    def _replace(
        self,
        question: Question,
        answer: RecordedAnswer,
        name: str,
        writer: PlaceholderWriter,
    ) -> Pair:
        links = writer.links
        request_writer = evolve(writer, is_sent=True)
        new_question = self._walk.question(question, request_writer, f"{name}/asked")
        new_answer = self._walk.answer(answer, question.operation, writer, name)
        if question.url:
            url = links.find(question.url, question.owner) or MASK
            new_question = evolve(new_question, url=url)
        if (location := answer.headers.get("location")) is not None:
            target = links.find(resolve_location(question.url, location)) or MASK
            headers = {**new_answer.headers, "location": target}
            new_answer = evolve(new_answer, headers=headers)
        return new_question, new_answer


def _parse_bytes(question: Question, answer: RecordedAnswer) -> Pair:
    """Parse an answer of the API that an earlier version stored as bytes."""
    body = answer.body
    if question.url or not isinstance(body, Blob) or body.suffix != UNKNOWN_SUFFIX:
        return question, answer
    kind = answer.headers.get("content-type", "")
    return question, evolve(answer, body=parse_body(body.content, kind, is_sent=False))


def encode_rules(rules: Iterable[Rule]) -> dict[str, Any]:
    """Encode rules for a manifest; an empty object if there are none."""
    encoded = [dict(_list_fields(rule)) for rule in rules]
    return {"rules": encoded} if encoded else {}


def parse_rules(manifest: Mapping[str, Any]) -> tuple[Rule, ...]:
    """Parse the rules of a manifest.

    Raises:
        RecordingError: the manifest has invalid rules.
    """
    try:
        return tuple(
            Rule(
                kind=rule["kind"],
                keys=tuple(rule.get("keys", ())),
                pattern=rule.get("pattern", ""),
                is_volatile=rule.get("isVolatile", False),
            )
            for rule in manifest.get("rules", ())
        )
    except (AttributeError, KeyError, TypeError, InvalidArgumentError) as error:
        raise RecordingError(
            f"the manifest has invalid redaction rules: {error!r}"
        ) from None


def _list_fields(rule: Rule) -> Iterator[tuple[str, Any]]:
    yield "kind", rule.kind
    if rule.keys:
        yield "keys", list(rule.keys)
    if rule.pattern:
        yield "pattern", rule.pattern
    if rule.is_volatile:
        yield "isVolatile", True


def _number_names(names: Iterable[str]) -> Iterator[str]:
    """Add a number to each name that occurred before."""
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
        yield _add_number(name, counts[name])


def _add_number(name: str, order: int) -> str:
    return f"{name}.{order}" if order > 1 else name


def _build_file_request(question: Question, answer: RecordedAnswer) -> FileRequest:
    return FileRequest(question.url, question.owner, answer.headers.get("location"))


def _reveal(secrets: Iterable[str | Secret[str]]) -> Iterator[str]:
    for secret in secrets:
        yield secret.reveal() if isinstance(secret, Secret) else secret
