"""Decode records: on the fast path, or field by field if a record is odd.

A record is odd if it does not fit its struct exactly: an unknown key, or another type.
A long list is decoded in steps, so that other tasks can run in between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import attrs
from attrs import field, frozen

from nectar_async._json.cooperative import PIECE_SIZE, Steps, run_at_once
from nectar_async._json.damaged_json import repair_json
from nectar_async._json.field_by_field import FieldByFieldReader
from nectar_async._json.json_text import (
    JSON,
    iterate_pieces,
    join_list,
    parse_json,
    split_list,
)
from nectar_async._json.scalars import MisfitError
from nectar_async._json.structs import StructDecoders
from nectar_async.errors import DecodeError

__all__ = ["Findings", "RecordReader", "read_or_raise"]

T = TypeVar("T")

# More problems are not useful in an error.
_MAX_PROBLEMS = 100

_MAX_PROBLEMS_PER_ITEM = 10

# This many odd records take about as long as one piece of ordinary ones.
_ODD_RECORDS_PER_STEP = 10


@frozen
class Findings:
    """The damage in a list."""

    left_out: list[str] = field(factory=list)
    """Why items were left out, one entry for each."""
    losses: list[str] = field(factory=list)
    """The values that were lost in other items, one entry for each."""


class RecordReader:
    """Decodes records.

    Args:
        decoders: the fast path.
        build_reader: builds a reader for the slow path.
        has_fast_path: whether a type may be decoded on the fast path.
        can_repair: whether the damaged JSON of a record is repaired.
    """

    def __init__(
        self,
        decoders: StructDecoders,
        build_reader: Callable[[], FieldByFieldReader],
        has_fast_path: Callable[[type], bool],
        *,
        can_repair: bool,
    ) -> None:
        self._decoders = decoders
        self._build_reader = build_reader
        self._has_fast_path = has_fast_path
        self._can_repair = can_repair

    def read_one(self, kind: type[T], record: JSON, name: str) -> T:
        """Decode one record, called `name` in errors.

        Raises:
            DecodeError: it does not fit the type.
        """
        with suppress(Exception):  # the slow path says what is wrong
            fast: T = self._get_fast_decoder(kind)(record)
            return fast
        problems: list[str] = []
        records = self._read_slowly(kind, record, "$", problems, [])
        if problems:
            raise DecodeError.of(name, tuple(problems))
        return records[0]

    def read_page(
        self, kind: type[T], body: bytes, items: str, other_keys: tuple[str, ...]
    ) -> Steps[tuple[tuple[T, ...], dict[str, Any]] | None]:
        """Decode an envelope on the fast path, to its records and its other values.

        Args:
            kind: the type of the records.
            body: the envelope.
            items: the key of the records.
            other_keys: the keys whose values are returned too.

        Returns:
            None if the envelope is long, or has keys besides these or anything odd.
        """
        if len(body) <= PIECE_SIZE and self._has_fast_path(kind):
            with suppress(Exception):  # the slow path says what is wrong
                decode = self._decoders.for_page(kind, items, other_keys)
                records, values = yield from decode(body)
                return tuple(records), values
        return None

    def read_many(
        self,
        kind: type[T],
        text: JSON,
        path: str,
        name: str,
        *,
        is_odd: bool = False,
        findings: Findings | None = None,
    ) -> Steps[tuple[T, ...]]:
        """Decode a list of records, in steps if it is long.

        Args:
            kind: the type of the records.
            text: the list.
            path: the JSON path of the list, for errors.
            name: the name of the list in errors.
            is_odd: whether a record of a short list is known to be odd.
            findings: gets the items that cannot be read, which are left out, and the
                values that are lost; None if such an item is an error.

        Raises:
            DecodeError: it is no list; a record in it does not fit and `findings` is
                None; or none of a hundred records fits. Up to a hundred problems are
                named.
        """
        is_long = len(memoryview(text)) > PIECE_SIZE
        if not (is_long or is_odd):
            decoded = yield from self._read_fast(kind, text)
            if decoded is not None:
                return tuple(decoded)
        items = read_or_raise(split_list, text, name, path)
        records: list[T] = []
        found = Findings()
        is_hopeless = False
        for start, piece in iterate_pieces(items, PIECE_SIZE // 2):
            if is_long:
                yield
            decoded = None
            if is_long:
                decoded = yield from self._read_fast(kind, join_list(piece))
            if decoded is None:
                decoded = yield from self._read_each(kind, piece, path, start, found)
            records += decoded
            is_hopeless = len(found.left_out) >= _MAX_PROBLEMS and not records
            if is_hopeless or (findings is None and found.left_out):
                break
        if is_hopeless or (findings is None and found.left_out):
            raise DecodeError.of(name, tuple(found.left_out[:_MAX_PROBLEMS]))
        if findings is not None:
            findings.left_out.extend(found.left_out)
            findings.losses.extend(found.losses)
        return tuple(records)

    def _read_each(
        self,
        kind: type[T],
        items: Sequence[JSON],
        path: str,
        start: int,
        findings: Findings,
    ) -> Steps[list[T]]:
        """Decode records one by one; `start` is the index of the first."""
        records: list[T] = []
        decode = self._get_fast_decoder(kind)
        odd_records = 0
        for index, item in enumerate(items, start):
            try:
                records.append(decode(item))
            except Exception:  # noqa: BLE001 - the slow path says what is wrong
                found: list[str] = []
                item_path = f"{path}[{index}]"
                records += self._read_slowly(
                    kind, item, item_path, found, findings.losses
                )
                if found:
                    findings.left_out.append("; ".join(found[:_MAX_PROBLEMS_PER_ITEM]))
                decode = self._get_fast_decoder(kind)
                odd_records += 1
                if odd_records % _ODD_RECORDS_PER_STEP == 0:
                    yield
        return records

    def _read_fast(self, kind: type[T], text: JSON) -> Steps[list[T] | None]:
        """Decode a list on the fast path; None if anything in it is odd."""
        if self._has_fast_path(kind):
            with suppress(Exception):  # the slow path says what is wrong
                return (yield from self._decoders.for_list(kind)(text))
        return None

    def _get_fast_decoder(self, kind: type[T]) -> Callable[[Any], T]:
        if self._has_fast_path(kind):
            return self._decoders.for_record(kind)
        return _refuse_fast_path

    def _read_slowly(
        self,
        kind: type[T],
        record: JSON,
        path: str,
        problems: list[str],
        losses: list[str],
    ) -> list[T]:
        """Decode a record field by field, or add its problems and return `[]`."""
        try:
            value = self._parse(record, path, losses)
        except MisfitError as misfit:
            problems.append(f"{misfit} @ {path}")
            return []
        reader = self._build_reader()
        with suppress(MisfitError):
            result = reader.read_value(kind, value, path)
            if not reader.problems:
                if attrs.has(type(result)) and self._has_fast_path(type(result)):
                    # Of two threads that learn at once, the later one counts; the
                    # keys of the other are learned with its next record.
                    self._decoders = self._decoders.learn_extra_keys(result)
                return [result]
        problems += reader.problems
        return []

    def _parse(self, record: JSON, path: str, losses: list[str]) -> Any:
        """Parse the JSON of a record, repaired if it is damaged.

        Raises:
            MisfitError: it cannot be repaired, or must not be.
        """
        try:
            return parse_json(record)
        except MisfitError as error:
            misfit = error
        repaired = run_at_once(repair_json(bytes(record)))
        if not self._can_repair and repaired.losses:
            misfit = MisfitError(f"expected JSON: {repaired.losses[0]}")
        elif self._can_repair:
            with suppress(MisfitError):
                value = parse_json(repaired.text)
                losses += [f"{loss} @ {path}" for loss in repaired.losses]
                return value
        raise misfit


def read_or_raise(reader: Callable[[JSON], T], text: JSON, name: str, path: str) -> T:
    """Call a reader with a text, and raise its `MisfitError` as a `DecodeError`."""
    try:
        return reader(text)
    except MisfitError as misfit:
        problem = f"{misfit} @ {path}"
    raise DecodeError.of(name, (problem,))


def _refuse_fast_path(_: object) -> Any:
    raise MisfitError("this type has no fast path")
