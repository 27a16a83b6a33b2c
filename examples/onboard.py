"""Set up a customer: company, sites, utility account, bills. Then undo all of it.

    NECTAR_API_KEY=... python examples/onboard.py bills

The login is the trial login of Nectar's guides. With it, sample bills arrive after half
a minute. All objects are deleted at the end, also after an error.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import anyio

from nectar_async import Company, Connection, Document, JobStatus, NectarClient, Site

BILLS_SHOWN = 5


async def onboard(folder: Path) -> int:
    """Run all steps once; the exit code says whether the upload was read."""
    await anyio.Path(folder).mkdir(parents=True, exist_ok=True)  # or fail right here
    async with NectarClient() as nectar, AsyncExitStack() as afterwards:
        company = await nectar.companies.create("Harbor Foods", external_id="4711")
        afterwards.push_async_callback(undo, nectar.companies.delete, company.id)
        print(f"company {company.id}")

        sites: list[Site] = []
        for name in ("Quay 1", "Mill Lane 7"):
            sites.append(await nectar.sites.create(company.id, name))
            afterwards.push_async_callback(undo, nectar.sites.delete, sites[-1].id)

        connection = await connect(nectar, company, sites)
        afterwards.push_async_callback(
            undo, nectar.connections.deactivate, connection.id
        )
        await nectar.connections.wait_until_settled(
            connection.id, on_progress=print_status
        )

        document = await first_bill(nectar, connection)
        async for record in nectar.usage.by_document(document.id):
            print(f"  {record.start_date} {record.usage} {record.usage_units}")
        bill = folder / f"{document.id}.pdf"
        saved = await nectar.documents.download(document.id, bill)
        print(f"saved {bill}, {saved.size:,} bytes")

        return await upload(nectar, company, sites[0], bill)


async def connect(
    nectar: NectarClient, company: Company, sites: list[Site]
) -> Connection:
    """Connect the utility account for all sites; its login is not checked yet."""
    return await nectar.connections.create(
        company.id,
        url="https://nectarclimate.com",
        username="nectar-sandbox-username",
        password="nectar-sandbox-password",  # noqa: S106 - it is in the public guides
        sites=[site.id for site in sites],
    )


def print_status(connection: Connection) -> None:
    """Print the status of the login, and who has to do what about it."""
    print(f"connection {connection.id}: {connection.status}")
    if connection.status is not None and not connection.status.advice.is_healthy:
        advice = connection.status.advice
        print(f"  {advice.meaning} {advice.who_acts} acts: {advice.action}")


async def first_bill(nectar: NectarClient, connection: Connection) -> Document:
    """List the bills as soon as there are any; returns the first one."""
    bills = nectar.documents.by_connection(connection.id)  # each loop is a new walk
    with anyio.fail_after(120):
        documents = [bill async for bill in bills]
        while not documents:
            await anyio.sleep(2)
            documents = [bill async for bill in bills]
    print(f"{len(documents)} bills:")
    for document in documents[:BILLS_SHOWN]:
        total = f"{document.total_charges} {document.charges_units}"
        print(f"  {document.bill_date} {total}, document {document.id}")
    if len(documents) > BILLS_SHOWN:
        print(f"  ... and {len(documents) - BILLS_SHOWN} more")
    return documents[0]


async def upload(nectar: NectarClient, company: Company, site: Site, bill: Path) -> int:
    """Upload a bill that came on paper, and wait until it was read."""
    job = await nectar.jobs.submit_document(company.id, bill, site_id=site.id)
    job = await nectar.jobs.wait(job.id)
    print(
        f"job {job.id}: {job.status}, new documents: {len(job.parsed_document_ids)},"
        f" duplicates: {job.duplicates or 0}"
    )
    return 0 if job.status == JobStatus.COMPLETED else 1


async def undo(call: Callable[[str], Awaitable[object]], identity: str) -> None:
    """Clean up, also when the program is being interrupted."""
    with anyio.move_on_after(30, shield=True):
        await call(identity)


if __name__ == "__main__":
    sys.exit(anyio.run(onboard, Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
