"""Hooks for schemathesis: ids that exist, a count of answers, and excused refusals.

Without them nearly every call would use an unknown id, and would only show that 404 is
in the contract. `check_api` sets the URL of the API with its version (CHECK_URL), the
API key (CHECK_KEY) and the file for the counts (CHECK_REPORT).
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

# One call in six keeps its generated ids, which no object has.
_UNKNOWN_EVERY = 6
# The first companies are read and changed, the next are emptied, the last deleted.
_KEPT_COMPANIES = 3
_FIRST_DELETED = 6
_TIMEOUT = 30.0
_CREATED = 201
_LISTS = {
    "connection_id": ("connection", "connections"),
    "meter_id": ("meter", "meters"),
    "document_id": ("document", "documents"),
    "usage_data_id": ("usage", "usageData"),
}

# Refusals that are no defect, though the schema accepts the request.
_EXCUSES: tuple[tuple[str, str], ...] = (
    (
        r"The company has no such (site|meter|account|value)s?: ",
        "an id in a body is unknown",
    ),
    (
        r"(impliedMeteringFraction|occupancyPercent): This must be a number",
        "the pattern of a decimal fits a text without digits",
    ),
    (
        r"(start|end)Date: This must be a date-time",
        "the pattern of a date-time fits invalid ones",
    ),
    (r"At least one site is required", "a connection without a site"),
    (
        r"identifiers\.\d+\.value: This field is required",
        "an identifier without a value",
    ),
    (r"documents: This list may not be empty", "a bulk upload without documents"),
    (r"document: The submitted file is empty", "an empty file"),
    (r"users: These users do not exist", "an unknown user"),
    (r"endDate: This must not be before startDate", "an end before the start"),
    (r"This must be between 0 and 10{0,2}\.", "a share above the maximum"),
    (r"Demand rows cannot be changed", "a demand row"),
    (r"expiresInSeconds: This must be \d+ or less", "an expiry beyond the last date"),
)

_answers: Counter[tuple[str, str, str]] = Counter()
_excused: Counter[str] = Counter()
_calls = count()
_created_ids: set[str] = set()
"""Ids of objects that calls created."""


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
    ids = _list_id_cycles()[number % _KEPT_COMPANIES]
    parameters = case.path_parameters
    is_created = bool(parameters) and _created_ids.issuperset(
        map(str, parameters.values())
    )
    if parameters and not is_created and not _is_negative(case, ParameterLocation.PATH):
        deletable = _list_deletable_ids().get(_read_operation(case))
        case.path_parameters = {
            name: next(deletable or ids[name]) for name in parameters
        }
    if not _is_negative(case, ParameterLocation.BODY):
        case.body = _insert_ids(case.body, ids, number)


@schemathesis.hook
def after_call(_context: Any, case: Any, response: Any) -> None:
    """Count the answer."""
    mode = "?" if case.meta is None else case.meta.generation.mode.value
    if case.method.upper() != case.operation.method.upper():
        mode = "method"
    _answers[_read_operation(case), mode, f"{response.status_code}"] += 1
    if response.status_code == _CREATED:
        _created_ids.add(response.json()["id"])


@schemathesis.hook
def filter_failure(_context: Any, failure: Any, _case: Any, response: Any) -> bool:
    """Whether the failure of a check is a defect."""
    if type(failure).__name__ != "RejectedPositiveData":
        return True

    for pattern, reason in _EXCUSES:
        if re.search(pattern, response.json()["detail"]):
            _excused[reason] += 1
            return False
    return True


@atexit.register
def _write_counts() -> None:
    rows = [[*key, number] for key, number in sorted(_answers.items())]
    text = json.dumps({"answers": rows, "excused": _excused}, indent=1)
    Path(os.environ["CHECK_REPORT"]).write_text(text, encoding="utf-8")


def _read_operation(case: Any) -> str:
    return str(case.operation.definition.raw["operationId"])


def _is_negative(case: Any, place: ParameterLocation) -> bool:
    return bool(case.meta.is_negative_at(place))


# Existing ids


@cache
def _list_id_cycles() -> list[dict[str, Iterator[str]]]:
    """Cycle through all ids of each company that is kept."""
    return [
        _build_id_cycles(company["id"])
        for company in _call("GET", "/company")[:_KEPT_COMPANIES]
    ]


def _build_id_cycles(company_id: str) -> dict[str, Iterator[str]]:
    sites = _list_sites(company_id)
    bulk = {"documents": ["https://files.example.com/a.pdf"]}
    ids = {
        "company_id": [company_id],
        "site_id": sites,
        "invitation_id": [
            _call("POST", f"/invitation/company/{company_id}", {})["id"]
            for _ in range(_KEPT_COMPANIES)
        ],
        "job_id": [_call("POST", f"/job/company/{company_id}/bulk", bulk)["id"]],
    }
    for name, (noun, items) in _LISTS.items():
        page = _call("GET", f"/{noun}/company/{company_id}")
        ids[name] = [item["id"] for item in page[items]]
        if noun == "connection":
            accounts = [item["accounts"] for item in page[items]]
            ids["account_id"] = [
                account["id"] for group in accounts for account in group
            ]
    return {name: cycle(values) for name, values in ids.items()}


@cache
def _list_deletable_ids() -> Mapping[str, Iterator[str]]:
    """List ids of objects that may be deleted; each is used at most once."""
    companies = [company["id"] for company in _call("GET", "/company")]
    stripped = companies[_KEPT_COMPANIES:_FIRST_DELETED]
    usage = [
        _call("GET", f"/usage/company/{company}")["usageData"] for company in stripped
    ]
    return {
        "companies_delete": iter(companies[_FIRST_DELETED:]),
        "sites_delete": iter(
            [site for company in stripped for site in _list_sites(company)]
        ),
        "usage_delete": iter([row["id"] for rows in usage for row in rows]),
    }


def _list_sites(company_id: str) -> list[str]:
    return [site["id"] for site in _call("GET", f"/site/company/{company_id}")]


def _call(method: str, path: str, body: Any = None) -> Any:
    answer = requests.request(
        method,
        os.environ["CHECK_URL"] + path,
        json=body,
        headers={"X-API-Key": os.environ["CHECK_KEY"]},
        timeout=_TIMEOUT,
    )
    answer.raise_for_status()
    return answer.json()


# Ids in bodies


def _insert_ids(body: Any, ids: Mapping[str, Iterator[str]], number: int) -> Any:
    """Put existing ids into a body; a body that is no object stays as it is."""
    if not isinstance(body, dict):
        return body
    changed = dict(body)
    for key, name in _ID_KEYS.items():
        if isinstance(body.get(key), str):
            changed[key] = next(ids[name])
        elif isinstance(body.get(key), list):
            changed[key] = [next(ids[name]) for _ in body[key]]
    if "username" in body:  # the same login cannot be connected twice
        changed["username"] = f"{body['username']}{number}"
    if "prefill" in body:
        changed["prefill"] = _insert_ids(body["prefill"], ids, number)
    return changed


_ID_KEYS: Mapping[str, str] = {
    "site": "site_id",
    "siteId": "site_id",
    "sites": "site_id",
    "initialSites": "site_id",
    "meter": "meter_id",
    "accounts": "account_id",
}
