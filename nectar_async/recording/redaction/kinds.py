"""What is secret or personal by the name of its key, whatever object it stands in.

Names that mean this only in some places (`url`, `key`, `value`, `token`, `billing`,
`documents`) are not here: `spots` has them from the contract.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from attrs import frozen

__all__ = [
    "ADDRESS",
    "BELOW",
    "KINDS",
    "LINK",
    "METER",
    "PERSON",
    "SECRET",
    "Kind",
    "bare",
    "is_id",
    "kind_of",
    "sensitive",
]


@frozen
class Kind:
    """What a value is; its name begins the stand-ins."""

    name: str
    is_secret: bool = False
    """Whether all that stands below its key is one, ids as well."""
    is_volatile: bool = False
    """Whether it differs each time: its stand-in is named by its place."""
    is_rule: bool = False
    """Whether a user made it up."""


ACCOUNT: Final = Kind("account")
ADDRESS: Final = Kind("address")
ANSWER: Final = Kind("answer", is_secret=True)
LINK: Final = Kind("link", is_secret=True, is_volatile=True)
METER: Final = Kind("meter")
PASSWORD: Final = Kind("password", is_secret=True)
PERSON: Final = Kind("person")
PHONE: Final = Kind("phone")
QUESTION: Final = Kind("question", is_secret=True)
MAGIC: Final = Kind("magic", is_secret=True, is_volatile=True)
SECRET: Final = Kind("secret", is_secret=True)
USERNAME: Final = Kind("username", is_secret=True)

KINDS: Final = (
    PASSWORD,
    SECRET,
    ANSWER,
    QUESTION,
    LINK,
    MAGIC,
    PERSON,
    USERNAME,
    ACCOUNT,
    METER,
    PHONE,
    ADDRESS,
)
"""In this order: what one value is that stands in places of several kinds."""

# As `bare` spells them. What ends in one of the second column is one as well.
_NAMES: Final[Mapping[Kind, tuple[frozenset[str], tuple[str, ...]]]] = {
    MAGIC: (frozenset(), ("magiclinksecret",)),
    LINK: (
        frozenset({"appportalurl", "invitationurl", "magiclinkurl", "portalurl"}),
        (),
    ),
    PASSWORD: (frozenset({"passphrase", "passwd"}), ("password",)),
    QUESTION: (frozenset({"securityquestions"}), ()),
    SECRET: (
        frozenset({"authorization", "privatekey", "xapikey"}),
        (
            "accesstoken",
            "apikey",
            "authtoken",
            "bearertoken",
            "idtoken",
            "refreshtoken",
            "secret",
            "sessiontoken",
        ),
    ),
    USERNAME: (frozenset({"login", "loginname"}), ("username",)),
    PERSON: (
        frozenset(
            {
                "accountholder",
                "allowedemails",
                "createdby",
                "familyname",
                "firstname",
                "fullname",
                "givenname",
                "lastname",
                "middlename",
                "surname",
                "updatedby",
                "user",
                "users",
            }
        ),
        (
            "contactname",
            "customername",
            "email",
            "emailaddress",
            "emails",
            "holdername",
            "ownername",
            "personname",
            "recipientname",
        ),
    ),
    PHONE: (
        frozenset({"fax", "mobile", "mobilenumber", "telephone"}),
        ("faxnumber", "phone", "phonenumber"),
    ),
    ADDRESS: (
        frozenset(
            {
                "addressline1",
                "addressline2",
                "addressline3",
                "addresses",
                "housenumber",
                "line1",
                "line2",
                "line3",
                "street",
                "street1",
                "street2",
                "streetname",
            }
        ),
        ("address",),
    ),
    ACCOUNT: (frozenset({"customernumber"}), ("accountnumber", "accountnumbers")),
    METER: (
        frozenset({"identifier", "serialnumber"}),
        ("meternumber", "meternumbers"),
    ),
}

BELOW: Final[Mapping[str, Mapping[str, Kind]]] = {
    "contacts": {"name": PERSON},
    "createdby": {"name": PERSON},
    "identifiers": {"value": METER},
    "members": {"name": PERSON},
    "securityquestions": {"key": QUESTION, "value": ANSWER},
    "updatedby": {"name": PERSON},
    "user": {"name": PERSON},
    "users": {"name": PERSON},
}
"""By the key of an object or of a list of them: what its keys are, as they are spelled
there."""

# What the keys are called that the contract marks; others are kinds of their own.
_SENSITIVE: Final[Mapping[str, Kind]] = {
    "documents": LINK,
    "key": QUESTION,
    "url": LINK,
    "value": ANSWER,
}

# Nouns are keys of ids as well: `meter`, `sites`.
_ID: Final = re.compile(
    r"(?:.*(?:Id|Ids|_id|_ids)|id|ids|uuid|(?:account|company|connection|document|job"
    r"|invitation|meter|site)s?)"
)

_WORDS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[_\W]+")


@cache
def bare(key: str) -> str:
    """A key in small letters alone, so that `user_name` is `userName`."""
    return re.sub(r"[_\W]", "", key).lower()


def kind_of(key: str) -> Kind | None:
    """What the values of a key are wherever it stands; None for nothing special."""
    text = bare(key)
    for kind, (names, endings) in _NAMES.items():
        if text in names or text.endswith(endings or ("\0",)):
            return kind
    return None


def sensitive(key: str) -> Kind:
    """What the contract means where it marks a key as sensitive."""
    name = "-".join(_WORDS.split(key)).strip("-").lower() or "secret"
    return kind_of(key) or _SENSITIVE.get(key) or Kind(name, is_secret=True)


def is_id(key: str) -> bool:
    """Whether a key has ids, which stay as they are."""
    return _ID.fullmatch(key) is not None
