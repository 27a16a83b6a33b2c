"""Uploaded files become documents after some seconds, once each."""

from __future__ import annotations

import io
from typing import Any

import aiohttp
import pytest
from contract_schemas import check_schema, response_schema
from raw_client import RawClient, RawResponse

from nectar_async.sandbox.generator.pdf import make_pdf
from nectar_async.sandbox.server.upload_jobs import SECONDS

pytestmark = pytest.mark.asyncio

NOBODY = "00000000-0000-4000-a000-000000000000"
BILL = make_pdf("a bill", size=30_000)


class Uploader(RawClient):
    """A client that uploads files."""

    def path(self, index: int = 0) -> str:
        return f"/v2.2/job/company/{self.sandbox.portfolio.company(index).id}"

    async def upload(
        self, data: bytes = BILL, name: str = "bill.pdf", index: int = 0, **fields: str
    ) -> RawResponse:
        form = aiohttp.FormData(fields, quote_fields=False)
        form.add_field("document", io.BytesIO(data), filename=name)
        return await self.request(self.path(index), method="POST", data=form)

    async def submit(self, *urls: str, **more: Any) -> RawResponse:
        body = {"documents": urls, **more}
        return await self.request(f"{self.path()}/bulk", method="POST", body=body)

    async def outcome(self, submitted: RawResponse, seconds: float = SECONDS) -> Any:
        """Get the job after some seconds."""
        assert submitted.status == 201, submitted.body
        check_schema(response_schema("jobs_submit_document", 201), submitted.json)
        assert submitted.json["status"] == "PENDING"
        self.sandbox.clock.advance(seconds)
        response = await self.request(f"/v2.2/job/{submitted.json['id']}")
        check_schema(response_schema("jobs_get", 200), response.json)
        return response.json


@pytest.fixture
def uploader(raw_client: RawClient) -> Uploader:
    return Uploader(raw_client.sandbox, raw_client.session)


async def test_a_job_is_pending_for_some_seconds(uploader: Uploader) -> None:
    submitted = await uploader.upload()
    job = await uploader.outcome(submitted, SECONDS - 5)
    assert job == {
        "id": submitted.json["id"],
        "status": "PENDING",
        "parsedDocumentIds": None,
        "duplicates": None,
        "duplicateDocumentIds": None,
        "nonUtilityDocumentIds": None,
        "terminationReason": None,
    }
    job = await uploader.outcome(submitted, 5)
    assert job["status"] == "COMPLETED"
    assert len(job["parsedDocumentIds"]) == 1
    assert (job["duplicates"], job["duplicateDocumentIds"]) == (0, [])
    assert job["nonUtilityDocumentIds"] == []


async def test_an_uploaded_document_is_listed_without_a_request_for_its_job(
    uploader: Uploader,
) -> None:
    company = uploader.sandbox.portfolio.company(0)
    submitted = await uploader.upload(
        name="Énergie März.pdf", siteId=company.sites[0].id
    )
    path = f"/v2.2/document/company/{company.id}"
    before = (await uploader.request(path)).json["totalDocuments"]
    uploader.sandbox.clock.advance(SECONDS)
    response = (await uploader.request(path)).json
    assert response["totalDocuments"] == before + 1
    (listed,) = [
        document
        for document in response["documents"]
        if document["jobId"] == submitted.json["id"]
    ]
    assert listed["fileName"] == "Énergie März.pdf"
    job = await uploader.outcome(submitted)
    assert job["parsedDocumentIds"] == [listed["id"]]


async def test_the_file_of_an_uploaded_document_is_the_uploaded_file(
    uploader: Uploader,
) -> None:
    for name, data, kind in (
        ("bill.pdf", BILL, "application/pdf"),
        ("scan.PNG", b"\x89PNG\r\n\x1a\n\r\n--\r\n", "image/png"),
        ("photo.jpeg", b"\xff\xd8\xff" + bytes(2_000), "image/jpeg"),
    ):
        job = await uploader.outcome(await uploader.upload(data, name))
        (document_id,) = job["parsedDocumentIds"]
        document = (await uploader.request(f"/v2.2/document/{document_id}")).json
        path = document["url"].removeprefix(uploader.sandbox.url)
        response = await uploader.request(path, key=None)
        assert response.body == data
        assert response.headers["Content-Type"] == kind


async def test_a_repeated_file_is_a_duplicate_within_its_company(
    uploader: Uploader,
) -> None:
    (first,) = (await uploader.outcome(await uploader.upload()))["parsedDocumentIds"]
    again = await uploader.outcome(await uploader.upload(name="copy.pdf"))
    assert again["parsedDocumentIds"] == []
    assert (again["duplicates"], again["duplicateDocumentIds"]) == (1, [first])
    elsewhere = await uploader.outcome(await uploader.upload(index=1))
    assert len(elsewhere["parsedDocumentIds"]) == 1


