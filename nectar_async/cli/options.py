"""The options of the commands, and what they accept."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import typer

from nectar_async._types import OpenEnum
from nectar_async.models.enums import DatasourceType, DateType
from nectar_async.models.statuses import ConnectionStatus

__all__ = [
    "AsJson",
    "Bill",
    "CompanyId",
    "CompanyIds",
    "DatasourceTypes",
    "DateTypeOption",
    "Deleted",
    "DemoOut",
    "DocumentId",
    "End",
    "Identifier",
    "IncludeSecrets",
    "JobId",
    "Out",
    "Owner",
    "SiteId",
    "SiteIds",
    "Start",
    "Status",
    "Target",
    "Timeout",
    "Wait",
]

E = TypeVar("E", bound=OpenEnum)

# `date.fromisoformat` also takes 20250101 and week dates.
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _day(text: str | date) -> date:
    if isinstance(text, date):
        return text
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no day: {error}") from None
    raise typer.BadParameter(f"{text!r} is no day; write it as 2025-01-31")


def _given(text: str) -> str:
    # An empty variable of a script would otherwise be no filter at all.
    if not text.strip():
        raise typer.BadParameter("it is empty")
    return text


def _file(text: str | Path) -> Path:
    if isinstance(text, str):
        _given(text)
    return Path(text)


def _member(kind: type[E], text: str) -> E:
    member = kind(text.strip().upper().replace("-", "_"))
    if not member.is_known:
        raise typer.BadParameter(f"{text!r} is none of {', '.join(kind)}")
    return member


def _date_type(text: str) -> DateType:
    return _member(DateType, text)


def _datasource_type(text: str) -> DatasourceType:
    return _member(DatasourceType, text)


def _status(text: str) -> ConnectionStatus:
    return _member(ConnectionStatus, text)


# Newer versions of typer name the type of a flag where this is not empty.
_FLAG: Final = ""

Out = Annotated[
    Path,
    typer.Option(
        "--out", "-o", metavar="FILE", parser=_file, help="Where to; - is stdout."
    ),
]
DemoOut = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        metavar="FILE",
        parser=_file,
        help="Where to; - is stdout. Else nectar-demo.jsonl here.",
        show_default=False,
    ),
]
AsJson = Annotated[
    bool,
    typer.Option(
        "--json", metavar=_FLAG, help="One JSON object on stdout, of failures too."
    ),
]
Start = Annotated[
    Any,
    typer.Option(
        "--start", metavar="YYYY-MM-DD", parser=_day, help="First day, inclusive."
    ),
]
End = Annotated[
    Any,
    typer.Option(
        "--end",
        metavar="YYYY-MM-DD",
        parser=_day,
        help="Last day, inclusive; with CREATED_DATE and UPDATED_DATE only its first"
        " instant, 00:00 UTC: give the day after.",
    ),
]
DateTypeOption = Annotated[
    Any,
    typer.Option(
        "--date-type",
        metavar="TYPE",
        parser=_date_type,
        help="What the days are compared with: BILL_DATE (the API's default),"
        " USAGE_PERIOD, CREATED_DATE or UPDATED_DATE (whose --end is 00:00 UTC).",
    ),
]
DatasourceTypes = Annotated[
    list[DatasourceType] | None,
    typer.Option(
        "--datasource-type",
        metavar="TYPE",
        parser=_datasource_type,
        help=f"{', '.join(DatasourceType)}; may be given several times.",
    ),
]
Identifier = Annotated[
    str | None,
    typer.Option(
        "--identifier",
        metavar="TEXT",
        parser=_given,
        help="An identifier of the meter.",
    ),
]
Owner = Annotated[
    str | None,
    typer.Option(
        "--owner", metavar="EMAIL", parser=_given, help="Connections of this owner."
    ),
]
SiteIds = Annotated[
    list[str] | None,
    typer.Option(
        "--site",
        metavar="ID",
        parser=_given,
        help="Of this site; may be given several times.",
    ),
]
Status = Annotated[
    Any,
    typer.Option(
        "--status",
        metavar="STATUS",
        parser=_status,
        help=f"Connections in this status: {', '.join(ConnectionStatus)}.",
    ),
]
Deleted = Annotated[
    bool,
    typer.Option(
        "--deleted", metavar=_FLAG, help="The deleted ones instead of the others."
    ),
]
CompanyIds = Annotated[
    list[str] | None,
    typer.Option(
        "--company",
        metavar="ID",
        parser=_given,
        help="This company only; may be given several times. Else all of them.",
    ),
]
IncludeSecrets = Annotated[
    bool,
    typer.Option(
        "--include-secrets",
        metavar=_FLAG,
        help="Keep passwords and signed links; the file is for its owner alone.",
    ),
]
DocumentId = Annotated[
    str, typer.Argument(metavar="DOCUMENT_ID", callback=_given, help="The bill.")
]
Target = Annotated[
    str,  # a Path would lose the slash at the end, which says that it is a folder
    typer.Argument(
        metavar="PATH",
        callback=_given,
        help="Where to: a file, which is replaced; a folder, where the bill keeps its"
        " name, with its id behind it if that is taken; - is stdout.",
    ),
]
CompanyId = Annotated[
    str, typer.Argument(metavar="COMPANY_ID", callback=_given, help="Whose bill.")
]
Bill = Annotated[
    Path, typer.Argument(metavar="FILE", help="A PDF, PNG or JPEG of 25 MB at most.")
]
JobId = Annotated[
    str,
    typer.Argument(
        metavar="JOB_ID", callback=_given, help="As `nectar upload` said it."
    ),
]
SiteId = Annotated[
    str | None,
    typer.Option(
        "--site", metavar="ID", parser=_given, help="The site that it is for."
    ),
]
Wait = Annotated[
    bool,
    typer.Option(
        "--wait", metavar=_FLAG, help="Wait until the bill was read, well or not."
    ),
]
Timeout = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        metavar="SECONDS",
        min=0,
        help="How long to --wait at most; 600 where nothing is said.",
        show_default=False,
    ),
]
