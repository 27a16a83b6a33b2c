"""Goes over all that a question or an answer says, and knows what each text is.

A `Visitor` sees every text once: under `own` what is secret or personal by its place,
under `free` any other. It gives what is to stand there. Ids, dates, numbers and known
values are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlencode

from attrs import evolve

from nectar_async.recording.bodies import Blob, Body, Form, Json, Part, Text
from nectar_async.recording.exchange import Answer, Pairs, Question
from nectar_async.recording.redaction.kinds import Kind, bare
from nectar_async.recording.redaction.loose import redacted
from nectar_async.recording.redaction.patterns import is_signature
from nectar_async.recording.redaction.sensitive_fields import (
    SIGNATURE,
    Plan,
    Spot,
    of_kind,
    plan,
)
from nectar_async.recording.redaction.tree import Tree
from nectar_async.recording.redaction.visit import Visitor, Where

__all__ = ["Walk"]

_ENCODED: Final = re.compile(r"[\w.%+-]+=[^&\s<>\"]*(?:&[\w.%+-]+=[^&\s<>\"]*)*")

_FAILED: Final = 400
_MOST_KEYS: Final = 4_096  # they come from a server
_KEPT_HEADERS: Final = frozenset({"content-type", "location"})


class Walk:
    """Goes over questions and answers.

    Args:
        rules: the kinds of further keys, by `bare` key.
    """

    def __init__(self, rules: Mapping[str, Kind]) -> None:
        self._rules = rules
        self._keys: dict[Plan, _Keys] = {}

    def question(self, question: Question, visitor: Visitor, root: str) -> Question:
        """The question with what the visitor gives; its `url` is left to others."""
        where = (None, root)
        keys = self._of(question.operation)
        query = self._pairs(question.query, keys, keys.its.query, visitor, where)
        return evolve(
            question,
            path=_path(question.path, visitor),
            owner=visitor.part(question.owner),
            query=tuple(sorted(query)),
            body=self._body(question.body, keys, keys.its.asked, visitor, where),
        )

    def answer(
        self, answer: Answer, operation: str, visitor: Visitor, root: str
    ) -> Answer:
        """The answer with what the visitor gives; a `Location` is left to others."""
        where = (None, root)
        keys = self._of(operation)
        headers = {
            name: text if name in _KEPT_HEADERS else visitor.free(text, (where, name))
            for name, text in answer.headers.items()
        }
        is_error = answer.status >= _FAILED
        body = self._body(
            answer.body, keys, keys.its.answered, visitor, where, is_error=is_error
        )
        return evolve(answer, headers=headers, body=body)

    def _of(self, operation: str) -> _Keys:
        its = plan(operation)
        if its not in self._keys:
            self._keys[its] = _Keys(its, self._rules)
        return self._keys[its]

    def _body(
        self,
        body: Body | None,
        keys: _Keys,
        spot: Spot,
        visitor: Visitor,
        where: Where,
        *,
        is_error: bool = False,
    ) -> Body | None:
        match body:
            case Json():
                tree = Tree(keys, visitor, is_error=is_error)
                value = tree.over(body.value, spot, where)
                return Json.of(value) if tree.is_changed else body
            case Text() if _ENCODED.fullmatch(body.text):
                pairs = tuple(parse_qsl(body.text, keep_blank_values=True))
                new = self._pairs(pairs, keys, spot, visitor, where)
                return body if new == pairs else Text(urlencode(new))
            case Text():
                text = redacted(body.text, spot, keys, visitor, where)
                return Text(visitor.free(text, where))
            case Form():
                parts = (
                    self._part(one, keys, spot, visitor, where) for one in body.parts
                )
                return Form(tuple(parts))
            case Blob() | None:
                return body

    def _pairs(
        self, pairs: Pairs, keys: _Keys, spot: Spot, visitor: Visitor, where: Where
    ) -> Pairs:
        found, tree = [], Tree(keys, visitor)
        for key, text in pairs:
            below = keys[spot][key]
            if below.kind is None and is_signature(key):
                below = SIGNATURE
            found.append((key, tree.leaf(text, below, None, (where, key))))
        return tuple(found)

    def _part(
        self, part: Part, keys: _Keys, spot: Spot, visitor: Visitor, where: Where
    ) -> Part:
        below, here = keys[spot][part.name], (where, part.name)
        text, tree = part.text, Tree(keys, visitor)
        return evolve(
            part,
            text=None if text is None else tree.leaf(text, below, None, here),
            file=None if part.file is None else visitor.free(part.file, here),
        )


class _Below(dict[str, Spot]):
    """The places of the keys of an object, found when they are asked for."""

    def __init__(self, its: Plan, spot: Spot, rules: Mapping[str, Kind]) -> None:
        super().__init__()
        self._its = its
        self._spot = spot
        self._rules = rules

    def __missing__(self, key: str) -> Spot:
        rule = self._rules.get(bare(key))
        found = self._its.below(self._spot, key) if rule is None else of_kind(rule)
        if len(self) < _MOST_KEYS:
            self[key] = found
        return found


class _Keys(dict[Spot, _Below]):
    """The keys of every place of a plan."""

    def __init__(self, its: Plan, rules: Mapping[str, Kind]) -> None:
        super().__init__()
        self.its = its
        self._rules = rules

    def __missing__(self, spot: Spot) -> _Below:
        found = self[spot] = _Below(self.its, spot, self._rules)
        return found


def _path(path: str, visitor: Visitor) -> str:
    if "%" not in path and visitor.part(path) == path:
        return path
    parts = path.split("/")
    new = [visitor.part(unquote(part)) for part in parts]
    if new == [unquote(part) for part in parts]:
        return path
    return "/".join(quote(part, safe="") for part in new)
