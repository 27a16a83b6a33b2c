"""Every view of the Data Repository can be pulled, by one mechanism."""

from __future__ import annotations

import inspect
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest
from cli_processes import records

from nectar_async import (
    Account,
    Company,
    Connection,
    CurrencyCode,
    Document,
    Meter,
    MeterIdentifier,
    NectarClient,
    Site,
    UsageData,
)
from nectar_async.cli.app import run
from nectar_async.cli.totals import Totals
from nectar_async.cli.views import VIEWS
from nectar_async.resources.repository import Repository

Capture = pytest.CaptureFixture[str]


def pull(view: str, *options: str) -> int:
    return run(["pull", view, "--out", "out.jsonl", "--json", *options])


def lines() -> list[dict[str, Any]]:
    return records(Path("out.jsonl"))


def test_the_views_are_those_of_the_repository() -> None:
    methods = inspect.getmembers(Repository, inspect.isfunction)
    names = {name for name, _ in methods if not name.startswith("_")}
    assert names | {"companies", "sites"} == set(VIEWS)


@pytest.mark.parametrize("view", VIEWS)
def test_the_help_of_a_pull_shows_an_example(view: str, capsys: Capture) -> None:
    assert run(["pull", view, "--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"nectar pull {view} --out {view}.jsonl" in said
    assert "whole lines" in said
    assert "Needs NECTAR_API_KEY" in said


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_pulled_with_its_receipts_and_totals(
    view: str, connected: object, capsys: Capture
) -> None:
    assert pull(view) == 0
    report = json.loads(capsys.readouterr().out)
    found = lines()
    assert report["records"] == len(found) > 0
    assert sum(total["records"] for total in report["by_type"]) == len(found)
    assert {next(iter(line)) for line in found} == {"companyId"}
    assert len({line["id"] for line in found}) == len(found)
    assert len(report["receipts"]) == 2
    assert report["verdict"] == "complete"


@pytest.mark.parametrize(
    ("view", "secret"), [("connections", "username"), ("documents", "url")]
)
def test_secrets_stay_out_unless_they_are_asked_for(
    view: str, secret: str, connected: object
) -> None:
    assert pull(view) == 0
    assert not any(line.get(secret) for line in lines())
    assert pull(view, "--include-secrets") == 0
    assert any(line.get(secret) for line in lines())


def test_connections_are_filtered_by_status_site_and_owner(connected: object) -> None:
    assert pull("connections") == 0
    everything = lines()
    first = everything[0]
    assert pull("connections", "--status", "connected") == 0
    assert {line["status"] for line in lines()} == {"CONNECTED"}
    assert 0 < len(lines()) < len(everything)
    assert pull("connections", "--owner", first["workflowOwnerEmail"]) == 0
    owners = {line["workflowOwnerEmail"] for line in lines()}
    assert owners == {first["workflowOwnerEmail"]}
    assert pull("connections", "--site", "00000000-0000-4000-8000-000000000000") == 0
    assert Path("out.jsonl").read_bytes() == b""


def test_accounts_are_those_of_the_connections(
    connected: object, capsys: Capture
) -> None:
    assert pull("connections", "--status", "connected") == 0
    of_connections = [one["id"] for line in lines() for one in line["accounts"]]
    capsys.readouterr()
    assert pull("accounts", "--status", "connected") == 0
    assert sorted(line["id"] for line in lines()) == sorted(of_connections)
    report = json.loads(capsys.readouterr().out)
    # A receipt is for what the API lists, and it lists connections.
    assert sum(one["records"] for one in report["receipts"]) < report["records"]


def test_meters_are_filtered_by_type_and_identifier(connected: object) -> None:
    assert pull("meters", "--datasource-type", "water") == 0
    found = lines()
    assert {line["datasourceType"] for line in found} == {"WATER"}
    number = found[0]["identifiers"][0]["value"]
    assert pull("meters", "--identifier", number.lower()) == 0
    assert found[0]["id"] in {line["id"] for line in lines()}
    assert len(lines()) < len(found)


def test_documents_are_filtered_by_day_and_deletion(connected: object) -> None:
    window = ("--start", "2025-03-01", "--end", "2025-03-31")
    assert pull("documents", *window) == 0
    assert {line["billDate"][:7] for line in lines()} == {"2025-03"}
    present = {line["id"] for line in lines()}
    assert pull("documents", *window, "--deleted") == 0
    assert present.isdisjoint(json.loads(one)["id"] for one in _raw())


def _raw() -> list[bytes]:
    return Path("out.jsonl").read_bytes().splitlines()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["connections", "--status", "broken"], "'broken' is none of PENDING"),
        (["connections", "--owner", "nobody"], "--owner is no e-mail address"),
        (["connections", "--owner", ""], "--owner"),
        (["connections", "--site", ""], "--site"),
        (["accounts", "--start", "2025-01-01"], "--start"),
        (["meters", "--status", "connected"], "--status"),
        (["documents", "--start", "2025-02-01", "--end", "2025-01-01"], "after --end"),
        (["bills"], "bills"),
    ],
    ids=[
        *("status", "owner", "no owner", "no site"),
        *("window", "not its filter", "order", "no view"),
    ],
)
def test_a_wrong_filter_is_one_line_and_touches_no_file(
    arguments: list[str], problem: str, connected: object, capsys: Capture
) -> None:
    view, *options = arguments
    assert pull(view, *options) == 2
    said = capsys.readouterr().err
    assert problem in said.splitlines()[0]
    assert not Path("out.jsonl").exists()


