"""Downloads, uploads and jobs on the command line."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import anyio
import pytest
from cli_processes import CommandRunner, run_sandbox
from rich.console import Console

from nectar_async import Document, NectarClient
from nectar_async.cli.app import run
from nectar_async.cli.progress import TransferProgress
from nectar_async.resources import _polling
from nectar_async.sandbox.generator.pdf import make_pdf

Capture = pytest.CaptureFixture[str]

# Fast enough that jobs end at once, and slow enough that links last some seconds.
CLOCK = ("--clock-speed", "5000")
FILE_BYTES = 5_000_000  # more than one chunk of a download


@pytest.fixture(scope="module")
def changing_sandbox() -> Iterator[dict[str, str]]:
    options = ("--companies", "1", "--latency", "0", "--file-bytes", str(FILE_BYTES))
    with run_sandbox(*options, *CLOCK) as (_, environment):
        yield environment


@pytest.fixture(autouse=True)
def connected(
    changing_sandbox: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    for name, value in changing_sandbox.items():
        monkeypatch.setenv(name, value)
    # The clock of the sandbox is fast, so that longer waits would only take time.
    monkeypatch.setattr(_polling, "_FIRST_WAIT", 0.02)
    return changing_sandbox


@pytest.fixture
def document(connected: object) -> Document:
    async def first() -> Document:
        async with NectarClient() as nectar:
            company = (await nectar.companies.all())[0]
            async for document in nectar.documents.by_company(company.id):
                return document
        raise AssertionError

    return anyio.run(first)


@pytest.fixture
def bill(request: pytest.FixtureRequest) -> Path:
    """Write a small bill that no other test uploads."""
    path = Path("bill.pdf")
    path.write_bytes(make_pdf(request.node.name, size=3_000))
    return path


def upload(document: Document, *arguments: str) -> int:
    assert document.company is not None
    return run(["upload", document.company, *arguments])


def test_a_bill_is_saved_under_its_file_name(
    document: Document, capsys: Capture
) -> None:
    assert run(["download", document.id]) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{document.file_name}\n"
    assert printed.err == "5,000,000 bytes\n"
    content = Path(str(document.file_name)).read_bytes()
    assert content.startswith(b"%PDF")
    assert len(content) == FILE_BYTES


def full_disk(part: Path, offset: int, data: bytes) -> None:
    """Write the first chunk and fail for the others."""
    if offset:
        raise OSError(28, "No space left on device", os.fspath(part))
    part.write_bytes(data)


def test_an_interrupted_download_is_resumed(
    document: Document, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["download", document.id, "whole.pdf", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report == {
        "path": "whole.pdf",
        "size": FILE_BYTES,
        "resumed_from": 0,
        "file_name": document.file_name,
        "links": 1,
    }
    whole = Path("whole.pdf").read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr("nectar_async._files.partial_file._write", full_disk)
        assert run(["download", document.id, "half.pdf"]) == 1
    there = Path("half.pdf.part").stat().st_size
    capsys.readouterr()
    assert run(["download", document.id, "half.pdf"]) == 0
    printed = capsys.readouterr()
    assert printed.out == "half.pdf\n"
    assert printed.err == f"5,000,000 bytes, {there:,} of them from an earlier run\n"
    assert Path("half.pdf").read_bytes() == whole


def test_a_bill_on_stdout_is_reported_on_stderr(
    document: Document, connected: dict[str, str], tmp_path: Path
) -> None:
    process = CommandRunner(tmp_path, **connected).start("download", document.id, "-")
    assert process.stdout is not None
    assert process.stderr is not None
    with open(process.stdout.fileno(), "rb", closefd=False) as out:
        content = out.read()
    assert content.startswith(b"%PDF")
    assert len(content) == FILE_BYTES
    assert process.stderr.read() == "5,000,000 bytes\n"
    process.stdout.close()
    process.stderr.close()
    assert process.wait(timeout=30) == 0


@pytest.mark.slow
def test_a_closed_pipe_ends_a_download_without_a_message(
    document: Document, connected: dict[str, str], tmp_path: Path
) -> None:
    process = CommandRunner(tmp_path, **connected).start("download", document.id, "-")
    assert process.stdout is not None
    assert process.stderr is not None
    assert os.read(process.stdout.fileno(), 4) == b"%PDF"
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(timeout=30) == 141


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        (["download", "nobody"], 1, "documents_get, document nobody: 404"),
        (["download", "nobody", "no/such/bill.pdf"], 2, "create it first"),
        (["download"], 2, "DOCUMENT_ID"),
        (
            ["download", "nobody", "new/"],
            2,
            "PATH is no folder: 'new/'; create it first",
        ),
        (["download", ""], 2, "it is empty"),
        (["upload", "anybody", "no.pdf"], 2, "FILE does not exist: 'no.pdf'"),
        (["upload", "anybody", "."], 2, "'.'; pass the path of one"),
        (["upload", "anybody", "notes.txt"], 2, "the API accepts no other kinds"),
        (["job", "nobody"], 1, "jobs_get, job nobody: 404"),
        (["job", "nobody", "--timeout", "5"], 2, "--timeout needs --wait"),
        (["upload", "anybody"], 2, "FILE"),
        (["upload", "anybody", "bill.pdf"], 1, "jobs_submit_document, company anybody"),
        (["upload", "anybody", "bill.pdf", "--timeout", "-1"], 2, "--timeout"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_wrong_argument_is_one_error_line_with_its_exit_code(
    arguments: list[str], code: int, problem: str, bill: Path, capsys: Capture
) -> None:
    Path("notes.txt").write_text("no bill", encoding="ascii")
    before = sorted(Path().iterdir())
    assert run(arguments) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert problem in printed.err.splitlines()[0]
    assert sorted(Path().iterdir()) == before


def test_an_upload_prints_its_job(
    document: Document, bill: Path, capsys: Capture
) -> None:
    assert upload(document, str(bill)) == 0
    printed = capsys.readouterr()
    (job_id,) = printed.out.splitlines()
    assert printed.err == f"job {job_id} is PENDING\n"


def test_the_new_document_of_an_upload_can_be_downloaded(
    document: Document, bill: Path, capsys: Capture
) -> None:
    assert upload(document, str(bill), "--wait") == 0
    printed = capsys.readouterr()
    (document_id,) = printed.out.splitlines()
    assert printed.err.endswith(
        " is COMPLETED; new documents: 1, duplicates: 0, not utility bills: 0\n"
    )
    assert run(["download", document_id, "again.pdf"]) == 0
    assert Path("again.pdf").read_bytes() == bill.read_bytes()


def test_a_second_upload_is_a_duplicate_and_no_failure(
    document: Document, bill: Path, capsys: Capture
) -> None:
    assert upload(document, str(bill), "--wait", "--json") == 0
    first = json.loads(capsys.readouterr().out)
    assert upload(document, str(bill), "--wait", "--json") == 0
    printed = capsys.readouterr()
    second = json.loads(printed.out)
    assert printed.err == ""
    assert second == {
        "id": second["id"],
        "status": "COMPLETED",
        "parsed_document_ids": [],
        "duplicates": 1,
        "duplicate_document_ids": first["parsed_document_ids"],
        "non_utility_document_ids": [],
        "termination_reason": None,
    }


def test_an_upload_sends_its_site(
    document: Document, bill: Path, capsys: Capture
) -> None:
    async def find_sites(document_id: str) -> tuple[str, set[str | None]]:
        async with NectarClient() as nectar:
            company = await nectar.companies.get(str(document.company))
            uploaded = await nectar.documents.get(document_id)
            sites = {
                usage.site.id if usage.site else None for usage in uploaded.usage_data
            }
            return company.sites[-1].id, sites

    last_site, _ = anyio.run(find_sites, document.id)
    assert upload(document, str(bill), "--site", last_site, "--wait") == 0
    (document_id,) = capsys.readouterr().out.splitlines()
    assert anyio.run(find_sites, document_id) == (last_site, {last_site})


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fail.pdf", "the API gives no reason"),
        ("terminate.pdf", "The files could not be read"),
    ],
)
def test_a_failed_job_is_exit_code_1(
    name: str, words: str, document: Document, bill: Path, capsys: Capture
) -> None:
    bill.rename(name)
    assert upload(document, name, "--wait") == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    status, error = printed.err.splitlines()
    assert status.endswith(("FAILED", "TERMINATED"))
    assert error.startswith("error: job ")
    assert words in error


def test_a_wait_beyond_its_limit_names_the_job_of_the_uploaded_file(
    document: Document, bill: Path, capsys: Capture
) -> None:
    bill.rename("stuck.pdf")
    assert upload(document, "stuck.pdf", "--wait", "--timeout", "0") == 1
    error, so_far = capsys.readouterr().err.splitlines()
    assert "it was PENDING when last seen" in error
    assert so_far.startswith("so far: the file was uploaded as job ")
    again = so_far.partition("`nectar ")[2].partition("`")[0].split()
    assert again[0] == "job"
    assert run([*again, "--timeout", "0", "--json"]) == 1
    printed = json.loads(capsys.readouterr().out)
    assert printed["error"]["type"] == "WaitTimeoutError"
    assert printed["job"] == again[1]
    assert run(again[:2]) == 0
    assert capsys.readouterr().out == f"{again[1]}\n"


def test_a_job_can_be_waited_for_later(
    document: Document, bill: Path, capsys: Capture
) -> None:
    assert upload(document, str(bill)) == 0
    job_id = capsys.readouterr().out.strip()
    assert run(["job", job_id, "--wait"]) == 0
    (document_id,) = capsys.readouterr().out.splitlines()
    assert run(["job", job_id, "--json"]) == 0
    job = json.loads(capsys.readouterr().out)
    assert (job["status"], job["parsed_document_ids"]) == ("COMPLETED", [document_id])


def test_a_wait_fits_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    progress = TransferProgress(
        "a bill with a name that is longer than a terminal " * 3, is_wanted=False
    )
    progress.update(1_000_000, 3_000_000)
    screen = Console(file=StringIO(), width=80, record=True)
    screen.print(progress._progress.get_renderable())
    progress.show_waiting("waiting for job 5f0c9e3a-1b7d-4c2e-9f60-7a1d2e3f4a5b")
    screen.print(progress._progress.get_renderable())
    moving, waiting = screen.export_text().splitlines()
    assert moving.startswith("a bill with a name")
    assert "1.0/3.0 MB" in moving
    assert "waiting for job 5f0c9e3a-1b7d-4c2e-9f60-7a1d2e3f4a5b" in waiting
    assert "MB" not in waiting


def test_a_full_disk_is_reported_with_the_size_of_the_part(
    document: Document, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nectar_async._files.partial_file._write", full_disk)
    assert run(["download", document.id, "bill.pdf"]) == 1
    printed = capsys.readouterr().err.splitlines()
    there = Path("bill.pdf.part").stat().st_size
    assert printed == [
        "error: bill.pdf.part: No space left on device",
        f"so far: {there:,} bytes in the .part file; run it again to resume",
    ]


@pytest.mark.parametrize(
    ("options", "is_shown"), [([], True), (["--json"], False)], ids=["text", "json"]
)
def test_a_terminal_shows_the_progress_unless_json_is_requested(
    options: list[str],
    is_shown: bool,
    document: Document,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # makes a console behave as a terminal
    monkeypatch.setenv("COLUMNS", "160")
    assert run(["download", document.id, "bill.pdf", *options]) == 0
    printed = capsys.readouterr()
    assert (f"document {document.id}" in printed.err) is is_shown
    assert ("5.0/5.0 MB" in printed.err) is is_shown
    assert "document" not in printed.out.partition("file_name")[0]
