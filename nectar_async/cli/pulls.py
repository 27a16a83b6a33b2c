"""The commands of `nectar pull`: one for each view of the Data Repository."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final

import typer

from nectar_async.cli import options
from nectar_async.cli.conduct import conduct
from nectar_async.cli.outcome import FOOT, guarded
from nectar_async.cli.pull import Pull, Query, Watch
from nectar_async.cli.sink import LineFile
from nectar_async.cli.views import VIEWS
from nectar_async.client import NectarClient
from nectar_async.settings import Settings

__all__ = ["pull_app"]

_EPILOG: Final = (
    "A line is a record as the API writes it, with its companyId in front. Companies"
    " that fail are listed at the end, and the rest is pulled. What is in the file is"
    " whole lines, however the pull ends; the file is replaced when the first page"
    f" comes.\n\n{FOOT}"
)

pull_app: typer.Typer = typer.Typer(epilog=_EPILOG, rich_markup_mode="markdown")


@pull_app.callback(invoke_without_command=True)
def pull(context: typer.Context) -> None:
    """Pull a list of all companies into a file of JSON lines."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@pull_app.command(epilog=_EPILOG)
def connections(
    *,
    out: options.Out,
    owner: options.Owner = None,
    site: options.SiteIds = None,
    status: options.Status = None,
    company: options.CompanyIds = None,
    include_secrets: options.IncludeSecrets = False,
    concurrency: options.Concurrency = 10,
    as_json: options.AsJson = False,
) -> int:
    """Pull connections with their accounts.

    Example: nectar pull connections --out connections.jsonl --status password_incorrect
    """
    filters = {"connection_owner_email": owner, "sites": site, "status": status}
    query = _query("connections", filters, company, with_secrets=include_secrets)
    return _pull(query, out, concurrency, as_json=as_json)


@pull_app.command(epilog=_EPILOG)
def accounts(
    *,
    out: options.Out,
    owner: options.Owner = None,
    site: options.SiteIds = None,
    status: options.Status = None,
    company: options.CompanyIds = None,
    include_secrets: options.IncludeSecrets = False,
    concurrency: options.Concurrency = 10,
    as_json: options.AsJson = False,
) -> int:
    """Pull accounts, which the API gives with their connections alone.

    So the filters are those of the connections, and the receipts count connections.

    Example: nectar pull accounts --out accounts.jsonl
    """
    filters = {"connection_owner_email": owner, "sites": site, "status": status}
    query = _query("accounts", filters, company, with_secrets=include_secrets)
    return _pull(query, out, concurrency, as_json=as_json)


@pull_app.command(epilog=_EPILOG)
def meters(
    *,
    out: options.Out,
    datasource_type: options.DatasourceTypes = None,
    identifier: options.Identifier = None,
    company: options.CompanyIds = None,
    include_secrets: options.IncludeSecrets = False,
    concurrency: options.Concurrency = 10,
    as_json: options.AsJson = False,
) -> int:
    """Pull meters.

    Example: nectar pull meters --out meters.jsonl --datasource-type electricity
    """
    filters = {"datasource_type": datasource_type, "identifier": identifier}
    query = _query("meters", filters, company, with_secrets=include_secrets)
    return _pull(query, out, concurrency, as_json=as_json)


@pull_app.command(epilog=_EPILOG)
def documents(
    *,
    out: options.Out,
    start: options.Start = None,
    end: options.End = None,
    date_type: options.DateTypeOption = None,
    datasource_type: options.DatasourceTypes = None,
    identifier: options.Identifier = None,
    deleted: options.Deleted = False,
    company: options.CompanyIds = None,
    include_secrets: options.IncludeSecrets = False,
    concurrency: options.Concurrency = 10,
    as_json: options.AsJson = False,
) -> int:
    """Pull bills with usage, line items and demand; `nectar download` gets their files.

    Example: nectar pull documents --out documents.jsonl --start 2025-01-01
    """
    filters = {
        **_window(start, end),
        "date_type": date_type,
        "datasource_type": datasource_type,
        "identifier": identifier,
        "is_deleted": deleted,  # False would be a filter, too: it is dropped
    }
    query = _query("documents", filters, company, with_secrets=include_secrets)
    return _pull(query, out, concurrency, as_json=as_json)


@pull_app.command(epilog=_EPILOG)
def usage(
    *,
    out: options.Out,
    start: options.Start = None,
    end: options.End = None,
    date_type: options.DateTypeOption = None,
    datasource_type: options.DatasourceTypes = None,
    identifier: options.Identifier = None,
    company: options.CompanyIds = None,
    include_secrets: options.IncludeSecrets = False,
    concurrency: options.Concurrency = 10,
    as_json: options.AsJson = False,
) -> int:
    """Pull usage; amounts are in the record's own usageUnits.

    Example: nectar pull usage --out usage.jsonl --start 2025-01-01 --end 2025-12-31
    """
    filters = {
        **_window(start, end),
        "date_type": date_type,
        "datasource_type": datasource_type,
        "identifier": identifier,
    }
    query = _query("usage", filters, company, with_secrets=include_secrets)
    return _pull(query, out, concurrency, as_json=as_json)


def _window(start: date | None, end: date | None) -> dict[str, object]:
    if start is not None and end is not None and start > end:
        raise typer.BadParameter(f"--start {start} is after --end {end}")
    return {"start_date": start, "end_date": end}


def _query(
    view: str,
    filters: Mapping[str, object],
    companies: Sequence[str] | None,
    *,
    with_secrets: bool,
) -> Query:
    # An option that was not given is None, or an empty list where it may be repeated.
    given = {name: value for name, value in filters.items() if value}
    return Query(
        view=VIEWS[view],
        companies=companies or (),
        filters=given,
        with_secrets=with_secrets,
    )


def _pull(query: Query, out: Path, concurrency: int, *, as_json: bool) -> int:
    job = Pull(query, LineFile(out))

    async def work(on_first: Watch | None) -> None:
        settings = Settings.from_env(max_concurrency=concurrency)
        async with NectarClient(settings=settings) as client:
            await job.run(client, on_first)

    return guarded(partial(conduct, job, work, as_json=as_json))
