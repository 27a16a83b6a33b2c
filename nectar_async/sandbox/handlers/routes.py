"""The routes of all operations."""

from __future__ import annotations

from typing import TYPE_CHECKING

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

__all__ = ["ROUTES"]

ROUTES: Mapping[str, Route] = {
    "ping_get": Route("GET", "/ping", ping.get),
    "companies_list": Route("GET", "/company", companies.list_all),
    "companies_create": Route("POST", "/company", companies.create),
    "companies_get": Route("GET", "/company/{company_id}", companies.get),
    "companies_update": Route("PATCH", "/company/{company_id}", companies.update),
    "companies_delete": Route("DELETE", "/company/{company_id}", companies.delete),
    "sites_list_by_company": Route(
        "GET", "/site/company/{company_id}", sites.list_by_company
    ),
    "sites_create": Route("POST", "/site/company/{company_id}", sites.create),
    "sites_get": Route("GET", "/site/{site_id}", sites.get),
    "sites_update": Route("PATCH", "/site/{site_id}", sites.update),
    "sites_delete": Route("DELETE", "/site/{site_id}", sites.delete),
    "accounts_update": Route("PATCH", "/account/{account_id}", accounts.update),
    "accounts_bulk_update": Route(
        "PATCH", "/account/company/{company_id}", accounts.bulk_update
    ),
    "connections_list_by_company": Route(
        "GET", "/connection/company/{company_id}", connections.list_by_company
    ),
    "connections_create": Route(
        "POST", "/connection/company/{company_id}", connections.create
    ),
    "connections_get": Route(
        "GET", "/connection/{connection_id}/details", connections.get
    ),
    "connections_update": Route(
        "PATCH", "/connection/{connection_id}/details", connections.update
    ),
    "connections_confirm": Route(
        "POST", "/connection/{connection_id}/confirm", connections.confirm
    ),
    "magic_links_create": Route(
        "GET", "/connection/company/{company_id}/link", magic_links.create
    ),
    "magic_links_create_prefilled": Route(
        "POST", "/connection/company/{company_id}/link", magic_links.create_prefilled
    ),
    "magic_links_create_edit": Route(
        "GET", "/connection/{connection_id}", magic_links.create_edit
    ),
    "documents_get": Route("GET", "/document/{document_id}", documents.get),
    "documents_update": Route("PATCH", "/document/{document_id}", documents.update),
    "documents_list_by_company": Route(
        "GET", "/document/company/{company_id}", documents.list_by_company
    ),
    "documents_list_by_connection": Route(
        "GET", "/document/connection/{connection_id}", documents.list_by_connection
    ),
    "documents_list_by_site": Route(
        "GET", "/document/site/{site_id}", documents.list_by_site
    ),
    "usage_list_by_company": Route(
        "GET", "/usage/company/{company_id}", usage.list_by_company
    ),
    "usage_list_by_document": Route(
        "GET", "/usage/document/{document_id}", usage.list_by_document
    ),
    "usage_list_by_meter": Route("GET", "/usage/meter/{meter_id}", usage.list_by_meter),
    "usage_list_by_site": Route("GET", "/usage/site/{site_id}", usage.list_by_site),
    "usage_list_by_connection": Route(
        "GET", "/usage/connection/{connection_id}", usage.list_by_connection
    ),
    "usage_get": Route("GET", "/usage/{usage_data_id}", usage.get),
    "usage_update": Route("PATCH", "/usage/{usage_data_id}", usage.update),
    "usage_delete": Route("DELETE", "/usage/{usage_data_id}", usage.delete),
    "meters_get": Route("GET", "/meter/{meter_id}", meters.get),
    "meters_update": Route("PATCH", "/meter/{meter_id}", meters.update),
    "meters_list_by_company": Route(
        "GET", "/meter/company/{company_id}", meters.list_by_company
    ),
    "meters_list_by_connection": Route(
        "GET", "/meter/connection/{connection_id}", meters.list_by_connection
    ),
    "meters_list_by_document": Route(
        "GET", "/meter/document/{document_id}", meters.list_by_document
    ),
    "meters_list_by_site": Route("GET", "/meter/site/{site_id}", meters.list_by_site),
    "invitations_create": Route(
        "POST", "/invitation/company/{company_id}", invitations.create
    ),
    "invitations_list_by_company": Route(
        "GET", "/invitation/company/{company_id}", invitations.list_by_company
    ),
    "invitations_create_reconnect": Route(
        "POST", "/invitation/connection/{connection_id}", invitations.create_reconnect
    ),
    "invitations_get": Route("GET", "/invitation/{invitation_id}", invitations.get),
    "invitations_revoke": Route(
        "POST", "/invitation/{invitation_id}/revoke", invitations.revoke
    ),
    "intervals_list_by_connection": Route(
        "GET", "/interval/connection/{connection_id}", intervals.list_by_connection
    ),
    "jobs_get": Route("GET", "/job/{job_id}", jobs.get),
    "jobs_submit_document": Route(
        "POST", "/job/company/{company_id}", jobs.submit_document
    ),
    "jobs_submit_bulk": Route(
        "POST", "/job/company/{company_id}/bulk", jobs.submit_bulk
    ),
    "providers_search": Route("GET", "/datasource", providers.search),
    "team_get": Route("GET", "/team", team.get),
    "team_update": Route("PATCH", "/team", team.update),
    "webhook_portal_get": Route("GET", "/webhook", webhook_portal.get),
}
