"""Convert everything that could show a secret to texts, and search them.

A `Trail` keeps the log records of every logger, the spans and the warnings of a call.
`list_shown_texts` lists the texts that an error, a result or a client shows when it is
printed, pickled, or part of a traceback with local variables. Frames of the tests are
left out, because they contain the values.
"""

from __future__ import annotations

import io
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
from rich.console import Console
from tracing import install_span_exporter

from nectar_async import NectarClient, NectarError, Pager, Records, Secret
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
        self._warnings: list[warnings.WarningMessage] = []
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
        self._warnings = caught
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
        """List the texts of everything that was collected."""
        for record in self.records:
            where = f"log {record.name}"
            yield where, f"{record.getMessage()} {record.__dict__!r}"
            if record.exc_info and record.exc_info[1] is not None:
                yield from _list_error_texts(record.exc_info[1], where)
        for span in install_span_exporter().get_finished_spans():
            events = [
                (event.name, dict(event.attributes or {})) for event in span.events
            ]
            parts = (span.name, dict(span.attributes or {}), events, span.status)
            yield f"span {span.name}", f"{parts} {span.status.description}"
        for warning in self._warnings:
            yield "warning", f"{warning.message!r} {warning.message}"


def find_leaks(texts: Iterable[Shown]) -> list[str]:
    """List the leaks with their places and the text around them."""
    leaks: dict[str, None] = {}
    for where, text in texts:
        if match := MARKS.search(text):
            start = max(0, match.start() - _AROUND)
            leaks[f"{where}: ...{text[start : match.end() + _AROUND]}..."] = None
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
        for item in thing:
            yield from list_shown_texts(item)
    else:
        yield from _list_value_texts(thing)


def _list_value_texts(thing: Any) -> Iterator[Shown]:
    name = type(thing).__name__
    yield f"repr of a {name}", repr(thing)
    yield f"str of a {name}", f"{thing} {thing!s:>5}"
    if isinstance(thing, Records):
        yield "html", thing._repr_html_()
        console = Console(file=io.StringIO(), width=2000, record=True)
        console.print(thing)
        yield "terminal", console.export_text()
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
                continue  # only shown to code that reads the attribute
            yield f"{name}.{field.name}", repr(part)
            if field.name == "extra" or isinstance(part, list | tuple):
                yield from list_shown_texts(part)
            elif attrs.has(type(part)):
                yield from _list_value_texts(part)


def _list_error_texts(error: BaseException, name: str) -> Iterator[Shown]:
    """List the texts of an error and its causes, printed and pickled."""
    tasks: list[tuple[str, BaseException]] = [(name, error)]
    seen: set[int] = set()
    while tasks:
        where, current = tasks.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield f"{where} repr", repr(current)
        yield f"{where} str", str(current)
        yield f"{where} args", repr(current.args)
        yield f"{where} vars", repr(vars(current))
        yield f"{where} words", "".join(traceback.format_exception_only(current))
        if isinstance(current, NectarError):
            yield f"{where} pickle", repr(pickle.dumps(current))
            yield f"{where} pickle", repr(pickle.dumps(current, 0))
        for part in vars(current).values():
            if attrs.has(type(part)):
                yield from _list_value_texts(part)
        yield from _list_frame_texts(current, where)
        linked = {"cause": current.__cause__, "context": current.__context__}
        tasks += [(f"{where} {k}", v) for k, v in linked.items() if v is not None]
        if isinstance(current, BaseExceptionGroup):
            tasks += [(f"{where} part", part) for part in current.exceptions]


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
        for item in thing:
            yield from _iterate_secret_texts(item)
    elif attrs.has(type(thing)) or isinstance(thing, Page):
        for field in attrs.fields(type(thing)):
            yield from _iterate_secret_texts(getattr(thing, field.name))


def _iterate_texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _iterate_texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _iterate_texts(inner)
