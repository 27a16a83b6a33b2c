"""`nectar download`, `upload` and `job`: save and submit the files of bills."""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import attrs
import typer

from nectar_async._files.download import Download
from nectar_async.cli import options
from nectar_async.cli.client import (
    announce_recording,
    open_client,
    report_unwritten_recording,
    run_async,
)
from nectar_async.cli.output import (
    ErrorOutput,
    ExitCode,
    UnfinishedError,
    allow_lost_report,
    print_error,
    run_guarded,
)
from nectar_async.cli.output_file import STDOUT
from nectar_async.cli.progress import TransferProgress
from nectar_async.cli.terminal import check_stdout, echo
from nectar_async.client import NectarClient
from nectar_async.errors import NectarError, WaitTimeoutError
from nectar_async.models.job import Job
from nectar_async.models.statuses import JobStatus

__all__ = ["download", "job", "upload"]

T = TypeVar("T")

_WORKING_DIRECTORY: Final = "."
_WAIT_SECONDS: Final = 600.0

DocumentId = Annotated[
    str,
    typer.Argument(
        metavar="DOCUMENT_ID", callback=options.parse_text, help="Id of the bill."
    ),
]
Target = Annotated[
    str,  # a Path would lose the slash at the end of a folder
    typer.Argument(
        metavar="PATH",
        callback=options.parse_text,
        help="File to write or replace, or folder to save the bill in under its own"
        " name. If the folder has a file of that name, the document id is added. - is"
        " stdout.",
    ),
]
CompanyId = Annotated[
    str,
    typer.Argument(
        metavar="COMPANY_ID", callback=options.parse_text, help="Id of the company."
    ),
]
Bill = Annotated[
    Path,
    typer.Argument(metavar="FILE", help="A PDF, PNG or JPEG file of at most 25 MB."),
]
JobId = Annotated[
    str,
    typer.Argument(
        metavar="JOB_ID",
        callback=options.parse_text,
        help="Id of the job, as `nectar upload` printed it.",
    ),
]
SiteId = Annotated[
    str | None,
    typer.Option(
        "--site",
        metavar="ID",
        parser=options.parse_text,
        help="Site that the bill is for.",
    ),
]
Wait = Annotated[
    bool,
    typer.Option(
        "--wait", metavar=options.NO_TYPE, help="Wait until the job has ended."
    ),
]
Timeout = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        metavar="SECONDS",
        min=0,
        help="Time limit of --wait. Defaults to 600.",
        show_default=False,
    ),
]


def download(
    document_id: DocumentId,
    path: Target = _WORKING_DIRECTORY,
    *,
    as_json: options.AsJson = False,
) -> int:
    """Save the file of a bill and print its path.

    An incomplete file is called PATH.part. The same command resumes it.

    Example: nectar download 5f0c9e3a-... bills/march.pdf
    """
    is_to_stdout = path == str(STDOUT)
    progress = TransferProgress(f"document {document_id}", is_wanted=not as_json)

    async def save() -> Download:
        if is_to_stdout:
            check_stdout()
        async with open_client() as client:
            target = sys.stdout.buffer if is_to_stdout else path
            saved = await client.documents.download(
                document_id, target, on_progress=progress.update
            )
            sys.stdout.flush()
        return saved

    def summarize() -> tuple[str, Mapping[str, Any]]:
        has_part = progress.done and not is_to_stdout
        text = f"{progress.done:,} bytes in the .part file; run it again to resume"
        return text if has_part else "", {"size": progress.done}

    def work() -> int:
        announce_recording(as_json=as_json)
        saved = _run_with_progress(save, progress, summarize)
        with allow_lost_report():
            if as_json:
                facts = {**attrs.asdict(saved), "path": saved.path and str(saved.path)}
                echo(json.dumps(facts), err=is_to_stdout)
                return ExitCode.OK
            if saved.path is not None:
                echo(str(saved.path))
        resumed = f", {saved.resumed_from:,} of them from an earlier run"
        suffix = resumed if saved.resumed_from else ""
        echo(f"{saved.size:,} bytes{suffix}", err=True)
        return ExitCode.OK

    output = ErrorOutput(
        as_json=as_json, is_to_stderr=is_to_stdout, is_single_item=True
    )
    code = run_guarded(work, output)
    return report_unwritten_recording(code, is_silent=as_json and is_to_stdout)


