"""The commands that carry files: `nectar download` and `nectar upload`."""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import anyio
import attrs
import typer

from nectar_async._download import Download
from nectar_async.cli import options
from nectar_async.cli.bar import Bar
from nectar_async.cli.outcome import Exit, StoppedError, complain, guarded
from nectar_async.cli.sink import STDOUT
from nectar_async.client import NectarClient
from nectar_async.errors import NectarError
from nectar_async.models.job import Job
from nectar_async.models.statuses import JobStatus

__all__ = ["download", "upload"]

T = TypeVar("T")

_HERE: Final = Path()
_WAIT_SECONDS: Final = 600.0


def download(
    document_id: options.DocumentId,
    path: options.Target = _HERE,
    *,
    as_json: options.AsJson = False,
) -> int:
    """Save the file of a bill, and say its path on stdout.

    Until it is whole it is called PATH.part; the same command goes on where that ends.

    Example: nectar download 5f0c9e3a-... bills/march.pdf
    """
    is_to_stdout = path == STDOUT
    bar = Bar(f"document {document_id}", is_wanted=not as_json)

    async def work() -> Download:
        async with NectarClient() as client:
            target = sys.stdout.buffer if is_to_stdout else path
            saved = await client.documents.download(
                document_id, target, on_progress=bar.move
            )
        sys.stdout.flush()
        return saved

    def account() -> str:
        if is_to_stdout or not bar.done:
            return ""
        return f"{bar.done:,} bytes in the .part file; the same command goes on there"

    def say() -> int:
        saved = _run(work, bar, account)
        if as_json:
            facts = {**attrs.asdict(saved), "path": saved.path and str(saved.path)}
            typer.echo(json.dumps(facts), err=is_to_stdout)
            return Exit.OK
        if saved.path is not None:
            typer.echo(str(saved.path))
        earlier = f", {saved.resumed_from:,} of them from an earlier time"
        typer.echo(
            f"{saved.size:,} bytes{earlier * bool(saved.resumed_from)}", err=True
        )
        return Exit.OK

    return guarded(say)


def upload(
    company_id: options.CompanyId,
    file: options.Bill,
    *,
    site: options.SiteId = None,
    wait: options.Wait = False,
    timeout: options.Timeout = _WAIT_SECONDS,
    as_json: options.AsJson = False,
) -> int:
    """Upload a bill, and say the id of its job on stdout.

    With --wait it says the ids of the documents that the bill became, and the exit code
    is 0 only if the job is COMPLETED.

    Example: nectar upload 3b1e6f0a-... march.pdf --wait
    """
    bar = Bar(file.name, is_wanted=not as_json)
    submitted: list[Job] = []

    async def work() -> Job:
        async with NectarClient() as client:
            job = await client.jobs.submit_document(
                company_id, file, site_id=site, on_progress=bar.move
            )
            submitted.append(job)
            if not wait:
                return job
            bar.say(f"waiting for job {job.id}")
            return await client.jobs.wait(job.id, timeout=timeout)

    def account() -> str:
        return "".join(f"the file was taken, as job {job.id}" for job in submitted)

    def say() -> int:
        job = _run(work, bar, account)
        if as_json:
            typer.echo(json.dumps(_facts(job)))
        else:
            for line in job.parsed_document_ids if wait else [job.id]:
                typer.echo(line)
            typer.echo(_result(job), err=True)
        if not wait or job.status == JobStatus.COMPLETED:
            return Exit.OK
        reason = job.termination_reason or "the API does not say why"
        complain(f"job {job.id} did not complete: {reason}")
        return Exit.FAILED

    return guarded(say)


def _run(work: Callable[[], Awaitable[T]], bar: Bar, account: Callable[[], str]) -> T:
    """What the work gives, with its bar; what ends it early tells what is done."""
    try:
        with bar:
            return anyio.run(work)
    except (KeyboardInterrupt, NectarError, OSError) as error:
        raise StoppedError(account()) from error


def _facts(job: Job) -> dict[str, Any]:
    return attrs.asdict(job, filter=attrs.filters.exclude("extra"))


def _result(job: Job) -> str:
    if job.status != JobStatus.COMPLETED:
        return f"job {job.id} is {job.status}"
    return (
        f"{job.status}; new documents: {len(job.parsed_document_ids):,}, duplicates:"
        f" {job.duplicates or 0:,}, no utility bills:"
        f" {len(job.non_utility_document_ids):,}"
    )
