"""The work of the commands about recordings."""

from __future__ import annotations

from nectar_async.cli.tapes.interchange import export_har, import_traffic
from nectar_async.cli.tapes.look import check_all, diff, show
from nectar_async.cli.tapes.mend import redact
from nectar_async.cli.tapes.shelf import Shelf

__all__ = [
    "Shelf",
    "check_all",
    "diff",
    "export_har",
    "import_traffic",
    "redact",
    "show",
]
