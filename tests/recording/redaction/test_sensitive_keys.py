"""Values of some keys, such as passwords, are redacted in every object."""

from __future__ import annotations

import pytest

from nectar_async.recording.redaction.sensitive_fields import (
    ACCOUNT,
    ADDRESS,
    LINK,
    MAGIC,
    METER,
    PASSWORD,
    PERSON,
    PHONE,
    QUESTION,
    SECRET,
    USERNAME,
    Kind,
    find_kind,
    is_id_key,
    kind_in_contract,
    normalize_key,
)

KEYS = {
    "password": PASSWORD,
    "portal_password": PASSWORD,
    "securityQuestions": QUESTION,
    "companyMagicLinkSecret": MAGIC,
    "magicLinkUrl": LINK,
    "invitation_url": LINK,
    "appPortalUrl": LINK,
    "X-API-Key": SECRET,
    "accessToken": SECRET,
    "username": USERNAME,
    "userName": USERNAME,
    "workflowOwnerEmail": PERSON,
    "emailAddress": PERSON,
    "allowedEmails": PERSON,
    "users": PERSON,
    "firstName": PERSON,
    "phoneNumber": PHONE,
    "serviceAddress": ADDRESS,
    "line_1": ADDRESS,
    "street": ADDRESS,
    "accountNumber": ACCOUNT,
    "serialNumber": METER,
    "identifier": METER,
}


@pytest.mark.parametrize(("key", "kind"), KEYS.items(), ids=KEYS)
def test_some_keys_are_sensitive_in_every_object(key: str, kind: Kind) -> None:
    assert find_kind(key) == kind


@pytest.mark.parametrize(
    "key",
    [
        *("url", "key", "value", "token", "billing", "documents"),
        *("name", "city", "postcode", "country", "supplierName", "utilityCompany"),
        *("datasourceName", "fileName", "rawName", "usage", "invoiceId", "sites"),
    ],
)
def test_other_keys_are_not_sensitive_in_every_object(key: str) -> None:
    assert find_kind(key) is None


def test_a_marked_key_is_secret_under_any_name() -> None:
    assert kind_in_contract("url") == kind_in_contract("documents") == LINK
    assert kind_in_contract("username") == USERNAME
    assert kind_in_contract("apiThing") == Kind("api-thing", is_secret=True)
    assert kind_in_contract("billing") == Kind("billing", is_secret=True)


@pytest.mark.parametrize("key", ["id", "siteId", "parsedDocumentIds", "site", "meters"])
def test_keys_of_ids_are_known(key: str) -> None:
    assert is_id_key(key)


def test_a_key_is_the_same_in_every_spelling() -> None:
    assert {normalize_key(key) for key in ("userName", "user_name", "User-Name")} == {
        "username"
    }
