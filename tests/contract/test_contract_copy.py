"""The package's copy of the contract can be read, and is clean."""

from __future__ import annotations

import hashlib
import json
import re
import runpy
from importlib import resources
from pathlib import Path

import pytest

from nectar_async import contract
from nectar_async.contract.operation_ids import OPERATIONS, find_close_operation

ROOT = Path(__file__).parents[2]


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
    assert list(OPERATIONS) == sorted(contract.operations()), "run .ci/contract"


GENERATED = ("openapi-v2.2.json", "_operation_ids.py")


@pytest.mark.parametrize("name", GENERATED)
@pytest.mark.slow
def test_a_generated_file_agrees_with_its_source(name: str) -> None:
    pytest.importorskip("yaml", reason=".ci/contract needs PyYAML")
    rendered = runpy.run_path(str(ROOT / ".ci" / "contract"))["render"]()
    texts = {path.name: text for path, text in rendered.items()}
    assert tuple(texts) == GENERATED
    present = (resources.files(contract) / name).read_text(encoding="utf-8")
    # The texts are too long for pytest to show their difference.
    is_fresh = present == texts[name]
    assert is_fresh, f"nectar_async/contract/{name} is stale: run .ci/contract"


def test_a_close_name_is_found_for_a_typing_error() -> None:
    assert find_close_operation("connection_confirm") == "connections_confirm"
    assert find_close_operation("connections_confirm") is None
    assert find_close_operation("labels_get") is None
