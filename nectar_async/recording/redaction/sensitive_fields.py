"""Where in the bodies of an operation something is secret or personal.

It is read from the contract (`x-sensitive`), with every guess at a key
(`x-key-candidates`), through references, lists and alternatives. Where the contract
knows nothing of a place, every name counts that is sensitive somewhere in the same
operation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final

from attrs import define, field, frozen

from nectar_async.contract import alternatives, operations, resolved

__all__ = [
    "ADDRESS",
    "CHILD_KINDS",
    "FREE_FIELD",
    "ID_FIELD",
    "KINDS",
    "LINK",
    "METER",
    "PERSON",
    "SECRET",
    "SIGNATURE_FIELD",
    "FieldNode",
    "Kind",
    "OperationFields",
    "build_field",
    "find_item_field",
    "find_kind",
    "find_operation_fields",
    "is_id_key",
    "kind_in_contract",
    "list_kinds",
    "normalize_key",
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

CHILD_KINDS: Final[Mapping[str, Mapping[str, Kind]]] = {
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
def normalize_key(key: str) -> str:
    """A key in small letters alone, so that `user_name` is `userName`."""
    return re.sub(r"[_\W]", "", key).lower()


def find_kind(key: str) -> Kind | None:
    """What the values of a key are wherever it stands; None for nothing special."""
    text = normalize_key(key)
    for kind, (names, endings) in _NAMES.items():
        if text in names or text.endswith(endings or ("\0",)):
            return kind
    return None


def kind_in_contract(key: str) -> Kind:
    """What the contract means where it marks a key as sensitive."""
    name = "-".join(_WORDS.split(key)).strip("-").lower() or "secret"
    return find_kind(key) or _SENSITIVE.get(key) or Kind(name, is_secret=True)


def is_id_key(key: str) -> bool:
    """Whether a key has ids, which stay as they are."""
    return _ID.fullmatch(key) is not None


Schema = Mapping[str, Any]

_TYPED_FORMATS: Final = frozenset({"date", "date-time", "uuid"})
_TYPED_TYPES: Final = frozenset({"boolean", "integer", "number"})

_MOST_TEXTS: Final = 4_096

# Dates, instants, decimals and ids: what a place of another type has as text.
_TYPED: Final = re.compile(
    r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?"
    r"|\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[-+]\d\d:?\d\d)?)?"
    r"|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    re.IGNORECASE | re.ASCII,
)


@define(eq=False)
class FieldNode:
    """A place in JSON, and those below it."""

    kind: Kind | None = None
    keys: dict[str, FieldNode] = field(factory=dict)
    items: FieldNode | None = None
    is_left: bool = False
    """Whether it holds ids, which nobody looks at."""
    is_known: bool = False
    """Whether the contract has it."""
    has_type: bool = False
    """Whether dates, numbers, ids or known values stand there, and no free text."""
    texts: set[str] = field(factory=set)
    """Some of those."""

    def is_typed(self, text: str) -> bool:
        """Whether a text is a date, a number, an id or a known value as it should."""
        if not self.has_type:
            return False
        if text in self.texts:
            return True
        is_typed = _TYPED.fullmatch(text) is not None
        if is_typed and len(self.texts) < _MOST_TEXTS:
            self.texts.add(text)
        return is_typed


@frozen(eq=False)
class OperationFields:
    """What one operation sends and gets."""

    query: FieldNode
    asked: FieldNode
    answered: FieldNode
    names: Mapping[str, Kind]
    """What is sensitive somewhere in it, by bare key."""

    def below(self, spot: FieldNode, key: str) -> FieldNode:
        """The place of a key."""
        known = spot.keys.get(key)
        if known is not None:
            return known
        if (kind := self.names.get(normalize_key(key))) is not None:
            return build_field(kind, normalize_key(key))
        return _unknown(key)


@cache
def find_operation_fields(operation: str) -> OperationFields:
    """The plan of an operation; one that the contract does not have has no places."""
    row = operations().get(operation)
    if row is None:
        return _NO_PLAN
    answers = row.description.get("responses", {}).values()
    query = FieldNode()
    for one in map(resolved, row.description.get("parameters", ())):
        if one["in"] == "query":
            made = _spot([one["schema"]], one["name"], "")
            query.keys |= dict.fromkeys(
                (one["name"], *one.get("x-key-candidates", ())), made
            )
    asked = _spot(_schemas([row.description.get("requestBody", {})]), "", "")
    answered = _spot(_schemas(answers), "", "")
    names = {
        normalize_key(key): kind
        for spot in (asked, answered)
        for key, kind in _marked(spot, {})
    }
    return OperationFields(query, asked, answered, names)


@cache
def list_kinds() -> tuple[Kind, ...]:
    """All kinds: those that are built in, and those that only the contract has."""
    found = dict.fromkeys(KINDS)
    for operation in operations():
        found |= dict.fromkeys(find_operation_fields(operation).names.values())
    return tuple(found)


def _schemas(holders: Any) -> list[Schema]:
    """The schemas of bodies, of whatever media type."""
    return [
        media["schema"]
        for holder in map(resolved, holders)
        for media in holder.get("content", {}).values()
        if "schema" in media
    ]


_made: dict[tuple[str, ...], FieldNode] = {}


def _spot(schemas: Sequence[Schema], key: str, above: str) -> FieldNode:
    """The place that all of these describe, under a key that is below another."""
    refs = [str(one.get("$ref") or id(one)) for one in schemas]
    mark = (key, above, *refs)
    if mark in _made:
        return _made[mark]  # as well while it is being made: schemas may be circular
    spot = _made[mark] = FieldNode(is_known=True)
    flat = [one for schema in schemas for one in alternatives(schema)]
    if any(one.get("x-sensitive") for one in flat):
        spot.kind = kind_in_contract(key or "url")
    elif (kind := CHILD_KINDS.get(above, {}).get(key) or find_kind(key)) is not None:
        spot.kind = kind
    elif is_id_key(key) and not any("properties" in one for one in flat):
        spot.is_left = True
    if spot.kind is None and any(map(_is_typed, flat)):
        spot.has_type = True
        spot.texts |= {text for one in flat for text in one.get("enum", ())}
    inner = normalize_key(key) or above
    items = [one["items"] for one in flat if "items" in one]
    if items:
        spot.items = _spot(items, "", inner)
    for name, found in _properties(flat).items():
        spot.keys[name] = _spot(found, name, inner)
    for name, kind in CHILD_KINDS.get(inner, {}).items():
        spot.keys.setdefault(name, FieldNode(kind))
    for one in flat:
        _add_candidates(spot, one)
    return spot


def _is_typed(schema: Schema) -> bool:
    types = schema.get("type", ())
    types = {types} if isinstance(types, str) else set(types)
    return (
        "enum" in schema
        or "pattern" in schema
        or bool(schema.get("x-decimal"))
        or schema.get("format") in _TYPED_FORMATS
        or bool(types & _TYPED_TYPES)
    )


def _properties(flat: Sequence[Schema]) -> Mapping[str, list[Schema]]:
    found: dict[str, list[Schema]] = {}
    for one in flat:
        for name, schema in one.get("properties", {}).items():
            found.setdefault(name, []).append(schema)
    return found


def _add_candidates(spot: FieldNode, schema: Schema) -> None:
    """Have every guess at a key lead to the same place."""
    guesses = [
        one["x-key-candidates"]
        for one in schema.get("properties", {}).values()
        if isinstance(one.get("x-key-candidates"), list)
    ]
    lists = schema.get("x-key-candidates", {})
    guesses += lists.values() if isinstance(lists, Mapping) else ()
    for names in guesses:
        known = next((spot.keys[name] for name in names if name in spot.keys), None)
        if known is not None:
            spot.keys |= {name: known for name in names if name not in spot.keys}


def _marked(spot: FieldNode, seen: dict[int, FieldNode]) -> Iterator[tuple[str, Kind]]:
    """What is secret below a place, by key."""
    if id(spot) in seen:
        return
    seen[id(spot)] = spot
    for key, one in spot.keys.items():
        if one.kind is not None and one.kind.is_secret:
            yield key, one.kind
        yield from _marked(one, seen)
    if spot.items is not None:
        yield from _marked(spot.items, seen)


def _unknown(key: str) -> FieldNode:
    """The place of a key that the contract does not have there."""
    kind = find_kind(key)
    if kind is None and normalize_key(key) not in CHILD_KINDS:
        return ID_FIELD if is_id_key(key) else FREE_FIELD
    return build_field(kind, normalize_key(key))


@cache
def build_field(kind: Kind | None, name: str = "") -> FieldNode:
    """A place of a kind, whatever is there; `name` is its bare key."""
    keys = {key: FieldNode(one) for key, one in CHILD_KINDS.get(name, {}).items()}
    return FieldNode(kind, keys, FieldNode(kind, keys))


FREE_FIELD: Final = FieldNode()
"""Where anything may stand."""

ID_FIELD: Final = FieldNode(is_left=True)
"""Where ids stand."""

SIGNATURE_FIELD: Final = FieldNode(SECRET)
"""Where the parameter of a link stands that opens it."""

_NO_PLAN: Final = OperationFields(FREE_FIELD, FREE_FIELD, FREE_FIELD, {})


def find_item_field(spot: FieldNode) -> FieldNode:
    """The place of what a list has, wherever it stands."""
    return spot.items or (ID_FIELD if spot.is_left else FREE_FIELD)