async def test_many_urls_are_one_job(uploader: Uploader) -> None:
    site = uploader.sandbox.portfolio.company(0).sites[0].id
    host = "https://files.example.com"
    submitted = await uploader.submit(
        f"{host}/a.pdf?signature=1",
        f"{host}/b.pdf",
        f"{host}/a.pdf?signature=2",
        f"{host}/nonutility.pdf",
        siteId=site,
    )
    job = await uploader.outcome(submitted)
    assert len(set(job["parsedDocumentIds"])) == 2
    assert job["duplicateDocumentIds"] == job["parsedDocumentIds"][:1]
    assert job["duplicates"] == 1
    assert len(job["nonUtilityDocumentIds"]) == 1


@pytest.mark.parametrize(
    ("name", "status", "has_reason"),
    [
        ("will-FAIL.pdf", "FAILED", False),
        ("terminated.pdf", "TERMINATED", True),
        ("stuck.pdf", "PENDING", False),
    ],
)
async def test_the_file_name_selects_the_result_of_a_job(
    uploader: Uploader, name: str, status: str, has_reason: bool
) -> None:
    job = await uploader.outcome(await uploader.upload(name=name), 10**7)
    assert job["status"] == status
    assert job["parsedDocumentIds"] is None
    assert bool(job["terminationReason"]) is has_reason


@pytest.mark.parametrize(
    ("data", "name", "reason"),
    [
        (BILL, "bill.txt", "name must end with"),
        (BILL, "bill", "name must end with"),
        (b"", "bill.pdf", "is empty"),
        (bytes(25 * 2**20 + 1), "bill.png", "at most 26214400 bytes"),
        (make_pdf("", size=0, pages=151), "bill.pdf", "at most 150 pages"),
    ],
    ids=["text", "no extension", "empty", "large", "long"],
)
async def test_an_invalid_file_is_refused(
    uploader: Uploader, data: bytes, name: str, reason: str
) -> None:
    response = await uploader.upload(data, name)
    assert response.status == 400
    assert response.json["detail"].startswith("document: ")
    assert reason in response.json["detail"]


async def test_the_largest_and_longest_allowed_files_are_accepted(
    uploader: Uploader,
) -> None:
    long = make_pdf("", size=25 * 2**20, pages=150)
    assert (await uploader.upload(long)).status == 201


async def test_the_form_must_have_the_file(uploader: Uploader) -> None:
    for form, reason in (
        (aiohttp.FormData({"file": "x"}, default_to_multipart=True), "is required"),
        (aiohttp.FormData({"document": "x"}, default_to_multipart=True), "not a file"),
    ):
        response = await uploader.request(uploader.path(), method="POST", data=form)
        assert response.status == 400
        assert response.json["detail"].startswith("document: ")
        assert reason in response.json["detail"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"--x--",
        b"no parts",
        b'--x\r\nContent-Disposition: form-data; name="document"\r\n\r\ncut',
        b"--x\r\nContent-Type: text/plain\r\n\r\nnameless\r\n--x--\r\n",
    ],
    ids=["nothing", "no part", "no boundary", "cut off", "nameless"],
)
async def test_a_broken_form_is_refused(uploader: Uploader, data: bytes) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    response = await uploader.request(
        uploader.path(), method="POST", data=data, headers=headers
    )
    assert response.status == 400
    assert response.json["detail"]


async def test_json_in_place_of_a_form_is_refused(uploader: Uploader) -> None:
    response = await uploader.request(
        uploader.path(), method="POST", body={"document": "eA=="}
    )
    assert response.status == 415


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"documents": ["http://files.example.com/a.pdf"]}, "documents.0"),
        ({"documents": []}, "documents"),
        ({}, "documents"),
        ({"documents": ["https://x.example/a.pdf"], "siteId": NOBODY}, "siteId"),
        ({"documents": ["https://x.example/a.pdf"], "siteId": "x"}, "siteId"),
    ],
    ids=["http", "none", "missing", "strange site", "no id"],
)
async def test_invalid_urls_are_refused(
    uploader: Uploader, body: dict[str, Any], name: str
) -> None:
    response = await uploader.request(
        f"{uploader.path()}/bulk", method="POST", body=body
    )
    assert response.status == 400
    assert response.json["detail"].startswith(f"{name}: ")


async def test_unknown_companies_and_jobs_are_not_found(uploader: Uploader) -> None:
    form = aiohttp.FormData()
    form.add_field("document", BILL, filename="bill.pdf")
    path = f"/v2.2/job/company/{NOBODY}"
    assert (await uploader.request(path, method="POST", data=form)).status == 404
    body = {"documents": ["https://x.example/a.pdf"]}
    assert (
        await uploader.request(f"{path}/bulk", method="POST", body=body)
    ).status == 404
    for job_id in (NOBODY, "no-uuid"):
        assert (await uploader.request(f"/v2.2/job/{job_id}")).status == 404


async def test_a_job_outlives_its_company(uploader: Uploader) -> None:
    company = uploader.sandbox.portfolio.company(0)
    await uploader.upload()
    await uploader.request(f"/v2.2/company/{company.id}", method="DELETE")
    uploader.sandbox.clock.advance(1_000)
    assert (await uploader.upload()).status == 404
    assert (await uploader.request("/v2.2/ping")).status == 200
