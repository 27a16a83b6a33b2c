"""`nectar pull`: write a list of all companies to a file.

There is one command for each entry of `VIEWS`, built from that entry.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final

import typer
from attrs import evolve

from nectar_async.cli import options
from nectar_async.cli.client import (
    announce_recording,
    open_client,
    report_unwritten_recording,
    run_async,
)
from nectar_async.cli.help import (
    API_EPILOG,
    HelpCommand,
    HelpGroup,
    show_help_without_subcommand,
)
from nectar_async.cli.output import (
    ErrorOutput,
    UnfinishedError,
    allow_lost_report,
    print_error,
    read_notes,
    run_guarded,
)
from nectar_async.cli.output_file import STDOUT, OutputFile
from nectar_async.cli.progress import show_pull
from nectar_async.cli.pull_report import PullReport, TimeBound
from nectar_async.cli.pull_run import FirstRecord, PullQuery, PullRun
from nectar_async.cli.record_writers import FORMATS, find_format
from nectar_async.cli.terminal import build_console, echo
from nectar_async.cli.views import VIEWS, View
from nectar_async.errors import NectarError
from nectar_async.models.enums import DatasourceType, DateType
from nectar_async.models.statuses import ConnectionStatus
from nectar_async.settings import RetryPolicy

__all__ = ["build_settings", "pull_app", "run_pull"]

_NO_FACTS: Final[Mapping[str, Any]] = MappingProxyType({})
_INSTANT_TYPES: Final = frozenset({DateType.CREATED_DATE, DateType.UPDATED_DATE})
_BILL_DATE: Final = "The default date type BILL_DATE leaves out records without a bill."
_EPILOG: Final = (
    "The ending of FILE, or --format, chooses JSON lines (.jsonl, .jsonl.gz), CSV or"
    " Parquet. A JSON line is one record as the API writes it, with its companyId in"
    " front. A company that fails is reported at the end, and the other companies are"
    " pulled. The records are written to FILE.partial, which replaces FILE when all"
    f" companies are pulled; otherwise FILE stays as it was.\n\n{API_EPILOG}"
)

Out = Annotated[
    Path,
    typer.Option(
        "--out",
        "-o",
        metavar="FILE",
        parser=options.parse_path,
        help="File to write; - is stdout.",
    ),
]
Folder = Annotated[
    Path,
    typer.Option(
        "--out",
        "-o",
        metavar="FOLDER",
        parser=options.parse_path,
        help="Folder to write to; it is made if there is none.",
    ),
]
FormatName = Annotated[
    Any,
    typer.Option(
        "--format",
        metavar="FORMAT",
        parser=options.parse_text,
        help=f"Format of the file: {', '.join(FORMATS)}. Defaults to the ending of"
        " FILE, and to jsonl on stdout.",
        show_default=False,
    ),
]
Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet",
        "-q",
        metavar=options.NO_TYPE,
        help="Print errors only: no progress and no report.",
    ),
]
CompanyIds = Annotated[
    list[str] | None,
    typer.Option(
        "--company",
        metavar="ID",
        parser=options.parse_text,
        help="Pull only this company. Repeatable. Defaults to all companies.",
    ),
]
Verify = Annotated[
    bool,
    typer.Option(
        "--verify",
        metavar=options.NO_TYPE,
        help="Request the first page of each company again at the end. If it changed,"
        " the company is read again.",
    ),
]
Concurrency = Annotated[
    int | None,
    typer.Option(
        "--concurrency",
        metavar="N",
        min=1,
        help="Number of requests at once. Defaults to 10, which is also the most that"
        " the API advises per key.",
        show_default=False,
    ),
]
Attempts = Annotated[
    int | None,
    typer.Option(
        "--attempts",
        metavar="N",
        min=1,
        help="Maximum number of attempts per request. Defaults to 4; 1 means no"
        " retries.",
        show_default=False,
    ),
]
AttemptTimeout = Annotated[
    Any,
    typer.Option(
        "--attempt-timeout",
        metavar="SECONDS",
        parser=options.parse_seconds,
        help="Time limit of one attempt. Defaults to 30.",
        show_default=False,
    ),
]
Deadline = Annotated[
    Any,
    typer.Option(
        "--deadline",
        metavar="SECONDS",
        parser=options.parse_seconds,
        help="Time limit of one request with its wait for a free connection, its"
        " attempts and its back-off. Defaults to none. It does not limit the whole"
        " pull.",
        show_default=False,
    ),
]

FILTER_OPTIONS: Final[Mapping[str, Any]] = {
    "start_date": Annotated[
        Any,
        typer.Option(
            "--start",
            metavar="YYYY-MM-DD",
            parser=options.parse_day,
            help=f"First day, inclusive, in UTC. {_BILL_DATE}",
        ),
    ],
    "end_date": Annotated[
        Any,
        typer.Option(
            "--end",
            metavar="YYYY-MM-DD",
            parser=options.parse_day,
            help="Last day, inclusive, in UTC. With CREATED_DATE and UPDATED_DATE it"
            f" means 00:00 of that day: give the day after. {_BILL_DATE}",
        ),
    ],
    "date_type": Annotated[
        Any,
        typer.Option(
            "--date-type",
            metavar="TYPE",
            parser=options.build_choice_parser(DateType),
            help="The date that --start and --end are compared with, both inclusive"
            f" UTC days: {', '.join(DateType)}. {_BILL_DATE}",
        ),
    ],
    "datasource_type": Annotated[
        list[DatasourceType] | None,
        typer.Option(
            "--datasource-type",
            metavar="TYPE",
            parser=options.build_choice_parser(DatasourceType),
            help=f"Utility type: {', '.join(DatasourceType)}. Repeatable.",
        ),
    ],
    "identifier": Annotated[
        str | None,
        typer.Option(
            "--identifier",
            metavar="TEXT",
            parser=options.parse_text,
            help="An identifier of the meter.",
        ),
    ],
    "is_deleted": Annotated[
        bool,
        typer.Option(
            "--include-deleted",
            metavar=options.NO_TYPE,
            help="Include deleted records along with the live ones.",
        ),
    ],
    "connection_owner_email": Annotated[
        str | None,
        typer.Option(
            "--owner",
            metavar="EMAIL",
            parser=options.parse_text,
            help="E-mail address of the connection's owner.",
        ),
    ],
    "sites": Annotated[
        list[str] | None,
        typer.Option(
            "--site",
            metavar="ID",
            parser=options.parse_text,
            help="Site of the connection. Repeatable.",
        ),
    ],
    "status": Annotated[
        Any,
        typer.Option(
            "--status",
            metavar="STATUS",
            parser=options.build_choice_parser(ConnectionStatus),
            help=f"Status of the connection: {', '.join(ConnectionStatus)}.",
        ),
    ],
}
"""The option of each filter, by the argument of the `Repository` method."""

pull_app: typer.Typer = typer.Typer(cls=HelpGroup, rich_markup_mode="markdown")


@pull_app.callback(invoke_without_command=True)
def pull(context: typer.Context) -> None:
    """Write a list of all companies to a file: JSON lines, CSV or Parquet."""
    show_help_without_subcommand(context)


def _build_command(view: View) -> Callable[..., int]:
    """Build the function of a command."""

    def command(**values: Any) -> int:
        return _pull_view(view, values)

    example = " ".join(
        (f"nectar pull {view.name} --out {view.name}.jsonl", view.example)
    ).rstrip()
    paragraphs = (view.summary, view.details, f"Example: {example}")
    command.__doc__ = "\n\n".join(filter(None, paragraphs))
    return command


def _build_parameters(view: View) -> list[inspect.Parameter]:
    """Build the parameters of a command, in the order of its help."""
    required = inspect.Parameter.empty
    choices: dict[str, tuple[Any, Any]] = {
        "out": (Out, required),
        "format": (FormatName, None),
    }
    for name in view.filters:
        choices[name] = FILTER_OPTIONS[name], False if name == "is_deleted" else None
    choices["companies"] = CompanyIds, None
    if view.fan_out is not None:
        choices["include_secrets"] = options.IncludeSecrets, False
        choices["verify"] = Verify, False
        choices["concurrency"] = Concurrency, None
    choices["attempts"] = Attempts, None
    choices["attempt_timeout"] = AttemptTimeout, None
    choices["deadline"] = Deadline, None
    choices["quiet"] = Quiet, False
    choices["as_json"] = options.AsJson, False
    return [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, annotation=option, default=default
        )
        for name, (option, default) in choices.items()
    ]


_FOR_ALL: Final = ("start_date", "end_date", "date_type")
"""The filters of `pull all`, for the views that have them."""


def _pull_all(**values: Any) -> int:
    """Pull every view into a folder, one file each: `companies.jsonl` and so on.

    --start, --end and --date-type select documents and usage; the other views are
    pulled whole. A view that fails does not stop the others. With --json there is one
    report a line.

    Example: nectar pull all --out nectar --format parquet --start 2025-01-01
    """
    folder, name = values["out"], values["format"] or "jsonl"
    ending = find_format(folder, name).ending
    if folder.exists() and not folder.is_dir():
        raise typer.BadParameter(f"--out {folder} is a file; name a folder")
    folder.mkdir(parents=True, exist_ok=True)
    codes = [
        _pull_view(view, {**values, "out": folder / f"{view.name}{ending}"})
        for view in VIEWS.values()
    ]
    return max(codes)


def _build_parameters_for_all() -> list[inspect.Parameter]:
    """Build the parameters of `pull all`: those of a view, and the filters of days."""
    view = evolve(VIEWS["usage"], filters=_FOR_ALL)
    parameters = {
        parameter.name: parameter.replace(annotation=Folder)
        if parameter.name == "out"
        else parameter
        for parameter in _build_parameters(view)
    }
    del parameters["include_secrets"]
    return list(parameters.values())


def _add_command(
    name: str, function: Callable[..., int], parameters: Sequence[inspect.Parameter]
) -> None:
    """Add a command whose function takes the values of its parameters by name."""
    function.__annotations__ = {
        parameter.name: parameter.annotation for parameter in parameters
    }
    function.__dict__["__signature__"] = inspect.Signature(parameters)
    pull_app.command(name, cls=HelpCommand, epilog=_EPILOG)(function)


_add_command("all", _pull_all, _build_parameters_for_all())
for _view in VIEWS.values():
    _add_command(_view.name, _build_command(_view), _build_parameters(_view))


def _pull_view(view: View, values: Mapping[str, Any]) -> int:
    """Pull a view with the options of its command."""
    query = _build_query(view, values)
    out, as_json, is_quiet = values["out"], values["as_json"], values["quiet"]
    file_format = find_format(out, values["format"])
    if query.with_secrets and not file_format.has_secrets:
        raise typer.BadParameter("--include-secrets needs a file of JSON lines: .jsonl")
    file = OutputFile(out, is_private=query.with_secrets)
    pull = PullRun(query, file, file_format)
    if not (as_json or is_quiet):
        _hint_at_end_instant(query.filters)

    async def work(on_first: FirstRecord | None) -> None:
        settings = build_settings(values)
        async with open_client(lambda: not pull.failures, **settings) as client:
            await pull.run(client, on_first)

    recording = announce_recording(as_json=as_json)
    code = run_pull(pull, work, recording, as_json=as_json, is_quiet=is_quiet)
    return report_unwritten_recording(code, is_silent=as_json and out == STDOUT)


def _build_query(view: View, values: Mapping[str, Any]) -> PullQuery:
    """Build the query from the options of a command.

    Raises:
        BadParameter: the first day is after the last.
    """
    start, end = values.get("start_date"), values.get("end_date")
    if start is not None and end is not None and start > end:
        raise typer.BadParameter(f"--start {start} is after --end {end}")
    # An option that was not given is None, False, or an empty list if it is repeatable.
    names = (*view.filters, "verify")
    return PullQuery(
        view=view,
        companies=values["companies"] or (),
        filters={name: values[name] for name in names if values.get(name)},
        with_secrets=values.get("include_secrets", False),
    )


def build_settings(values: Mapping[str, Any]) -> dict[str, Any]:
    """Build the client's settings from the options that are not None."""
    attempts = values.get("attempts")
    settings = {
        "max_concurrency": values.get("concurrency"),
        "retry": None if attempts is None else RetryPolicy(attempts=attempts),
        "attempt_timeout": values.get("attempt_timeout"),
        "deadline": values.get("deadline"),
    }
    return {name: value for name, value in settings.items() if value is not None}


