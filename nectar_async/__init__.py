"""The async SDK for Nectar's utility-data API.

A call goes through these packages: `resources` describe the request (`Request`),
`_http` adds deadline, retry, limiter, timeout, status check and key, a transport sends
it once (`Response`), `_json` makes models of it, and `_paging` turns pages into
records.

The public names are listed in `__init__.pyi`. Each loads its module on first use.
"""

from __future__ import annotations

from nectar_async._lazy import attach_stub
from nectar_async._version import __version__ as __version__

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
