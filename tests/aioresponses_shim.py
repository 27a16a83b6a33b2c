"""`aioresponses` for the aiohttp that is installed.

aiohttp 3.14 made `stream_writer` a required argument of `ClientResponse`, which
aioresponses 0.7.9 does not give (https://github.com/pnuckowski/aioresponses). Answers
are made of a class that fills it in where the signature has it, so that one import
works from aiohttp 3.12 to 3.14. To be deleted with the release that knows of it.
"""

from __future__ import annotations

import inspect
from typing import Any

from aiohttp import ClientResponse
from aioresponses import aioresponses as _aioresponses

__all__ = ["aioresponses"]

_NEEDS_WRITER = "stream_writer" in inspect.signature(ClientResponse.__init__).parameters


class _Writer:
    """What an answer asks of the writer of its request."""

    output_size = 0


class _Answer(ClientResponse):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if _NEEDS_WRITER:
            kwargs.setdefault("stream_writer", _Writer())
        super().__init__(*args, **kwargs)


class aioresponses(_aioresponses):  # noqa: N801 - the name that users know
    """As the original, with answers that the installed aiohttp can make."""

    def add(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("response_class", _Answer)
        super().add(*args, **kwargs)
