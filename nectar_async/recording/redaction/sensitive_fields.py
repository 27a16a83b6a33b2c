"""Find the sensitive fields of requests and answers, by key name and by the contract.

Some keys are sensitive in every object, such as `password`. Others, such as `url` or
`value`, are sensitive only where the contract marks them `x-sensitive`; these are found
under every candidate of a key (`x-key-candidates`), through references, lists and
alternatives. In an object that the contract does not know, a key is sensitive if the
contract marks it somewhere in the same operation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final

from attrs import define, field, frozen

from nectar_async.contract import iterate_alternatives, operations, resolve_ref
from nectar_async.contract.sensitive import ANSWERED

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

Schema = Mapping[str, Any]


@frozen
class Kind:
    """A kind of sensitive value; its name is the prefix of the placeholders."""

    name: str
    is_secret: bool = False
    """Whether everything below a key of this kind is sensitive, including ids."""
    is_volatile: bool = False
    """Whether the value differs in every answer; its place names the placeholder."""
    is_rule: bool = False
    """Whether it comes from a rule of the user."""


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
"""Ordered by priority: a value in fields of several kinds is of the first one."""


@cache
def normalize_key(key: str) -> str:
    """Convert a key to lower-case letters and digits: `user_name` is `userName`."""
    return re.sub(r"[_\W]", "", key).lower()


_LINK_KEYS: Final = frozenset(
    normalize_key(key) for key in ANSWERED if key.endswith("Url")
)

# Normalized keys, and endings of keys, of each kind.
_KEYS: Final[Mapping[Kind, tuple[frozenset[str], tuple[str, ...]]]] = {
    MAGIC: (frozenset(), ("magiclinksecret",)),
    LINK: (_LINK_KEYS, ()),
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
"""The kinds of keys that are sensitive only in certain objects, by the normalized key
of the object, or of the list of objects."""

# Kinds of keys that the contract marks. Other marked keys are kinds of their own.
_MARKED_KINDS: Final[Mapping[str, Kind]] = {
    "documents": LINK,
    "key": QUESTION,
    "url": LINK,
    "value": ANSWER,
}

# The names of resources are keys of ids as well: `meter`, `sites`.
_ID_KEY: Final = re.compile(
    r"(?:.*(?:Id|Ids|_id|_ids)|id|ids|uuid|(?:account|company|connection|document|job"
    r"|invitation|meter|site)s?)"
)

_WORD_BREAK: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[_\W]+")


@cache
def find_kind(key: str) -> Kind | None:
    """Find the kind of a key that is sensitive in every object; None for other keys."""
    name = normalize_key(key)
    for kind, (names, endings) in _KEYS.items():
        if name in names or (endings and name.endswith(endings)):
            return kind
    return None


def kind_in_contract(key: str) -> Kind:
    """Find or make the kind of a key that the contract marks as sensitive."""
    name = "-".join(_WORD_BREAK.split(key)).strip("-").lower() or "secret"
    return find_kind(key) or _MARKED_KINDS.get(key) or Kind(name, is_secret=True)


def is_id_key(key: str) -> bool:
    """Whether the values of a key are ids, which are never redacted."""
    return _ID_KEY.fullmatch(key) is not None


_TYPED_FORMATS: Final = frozenset({"date", "date-time", "uuid"})
_TYPED_TYPES: Final = frozenset({"boolean", "integer", "number"})

_MAX_CACHED_TEXTS: Final = 4_096

# Dates, instants, decimals and ids: texts that a typed field may have.
_TYPED: Final = re.compile(
    r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?"
    r"|\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[-+]\d\d:?\d\d)?)?"
    r"|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    re.IGNORECASE | re.ASCII,
)


@define(eq=False)
class FieldNode:
    """A field of a JSON document, with the fields below it."""

    kind: Kind | None = None
    keys: dict[str, FieldNode] = field(factory=dict)
    items: FieldNode | None = None
    is_id: bool = False
    """Whether its values are ids, which are not searched."""
    is_known: bool = False
    """Whether the contract has the field."""
    has_type: bool = False
    """Whether its values are dates, numbers, ids or enum values, not free text."""
    texts: set[str] = field(factory=set)
    """Texts that are known to be of that type: enum values, and a cache."""

    def is_typed(self, text: str) -> bool:
        """Whether a text is a date, number, id or enum value, as the field requires."""
        if not self.has_type:
            return False
        if text in self.texts:
            return True
        is_typed = _TYPED.fullmatch(text) is not None
        if is_typed and len(self.texts) < _MAX_CACHED_TEXTS:
            self.texts.add(text)
        return is_typed


@frozen(eq=False)
class OperationFields:
    """The fields of the query, the request body and the answers of an operation."""

    query: FieldNode
    request: FieldNode
    response: FieldNode
    marked: Mapping[str, Kind]
    """The kinds of keys that are secret somewhere in it, by normalized key."""

    def below(self, node: FieldNode, key: str) -> FieldNode:
        """Find or build the field of a key below another field."""
        known = node.keys.get(key)
        if known is not None:
            return known
        if (kind := self.marked.get(normalize_key(key))) is not None:
            return build_field(kind, normalize_key(key))
        return _build_unknown_field(key)


@cache
def find_operation_fields(operation: str) -> OperationFields:
    """Find the fields of an operation; none if the contract does not have it."""
    row = operations().get(operation)
    if row is None:
        return _NO_FIELDS
    responses = row.description.get("responses", {}).values()
    query = FieldNode()
    for parameter in map(resolve_ref, row.description.get("parameters", ())):
        if parameter["in"] == "query":
            node = _build_tree([parameter["schema"]], parameter["name"])
            names = (parameter["name"], *parameter.get("x-key-candidates", ()))
            query.keys |= dict.fromkeys(names, node)
    body = row.description.get("requestBody", {})
    request = _build_tree(_list_schemas([body]))
    response = _build_tree(_list_schemas(responses))
    marked = {
        normalize_key(key): kind
        for node in (request, response)
        for key, kind in _list_secret_keys(node, {})
    }
    return OperationFields(query, request, response, marked)


@cache
def list_kinds() -> tuple[Kind, ...]:
    """List the built-in kinds and those that only the contract has."""
    kinds = dict.fromkeys(KINDS)
    for operation in operations():
        kinds |= dict.fromkeys(find_operation_fields(operation).marked.values())
    return tuple(kinds)


def _list_schemas(holders: Any) -> list[Schema]:
    """List the schemas of bodies, for all media types."""
    return [
        media["schema"]
        for holder in map(resolve_ref, holders)
        for media in holder.get("content", {}).values()
        if "schema" in media
    ]


_Nodes = dict[tuple[str, ...], FieldNode]

_finished_nodes: _Nodes = {}


def _build_tree(schemas: Sequence[Schema], key: str = "") -> FieldNode:
    """Build the field that schemas describe together, with all fields below it.

    The fields are cached only when all of them are finished. Another thread that got an
    unfinished one would store its secrets.
    """
    nodes: _Nodes = {}
    node = _build_node(schemas, key, "", nodes)
    _finished_nodes.update(nodes)
    return node


def _build_node(
    schemas: Sequence[Schema], key: str, above: str, nodes: _Nodes
) -> FieldNode:
    """Build the node that schemas describe together.

    Args:
        schemas: alternatives.
        key: the key of the field; empty for the items of a list.
        above: the normalized key of the closest object or list around it.
        nodes: the nodes of the same tree, unfinished ones too: schemas are recursive.
    """
    refs = [str(schema.get("$ref") or id(schema)) for schema in schemas]
    cache_key = (key, above, *refs)
    known = _finished_nodes.get(cache_key) or nodes.get(cache_key)
    if known is not None:
        return known
    node = nodes[cache_key] = FieldNode(is_known=True)
    flat = [
        alternative
        for schema in schemas
        for alternative in iterate_alternatives(schema)
    ]
    if any(schema.get("x-sensitive") for schema in flat):
        node.kind = kind_in_contract(key or "url")
    elif (kind := CHILD_KINDS.get(above, {}).get(key) or find_kind(key)) is not None:
        node.kind = kind
    elif is_id_key(key) and not any("properties" in schema for schema in flat):
        node.is_id = True
    if node.kind is None and any(map(_is_typed_schema, flat)):
        node.has_type = True
        node.texts |= {text for schema in flat for text in schema.get("enum", ())}
    inner = normalize_key(key) or above
    items = [schema["items"] for schema in flat if "items" in schema]
    if items:
        node.items = _build_node(items, "", inner, nodes)
    for name, properties in _group_properties(flat).items():
        node.keys[name] = _build_node(properties, name, inner, nodes)
    for name, kind in CHILD_KINDS.get(inner, {}).items():
        node.keys.setdefault(name, FieldNode(kind))
    for schema in flat:
        _add_key_candidates(node, schema)
    return node


def _is_typed_schema(schema: Schema) -> bool:
    types = schema.get("type", ())
    types = {types} if isinstance(types, str) else set(types)
    return (
        "enum" in schema
        or "pattern" in schema
        or bool(schema.get("x-decimal"))
        or schema.get("format") in _TYPED_FORMATS
        or bool(types & _TYPED_TYPES)
    )


def _group_properties(schemas: Sequence[Schema]) -> Mapping[str, list[Schema]]:
    grouped: dict[str, list[Schema]] = {}
    for schema in schemas:
        for name, inner in schema.get("properties", {}).items():
            grouped.setdefault(name, []).append(inner)
    return grouped


def _add_key_candidates(node: FieldNode, schema: Schema) -> None:
    """Map every candidate for the name of a key to the same node."""
    groups = [
        inner["x-key-candidates"]
        for inner in schema.get("properties", {}).values()
        if isinstance(inner.get("x-key-candidates"), list)
    ]
    lists = schema.get("x-key-candidates", {})
    groups += lists.values() if isinstance(lists, Mapping) else ()
    for names in groups:
        known = next((node.keys[name] for name in names if name in node.keys), None)
        if known is not None:
            node.keys |= {name: known for name in names if name not in node.keys}


def _list_secret_keys(
    node: FieldNode, visited: dict[int, FieldNode]
) -> Iterator[tuple[str, Kind]]:
    """List the secret keys below a node."""
    if id(node) in visited:
        return
    visited[id(node)] = node
    for key, inner in node.keys.items():
        if inner.kind is not None and inner.kind.is_secret:
            yield key, inner.kind
        yield from _list_secret_keys(inner, visited)
    if node.items is not None:
        yield from _list_secret_keys(node.items, visited)


def _build_unknown_field(key: str) -> FieldNode:
    """Build the field of a key that the contract does not have there."""
    kind = find_kind(key)
    if kind is None and normalize_key(key) not in CHILD_KINDS:
        return ID_FIELD if is_id_key(key) else FREE_FIELD
    return build_field(kind, normalize_key(key))


@cache
def build_field(kind: Kind | None, name: str = "") -> FieldNode:
    """Build a field of a kind; `name` is its normalized key."""
    keys = {key: FieldNode(inner) for key, inner in CHILD_KINDS.get(name, {}).items()}
    return FieldNode(kind, keys, FieldNode(kind, keys))


FREE_FIELD: Final = FieldNode()
"""A field with arbitrary values."""

ID_FIELD: Final = FieldNode(is_id=True)
"""A field with ids."""

SIGNATURE_FIELD: Final = FieldNode(SECRET)
"""A query parameter that grants access to a URL."""

_NO_FIELDS: Final = OperationFields(FREE_FIELD, FREE_FIELD, FREE_FIELD, {})


def find_item_field(node: FieldNode) -> FieldNode:
    """Find the field of the items of a list."""
    return node.items or (ID_FIELD if node.is_id else FREE_FIELD)
