"""The package's copy of the contract can be read, and is clean."""

from __future__ import annotations

import hashlib
import json
import re
from importlib import resources

from nectar_async import contract
from nectar_async.contract.operation_ids import OPERATIONS, find_close_operation


def test_operations_have_their_method_path_and_description() -> None:
    operations = contract.operations()
    assert operations["usage_list_by_company"].method == "GET"
    assert operations["usage_list_by_company"].path == "/usage/company/{company_id}"
    assert operations["ping_get"].description["summary"]


def test_the_contract_is_loaded_once() -> None:
    assert contract.load() is contract.load()


def test_the_digest_is_the_hash_of_the_file() -> None:
    file = resources.files(contract) / "openapi-v2.2.json"
    assert contract.digest() == hashlib.sha256(file.read_bytes()).hexdigest()


def test_the_contract_names_no_file_that_a_user_cannot_open() -> None:
    text = json.dumps(contract.load())
    assert re.findall(r"[\w-]+\.(?:txt|ya?ml)\b", text) == []
    assert "x-evidence-note" not in text


def test_the_operation_ids_are_those_of_the_contract() -> None:
    ids = set(contract.operations())
    missing, unknown = ids - set(OPERATIONS), set(OPERATIONS) - ids
    assert not missing, f"add to contract/operation_ids.py: {sorted(missing)}"
    assert not unknown, f"remove from contract/operation_ids.py: {sorted(unknown)}"
    assert list(OPERATIONS) == sorted(ids)


def test_a_close_name_is_found_for_a_typing_error() -> None:
    assert find_close_operation("connection_confirm") == "connections_confirm"
    assert find_close_operation("connections_confirm") is None
    assert find_close_operation("labels_get") is None
