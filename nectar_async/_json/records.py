"""Records of JSON: each the quick way if it can, and the careful way if it is odd.

A long list is read in pieces, so that others may go on in between (`_turns`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import attrs

from nectar_async._json.cooperative import PIECE_SIZE, Steps
from nectar_async._json.decoders import Decoders
from nectar_async._json.field_by_field import FieldByFieldReader
from nectar_async._json.json import (
    JSON,
    iterate_pieces,
    join_list,
    parse_json,
    split_list,
)
from nectar_async._json.scalars import MisfitError
from nectar_async.errors import DecodeError

__all__ = ["RecordReader", "read_or_raise"]

T = TypeVar("T")

# With so many it is clear that the answer is none; finding all of a million takes
# minutes, in which nothing else runs.
_MOST_PROBLEMS = 100

# So many odd records take about as long as a piece of ordinary ones.
_ODD_A_PIECE = 10


class RecordReader:
    """Makes records of one or many.

    Args:
        decoders: the quick way.
        careful: begins the careful way.
        has_quick_way: whether a kind has one.
    """

    def __init__(
        self,
        decoders: Decoders,
        careful: Callable[[], FieldByFieldReader],
        has_quick_way: Callable[[type], bool],
    ) -> None:
        self._decoders = decoders
        self._careful = careful
        self._has_quick_way = has_quick_way

    def one(self, kind: type[T], record: JSON, name: str) -> T:
        """One record, called `name` in errors.

        Raises:
            DecodeError: it cannot be made.
        """
        with suppress(Exception):  # whatever it is, the careful way says what
            made: T = self._quick(kind)(record)
            return made
        problems: list[str] = []
        found = self._carefully(kind, record, "$", problems)
        if problems:
            raise DecodeError.of(name, tuple(problems))
        return found[0]

    def page(
        self, kind: type[T], body: bytes, items: str, facts: tuple[str, ...]
    ) -> Steps[tuple[tuple[T, ...], dict[str, Any]] | None]:
        """The records of an envelope and its other values, decoded at once.

        Args:
            kind: what the records are.
            body: the envelope.
            items: the key of the records.
            facts: the other keys.

        Returns:
            None if the envelope has other keys, or is long, or anything in it is odd.
        """
        if len(body) <= PIECE_SIZE and self._has_quick_way(kind):
            with suppress(Exception):  # whatever it is, the careful way says what
                decode = self._decoders.page(kind, items, facts)
                made, found = yield from decode(body)
                return tuple(made), found
        return None

    def many(
        self,
        kind: type[T],
        text: JSON,
        path: str,
        name: str,
        *,
        is_odd: bool = False,
    ) -> Steps[tuple[T, ...]]:
        """A list at once, or in pieces if it is long; a hundred problems are named.

        Args:
            kind: what the records are.
            text: the list.
            path: where it stands, for errors.
            name: what it is called in errors.
            is_odd: whether it is known that a record in it is, if it is short.

        Raises:
            DecodeError: it is no list, or a record in it cannot be made.
        """
        is_long = len(memoryview(text)) > PIECE_SIZE
        if not (is_long or is_odd):
            few = yield from self._quickly(kind, text)
            if few is not None:
                return tuple(few)
        records = read_or_raise(split_list, text, name, path)
        made: list[T] = []
        problems: list[str] = []
        for start, piece in iterate_pieces(records, PIECE_SIZE // 2):
            if is_long:
                yield
            some = None
            if is_long:
                some = yield from self._quickly(kind, join_list(piece))
            if some is None:
                some = yield from self._each(kind, piece, path, start, problems)
            made += some
            if len(problems) >= _MOST_PROBLEMS:
                break
        if problems:
            raise DecodeError.of(name, tuple(problems))
        return tuple(made)

    def _each(
        self,
        kind: type[T],
        records: Sequence[JSON],
        path: str,
        start: int,
        problems: list[str],
    ) -> Steps[list[T]]:
        """Records one by one; `start` is the place of the first."""
        made: list[T] = []
        quick = self._quick(kind)
        odd = 0
        for number, record in enumerate(records, start):
            try:
                made.append(quick(record))
            except Exception:  # noqa: BLE001 - whatever it is, the careful way says what
                made += self._carefully(kind, record, f"{path}[{number}]", problems)
                quick = self._quick(kind)
                if len(problems) >= _MOST_PROBLEMS:
                    break
                odd += 1
                if odd % _ODD_A_PIECE == 0:
                    yield
        return made

    def _quickly(self, kind: type[T], text: JSON) -> Steps[list[T] | None]:
        """A list the quick way; None if that cannot be."""
        if self._has_quick_way(kind):
            with suppress(Exception):  # whatever it is, the careful way says what
                return (yield from self._decoders.many(kind)(text))
        return None

    def _quick(self, kind: type[T]) -> Callable[[Any], T]:
        return self._decoders.one(kind) if self._has_quick_way(kind) else _no_way

    def _carefully(
        self, kind: type[T], record: JSON, path: str, problems: list[str]
    ) -> list[T]:
        """The record, or its problems and nothing."""
        try:
            value = parse_json(record)
        except MisfitError as misfit:
            problems.append(f"{misfit} @ {path}")
            return []
        careful = self._careful()
        with suppress(MisfitError):
            one = careful.one(kind, value, path)
            if not careful.problems:
                if attrs.has(type(one)) and self._has_quick_way(type(one)):
                    self._decoders.learn(one)
                return [one]
        problems += careful.problems
        return []


def read_or_raise(reader: Callable[[JSON], T], text: JSON, name: str, path: str) -> T:
    """What a reader makes of a text; its misfit is a `DecodeError`."""
    try:
        return reader(text)
    except MisfitError as misfit:
        problem = f"{misfit} @ {path}"
    raise DecodeError.of(name, (problem,))


def _no_way(_: object) -> Any:
    raise MisfitError("only the careful way")