def upload(
    company_id: CompanyId,
    file: Bill,
    *,
    site: SiteId = None,
    wait: Wait = False,
    timeout: Timeout = None,
    as_json: options.AsJson = False,
) -> int:
    """Upload a bill and print the id of its job.

    With --wait it prints the ids of the new documents instead, and the exit code is 0
    only if the job is COMPLETED. `nectar job` shows a job again later.

    Example: nectar upload 3b1e6f0a-... march.pdf --wait
    """
    seconds = _check_timeout(timeout, wait=wait)
    progress = TransferProgress(file.name, is_wanted=not as_json)
    submitted: Job | None = None
    latest: Job | None = None

    async def submit() -> Job:
        nonlocal submitted, latest
        async with open_client(lambda: not wait or _has_not_failed(latest)) as client:
            latest = submitted = await client.jobs.submit_document(
                company_id, file, site_id=site, on_progress=progress.update
            )
            if wait:
                latest = await _wait_for_job(client, submitted.id, seconds, progress)
        return latest

    def summarize() -> tuple[str, Mapping[str, Any]]:
        if submitted is None:
            return "", {"job": None}
        return f"the file was uploaded as job {submitted.id}", {"job": submitted.id}

    def work() -> int:
        announce_recording(as_json=as_json)
        result = _run_with_progress(submit, progress, summarize)
        return _print_job(result, as_json=as_json, is_over=wait)

    output = ErrorOutput(as_json=as_json, is_single_item=True)
    return report_unwritten_recording(run_guarded(work, output))


def job(
    job_id: JobId,
    *,
    wait: Wait = False,
    timeout: Timeout = None,
    as_json: options.AsJson = False,
) -> int:
    """Show the job of an upload and print the ids of its documents.

    The exit code is 0 if the job is COMPLETED or, without --wait, not over yet.

    Example: nectar job 4f9b2e76-... --wait --timeout 3600
    """
    seconds = _check_timeout(timeout, wait=wait)
    progress = TransferProgress("", is_wanted=not as_json)
    latest: Job | None = None

    async def fetch() -> Job:
        nonlocal latest
        async with open_client(lambda: _has_not_failed(latest)) as client:
            if wait:
                latest = await _wait_for_job(client, job_id, seconds, progress)
            else:
                latest = await client.jobs.get(job_id)
        return latest

    def work() -> int:
        announce_recording(as_json=as_json)
        result = _run_with_progress(fetch, progress, lambda: ("", {"job": job_id}))
        return _print_job(result, as_json=as_json, is_over=_is_over(result))

    output = ErrorOutput(as_json=as_json, is_single_item=True)
    return report_unwritten_recording(run_guarded(work, output))


def _check_timeout(timeout: float | None, *, wait: bool) -> float:
    if timeout is not None and not wait:
        raise typer.BadParameter("--timeout needs --wait")
    return _WAIT_SECONDS if timeout is None else timeout


async def _wait_for_job(
    client: NectarClient, job_id: str, seconds: float, progress: TransferProgress
) -> Job:
    progress.show_waiting(f"waiting for job {job_id}")
    return await client.jobs.wait(job_id, timeout=seconds)


def _is_over(result: Job) -> bool:
    return result.status is not None and result.status.is_terminal


def _has_not_failed(result: Job | None) -> bool:
    """Whether a job is completed or not over yet."""
    return result is not None and (
        not _is_over(result) or result.status == JobStatus.COMPLETED
    )


def _print_job(result: Job, *, as_json: bool, is_over: bool) -> int:
    """Print the result of a job and return the exit code."""
    if as_json:
        facts = attrs.asdict(result, filter=attrs.filters.exclude("extra"))
        echo(json.dumps(facts))
    else:
        for line in result.parsed_document_ids if is_over else [result.id]:
            echo(line)
        echo(_summarize_job(result), err=True)
    if not is_over or result.status == JobStatus.COMPLETED:
        return ExitCode.OK
    reason = result.termination_reason or "the API gives no reason"
    print_error(f"job {result.id} did not complete: {reason}")
    return ExitCode.FAILED


def _summarize_job(result: Job) -> str:
    if result.status != JobStatus.COMPLETED:
        return f"job {result.id} is {result.status}"
    return (
        f"job {result.id} is {result.status}; new documents:"
        f" {len(result.parsed_document_ids):,}, duplicates:"
        f" {result.duplicates or 0:,}, not utility bills:"
        f" {len(result.non_utility_document_ids):,}"
    )


def _run_with_progress(
    work: Callable[[], Awaitable[T]],
    progress: TransferProgress,
    summarize: Callable[[], tuple[str, Mapping[str, Any]]],
) -> T:
    """Run a transfer with its progress display.

    Args:
        work: the transfer.
        progress: its display.
        summarize: describes what is done so far, as text and as values for JSON.

    Raises:
        UnfinishedError: the transfer stopped early; has what is done so far.
    """
    try:
        with progress:
            return run_async(work)
    except (KeyboardInterrupt, NectarError, OSError) as error:
        text, facts = summarize()
        last = getattr(error, "last", None)
        if isinstance(error, WaitTimeoutError) and isinstance(last, Job):
            facts = {**facts, "status": last.status}
            resume = f"`nectar job {last.id} --wait` waits again"
            text = f"{text}; {resume}" if text else resume
        raise UnfinishedError(text, facts) from error
