"""Hooks for schemathesis: ids that exist, a tally of answers, and excused refusals.

Without them nearly every call would name a thing that does not exist, and prove no more
than that 404 is in the contract. `judge` says where the API is (JUDGE_URL, with its
version), what opens it (JUDGE_KEY) and where the tally goes (JUDGE_TALLY).
"""

from __future__ import annotations

import atexit
import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import count, cycle
from pathlib import Path
from typing import Any

import requests
import schemathesis
from schemathesis.core.parameters import ParameterLocation

__all__ = ["after_call", "before_call", "before_load_schema", "filter_failure"]

# Of this many calls, one keeps the ids that were made up.
_UNKNOWN_EVERY = 6
# The first companies are read and changed, the next are emptied, the last deleted.
_KEPT = 3
_STRIPPED = 6
_PATIENCE = 30.0
_CREATED = 201
_WITHIN = {
    "connection_id": ("connection", "connections"),
    "meter_id": ("meter", "meters"),
    "document_id": ("document", "documents"),
    "usage_data_id": ("usage", "usageData"),
}

# Refusals that are no defect, though the schema accepts the request.
_EXCUSES: tuple[tuple[str, str], ...] = (
    (
        r"The company has no such (site|meter|account|value)s?: ",
        "a body names what does not exist",
    ),
    (
        r"(impliedMeteringFraction|occupancyPercent): This must be a number",
        "the pattern of a decimal fits a text without digits",
    ),
    (
        r"(start|end)Date: This must be a date-time",
        "the pattern of a moment fits one that is none",
    ),
    (r"At least one site is required", "a connection without a site"),
    (r"identifiers\.\d+\.value: This field is required", "an identifier without one"),
    (r"documents: This list may not be empty", "a bulk upload of nothing"),
    (r"document: The submitted file is empty", "a file of nothing"),
    (r"users: These users do not exist", "a user whom nobody knows"),
    (r"endDate: This must not be before startDate", "an end before the start"),
    (r"This must be between 0 and 10{0,2}\.", "a share of more than all"),
    (r"Demand rows cannot be changed", "a row of demand"),
    (r"expiresInSeconds: This must be \d+ or less", "an end that no calendar has"),
)

_answers: Counter[tuple[str, str, str]] = Counter()
_excused: Counter[str] = Counter()
_calls = count()
_made: set[str] = set()
"""Ids of things that calls created, used in their order."""


@schemathesis.hook
def before_load_schema(_context: Any, raw_schema: dict[str, Any]) -> None:
    """Give uploaded files a name with the suffix of their kind."""
    operation = raw_schema["paths"]["/job/company/{company_id}"]["post"]
    form = operation["requestBody"]["content"]["multipart/form-data"]
    header = {"example": 'form-data; filename="bill.pdf"', "schema": {"type": "string"}}
    form["encoding"] = {"document": {"headers": {"Content-Disposition": header}}}


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: dict[str, Any]) -> None:
    """Put existing ids into valid generated requests."""
    number = next(_calls)
    if case.meta is None or number % _UNKNOWN_EVERY == 0:
        return
    world = _worlds()[number % _KEPT]
    given = case.path_parameters
    is_made = bool(given) and _made.issuperset(map(str, given.values()))
    if given and not is_made and not _is_negative(case, ParameterLocation.PATH):
        spare = _spares().get(_id_of(case))
        case.path_parameters = {name: next(spare or world[name]) for name in given}
    if not _is_negative(case, ParameterLocation.BODY):
        case.body = _known(case.body, world, number)


@schemathesis.hook
def after_call(_context: Any, case: Any, response: Any) -> None:
    """Count the answer."""
    mode = "?" if case.meta is None else case.meta.generation.mode.value
    if case.method.upper() != case.operation.method.upper():
        mode = "method"
    _answers[_id_of(case), mode, f"{response.status_code}"] += 1
    if response.status_code == _CREATED:
        _made.add(response.json()["id"])


