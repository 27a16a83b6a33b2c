"""The ids of all operations, as constants: loading the contract takes time."""

from __future__ import annotations

from importlib import import_module

__all__ = ["DOWNLOAD", "OPERATIONS", "find_close_operation"]

DOWNLOAD = "documents_download"
"""The id for the download of a file in recordings, transports and errors; the contract
has no such operation."""

# An unknown name with at least this similarity counts as a typing error.
_MIN_SIMILARITY = 0.85

OPERATIONS = (
    "accounts_bulk_update",
    "accounts_update",
    "companies_create",
    "companies_delete",
    "companies_get",
    "companies_list",
    "companies_update",
    "connections_confirm",
    "connections_create",
    "connections_get",
    "connections_list_by_company",
    "connections_update",
    "documents_get",
    "documents_list_by_company",
    "documents_list_by_connection",
    "documents_list_by_site",
    "documents_update",
    "intervals_list_by_connection",
    "invitations_create",
    "invitations_create_reconnect",
    "invitations_get",
    "invitations_list_by_company",
    "invitations_revoke",
    "jobs_get",
    "jobs_submit_bulk",
    "jobs_submit_document",
    "magic_links_create",
    "magic_links_create_edit",
    "magic_links_create_prefilled",
    "meters_get",
    "meters_list_by_company",
    "meters_list_by_connection",
    "meters_list_by_document",
    "meters_list_by_site",
    "meters_update",
    "ping_get",
    "providers_search",
    "sites_create",
    "sites_delete",
    "sites_get",
    "sites_list_by_company",
    "sites_update",
    "team_get",
    "team_update",
    "usage_delete",
    "usage_get",
    "usage_list_by_company",
    "usage_list_by_connection",
    "usage_list_by_document",
    "usage_list_by_meter",
    "usage_list_by_site",
    "usage_update",
    "webhook_portal_get",
)


def find_close_operation(name: str) -> str | None:
    """Return the operation whose id is close to an unknown name; None if none is."""
    if name in OPERATIONS:
        return None
    # Imported late, because only wrong names need it.
    get_close_matches = import_module("difflib").get_close_matches
    matches = get_close_matches(name, OPERATIONS, n=1, cutoff=_MIN_SIMILARITY)
    return next(iter(matches), None)
