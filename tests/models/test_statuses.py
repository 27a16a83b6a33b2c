"""Every status of the contract has advice, and says whether it is final."""

from __future__ import annotations

import pickle
from typing import Any

import attrs
import pytest

from nectar_async import contract
from nectar_async._types import OpenEnum
from nectar_async.models import AccountStatus, ConnectionStatus, JobStatus
from nectar_async.models._status_advice import (
    ACCOUNTS,
    CONNECTIONS,
    UNKNOWN_ACCOUNT,
    UNKNOWN_CONNECTION,
)

SCHEMAS: dict[str, Any] = contract.load()["components"]["schemas"]
EACH = [
    *(pytest.param(status, id=f"connection-{status}") for status in ConnectionStatus),
    *(pytest.param(status, id=f"account-{status}") for status in AccountStatus),
]

each_advice = pytest.mark.parametrize("status", EACH)


def find_in_group(group: str) -> set[str]:
    return {status for status in ConnectionStatus if status.advice.group == group}


@pytest.mark.parametrize(
    ("statuses", "table"),
    [(ConnectionStatus, CONNECTIONS), (AccountStatus, ACCOUNTS)],
    ids=["connections", "accounts"],
)
def test_the_table_has_a_row_for_each_status_in_the_order_of_the_enum(
    statuses: type[OpenEnum], table: dict[str, Any]
) -> None:
    assert list(table) == [status.value for status in statuses]


@each_advice
def test_every_known_status_has_advice_of_its_own(status: Any) -> None:
    assert status.advice not in {UNKNOWN_CONNECTION, UNKNOWN_ACCOUNT}
    assert status.advice is type(status)(str(status)).advice


@each_advice
def test_advice_is_whole_sentences(status: Any) -> None:
    for words in (status.advice.meaning, status.advice.action):
        assert words[0].isupper()
        assert words.endswith(".")


def test_no_two_statuses_mean_the_same() -> None:
    meanings = {advice.meaning for advice in CONNECTIONS.values()}
    meanings |= {advice.meaning for advice in ACCOUNTS.values()}
    assert len(meanings) == len(CONNECTIONS) + len(ACCOUNTS)


def test_statuses_fall_into_four_groups() -> None:
    assert find_in_group("standard") == {"PENDING", "UNDER_INVESTIGATION", "CONNECTED"}
    assert find_in_group("customer_action") == {
        "MFA_TOKEN_EXPIRED",
        "PASSWORD_INCORRECT",
        "NEW_PASSWORD_NEEDED",
        "ADDITIONAL_CREDENTIALS_NEEDED",
    }
    assert find_in_group("website") == {
        "WEBSITE_DOWN",
        "URL_INACCESSIBLE",
        "NO_ACCOUNTS_FOUND",
        "OTHER_ERROR",
    }
    assert find_in_group("system") == {"COMPANY_INACTIVE"}


@pytest.mark.parametrize("status", ConnectionStatus)
def test_the_fields_of_an_advice_agree(status: ConnectionStatus) -> None:
    advice = status.advice
    assert advice.customer_must_act == (advice.who_acts == "customer")
    assert advice.is_healthy == (advice.group == "standard")
    assert (advice.collection == "stopped") == advice.customer_must_act
    assert (advice.does_invitation_help is True) == (advice.group == "customer_action")


def test_it_is_unknown_for_three_statuses_whether_an_invitation_helps() -> None:
    undecided = {
        status
        for status in ConnectionStatus
        if status.advice.does_invitation_help is None
    }
    assert undecided == {"URL_INACCESSIBLE", "NO_ACCOUNTS_FOUND", "OTHER_ERROR"}


def test_the_actor_of_statuses_without_action_of_the_customer() -> None:
    others = {
        str(status): status.advice.who_acts
        for status in ConnectionStatus
        if not status.advice.customer_must_act
    }
    assert others == {
        "PENDING": "nectar",
        "UNDER_INVESTIGATION": "nectar",
        "CONNECTED": "nobody",
        "WEBSITE_DOWN": "provider",
        "OTHER_ERROR": "nectar",
    }


def test_statuses_say_whether_bills_are_collected() -> None:
    assert ConnectionStatus.CONNECTED.advice.collection == "running"
    assert ConnectionStatus.PENDING.advice.collection == "not yet"
    assert ConnectionStatus.WEBSITE_DOWN.advice.collection == "interrupted"
    assert ConnectionStatus.OTHER_ERROR.advice.collection == "unknown"


def test_both_spellings_of_a_wrong_password_have_the_same_advice() -> None:
    advice = ConnectionStatus("INCORRECT_PASSWORD").advice
    assert advice is ConnectionStatus.PASSWORD_INCORRECT.advice


def test_an_unknown_status_has_advice_without_claims() -> None:
    advice = ConnectionStatus("DEACTIVATED").advice
    assert advice is ConnectionStatus("something else").advice
    assert advice.group == advice.who_acts == advice.collection == "unknown"
    assert not advice.customer_must_act
    assert not advice.is_healthy
    assert advice.does_invitation_help is None
    assert "default branch" in advice.action
    assert "status_error_detail" in advice.action
    assert "default branch" in AccountStatus("ARCHIVED").advice.action


def test_statuses_of_accounts_say_whether_analytics_count_them() -> None:
    counted = {str(status): status.advice.is_in_analytics for status in AccountStatus}
    assert counted == {
        "DETECTED": False,
        "ONBOARDED": True,
        "PULL_COMPLETED": None,
        "CUSTOMER_NOT_TRACKED": None,
        "NEEDS_PULL": None,
        "ONBOARDING": None,
        "WAITING_CONFIRMATION": None,
    }


@pytest.mark.parametrize(
    "advice", [UNKNOWN_CONNECTION, UNKNOWN_ACCOUNT], ids=["connection", "account"]
)
def test_advice_is_a_value(advice: Any) -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        advice.meaning = "other"
    again = attrs.evolve(advice)
    assert again == advice
    assert hash(again) == hash(advice)
    assert pickle.loads(pickle.dumps(advice)) == advice  # noqa: S301  our own bytes


def test_a_connection_is_settled_unless_pending_or_under_investigation() -> None:
    unsettled = {status for status in ConnectionStatus if not status.is_settled}
    assert unsettled == {"PENDING", "UNDER_INVESTIGATION"}
    assert ConnectionStatus("DEACTIVATED").is_settled


def test_terminal_job_statuses_are_those_of_the_contract() -> None:
    terminal = {status for status in JobStatus if status.is_terminal}
    assert terminal == set(SCHEMAS["JobStatus"]["x-terminal-values"])
    assert not JobStatus("QUEUED").is_terminal