@schemathesis.hook
def filter_failure(_context: Any, failure: Any, _case: Any, response: Any) -> bool:
    """Whether what a check found is a defect."""
    if type(failure).__name__ != "RejectedPositiveData":
        return True

    for pattern, reason in _EXCUSES:
        if re.search(pattern, response.json()["detail"]):
            _excused[reason] += 1
            return False
    return True


@atexit.register
def _write() -> None:
    rows = [[*key, number] for key, number in sorted(_answers.items())]
    text = json.dumps({"answers": rows, "excused": _excused}, indent=1)
    Path(os.environ["JUDGE_TALLY"]).write_text(text, encoding="utf-8")


def _id_of(case: Any) -> str:
    return str(case.operation.definition.raw["operationId"])


def _is_negative(case: Any, place: ParameterLocation) -> bool:
    return bool(case.meta.is_negative_at(place))


# What there is


@cache
def _worlds() -> list[dict[str, Iterator[str]]]:
    """Cycle through all ids of each company that is kept."""
    return [_world(company["id"]) for company in _ask("GET", "/company")[:_KEPT]]


def _world(company_id: str) -> dict[str, Iterator[str]]:
    sites = _sites(company_id)
    bulk = {"documents": ["https://files.example.com/a.pdf"]}
    ids = {
        "company_id": [company_id],
        "site_id": sites,
        "invitation_id": [
            _ask("POST", f"/invitation/company/{company_id}", {})["id"]
            for _ in range(_KEPT)
        ],
        "job_id": [_ask("POST", f"/job/company/{company_id}/bulk", bulk)["id"]],
    }
    for name, (noun, items) in _WITHIN.items():
        page = _ask("GET", f"/{noun}/company/{company_id}")
        ids[name] = [thing["id"] for thing in page[items]]
        if noun == "connection":
            accounts = [one["accounts"] for one in page[items]]
            ids["account_id"] = [one["id"] for some in accounts for one in some]
    return {name: cycle(values) for name, values in ids.items()}


@cache
def _spares() -> Mapping[str, Iterator[str]]:
    """Give ids of things to delete, each at most once."""
    companies = [company["id"] for company in _ask("GET", "/company")]
    stripped = companies[_KEPT:_STRIPPED]
    usage = [_ask("GET", f"/usage/company/{one}")["usageData"] for one in stripped]
    return {
        "companies_delete": iter(companies[_STRIPPED:]),
        "sites_delete": iter([site for one in stripped for site in _sites(one)]),
        "usage_delete": iter([row["id"] for some in usage for row in some]),
    }


def _sites(company_id: str) -> list[str]:
    return [site["id"] for site in _ask("GET", f"/site/company/{company_id}")]


def _ask(method: str, path: str, body: Any = None) -> Any:
    answer = requests.request(
        method,
        os.environ["JUDGE_URL"] + path,
        json=body,
        headers={"X-API-Key": os.environ["JUDGE_KEY"]},
        timeout=_PATIENCE,
    )
    answer.raise_for_status()
    return answer.json()


# What bodies refer to


def _known(body: Any, world: Mapping[str, Iterator[str]], number: int) -> Any:
    """Put existing ids into a body; a body that is no object stays as it is."""
    if not isinstance(body, dict):
        return body
    known = dict(body)
    for key, name in _NAMED.items():
        if isinstance(body.get(key), str):
            known[key] = next(world[name])
        elif isinstance(body.get(key), list):
            known[key] = [next(world[name]) for _ in body[key]]
    if "username" in body:  # nobody may connect the same login twice
        known["username"] = f"{body['username']}{number}"
    if "prefill" in body:
        known["prefill"] = _known(body["prefill"], world, number)
    return known


_NAMED: Mapping[str, str] = {
    "site": "site_id",
    "siteId": "site_id",
    "sites": "site_id",
    "initialSites": "site_id",
    "meter": "meter_id",
    "accounts": "account_id",
}
