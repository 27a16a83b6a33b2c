"""The work of the commands about recordings; loaded by name, when one of them runs.

So that `nectar ping` does not pay for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nectar_async._lazy import lazy

if TYPE_CHECKING:
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

_HOMES: Final = {
    "Shelf": "shelf",
    "check_all": "look",
    "diff": "look",
    "export_har": "interchange",
    "import_traffic": "interchange",
    "redact": "mend",
    "show": "look",
}

if not TYPE_CHECKING:  # a checker that saw these would accept every name
    __getattr__, __dir__ = lazy(__name__, _HOMES)