def test_an_account_has_the_id_of_its_connection(connected: object) -> None:
    assert pull("connections") == 0
    expected = {
        account["id"]: connection["id"]
        for connection in lines()
        for account in connection["accounts"]
    }
    assert pull("accounts") == 0
    assert {line["id"]: line["connectionId"] for line in lines()} == expected
    assert {tuple(line)[:2] for line in lines()} == {("companyId", "connectionId")}


@pytest.mark.parametrize("view", ["companies", "sites"])
def test_companies_and_sites_are_those_of_the_api(
    view: str, connected: object, capsys: Capture
) -> None:
    async def everything() -> list[Company]:
        async with NectarClient() as nectar:
            return await nectar.companies.all()

    owned = [
        (company.id, one.id)
        for company in anyio.run(everything)
        for one in ([company] if view == "companies" else company.sites)
    ]
    assert pull(view) == 0
    assert [(line["companyId"], line["id"]) for line in lines()] == owned
    assert json.loads(capsys.readouterr().out)["requests"] == 1
    company_id = owned[0][0]
    assert pull(view, "--company", company_id, "--company", "nobody") == 1
    report = json.loads(capsys.readouterr().out)
    assert report["companies_complete"] == [company_id]
    assert report["companies_failed"] == ["nobody"]
    assert {line["companyId"] for line in lines()} == {company_id}


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_told_in_a_table(
    view: str, connected: object, capsys: Capture
) -> None:
    assert run(["pull", view, "--out", "out.jsonl"]) == 0
    said = capsys.readouterr()
    assert VIEWS[view].title in said.out
    assert (VIEWS[view].group or "").replace("_", " ") in said.out
    assert "Receipts" in said.out
    assert said.err == ""


@pytest.mark.parametrize(
    ("view", "record", "words"),
    [
        ("connections", Connection(id="c"), ["unknown", "c", "0 accounts"]),
        ("companies", Company(id="c", name="C"), ["c", "0 sites"]),
        ("sites", Site(id="s", name="S"), ["S", "no address"]),
        ("accounts", Account(id="a", account_number="7"), ["unknown", "7"]),
        ("meters", Meter(id="m"), ["unknown"]),
        (
            "meters",
            Meter(id="m", identifiers=(MeterIdentifier(value="M-1"),)),
            ["unknown", "M-1"],
        ),
        ("documents", Document(id="d"), ["unknown", "None", "no charges"]),
        (
            "documents",
            Document(
                id="d",
                utility_company="Volt",
                total_charges=Decimal("1234.50"),
                charges_units=CurrencyCode.USD,
            ),
            ["Volt", "None", "1,234.50 USD"],
        ),
        ("usage", UsageData(id="u"), ["unknown", "None to None", "nothing measured"]),
    ],
)
def test_a_record_is_told_in_a_few_words(
    view: str, record: object, words: list[str]
) -> None:
    assert list(VIEWS[view].words(record)) == words


def test_totals_never_mix_currencies_and_add_exactly() -> None:
    totals = Totals(VIEWS["documents"])
    bills = [("USD", "0.10"), ("USD", "0.20"), ("EUR", "1"), ("USD", None)]
    totals.add(
        Document(
            id=str(number),
            charges_units=CurrencyCode(unit),
            total_charges=None if charges is None else Decimal(charges),
        )
        for number, (unit, charges) in enumerate(bills)
    )
    assert [total.as_json() for total in totals.lines] == [
        {
            "source_type": None,
            "charges_units": "USD",
            "records": 3,
            "total_charges": "0.30",
        },
        {
            "source_type": None,
            "charges_units": "EUR",
            "records": 1,
            "total_charges": "1",
        },
    ]