def _hint_at_end_instant(filters: Mapping[str, object]) -> None:
    """Print a hint if the day of --end is not included, as most people expect it is."""
    date_type, end = filters.get("date_type"), filters.get("end_date")
    if date_type in _INSTANT_TYPES and isinstance(end, date):
        echo(
            f"hint: with {date_type} the API reads --end {end} as 00:00 UTC of that"
            " day; give the day after to include it",
            err=True,
        )


def run_pull(
    pull: PullRun,
    work: Callable[[FirstRecord | None], Awaitable[TimeBound | None]],
    facts: Mapping[str, Any] = _NO_FACTS,
    *,
    as_json: bool,
    is_quiet: bool = False,
) -> int:
    """Run a pull with its progress display, print the report, return the exit code.

    Args:
        pull: the query and the file.
        work: runs the pull.
        facts: further entries of the JSON report.
        as_json: whether the report is JSON.
        is_quiet: whether neither progress nor a report for people is shown.
    """
    is_to_stderr = pull.file.path == STDOUT

    def run() -> int:
        bound = _run_with_progress(pull, work, is_wanted=not (as_json or is_quiet))
        report = PullReport.build(pull, bound)
        with allow_lost_report():
            if as_json:
                echo(json.dumps({**report.as_json(), **facts}), err=is_to_stderr)
            elif not is_quiet:
                report.print(build_console(stderr=is_to_stderr))
        if report.failures and not (as_json and is_to_stderr):
            notes = read_notes(report.failures[0].error)
            print_error(report.failure_summary, notes=notes)
        return report.exit_code

    return run_guarded(run, ErrorOutput(as_json=as_json, is_to_stderr=is_to_stderr))


def _run_with_progress(
    pull: PullRun,
    work: Callable[[FirstRecord | None], Awaitable[TimeBound | None]],
    *,
    is_wanted: bool,
) -> TimeBound | None:
    """Run a pull with its progress display.

    Raises:
        UnfinishedError: the pull stopped early; has what is done so far.
    """
    console = build_console(stderr=True)
    try:
        with pull.file, show_pull(pull, console, is_wanted=is_wanted) as on_first:
            return run_async(work, on_first)
    except (KeyboardInterrupt, NectarError, OSError) as error:
        report = PullReport.build(pull, is_stopped=True)
        raise UnfinishedError(pull.summarize_file(), report.as_json()) from error
