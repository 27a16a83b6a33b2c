"""Convert everything that could show a secret to texts, and search them.

A `Trail` keeps what is written while a call is under way (log records of every logger,
spans, warnings); `shown` tells everything that an error, a result or a client shows to
whoever prints it, pickles it, or has a traceback written with the locals of its frames.
Frames of the tests themselves are left out: they know the values.
"""

from __future__ import annotations

import logging
import pickle
import traceback
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import attrs
from canaries.canaries import MARKS
from tracing import install_span_exporter

from nectar_async import NectarClient, NectarError, Pager, Secret
from nectar_async._paging.fanout import FanOut
from nectar_async._paging.prefetch import Prefetch
from nectar_async.models.page import Page

__all__ = ["Shown", "Trail", "find_leaks", "list_secret_texts", "list_shown_texts"]

Shown = tuple[str, str]
"""A place, and the text there."""

_TESTS = str(Path(__file__).parents[2])
_AROUND = 30


class _RecordHandler(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


class Trail:
    """Collects logs, spans and warnings inside its `with` block."""

    def __init__(self) -> None:
        self._handler = _RecordHandler()
        self._warned: list[warnings.WarningMessage] = []
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        root = logging.getLogger()
        level = root.level
        root.addHandler(self._handler)
        root.setLevel(logging.DEBUG)
        self._stack.callback(root.setLevel, level)
        self._stack.callback(root.removeHandler, self._handler)
        install_span_exporter().clear()
        caught = self._stack.enter_context(warnings.catch_warnings(record=True))
        assert caught is not None
        self._warned = caught
        warnings.simplefilter("always")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    @property
    def records(self) -> list[logging.LogRecord]:
        """The log records."""
        return self._handler.records

    def texts(self) -> Iterator[Shown]:
        """Everything that was collected."""
        for record in self.records:
            where = f"log {record.name}"
            yield where, f"{record.getMessage()} {record.__dict__!r}"
            if record.exc_info and record.exc_info[1] is not None:
                yield from _list_error_texts(record.exc_info[1], where)
        for span in install_span_exporter().get_finished_spans():
            events = [(one.name, dict(one.attributes or {})) for one in span.events]
            parts = (span.name, dict(span.attributes or {}), events, span.status)
            yield f"span {span.name}", f"{parts} {span.status.description}"
        for warned in self._warned:
            yield "warning", f"{warned.message!r} {warned.message}"


def find_leaks(texts: Iterable[Shown]) -> list[str]:
    """List the leaks with their places and the text around them."""
    leaks: dict[str, None] = {}
    for where, text in texts:
        if hit := MARKS.search(text):
            start = max(0, hit.start() - _AROUND)
            leaks[f"{where}: ...{text[start : hit.end() + _AROUND]}..."] = None
    return list(leaks)


def list_shown_texts(thing: object) -> Iterator[Shown]:
    """List all texts that a value and its parts show."""
    if isinstance(thing, BaseException):
        yield from _list_error_texts(thing, type(thing).__name__)
    elif isinstance(thing, NectarClient):
        yield "client", repr(thing)
        yield "settings", repr(thing.settings)
        yield (
            "statistics",
            f"{thing.statistics()!r} {pickle.dumps(thing.statistics())!r}",
        )
        for name, part in vars(thing).items():
            yield f"client.{name}", repr(part)
    elif isinstance(thing, list | tuple | set):
        yield type(thing).__name__, repr(thing)
        for one in thing:
            yield from list_shown_texts(one)
    else:
        yield from _list_value_texts(thing)


def _list_value_texts(thing: Any) -> Iterator[Shown]:
    name = type(thing).__name__
    yield f"repr of a {name}", repr(thing)
    yield f"str of a {name}", f"{thing} {thing!s:>5}"
    if isinstance(thing, Pager | Prefetch | FanOut):
        receipt = thing.receipt
        yield "receipt", f"{receipt!r} {pickle.dumps(receipt)!r}"
    if isinstance(thing, FanOut):
        yield "progress", f"{thing.progress!r} {thing.receipts!r}"
        for failure in thing.failures:
            yield "failure", f"{failure!r} {pickle.dumps(failure)!r}"
            yield from list_shown_texts(failure.error)
    if attrs.has(type(thing)):
        for field in attrs.fields(type(thing)):
            part = getattr(thing, field.name)
            if field.repr is False:
                continue  # nobody sees it who does not ask for it by its name
            yield f"{name}.{field.name}", repr(part)
            if field.name == "extra" or isinstance(part, list | tuple):
                yield from list_shown_texts(part)
            elif attrs.has(type(part)):
                yield from _list_value_texts(part)


def _list_error_texts(error: BaseException, name: str) -> Iterator[Shown]:
    """List the texts of an error and its causes, printed and pickled."""
    todo: list[tuple[str, BaseException]] = [(name, error)]
    seen: set[int] = set()
    while todo:
        where, one = todo.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield f"{where} repr", repr(one)
        yield f"{where} str", str(one)
        yield f"{where} args", repr(one.args)
        yield f"{where} vars", repr(vars(one))
        yield f"{where} words", "".join(traceback.format_exception_only(one))
        if isinstance(one, NectarError):
            yield f"{where} pickle", repr(pickle.dumps(one))
            yield f"{where} pickle", repr(pickle.dumps(one, 0))
        for part in vars(one).values():
            if attrs.has(type(part)):
                yield from _list_value_texts(part)
        yield from _list_frame_texts(one, where)
        others = {"cause": one.__cause__, "context": one.__context__}
        todo += [(f"{where} {k}", v) for k, v in others.items() if v is not None]
        if isinstance(one, BaseExceptionGroup):
            todo += [(f"{where} part", part) for part in one.exceptions]


def _list_frame_texts(error: BaseException, where: str) -> Iterator[Shown]:
    """List the local variables of frames, as a traceback with locals shows them."""
    for frame, line in traceback.walk_tb(error.__traceback__):
        code = frame.f_code
        if code.co_filename.startswith(_TESTS):
            continue
        place = f"{Path(code.co_filename).name}:{line} {code.co_name}"
        for name, value in frame.f_locals.items():
            yield f"{where} frame {place} local {name}", repr(value)


def list_secret_texts(thing: object) -> set[str]:
    """List the texts that the `Secret`s in a result reveal."""
    return set(_iterate_secret_texts(thing))


def _iterate_secret_texts(thing: Any) -> Iterator[str]:
    if isinstance(thing, Secret):
        yield from _iterate_texts(thing.reveal())
    elif isinstance(thing, list | tuple):
        for one in thing:
            yield from _iterate_secret_texts(one)
    elif attrs.has(type(thing)) or isinstance(thing, Page):
        for field in attrs.fields(type(thing)):
            yield from _iterate_secret_texts(getattr(thing, field.name))


def _iterate_texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _iterate_texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _iterate_texts(one)
