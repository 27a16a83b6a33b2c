"""The commands of `nectar pull`: one for each view of the Data Repository."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

import typer

from nectar_async.cli import client_options, options
from nectar_async.cli.client import announce, kept, open_client
from nectar_async.cli.conduct import conduct
from nectar_async.cli.help import SHORT_FOOT, Command, Group, no_command
from nectar_async.cli.json_lines import STDOUT, LineFile
from nectar_async.cli.pull_run import Pull, Query, Watch
from nectar_async.cli.views import VIEWS
from nectar_async.models.enums import DateType

__all__ = ["pull_app"]

_EPILOG: Final = (
    "A line is a record as the API writes it, with its companyId in front. Companies"
    " that fail are listed at the end, and the rest is pulled. What is in the file is"
    " whole lines, however the pull ends; the file is replaced when the first page"
    f" comes.\n\n{SHORT_FOOT}"
)
_USUAL: Final = 10
_INSTANTS: Final = frozenset({DateType.CREATED_DATE, DateType.UPDATED_DATE})

pull_app: typer.Typer = typer.Typer(cls=Group, rich_markup_mode="markdown")


@pull_app.callback(invoke_without_command=True)
def pull(context: typer.Context) -> None:
    """Pull a list of all companies into a file of JSON lines."""
    no_command(context)


@pull_app.command(cls=Command, epilog=_EPILOG)
def companies(
    *,
    out: options.Out,
    company: options.CompanyIds = None,
    attempts: client_options.Attempts = None,
    attempt_timeout: client_options.AttemptTimeout = None,
    deadline: client_options.Deadline = None,
    as_json: options.AsJson = False,
) -> int:
    """Pull companies with their sites.

    Example: nectar pull companies --out companies.jsonl
    """
    query = _query("companies", {}, company, with_secrets=False)
    return _pull(query, out, locals(), as_json=as_json)


@pull_app.command(cls=Command, epilog=_EPILOG)
def sites(
    *,
    out: options.Out,
    company: options.CompanyIds = None,
    attempts: client_options.Attempts = None,
    attempt_timeout: client_options.AttemptTimeout = None,
    deadline: client_options.Deadline = None,
    as_json: options.AsJson = False,
) -> int:
    """Pull sites, which come with their companies.

    Example: nectar pull sites --out sites.jsonl
    """
    query = _query("sites", {}, company, with_secrets=False)
    return _pull(query, out, locals(), as_json=as_json)


@pull_app.command(cls=Command, epilog=_EPILOG)
def connections(
    *,
    out: options.Out,
    owner: options.Owner = None,
    site: options.SiteIds = None,
    status: options.Status = None,
    company: options.CompanyIds = None,
    include_secrets: options.IncludeSecrets = False,
    verify: client_options.Verify = False,
    concurrency: client_options.Concurrency = _USUAL,
    attempts: client_options.Attempts = None,
    attempt_timeout: client_options.AttemptTimeout = None,
    deadline: client_options.Deadline = None,
    as_json: options.AsJson = False,
) -> int:
    """Pull connections with their accounts.

    Example: nectar pull connections --out connections.jsonl --status CONNECTED
    """
    filters = {
        "connection_owner_email": owner,
        "sites": site,
        "status": status,
        "verify": verify,
    }
    query = _query("connections", filters, company, with_secrets=include_secrets)
    return _pull(query, out, locals(), as_json=as_json)


@pull_app.command(cls=Command, epilog=_EPILOG)
def accounts(
    *,
    out: options.Out,
    owner: options.Owner = None,
    site: options.SiteIds = None,
    status: options.Status = None,
    company: options.CompanyIds = None,
    include_secrets: options.IncludeSecrets = False,
    verify: client_options.Verify = False,
    concurrency: client_options.Concurrency = _USUAL,
    attempts: client_options.Attempts = None,
    attempt_timeout: client_options.AttemptTimeout = None,
    deadline: client_options.Deadline = None,
    as_json: options.AsJson = False,
) -> int:
    """Pull accounts, which the API gives with their connections alone.

    So the filters are those of the connections, and the receipts count connections. A
    line has the connectionId in front, too.

    Example: nectar pull accounts --out accounts.jsonl
    """
    filters = {
        "connection_owner_email": owner,
        "sites": site,
        "status": status,
        "verify": verify,
    }
    query = _query("accounts", filters, company, with_secrets=include_secrets)
    return _pull(query, out, locals(), as_json=as_json)


@pull_app.command(cls=Command, epilog=_EPILOG)
def meters(
    *,
    out: options.Out,
    datasource_type: options.DatasourceTypes = None,
    identifier: options.Identifier = None,
    company: options.CompanyIds = None,
    include_secrets: options.IncludeSecrets = False,
    verify: client_options.Verify = False,
    concurrency: client_options.Concurrency = _USUAL,
    attempts: client_options.Attempts = None,
    attempt_timeout: client_options.AttemptTimeout = None,
    deadline: client_options.Deadline = None,
    as_json: options.AsJson = False,
) -> int:
    """Pull meters.

    Example: nectar pull meters --out meters.jsonl --datasource-type WATER
    """
    filters = {
        "datasource_type": datasource_type,
        "identifier": identifier,
        "verify": verify,
    }
    query = _query("meters", filters, company, with_secrets=include_secrets)
    return _pull(query, out, locals(), as_json=as_json)


@pull_app.command(cls=Command, epilog=_EPILOG)
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
    verify: client_options.Verify = False,
    concurrency: client_options.Concurrency = _USUAL,
    attempts: client_options.Attempts = None,
    attempt_timeout: client_options.AttemptTimeout = None,
    deadline: client_options.Deadline = None,
    as_json: options.AsJson = False,
) -> int:
    """Pull bills with usage, line items and demand.

    `nectar download` gets their files.

    Example: nectar pull documents --out documents.jsonl --start 2025-01-01
    """
    filters = {
        **_window(start, end),
        "date_type": date_type,
        "datasource_type": datasource_type,
        "identifier": identifier,
        "is_deleted": deleted,  # False would be a filter, too: it is dropped
        "verify": verify,
    }
    query = _query("documents", filters, company, with_secrets=include_secrets)
    return _pull(query, out, locals(), as_json=as_json)


@pull_app.command(cls=Command, epilog=_EPILOG)
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
    verify: client_options.Verify = False,
    concurrency: client_options.Concurrency = _USUAL,
    attempts: client_options.Attempts = None,
    attempt_timeout: client_options.AttemptTimeout = None,
    deadline: client_options.Deadline = None,
    as_json: options.AsJson = False,
) -> int:
    """Pull usage; amounts are in the record's own usageUnits.

    Example: nectar pull usage --out usage.jsonl --start 2025-01-01
    """
    filters = {
        **_window(start, end),
        "date_type": date_type,
        "datasource_type": datasource_type,
        "identifier": identifier,
        "verify": verify,
    }
    query = _query("usage", filters, company, with_secrets=include_secrets)
    return _pull(query, out, locals(), as_json=as_json)


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
    # An option that was not given is None, or an empty list where it may be repeated;
    # empty text does not get this far.
    given = {name: value for name, value in filters.items() if value}
    return Query(
        view=VIEWS[view],
        companies=companies or (),
        filters=given,
        with_secrets=with_secrets,
    )


def _pull(query: Query, out: Path, given: Mapping[str, Any], *, as_json: bool) -> int:
    settings = client_options.settings_of(given)
    job = Pull(query, LineFile(out, is_private=query.with_secrets))
    if not as_json:
        _warn_of_the_end(query.filters)

    async def work(on_first: Watch | None) -> None:
        async with open_client(lambda: not job.failures, **settings) as client:
            await job.run(client, on_first)

    code = conduct(job, work, announce(as_json=as_json), as_json=as_json)
    return kept(code, is_silent=as_json and out == STDOUT)


def _warn_of_the_end(filters: Mapping[str, object]) -> None:
    """Say what the API makes of the last day, where most expect something else."""
    kind, end = filters.get("date_type"), filters.get("end_date")
    if kind in _INSTANTS and isinstance(end, date):
        typer.echo(
            f"hint: with {kind} the API reads --end {end} as 00:00 UTC of that day;"
            " for all of it give the day after",
            err=True,
        )
