"""The routes of all operations, from the contract and the names of the handlers.

The operation `usage_list_by_site` is answered by `usage.list_by_site`, and
`companies_list` by `companies.list_all`, because `list` is Python's own name.
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

from nectar_async import contract
from nectar_async.sandbox.handlers import (
    accounts,
    companies,
    connections,
    documents,
    intervals,
    invitations,
    jobs,
    magic_links,
    meters,
    ping,
    providers,
    sites,
    team,
    usage,
    webhook_portal,
)
from nectar_async.sandbox.server.router import Route

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nectar_async.sandbox.server.api_call import Handler

__all__ = ["ROUTES", "find_handler"]

_NOUNS: Mapping[str, ModuleType] = {
    module.__name__.rpartition(".")[2]: module
    for module in (
        accounts,
        companies,
        connections,
        documents,
        intervals,
        invitations,
        jobs,
        magic_links,
        meters,
        ping,
        providers,
        sites,
        team,
        usage,
        webhook_portal,
    )
}


def find_handler(operation: str) -> Handler:
    """Find the handler of an operation by its id.

    Raises:
        LookupError: there is no such function; the message names the module to change.
    """
    for noun, module in _NOUNS.items():
        if operation.startswith(f"{noun}_"):
            name = operation.removeprefix(f"{noun}_")
            name = "list_all" if name == "list" else name
            if name in module.__all__:
                handler: Handler = getattr(module, name)
                return handler
            raise LookupError(
                f"{operation} has no handler: add `async def {name}` to "
                f"sandbox/handlers/{noun}.py and its name to `__all__` there"
            )
    raise LookupError(
        f"{operation} has no handler: add a module for its noun to sandbox/handlers, "
        f"and to `_NOUNS` in sandbox/handlers/routes.py"
    )


# Read at import, because reading a file blocks the event loop.
ROUTES: Mapping[str, Route] = {
    operation: Route(spec.method, spec.path, find_handler(operation))
    for operation, spec in contract.operations().items()
}
