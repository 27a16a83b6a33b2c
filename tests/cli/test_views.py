"""The table of views, and the pull commands that are built from it."""

from __future__ import annotations

import inspect
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest
import typer
from cli_processes import read_records

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
    UsageUnits,
)
from nectar_async.cli.app import run
from nectar_async.cli.commands.pull import FILTER_OPTIONS, pull_app
from nectar_async.cli.views import VIEWS, ViewTotals
from nectar_async.resources.connections import CONNECTION_LISTS
from nectar_async.resources.documents import DOCUMENT_LISTS
from nectar_async.resources.meters import METER_LISTS
from nectar_async.resources.repository import Repository
from nectar_async.resources.usage import USAGE_LISTS

Capture = pytest.CaptureFixture[str]


def pull(view: str, *options: str) -> int:
    return run(["pull", view, "--out", "out.jsonl", "--json", *options])


def read_output() -> list[dict[str, Any]]:
    return read_records(Path("out.jsonl"))


# Arguments of the repository's methods that are not filters, and the size of a page.
NOT_FILTERS = {"self", "companies", "on_error", "look_ahead", "verify", "limit"}
LIST_FILTERS = {
    "connections": CONNECTION_LISTS.filters,
    "accounts": CONNECTION_LISTS.filters,
    "meters": METER_LISTS.filters,
    "documents": DOCUMENT_LISTS.filters,
    "usage": USAGE_LISTS.filters,
}


def test_the_views_are_those_of_the_repository() -> None:
    methods = inspect.getmembers(Repository, inspect.isfunction)
    names = {name for name, _ in methods if not name.startswith("_")}
    assert names | {"companies", "sites"} == set(VIEWS)


def command_parameters(view: str) -> dict[str, Any]:
    """Return the parameters of a pull command by name."""
    group: Any = typer.main.get_command(pull_app)
    return {parameter.name: parameter for parameter in group.commands[view].params}


@pytest.mark.parametrize("view", LIST_FILTERS)
def test_each_filter_of_a_list_is_an_option_of_its_command(view: str) -> None:
    arguments = inspect.signature(getattr(Repository, view)).parameters
    filters = arguments.keys() - NOT_FILTERS
    assert LIST_FILTERS[view].checks.keys() - NOT_FILTERS == filters
    missing = filters - command_parameters(view).keys()
    assert not missing, f"`nectar pull {view}` has no option for {missing}"
    unknown = command_parameters(view).keys() & FILTER_OPTIONS.keys() - filters
    assert not unknown, f"`nectar pull {view}` has options without a filter: {unknown}"


def test_views_without_a_list_have_no_filters() -> None:
    others = VIEWS.keys() - LIST_FILTERS.keys()
    assert others == {"companies", "sites"}
    for view in others:
        assert not command_parameters(view).keys() & FILTER_OPTIONS.keys()


@pytest.mark.parametrize("view", ["documents", "usage"])
@pytest.mark.parametrize("name", ["start_date", "end_date", "date_type"])
def test_the_help_of_date_options_names_what_the_default_leaves_out(
    view: str, name: str
) -> None:
    text = command_parameters(view)[name].help
    assert "inclusive" in text
    assert "UTC" in text
    assert "BILL_DATE leaves out records without a bill" in text


