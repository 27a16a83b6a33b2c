"""What came of a pull, for people as tables and for machines as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import field, frozen
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from nectar_async._fanout import Failure
from nectar_async._pages import Receipt, Verdict
from nectar_async.cli.outcome import Exit
from nectar_async.cli.pull import Pull, Status
from nectar_async.cli.totals import Total
from nectar_async.cli.views import View
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

    @classmethod
    def of(cls, pull: Pull, bound: Bound | None = None) -> Report:
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
        )

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
        failures, companies = len(self.failures), len(self.companies)
        first = self.failures[0].error
        return f"{failures:,} of {companies:,} companies failed, the first: {first}"

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
            "verdict": self.receipt.verdict.value,
            "out": self.out,
            "bytes": self.size,
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
            console.print(f"… and {hidden:,} more companies, see --json", style="dim")
        if self.failures:
            console.print(_failures_table(self.failures))
        for line in self._lines():
            console.print(line, highlight=False, soft_wrap=True)

    def _lines(self) -> list[str]:
        status, traffic = self.status, self.status.traffic
        verdict = self.receipt.verdict
        style = "green" if verdict is Verdict.COMPLETE else "yellow"
        lines = [
            (
                f"[bold]{self.records:,} records[/bold] of"
                f" {len(self.companies):,} companies on {self.receipt.pages:,} pages,"
                f" [{style}]{verdict}[/{style}];"
                f" {traffic.rate_limited:,} answers 429, {traffic.retries:,} retries"
            ),
            f"wall {status.seconds:.2f} s",
            f"[bold]{escape(self.out)}[/bold] ({_megabytes(self.size)}, JSON lines)",
        ]
        if (bound := self.bound) is not None:
            lines[1] += (
                f" · bound {bound.seconds:.2f} s (an ideal schedule of the same"
                f" {bound.requests:,} requests) · efficiency"
                f" {bound.seconds / status.seconds:.0%} · at most"
                f" {bound.peak_in_flight} requests at once"
            )
        return lines


def _totals_table(view: View, totals: Sequence[Total]) -> Table:
    table = Table(box=SIMPLE_HEAD, title=view.title)
    table.add_column(_words(view.group))
    table.add_column("records", justify="right")
    if view.has_sites:
        table.add_column("sites", justify="right")
    if view.amount is not None:
        table.add_column(_words(view.amount), justify="right")
        table.add_column("unit")
    for total in totals:
        cells = [escape(total.group or "unknown"), f"{total.records:,}"]
        if view.has_sites:
            cells.append(f"{len(total.sites):,}")
        if view.amount is not None:
            cells.append("-" if total.amount is None else f"{total.amount:,}")
            cells.append(escape(total.unit or "-"))
        table.add_row(*cells)
    return table


def _words(name: str) -> str:
    return name.replace("_", " ")


def _receipts_table(companies: Sequence[CompanyLine]) -> Table:
    table = Table(box=SIMPLE_HEAD, title="Receipts")
    table.add_column("company")
    table.add_column("pages", justify="right")
    table.add_column("records", justify="right")
    table.add_column("verdict")
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


def _failures_table(failures: Sequence[Failure]) -> Table:
    table = Table(box=SIMPLE_HEAD, title=f"Failures: {len(failures):,}")
    table.add_column("company")
    table.add_column("error")
    for failure in failures[:_ROWS]:
        table.add_row(failure.company_id, escape(str(failure.error)))
    return table


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
        "operation": error.operation,
        "page": error.page,
        "cursor": error.cursor,
    }


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
