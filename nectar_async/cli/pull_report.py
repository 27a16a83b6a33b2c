"""The report on a pull: tables for people, one JSON object for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

from attrs import frozen
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from nectar_async._paging.receipt import Receipt, Verdict
from nectar_async._paging.records import Failure
from nectar_async.cli.output import ExitCode, count_noun, read_notes
from nectar_async.cli.progress import count_retries
from nectar_async.cli.pull_run import PullRun, PullStatus
from nectar_async.cli.terminal import escape
from nectar_async.cli.views import GroupTotal, View
from nectar_async.errors import PermissionDeniedError

__all__ = ["CompanyReceipt", "PullReport", "TimeBound"]

# Enough for the demo. `--json` has all companies.
_MAX_ROWS: Final = 50
_MEGABYTE: Final = 1_000_000


@frozen(kw_only=True)
class TimeBound:
    """The least time that a pull can take, computed from the server's counts."""

    seconds: float
    """The length of an ideal schedule of the same requests."""
    peak_in_flight: int
    requests: int


@frozen(kw_only=True)
class CompanyReceipt:
    """The receipt of one company, with its name if the name is known."""

    company_id: str
    name: str | None
    receipt: Receipt


@frozen(kw_only=True)
class PullReport:
    """The report on a pull that ended."""

    view: View
    out: str
    size: int
    records: int
    """Number of records in the file."""
    status: PullStatus
    receipt: Receipt
    companies: Sequence[CompanyReceipt]
    failures: Sequence[Failure]
    totals: Sequence[GroupTotal]
    bound: TimeBound | None = None
    is_written: bool = True
    """Whether the file holds this pull; otherwise it was not changed or created."""
    partial: str | None = None
    """The file that holds the part that was pulled, if it is not complete."""
    file_format: str
    """The format of the file, in words."""
    is_stopped: bool = False
    """Whether the pull ended early; the verdict is then `unfinished`."""

    @classmethod
    def build(
        cls, pull: PullRun, bound: TimeBound | None = None, *, is_stopped: bool = False
    ) -> PullReport:
        """Build the report on a pull."""
        return cls(
            view=pull.query.view,
            out=pull.file.name,
            size=pull.file.size,
            records=pull.records,
            status=pull.status,
            receipt=pull.receipt,
            companies=[
                CompanyReceipt(
                    company_id=company_id,
                    name=pull.company_names.get(company_id),
                    receipt=receipt,
                )
                for company_id, receipt in pull.receipts.items()
            ],
            failures=pull.failures,
            totals=pull.totals.rows,
            bound=bound,
            is_written=pull.file.is_written,
            partial=None if pull.file.partial is None else str(pull.file.partial),
            file_format=pull.file_format.title,
            is_stopped=is_stopped,
        )

    @property
    def verdict(self) -> Verdict:
        """The verdict on the pull as a whole."""
        return Verdict.UNFINISHED if self.is_stopped else self.receipt.verdict

    @property
    def exit_code(self) -> ExitCode:
        """Success without failed companies; REFUSED if every company was forbidden."""
        if not self.failures:
            return ExitCode.OK
        is_forbidden = len(self.failures) == len(self.companies) and all(
            isinstance(failure.error, PermissionDeniedError)
            for failure in self.failures
        )
        return ExitCode.REFUSED if is_forbidden else ExitCode.FAILED

    @property
    def failure_summary(self) -> str:
        """How many companies failed, with the error of the first, on one line."""
        failures, first = len(self.failures), self.failures[0].error
        companies = count_noun(len(self.companies), "company", "companies")
        return f"{failures:,} of {companies} failed; the first error: {first}"

    def as_json(self) -> dict[str, Any]:
        """Return the report as plain values: seconds, bytes, and amounts as text."""
        requests = self.status.requests
        facts = {
            "records": self.records,
            "companies": len(self.companies),
            "pages": self.receipt.pages,
            "requests": requests.requests,
            "wall": round(self.status.seconds, 4),
            "peak_in_flight": requests.peak_in_flight,
            "rate_limited": requests.rate_limited,
            "retries": requests.retries,
            "verdict": self.verdict.value,
            "out": self.out if self.is_written else None,
            "partial": self.partial,
            "bytes": self.size,
            "companies_complete": [
                company.company_id
                for company in self.companies
                if company.receipt.verdict is Verdict.COMPLETE
            ],
            "companies_failed": [failure.company_id for failure in self.failures],
        }
        if (bound := self.bound) is not None:
            facts |= {
                "bound": round(bound.seconds, 4),
                "efficiency": round(bound.seconds / self.status.seconds, 4),
                "peak_in_flight": bound.peak_in_flight,
                "requests": bound.requests,
            }
        return {
            **facts,
            "by_type": [total.as_json() for total in self.totals],
            "receipts": [_receipt_as_json(company) for company in self.companies],
            "failures": [_failure_as_json(failure) for failure in self.failures],
        }

    def print(self, console: Console) -> None:
        """Print the tables, the failures and a summary."""
        console.print(_build_totals_table(self.view, self.totals))
        console.print(_build_receipts_table(self.companies))
        hidden = len(self.companies) - _MAX_ROWS
        if hidden > 0:
            more = count_noun(hidden, "more company", "more companies")
            console.print(f"… and {more}; --json lists all", style="dim")
        if self.failures:
            console.print(f"Failures: {len(self.failures):,}", style="italic")
        failures = [_format_failure(failure) for failure in self.failures[:_MAX_ROWS]]
        for line in (*failures, *self._summarize()):
            console.print(line, highlight=False, soft_wrap=True)

    def _summarize(self) -> list[str]:
        status, verdict = self.status, self.verdict
        records = (
            f"[bold]{count_noun(self.records, 'record')}[/bold] of"
            f" {count_noun(len(self.companies), 'company', 'companies')} on"
            f" {count_noun(self.receipt.pages, 'page')}:"
            f" [{_color(verdict)}]{verdict}[/{_color(verdict)}]"
        )
        seconds = f"time {status.seconds:.2f} s"
        if (bound := self.bound) is not None:
            seconds += (
                f" · lower bound {bound.seconds:.2f} s (an ideal schedule of the same"
                f" {count_noun(bound.requests, 'request')}) · efficiency"
                f" {bound.seconds / status.seconds:.0%} · at most"
                f" {count_noun(bound.peak_in_flight, 'request')} at once"
            )
        size = f"({_format_size(self.size)}, {self.file_format})"
        if self.is_written:
            file = f"[bold]{escape(self.out)}[/bold] {size}"
        elif self.partial is not None:
            part = f"[bold]{escape(self.partial)}[/bold] {size}"
            file = f"{escape(self.out)} is unchanged; what was pulled is in {part}"
        else:
            file = f"nothing was written to {escape(self.out)}"
        return ["; ".join([records, *count_retries(status.requests)]), seconds, file]


