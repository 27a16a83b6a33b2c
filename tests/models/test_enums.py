"""The enums have the members of the contract, and accept other values."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
from types import ModuleType
from typing import Any

import pytest

from nectar_async import contract
from nectar_async._types import OpenEnum
from nectar_async.models import enums, statuses, units
from nectar_async.models.enums import DatasourceType, DateType, IdentifierType
from nectar_async.models.statuses import ConnectionStatus, JobStatus
from nectar_async.models.units import DemandUsageUnits, UsageUnits

SCHEMAS: dict[str, Any] = contract.load()["components"]["schemas"]
ENUMS: dict[str, type[OpenEnum]] = {
    name: getattr(module, name)
    for module in (enums, statuses, units)
    for name in module.__all__
}
OPEN = sorted(name for name, schema in SCHEMAS.items() if schema.get("x-open-enum"))

each_enum = pytest.mark.parametrize("enum", ENUMS.values(), ids=ENUMS)


def list_values(name: str) -> list[str]:
    schema = SCHEMAS[name]
    closed = schema if "enum" in schema else schema["anyOf"][0]
    further = ("x-also-tolerate", "x-probable-members")
    return [
        *closed["enum"],
        *(value for key in further for value in schema.get(key, ())),
    ]


def test_every_open_enum_of_the_contract_is_a_class_and_no_other_but_date_type() -> (
    None
):
    assert sorted(ENUMS) == sorted([*OPEN, "DateType"])


@pytest.mark.parametrize("module", [enums, statuses, units])
def test_every_enum_class_of_a_module_is_exported(module: ModuleType) -> None:
    defined = {
        name
        for name, value in inspect.getmembers(module, inspect.isclass)
        if value.__module__ == module.__name__
    }
    assert defined == set(module.__all__)


@each_enum
def test_members_are_those_of_the_contract_in_its_order(enum: type[OpenEnum]) -> None:
    assert [member.value for member in enum] == list_values(enum.__name__)


@each_enum
def test_no_member_is_an_alias_of_another(enum: type[OpenEnum]) -> None:
    assert len(enum.__members__) == len(list(enum))


@each_enum
def test_names_are_the_upper_case_of_values(enum: type[OpenEnum]) -> None:
    for member in enum:
        capitals = member.value.replace("100 gal", "hundred gal").upper()
        assert member.name == re.sub(r"[^A-Z0-9]+", "_", capitals).strip("_")


@pytest.mark.parametrize("name", OPEN)
def test_docstrings_say_how_complete_the_list_is(name: str) -> None:
    words = {
        "yes": "The list is complete.",
        "likely": "The list is probably complete.",
        "no": "",
    }
    doc = inspect.getdoc(ENUMS[name]) or ""
    claim = re.search(r"The list is .*?complete\.", doc)
    assert (claim[0] if claim else "") == words[SCHEMAS[name]["x-enum-complete"]]


@each_enum
def test_every_enum_has_a_docstring_of_its_own(enum: type[OpenEnum]) -> None:
    assert enum.__doc__
    assert enum.__doc__ != OpenEnum.__doc__


@each_enum
def test_members_are_known_text(enum: type[OpenEnum]) -> None:
    for member in enum:
        assert member.is_known
        assert member == member.value
        assert str(member) == f"{member}" == member.value
        assert hash(member) == hash(member.value)
        assert enum(member.value) is member
        assert pickle.loads(pickle.dumps(member)) is member  # noqa: S301  our own bytes


@each_enum
def test_an_unknown_value_stays_a_member_and_keeps_its_text(
    enum: type[OpenEnum],
) -> None:
    new = enum("Something New")
    assert isinstance(new, enum)
    assert not new.is_known
    assert new == new.value == str(new) == "Something New"
    assert hash(new) == hash("Something New")
    assert new == enum("Something New")
    assert new not in list(enum)
    assert repr(new) == f"<{enum.__name__}.<unknown>: 'Something New'>"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_an_unknown_value_survives_pickle(protocol: int) -> None:
    new = DatasourceType("HYDROGEN")
    back = pickle.loads(pickle.dumps(new, protocol))  # noqa: S301  our own bytes
    assert type(back) is DatasourceType
    assert back == new
    assert not back.is_known
    assert copy.deepcopy(new) == new


def test_a_value_that_is_no_text_is_refused() -> None:
    with pytest.raises(ValueError, match="7 is not a valid DatasourceType"):
        DatasourceType(7)  # type: ignore[arg-type]


def test_both_spellings_of_a_wrong_password_become_the_accepted_one() -> None:
    aliases = SCHEMAS["ConnectionStatus"]["x-aliases"]
    assert aliases == {"INCORRECT_PASSWORD": "PASSWORD_INCORRECT"}
    status = ConnectionStatus("INCORRECT_PASSWORD")
    assert status is ConnectionStatus.PASSWORD_INCORRECT
    assert status.is_known
    assert str(status) == "PASSWORD_INCORRECT"


def test_no_enum_but_connection_status_has_aliases() -> None:
    assert [name for name in ENUMS if "x-aliases" in SCHEMAS[name]] == [
        "ConnectionStatus"
    ]


def test_every_final_job_status_is_listed() -> None:
    final = SCHEMAS["JobStatus"]["x-terminal-values"]
    assert set(final) == set(JobStatus) - {JobStatus.PENDING}


def test_identifier_types_are_in_the_order_of_display() -> None:
    assert list(IdentifierType)[:3] == ["METER", "POD", "ELECTRIC_CHOICE"]
    assert list(IdentifierType)[-1] is IdentifierType.MIRN


def test_a_kilowatt_has_two_spellings() -> None:
    assert UsageUnits.KW.value == "KW"
    assert DemandUsageUnits.KW.value == "kW"
    assert not UsageUnits("kW").is_known


def test_units_are_case_sensitive() -> None:
    assert UsageUnits("kWh") is UsageUnits.KWH
    assert not UsageUnits("KWH").is_known
    assert UsageUnits("100 gal (US)") is UsageUnits.HUNDRED_GAL_US


@pytest.mark.parametrize(
    "name", sorted(name for name in SCHEMAS if name.endswith("Strict"))
)
def test_closed_enums_of_requests_have_the_members_of_the_open_ones(name: str) -> None:
    assert SCHEMAS[name]["enum"] == list_values(name.removesuffix("Strict"))


def test_date_types_are_the_four_that_filters_take() -> None:
    assert set(DateType) == {
        "BILL_DATE",
        "CREATED_DATE",
        "UPDATED_DATE",
        "USAGE_PERIOD",
    }
