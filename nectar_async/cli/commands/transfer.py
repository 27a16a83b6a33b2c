"""The commands that carry files: `nectar download`, `upload` and `job`."""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

import attrs
import typer

from nectar_async._files.download import Download
from nectar_async.cli import options
from nectar_async.cli.bar import Bar
from nectar_async.cli.client import announce, kept, open_client
from nectar_async.cli.json_lines import STDOUT
from nectar_async.cli.output import Ending, Exit, StoppedError, complain, guarded
from nectar_async.client import NectarClient
from nectar_async.errors import NectarError, WaitTimeoutError
from nectar_async.models.job import Job
from nectar_async.models.statuses import JobStatus
from nectar_async.sandbox.loop import run_loop

__all__ = ["download", "job", "upload"]

T = TypeVar("T")

_HERE: Final = "."
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
    is_to_stdout = path == str(STDOUT)
    bar = Bar(f"document {document_id}", is_wanted=not as_json)

    async def work() -> Download:
        async with open_client() as client:
            target = sys.stdout.buffer if is_to_stdout else path
            saved = await client.documents.download(
                document_id, target, on_progress=bar.move
            )
            sys.stdout.flush()
        return saved

    def account() -> tuple[str, Mapping[str, Any]]:
        words = f"{bar.done:,} bytes in the .part file; the same command goes on there"
        is_kept = bar.done and not is_to_stdout
        return words if is_kept else "", {"size": bar.done}

    def say() -> int:
        announce(as_json=as_json)
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

    ending = Ending(as_json=as_json, is_to_stderr=is_to_stdout, is_about_one=True)
    return kept(guarded(say, ending), is_silent=as_json and is_to_stdout)


def upload(
    company_id: options.CompanyId,
    file: options.Bill,
    *,
    site: options.SiteId = None,
    wait: options.Wait = False,
    timeout: options.Timeout = None,
    as_json: options.AsJson = False,
) -> int:
    """Upload a bill, and say the id of its job on stdout.

    With --wait it says the ids of the documents that the bill became, and the exit code
    is 0 only if the job is COMPLETED. `nectar job` looks at a job again.

    Example: nectar upload 3b1e6f0a-... march.pdf --wait
    """
    seconds = _seconds(timeout, wait=wait)
    bar = Bar(file.name, is_wanted=not as_json)
    submitted: list[Job] = []
    seen: list[Job] = []

    async def work() -> Job:
        async with open_client(lambda: not wait or _is_fine(seen[0])) as client:
            taken = await client.jobs.submit_document(
                company_id, file, site_id=site, on_progress=bar.move
            )
            submitted.append(taken)
            seen.append(
                await _waited(client, taken.id, seconds, bar) if wait else taken
            )
        return seen[0]

    def account() -> tuple[str, Mapping[str, Any]]:
        words = [f"the file was taken, as job {one.id}" for one in submitted]
        return "".join(words), {"job": submitted[0].id if submitted else None}

    def say() -> int:
        announce(as_json=as_json)
        return _tell(_run(work, bar, account), as_json=as_json, is_over=wait)

    return kept(guarded(say, Ending(as_json=as_json, is_about_one=True)))


def job(
    job_id: options.JobId,
    *,
    wait: options.Wait = False,
    timeout: options.Timeout = None,
    as_json: options.AsJson = False,
) -> int:
    """Look at the job of an upload, and say its documents on stdout.

    The exit code is 0 if it is COMPLETED or, without --wait, on its way.

    Example: nectar job 4f9b2e76-... --wait --timeout 3600
    """
    seconds = _seconds(timeout, wait=wait)
    bar = Bar("", is_wanted=not as_json)

    found: list[Job] = []

    async def work() -> Job:
        async with open_client(lambda: _is_fine(found[0])) as client:
            found.append(
                await _waited(client, job_id, seconds, bar)
                if wait
                else await client.jobs.get(job_id)
            )
        return found[0]

    def say() -> int:
        announce(as_json=as_json)
        seen = _run(work, bar, lambda: ("", {"job": job_id}))
        return _tell(seen, as_json=as_json, is_over=_is_over(seen))

    return kept(guarded(say, Ending(as_json=as_json, is_about_one=True)))


def _seconds(timeout: float | None, *, wait: bool) -> float:
    if timeout is not None and not wait:
        raise typer.BadParameter("--timeout is for --wait, which is not there")
    return _WAIT_SECONDS if timeout is None else timeout


async def _waited(client: NectarClient, job_id: str, seconds: float, bar: Bar) -> Job:
    bar.wait(f"waiting for job {job_id}")
    return await client.jobs.wait(job_id, timeout=seconds)


def _is_over(seen: Job) -> bool:
    return seen.status is not None and seen.status.is_terminal


def _is_fine(seen: Job) -> bool:
    """Whether it is completed, or on its way."""
    return not _is_over(seen) or seen.status == JobStatus.COMPLETED


def _tell(seen: Job, *, as_json: bool, is_over: bool) -> int:
    """Say what became of a job, and give the exit code."""
    if as_json:
        typer.echo(json.dumps(_facts(seen)))
    else:
        for line in seen.parsed_document_ids if is_over else [seen.id]:
            typer.echo(line)
        typer.echo(_result(seen), err=True)
    if not is_over or seen.status == JobStatus.COMPLETED:
        return Exit.OK
    reason = seen.termination_reason or "the API does not say why"
    complain(f"job {seen.id} did not complete: {reason}")
    return Exit.FAILED


def _run(
    work: Callable[[], Awaitable[T]],
    bar: Bar,
    account: Callable[[], tuple[str, Mapping[str, Any]]],
) -> T:
    """What the work gives, with its bar; what ends it early tells what is done."""
    try:
        with bar:
            return run_loop(work)
    except (KeyboardInterrupt, NectarError, OSError) as error:
        words, facts = account()
        last = getattr(error, "last", None)
        if isinstance(error, WaitTimeoutError) and isinstance(last, Job):
            facts = {**facts, "status": last.status}
            more = f"`nectar job {last.id} --wait` goes on waiting"
            words = f"{words}; {more}" if words else more
        raise StoppedError(words, facts) from error


def _facts(seen: Job) -> dict[str, Any]:
    return attrs.asdict(seen, filter=attrs.filters.exclude("extra"))


def _result(seen: Job) -> str:
    if seen.status != JobStatus.COMPLETED:
        return f"job {seen.id} is {seen.status}"
    return (
        f"{seen.status}; new documents: {len(seen.parsed_document_ids):,}, duplicates:"
        f" {seen.duplicates or 0:,}, no utility bills:"
        f" {len(seen.non_utility_document_ids):,}"
    )
