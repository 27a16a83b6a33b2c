"""The package's copy of the contract can be read, and is clean."""

from __future__ import annotations

import hashlib
import json
import re
from importlib import resources

from nectar_async import contract
from nectar_async.contract.operation_ids import OPERATIONS, meant


def test_it_holds_every_operation_once() -> None:
    operations = contract.operations()
    assert len(operations) == 53
    assert operations["usage_list_by_company"].method == "GET"
    assert operations["usage_list_by_company"].path == "/usage/company/{company_id}"
    assert operations["ping_get"].description["summary"]


def test_it_is_read_once() -> None:
    assert contract.load() is contract.load()


def test_its_digest_is_that_of_the_file() -> None:
    file = resources.files(contract) / "openapi-v2.2.json"
    assert contract.digest() == hashlib.sha256(file.read_bytes()).hexdigest()


def test_it_points_at_nothing_that_a_user_cannot_open() -> None:
    text = json.dumps(contract.load())
    assert re.findall(r"[\w-]+\.(?:txt|ya?ml)\b", text) == []
    assert "x-evidence-note" not in text


def test_the_names_that_are_known_without_it_are_its_names() -> None:
    assert list(OPERATIONS) == sorted(contract.operations())


def test_a_name_that_is_nearly_one_is_recognised() -> None:
    assert meant("connection_confirm") == "connections_confirm"
    assert meant("connections_confirm") is None
    assert meant("labels_get") is None