def _build_totals_table(view: View, totals: Sequence[GroupTotal]) -> Table:
    table = Table(box=SIMPLE_HEAD, title=view.title)
    if view.group is not None:
        _add_column(table, view.group.replace("_", " "))
    _add_column(table, "records", is_number=True)
    if view.has_sites:
        _add_column(table, "sites", is_number=True)
    if view.amount is not None:
        _add_column(table, view.amount.replace("_", " "), is_number=True)
        _add_column(table, "unit")
    for total in totals:
        cells = [] if view.group is None else [escape(total.group or "unknown")]
        cells.append(f"{total.records:,}")
        if view.has_sites:
            cells.append(f"{len(total.sites):,}")
        if view.amount is not None:
            cells.append("-" if total.amount is None else f"{total.amount:,}")
            cells.append(escape(total.unit or "-"))
        table.add_row(*cells)
    return table


def _build_receipts_table(companies: Sequence[CompanyReceipt]) -> Table:
    table = Table(box=SIMPLE_HEAD, title="Receipts")
    _add_column(table, "company")
    _add_column(table, "pages", is_number=True)
    _add_column(table, "records", is_number=True)
    _add_column(table, "verdict")
    # Incomplete companies come first, so that the limit of rows never hides them.
    ranked = sorted(
        companies, key=lambda company: company.receipt.verdict is Verdict.COMPLETE
    )
    for company in ranked[:_MAX_ROWS]:
        receipt = company.receipt
        color = _color(receipt.verdict)
        table.add_row(
            escape(company.name or company.company_id),
            f"{receipt.pages:,}",
            f"{receipt.records:,}",
            f"[{color}]{receipt.verdict}[/{color}]",
        )
    return table


def _add_column(table: Table, title: str, *, is_number: bool = False) -> None:
    """Add a column that wraps in a narrow terminal: a number cut short is wrong."""
    justify: Literal["left", "right"] = "right" if is_number else "left"
    table.add_column(title, justify=justify, overflow="fold")


def _color(verdict: Verdict) -> str:
    return "green" if verdict is Verdict.COMPLETE else "yellow"


def _format_failure(failure: Failure) -> str:
    """Format a failure on one line; the whole first error is printed at the end."""
    error = failure.error
    first_line = error.message.partition("\n")[0] or type(error).__name__
    page = "" if error.page is None else f"page {error.page:,}: "
    return f"  {escape(f'{failure.company_id}: {page}{first_line}')}"


def _receipt_as_json(company: CompanyReceipt) -> dict[str, Any]:
    receipt = company.receipt
    return {
        "company_id": company.company_id,
        "name": company.name,
        "pages": receipt.pages,
        "records": receipt.records,
        "repeats": receipt.repeats,
        "unreadable": receipt.unreadable,
        "losses": receipt.losses,
        "total_first": receipt.total_first,
        "total_last": receipt.total_last,
        "verdict": receipt.verdict.value,
    }


def _failure_as_json(failure: Failure) -> dict[str, Any]:
    error = failure.error
    return {
        "company_id": failure.company_id,
        "error": type(error).__name__,
        "message": str(error),
        "notes": read_notes(error),
        "operation": error.operation,
        "page": error.page,
        "cursor": error.cursor,
    }


def _format_size(size: int) -> str:
    return f"{size / 1e3:,.1f} kB" if size < _MEGABYTE else f"{size / 1e6:,.1f} MB"
