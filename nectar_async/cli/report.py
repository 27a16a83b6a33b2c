"""What came of a pull, for people as tables and for machines as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from attrs import field, frozen
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from nectar_async._paging.fanout import Failure
from nectar_async._paging.receipt import Receipt, Verdict
from nectar_async.cli.output import Exit, notes_of
from nectar_async.cli.pull_run import Pull, Status
from nectar_async.cli.totals import Total
from nectar_async.cli.views import View
from nectar_async.cli.words import counted
from nectar_async.errors import PermissionDeniedError

__all__ = ["Bound", "Report"]

# Enough for a demo; a portfolio of thousands is for `--json`.
_ROWS = 50


@frozen(kw_only=True)
class Bound:
    """How fast the pull could have been, by what the server saw."""

    seconds: float
    """An ideal schedule of the same requests."""
    peak_in_flight: int
    requests: int


@frozen(kw_only=True)
class CompanyLine:
    """A company's receipt with its name, where it is known."""

    company_id: str
    name: str | None
    receipt: Receipt


@frozen(kw_only=True)
class Report:
    """A pull that is over."""

    view: View
    out: str
    size: int
    records: int
    """Records that are in the file."""
    status: Status
    receipt: Receipt
    companies: Sequence[CompanyLine]
    failures: Sequence[Failure]
    totals: Sequence[Total]
    bound: Bound | None = field(default=None)
    is_written: bool = field(default=True)
    """Whether the file is of this pull; else it is what it was, or is not there."""
    is_stopped: bool = field(default=False)
    """Whether the pull ended early, whatever the receipts say."""

    @classmethod
    def of(
        cls, pull: Pull, bound: Bound | None = None, *, is_stopped: bool = False
    ) -> Report:
        """The report of a pull."""
        return cls(
            view=pull.query.view,
            out=pull.sink.name,
            size=pull.sink.size,
            records=pull.records,
            status=pull.status,
            receipt=pull.receipt,
            companies=[
                CompanyLine(
                    company_id=company_id,
                    name=pull.names.get(company_id),
                    receipt=receipt,
                )
                for company_id, receipt in pull.receipts.items()
            ],
            failures=pull.failures,
            totals=pull.totals.lines,
            bound=bound,
            is_written=pull.sink.is_written,
            is_stopped=is_stopped,
        )

    @property
    def verdict(self) -> Verdict:
        """What the pull is worth as a whole."""
        return Verdict.UNFINISHED if self.is_stopped else self.receipt.verdict

    @property
    def exit_code(self) -> Exit:
        """0, unless companies failed; 3 when every one of them was forbidden."""
        if not self.failures:
            return Exit.OK
        is_forbidden = len(self.failures) == len(self.companies) and all(
            isinstance(failure.error, PermissionDeniedError)
            for failure in self.failures
        )
        return Exit.REFUSED if is_forbidden else Exit.FAILED

    @property
    def first_failure(self) -> str:
        """One line for all failures."""
        failures, first = len(self.failures), self.failures[0].error
        companies = counted(len(self.companies), "company", "companies")
        return f"{failures:,} of {companies} failed, the first: {first}"

    def as_json(self) -> dict[str, Any]:
        """Everything as plain values; seconds, bytes, and amounts as text."""
        traffic = self.status.traffic
        facts = {
            "records": self.records,
            "companies": len(self.companies),
            "pages": self.receipt.pages,
            "requests": traffic.requests,
            "wall": round(self.status.seconds, 4),
            "peak_in_flight": traffic.peak_in_flight,
            "rate_limited": traffic.rate_limited,
            "retries": traffic.retries,
            "verdict": self.verdict.value,
            "out": self.out if self.is_written else None,
            "bytes": self.size,
            "companies_complete": [
                one.company_id
                for one in self.companies
                if one.receipt.verdict is Verdict.COMPLETE
            ],
            "companies_failed": [one.company_id for one in self.failures],
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
            "receipts": [_receipt_json(line) for line in self.companies],
            "failures": [_failure_json(failure) for failure in self.failures],
        }

    def print_on(self, console: Console) -> None:
        """Tables, and a last line that says where everything is."""
        console.print(_totals_table(self.view, self.totals))
        console.print(_receipts_table(self.companies))
        hidden = len(self.companies) - _ROWS
        if hidden > 0:
            more = counted(hidden, "more company", "more companies")
            console.print(f"… and {more}, see --json", style="dim")
        if self.failures:
            console.print(f"Failures: {len(self.failures):,}", style="italic")
        for line in (*map(_failure_line, self.failures[:_ROWS]), *self._lines()):
            console.print(line, highlight=False, soft_wrap=True)

    def _lines(self) -> list[str]:
        status, traffic = self.status, self.status.traffic
        verdict = self.verdict
        style = "green" if verdict is Verdict.COMPLETE else "yellow"
        trouble = (
            (traffic.rate_limited, "refusal (429)", "refusals (429)"),
            (traffic.retries, "retry", "retries"),
        )
        lines = [
            (
                f"[bold]{counted(self.records, 'record')}[/bold] of"
                f" {counted(len(self.companies), 'company', 'companies')} on"
                f" {counted(self.receipt.pages, 'page')}, [{style}]{verdict}[/{style}]"
                + "".join(f"; {counted(*one)}" for one in trouble if one[0])
            ),
            f"wall {status.seconds:.2f} s",
            f"[bold]{escape(self.out)}[/bold] ({_megabytes(self.size)}, JSON lines)"
            if self.is_written
            else f"nothing was written to {escape(self.out)}",
        ]
        if (bound := self.bound) is not None:
            lines[1] += (
                f" · bound {bound.seconds:.2f} s (an ideal schedule of the same"
                f" {counted(bound.requests, 'request')}) · efficiency"
                f" {bound.seconds / status.seconds:.0%} · at most"
                f" {counted(bound.peak_in_flight, 'request')} at once"
            )
        return lines


