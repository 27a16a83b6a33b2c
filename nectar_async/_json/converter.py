"""The converter between JSON and the models.

JSON is decoded without floats: a number with a decimal point becomes a `Decimal`. A
record is decoded on the fast path (`structs`) if possible. A record with anything odd
in it is read field by field (`field_by_field`), which knows the path of each problem.

    lenient  a value that does not fit goes to `.extra`, and its field has the default
    strict   every unknown key, unknown enum value and misfit is a `DecodeError`
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import cache
from types import NoneType
from typing import Any, Final, TypeVar, cast, get_args, get_origin

import attrs
import cattrs

from nectar_async._json.cooperative import PIECE_SIZE, Steps, run_at_once
from nectar_async._json.damaged_json import RepairedJson, repair_json
from nectar_async._json.encoder import ModelEncoder
from nectar_async._json.envelope import EnvelopeReader
from nectar_async._json.field_by_field import FieldByFieldReader
from nectar_async._json.json_text import (
    JSON,
    find_only_list,
    is_json,
    parse_json,
    rename_keys,
)
from nectar_async._json.record_reader import Findings, RecordReader, read_or_raise
from nectar_async._json.scalars import (
    LENIENT_HOOKS,
    STRICT_HOOKS,
    MisfitError,
    describe_json_type,
)
from nectar_async._json.structs import StructDecoders, TableHook
from nectar_async._types import OpenEnum
from nectar_async.contract.wire_names import to_wire
from nectar_async.errors import ConfigurationError, DecodeError, NectarError
from nectar_async.models.account import Account
from nectar_async.models.connection import Connection
from nectar_async.models.document import Document
from nectar_async.models.meter import Meter
from nectar_async.models.page import Listing, Page
from nectar_async.models.usage import UsageData

__all__ = [
    "Converter",
    "find_converter",
    "get_converter",
    "mark_as_accepted",
    "set_company_ids",
]

T = TypeVar("T")

# Assigning to a slot of a frozen class needs its descriptor.
_COMPANY_SETTERS: Final = {
    model: model.company_id.__set__  # type: ignore[union-attr]
    for model in (Account, Connection, Document, Meter, UsageData)
}


class CattrsConverter(cattrs.Converter):
    """A `cattrs.Converter` for all models, which is part of a converter of JSON.

    `names` are those that it reads and writes: `wire` or `python`.
    """

    json: Converter | None = None
    """None for a copy of such a converter."""
    names: str = "wire"


class Converter:
    """Decodes bytes to models and encodes models to bytes, lenient or strict.

    `cattrs` is the underlying converter; hooks that are registered on it before the
    first use of a class are respected.
    """

    def __init__(self, *, is_strict: bool = False) -> None:
        self.is_strict: bool = is_strict
        self.cattrs: CattrsConverter = CattrsConverter(detailed_validation=False)
        self.cattrs.json = self
        hooks = STRICT_HOOKS if is_strict else LENIENT_HOOKS
        for kind, hook in hooks.items():
            self.cattrs.register_structure_hook(kind, hook)
        self.cattrs.register_structure_hook_factory(attrs.has, self._build_hook)
        self._own_hooks: dict[type, Callable[..., Any]] = {}
        self._records = RecordReader(
            StructDecoders(self._find_hook, self._is_own),
            self._build_reader,
            self._has_fast_path,
            can_repair=not is_strict,
        )
        self._encoder = ModelEncoder()

    def decode(
        self, body: bytes, returns: type[T], keys: Mapping[str, str] | None = None
    ) -> T:
        """Decode an answer.

        Args:
            body: JSON, decompressed; empty for `NoneType`.
            returns: a model, `list[Model]`, or `dict`, `str`, `object` for plain JSON.
            keys: the user's corrections of the keys of a model.

        Raises:
            DecodeError: the body does not fit; the error has the path of each problem.
        """
        return run_at_once(self.decode_in_steps(body, returns, keys))

    def decode_in_steps(
        self, body: bytes, returns: type[T], keys: Mapping[str, str] | None = None
    ) -> Steps[T]:
        """Decode an answer like `decode`, in steps if it is a long list."""
        try:
            return (yield from self._decode(body, returns, keys))
        except DecodeError as error:
            failure = error
        repaired = yield from self._repair(body)
        if repaired is None:
            raise failure
        return (yield from self._decode(repaired.text, returns, keys))

    def _decode(
        self, body: bytes, returns: type[T], keys: Mapping[str, str] | None
    ) -> Steps[T]:
        if returns is NoneType:
            return cast("T", None)
        name = _describe_type(returns)
        if get_origin(returns) is list:
            (kind,) = get_args(returns)
            text: JSON = body if self.is_strict else find_only_list(body)
            return cast(
                "T", list((yield from self._records.read_many(kind, text, "$", name)))
            )
        if attrs.has(returns):
            # `keys` may also correct keys of the request; those are no fields.
            fields = {to_wire(field.name) for field in attrs.fields(returns)}
            corrected = {
                package_key: actual_key
                for package_key, actual_key in (keys or {}).items()
                if package_key in fields
            }
            if corrected:
                body = rename_keys(body, corrected)
            return cast("T", self._records.read_one(returns, body, name))
        value = read_or_raise(parse_json, body, name, "$")
        expected = get_origin(returns) or returns
        is_bool_as_int = isinstance(value, bool) and expected is int
        if not isinstance(value, expected) or is_bool_as_int:
            actual = describe_json_type(value)
            raise DecodeError.of(name, (f"expected {name}, got {actual} @ $",))
        return value

    def decode_page(
        self,
        body: bytes,
        kind: type[T],
        listing: Listing,
        number: int,
        keys: Mapping[str, str] | None = None,
    ) -> Page[T]:
        """Decode a page of a list: an envelope, or a bare array, which is one page.

        Args:
            body: JSON, decompressed.
            kind: the type of the records.
            listing: the keys of the envelope.
            number: the page that was requested.
            keys: the user's corrections of the envelope's keys.

        Raises:
            DecodeError: the body is neither of them, or an item cannot be read and
                the converter is strict. A lenient one leaves it out.
        """
        return run_at_once(self.decode_page_in_steps(body, kind, listing, number, keys))

    def decode_page_in_steps(
        self,
        body: bytes,
        kind: type[T],
        listing: Listing,
        number: int,
        keys: Mapping[str, str] | None = None,
    ) -> Steps[Page[T]]:
        """Decode a page like `decode_page`, in steps if it is large."""
        keys = keys or {}
        try:
            return (yield from self._decode_page(body, kind, listing, number, keys))
        except DecodeError as error:
            failure = error
        repaired = yield from self._repair(body)
        if repaired is None:
            raise failure
        page = yield from self._decode_page(repaired.text, kind, listing, number, keys)
        return attrs.evolve(page, losses=(*repaired.losses, *page.losses))

    def _repair(self, body: bytes) -> Steps[RepairedJson | None]:
        """Repair JSON that cannot be parsed; None if it can be, or stays damaged."""
        if self.is_strict or is_json(body):
            return None
        repaired = yield from repair_json(body)
        return repaired if is_json(repaired.text) else None

    def _decode_page(
        self,
        body: bytes,
        kind: type[T],
        listing: Listing,
        number: int,
        keys: Mapping[str, str],
    ) -> Steps[Page[T]]:
        name = f"page of {kind.__name__}"
        if body.lstrip()[:1] == b"[":
            findings = None if self.is_strict else Findings()
            items = yield from self._records.read_many(
                kind, body, "$", name, findings=findings
            )
            page = Page(items=items, number=number, current_page=number)
            return _add_findings(page, findings)
        return (yield from self._decode_envelope(body, kind, listing, number, keys))

    def encode(self, value: object, *, with_secrets: bool = True) -> bytes:
        """Encode a value as JSON on one line, as the API writes it.

        `with_secrets=False` leaves the keys of secrets out.
        """
        return self._encoder.encode(value, with_secrets=with_secrets)

    def encode_lines(
        self, records: Iterable[Any], owners: Mapping[str, str], *, with_secrets: bool
    ) -> bytes:
        """Encode records as JSON lines, each with the ids of its owners in front."""
        return self._encoder.encode_lines(records, owners, with_secrets=with_secrets)

    def _decode_envelope(
        self,
        body: bytes,
        kind: type[T],
        listing: Listing,
        number: int,
        keys: Mapping[str, str],
    ) -> Steps[Page[T]]:
        envelope = EnvelopeReader(listing, keys, is_strict=self.is_strict)
        result = yield from self._records.read_page(
            kind, body, envelope.items_key, envelope.facts
        )
        if result is not None:
            records, facts = result
            return envelope.build_page(records, number, facts)
        name = f"page of {kind.__name__}"
        read_or_raise(lambda _: envelope.split(body), body, name, "$")
        path = f"$.{envelope.items_key}"
        findings = None if self.is_strict else Findings()
        raw = read_or_raise(lambda _: envelope.take_items(), body, name, path)
        items = yield from self._records.read_many(
            kind,
            raw,
            path,
            name,
            is_odd=envelope.has_known_keys_only and len(body) <= PIECE_SIZE,
            findings=findings,
        )
        page = read_or_raise(
            lambda _: envelope.parse_page(items, number), body, name, "$"
        )
        if envelope.problems:
            raise DecodeError.of(name, tuple(envelope.problems))
        return _add_findings(page, findings)

    def _has_fast_path(self, kind: type[Any]) -> bool:
        """Whether structs decode a type: not if strict, or if a user hooked it."""
        return attrs.has(kind) and self._is_own(kind) and not self.is_strict

    def _build_reader(self) -> FieldByFieldReader:
        return FieldByFieldReader(
            self._find_hook, self._is_own, is_strict=self.is_strict
        )

    def _find_hook(self, kind: Any) -> Callable[[Any, Any], Any]:
        hook = self.cattrs.get_structure_hook(kind)
        if _is_open_enum(kind) and hook is self.cattrs.get_structure_hook(str):
            # cattrs dispatches on base classes first, and open enums are strings. An
            # enum without a hook of its own gets a table on first use.
            hook = TableHook(kind, is_exact=self.is_strict)
            self.cattrs.register_structure_hook(kind, hook)
        return hook

    def _is_own(self, model: type) -> bool:
        """Whether a model has this package's own hook, and not a user's."""
        return self.cattrs.get_structure_hook(model) is self._own_hooks.get(model)

    def _build_hook(self, model: type) -> Callable[[Any, Any], Any]:
        """Build the cattrs hook of a model, for parsed JSON."""

        def structure(value: Any, _: object = None) -> Any:
            reader = self._build_reader()
            with suppress(MisfitError):  # it is among the problems
                instance = reader.read_model(model, value, "$")
                if not reader.problems:
                    return instance
            raise MisfitError(reader.problems[0])

        self._own_hooks[model] = structure
        return structure


def find_converter(converter: object, *, is_strict: bool) -> Converter:
    """Find the converter of JSON that a user's `cattrs.Converter` is part of.

    Raises:
        ConfigurationError: `make_converter` did not make it, or made it with names of
            Python, or made it lenient although `is_strict` is set.
    """
    found = converter.json if isinstance(converter, CattrsConverter) else None
    if not isinstance(converter, CattrsConverter) or found is None:
        raise ConfigurationError(
            "converter must come from nectar_async.make_converter(); a copy of one, or"
            " another cattrs.Converter, does not know the models"
        )
    if converter.names != "wire":
        raise ConfigurationError(
            "converter must read the names of the API: make_converter('wire')"
        )
    if is_strict and not found.is_strict:
        raise ConfigurationError(
            "Settings(strict=True) needs a strict converter: make_converter("
            "strict=True)"
        )
    return found


@cache
def get_converter(*, is_strict: bool) -> Converter:
    """Return the shared lenient or strict converter; it is built on first use."""
    return Converter(is_strict=is_strict)


@cache
def _find_model_with_company(kind: Any) -> Any:
    """Find the model with a `company_id` that a class is or is derived from."""
    return next((base for base in kind.__mro__ if base in _COMPANY_SETTERS), None)


def set_company_ids(records: Iterable[Any], company_id: str | None) -> None:
    """Set the `company_id` of each record: the record itself tells it, or its list.

    Args:
        records: records of one kind that were just decoded; nobody else has them yet.
        company_id: the company of the list; None if the list does not tell it.
    """
    records = tuple(records)
    first: Any = type(records[0]) if records else object
    kind = _find_model_with_company(first)
    if kind is Connection:
        for connection in records:
            owner = (connection.company and connection.company.id) or company_id
            _COMPANY_SETTERS[Connection](connection, owner)
            for account in connection.accounts:
                _COMPANY_SETTERS[Account](account, owner)
    elif kind is Document:
        for document in records:
            _COMPANY_SETTERS[Document](document, document.company or company_id)
    elif kind is not None and company_id is not None:
        set_id = _COMPANY_SETTERS[kind]
        for record in records:
            set_id(record, company_id)


def _add_findings(page: Page[T], findings: Findings | None) -> Page[T]:
    if findings is None or not (findings.left_out or findings.losses):
        return page
    return attrs.evolve(
        page, problems=tuple(findings.left_out), losses=tuple(findings.losses)
    )


def mark_as_accepted(error: NectarError, status: int) -> None:
    """Add to the error of a write's answer that the server did accept the write."""
    if isinstance(error, DecodeError):
        error.message = f"the server accepted it (status {status}), but {error.message}"
        error.args = (error.message,)


def _is_open_enum(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, OpenEnum)


def _describe_type(kind: Any) -> str:
    if get_origin(kind) is list:
        return f"list of {get_args(kind)[0].__name__}"
    return str({dict: "object", str: "text"}.get(kind, kind.__name__))