@pytest.mark.parametrize("view", VIEWS)
def test_the_help_of_a_pull_has_an_example(view: str, capsys: Capture) -> None:
    assert run(["pull", view, "--help"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert f"nectar pull {view} --out {view}.jsonl" in printed
    assert "otherwise FILE stays as it was" in printed
    assert "Needs NECTAR_API_KEY" in printed


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_pulled_with_its_receipts_and_totals(
    view: str, connected: object, capsys: Capture
) -> None:
    assert pull(view) == 0
    report = json.loads(capsys.readouterr().out)
    records = read_output()
    assert report["records"] == len(records) > 0
    assert sum(total["records"] for total in report["by_type"]) == len(records)
    assert {next(iter(line)) for line in records} == {"companyId"}
    assert len({line["id"] for line in records}) == len(records)
    assert len(report["receipts"]) == 2
    assert report["verdict"] == "complete"


@pytest.mark.parametrize(
    ("view", "secret"), [("connections", "username"), ("documents", "url")]
)
def test_secrets_are_left_out_unless_requested(
    view: str, secret: str, connected: object
) -> None:
    assert pull(view) == 0
    assert not any(line.get(secret) for line in read_output())
    assert pull(view, "--include-secrets") == 0
    assert any(line.get(secret) for line in read_output())


def test_connections_are_filtered_by_status_site_and_owner(connected: object) -> None:
    assert pull("connections") == 0
    unfiltered = read_output()
    first = unfiltered[0]
    assert pull("connections", "--status", "connected") == 0
    assert {line["status"] for line in read_output()} == {"CONNECTED"}
    assert 0 < len(read_output()) < len(unfiltered)
    assert pull("connections", "--owner", first["workflowOwnerEmail"]) == 0
    owners = {line["workflowOwnerEmail"] for line in read_output()}
    assert owners == {first["workflowOwnerEmail"]}
    assert pull("connections", "--site", "00000000-0000-4000-8000-000000000000") == 0
    assert Path("out.jsonl").read_bytes() == b""


def test_accounts_are_those_of_the_connections(
    connected: object, capsys: Capture
) -> None:
    assert pull("connections", "--status", "connected") == 0
    of_connections = [
        account["id"] for line in read_output() for account in line["accounts"]
    ]
    capsys.readouterr()
    assert pull("accounts", "--status", "connected") == 0
    assert sorted(line["id"] for line in read_output()) == sorted(of_connections)
    report = json.loads(capsys.readouterr().out)
    assert sum(each["records"] for each in report["receipts"]) == report["records"]


def test_meters_are_filtered_by_type_and_identifier(connected: object) -> None:
    assert pull("meters", "--datasource-type", "water") == 0
    records = read_output()
    assert {line["datasourceType"] for line in records} == {"WATER"}
    number = records[0]["identifiers"][0]["value"]
    assert pull("meters", "--identifier", number.lower()) == 0
    assert records[0]["id"] in {line["id"] for line in read_output()}
    assert len(read_output()) < len(records)


def test_documents_are_filtered_by_day_and_include_deleted_ones_on_request(
    connected: object,
) -> None:
    window = ("--start", "2025-03-01", "--end", "2025-03-31")
    assert pull("documents", *window) == 0
    assert {line["billDate"][:7] for line in read_output()} == {"2025-03"}
    assert pull("documents") == 0
    live = {line["id"] for line in read_output()}
    assert pull("documents", "--include-deleted") == 0
    assert live < {line["id"] for line in read_output()}


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["connections", "--status", "broken"], "'broken' is not one of PENDING"),
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
def test_a_wrong_filter_is_one_error_line_and_writes_no_file(
    arguments: list[str], problem: str, connected: object, capsys: Capture
) -> None:
    view, *options = arguments
    assert pull(view, *options) == 2
    printed = capsys.readouterr().err
    assert problem in printed.splitlines()[0]
    assert not Path("out.jsonl").exists()


def test_an_account_starts_with_the_ids_of_its_company_and_connection(
    connected: object,
) -> None:
    assert pull("connections") == 0
    expected = {
        account["id"]: connection["id"]
        for connection in read_output()
        for account in connection["accounts"]
    }
    assert pull("accounts") == 0
    assert {line["id"]: line["connectionId"] for line in read_output()} == expected
    assert {tuple(line)[:2] for line in read_output()} == {
        ("companyId", "connectionId")
    }


@pytest.mark.parametrize("view", ["companies", "sites"])
def test_companies_and_sites_are_those_of_the_api(
    view: str, connected: object, capsys: Capture
) -> None:
    async def list_companies() -> list[Company]:
        async with NectarClient() as nectar:
            return await nectar.companies.all()

    owned = [
        (company.id, record.id)
        for company in anyio.run(list_companies)
        for record in ([company] if view == "companies" else company.sites)
    ]
    assert pull(view) == 0
    assert [(line["companyId"], line["id"]) for line in read_output()] == owned
    assert json.loads(capsys.readouterr().out)["requests"] == 1
    company_id = owned[0][0]
    assert pull(view, "--company", company_id, "--company", "nobody") == 1
    report = json.loads(capsys.readouterr().out)
    assert report["companies_complete"] == [company_id]
    assert report["companies_failed"] == ["nobody"]
    part = read_records(Path("out.jsonl.partial"))
    assert {line["companyId"] for line in part} == {company_id}


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_summed_up_in_a_table(
    view: str, connected: object, capsys: Capture
) -> None:
    assert run(["pull", view, "--out", "out.jsonl"]) == 0
    printed = capsys.readouterr()
    assert VIEWS[view].title in printed.out
    assert (VIEWS[view].group or "").replace("_", " ") in printed.out
    assert "Receipts" in printed.out
    assert printed.err == ""


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
        (
            "documents",
            Document(id="d"),
            ["unknown utility", "no bill date", "no charges"],
        ),
        (
            "documents",
            Document(
                id="d",
                utility_company="Volt",
                total_charges=Decimal("1234.50"),
                charges_units=CurrencyCode.USD,
            ),
            ["Volt", "no bill date", "1,234.50 USD"],
        ),
        (
            "usage",
            UsageData(id="u"),
            ["unknown", "unknown to unknown", "nothing measured"],
        ),
    ],
)
def test_a_record_is_described_in_a_few_words(
    view: str, record: object, words: list[str]
) -> None:
    assert list(VIEWS[view].describe(record)) == words


def test_totals_never_mix_currencies_and_add_exactly() -> None:
    totals = ViewTotals(VIEWS["documents"])
    bills = [("USD", "0.10"), ("USD", "0.20"), ("EUR", "1"), ("USD", None)]
    totals.add(
        Document(
            id=str(number),
            charges_units=CurrencyCode(unit),
            total_charges=None if charges is None else Decimal(charges),
        )
        for number, (unit, charges) in enumerate(bills)
    )
    assert [total.as_json() for total in totals.rows] == [
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


def sum_usage(*amounts: str) -> str:
    totals = ViewTotals(VIEWS["usage"])
    totals.add(
        UsageData(id=text, usage=Decimal(text), usage_units=UsageUnits("kWh"))
        for text in amounts
    )
    (total,) = totals.rows
    return str(total.as_json()["usage"])


def test_a_total_keeps_every_digit() -> None:
    assert sum_usage("123456789012345678901234567890.5", "0.0625") == (
        "123456789012345678901234567890.5625"
    )


@pytest.mark.parametrize("text", ["1E+999", "1E+999999999", "-1E+999999999"])
def test_a_huge_amount_is_summed_up_in_few_digits(text: str) -> None:
    total = sum_usage(text, "1", "2.5")
    assert Decimal(total).adjusted() == Decimal(text).adjusted()
    assert len(total) < 150


def test_the_receipts_of_accounts_count_accounts(
    connected: object, capsys: Capture
) -> None:
    assert pull("accounts") == 0
    report = json.loads(capsys.readouterr().out)
    lines = read_output()
    for receipt in report["receipts"]:
        own = [line for line in lines if line["companyId"] == receipt["company_id"]]
        assert receipt["records"] == len(own)
        assert receipt["total_last"] is None
    assert report["verdict"] == "complete"