def _totals_table(view: View, totals: Sequence[Total]) -> Table:
    table = Table(box=SIMPLE_HEAD, title=view.title)
    if view.group is not None:
        _add_column(table, _words(view.group))
    _add_column(table, "records", is_number=True)
    if view.has_sites:
        _add_column(table, "sites", is_number=True)
    if view.amount is not None:
        _add_column(table, _words(view.amount), is_number=True)
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


def _add_column(table: Table, title: str, *, is_number: bool = False) -> None:
    """A column that wraps where the terminal is narrow: a cut number is a wrong one."""
    justify: Literal["left", "right"] = "right" if is_number else "left"
    table.add_column(title, justify=justify, overflow="fold")


def _words(name: str) -> str:
    return name.replace("_", " ")


def _receipts_table(companies: Sequence[CompanyLine]) -> Table:
    table = Table(box=SIMPLE_HEAD, title="Receipts")
    _add_column(table, "company")
    _add_column(table, "pages", is_number=True)
    _add_column(table, "records", is_number=True)
    _add_column(table, "verdict")
    # What needs a look stands first, whatever is cut off.
    ranked = sorted(companies, key=lambda one: one.receipt.verdict is Verdict.COMPLETE)
    for line in ranked[:_ROWS]:
        verdict = line.receipt.verdict
        style = "green" if verdict is Verdict.COMPLETE else "yellow"
        table.add_row(
            escape(line.name or line.company_id),
            f"{line.receipt.pages:,}",
            f"{line.receipt.records:,}",
            f"[{style}]{verdict}[/{style}]",
        )
    return table


def _failure_line(failure: Failure) -> str:
    """A failure on one line; all of the first is said at the end."""
    error = failure.error
    first = error.message.partition("\n")[0] or type(error).__name__
    page = "" if error.page is None else f"page {error.page:,}: "
    return f"  {escape(f'{failure.company_id}: {page}{first}')}"


def _receipt_json(line: CompanyLine) -> dict[str, Any]:
    receipt = line.receipt
    return {
        "company_id": line.company_id,
        "name": line.name,
        "pages": receipt.pages,
        "records": receipt.records,
        "repeats": receipt.repeats,
        "total_first": receipt.total_first,
        "total_last": receipt.total_last,
        "verdict": receipt.verdict.value,
    }


def _failure_json(failure: Failure) -> dict[str, Any]:
    error = failure.error
    return {
        "company_id": failure.company_id,
        "error": type(error).__name__,
        "message": str(error),
        "notes": notes_of(error),
        "operation": error.operation,
        "page": error.page,
        "cursor": error.cursor,
    }


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
