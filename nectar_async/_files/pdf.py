"""How many pages a PDF has, if that can be known without fuss."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import BinaryIO

import anyio
import anyio.to_thread

__all__ = ["count_pages"]

# A page tree can be made to take for ever; a bill's takes milliseconds.
_SECONDS = 10.0


async def count_pages(opener: Callable[[], BinaryIO] | None) -> int | None:
    """The pages of a PDF, counted in a thread by pypdf (the extra `pdf`).

    None for what cannot be counted: pypdf is not there, the file is damaged, encrypted
    or takes too long, or there is nothing to open.

    Args:
        opener: makes a file of its own, which is closed in the thread: the thread may
            be left behind.
    """
    if opener is None:
        return None
    with anyio.move_on_after(_SECONDS):
        return await anyio.to_thread.run_sync(_count, opener, abandon_on_cancel=True)
    return None


def _count(opener: Callable[[], BinaryIO]) -> int | None:
    # Whatever a damaged file does to the parser, the API has the last word on it.
    with suppress(Exception):
        pypdf = import_module("pypdf")
        with opener() as file:
            reader = pypdf.PdfReader(file)
            return None if reader.is_encrypted else len(reader.pages)
    return None
