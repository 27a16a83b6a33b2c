"""Count the pages of a PDF with pypdf (the extra `pdf`), in a thread."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import BinaryIO, Final

import anyio

from nectar_async._http.cancellation import run_in_abandoned_thread

__all__ = ["count_pages"]

# A hostile PDF can make page counting endless; a normal bill takes milliseconds.
_MAX_SECONDS: Final = 10.0


async def count_pages(open_file: Callable[[], BinaryIO] | None) -> int | None:
    """Count the pages of a PDF.

    Returns None if pypdf is not installed, if the file is damaged, encrypted or takes
    too long, or if there is no `open_file`.

    Args:
        open_file: opens a file object of the thread's own, which the thread closes: it
            may run on after a timeout.
    """
    if open_file is None:
        return None
    with anyio.move_on_after(_MAX_SECONDS):
        return await run_in_abandoned_thread(_count_pages, open_file)
    return None


def _count_pages(open_file: Callable[[], BinaryIO]) -> int | None:
    # A damaged file may raise anything in the parser; the API decides about it.
    with suppress(Exception):
        pypdf = import_module("pypdf")
        with _mute_loggers("pypdf"), open_file() as file:
            reader = pypdf.PdfReader(file)
            return None if reader.is_encrypted else len(reader.pages)
    return None


@contextmanager
def _mute_loggers(package: str) -> Iterator[None]:
    """Drop what the loggers of a package get from this thread.

    Without handlers, Python would print its warnings to standard error.
    """
    thread = threading.get_ident()

    def is_from_elsewhere(record: logging.LogRecord) -> bool:
        return record.thread != thread

    names = [
        name for name in tuple(sys.modules) if f"{name}.".startswith(f"{package}.")
    ]
    loggers = [logging.getLogger(name) for name in names]
    for logger in loggers:
        logger.addFilter(is_from_elsewhere)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(is_from_elsewhere)
