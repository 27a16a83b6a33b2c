"""Every operation of the contract as a call of the client, derived by one rule.

    usage_list_by_company   nectar.usage.by_company(company_id, start_date=..., ...)

The tag is the noun and what follows it the verb; `list_by_x` is `by_x`, `list` is
`all`, and `ping_get`, which has no noun, is `ping`. Path parameters, query parameters
and the properties of the body are the arguments, in snake_case. Only a file is `file`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from inspect import Signature, signature
from typing import Any

from attrs import frozen
from shapes import Shape, resolved, shape_of
from values import PNG, Pair, borders, lifted, sample

from nectar_async import MemoryTransport, NectarClient, contract
from nectar_async.contract.wire_names import to_python

__all__ = ["ENDPOINTS", "FORM", "JSON", "Argument", "Endpoint"]

JSON = "application/json"
FORM = "multipart/form-data"


@frozen
class Argument:
    """One thing that a call takes."""

    wire: str
    place: str
    """`path`, `query` or `body`."""
    is_required: bool
    shape: Shape
    example: Any = None
    """What the examples of the body have here."""
    candidates: Sequence[str] = ()
    """Guesses at the key, the best first, where it is a guess."""

    @property
    def name(self) -> str:
        """How a caller spells it."""
        return "file" if self.shape.kind == "file" else to_python(self.wire)

    @property
    def is_sensitive(self) -> bool:
        """Whether nobody is to see it."""
        return bool(self.shape.schema.get("x-sensitive"))

    @property
    def fit(self) -> Pair:
        """A value that fits, the contract's own if it shows one."""
        if self.shape.kind == "file":
            return Pair(PNG, PNG)
        wire = sample(self.shape) if self.example is None else self.example
        return Pair(lifted(self.shape, wire), wire)

    @property
    def fits(self) -> list[Pair]:
        """Values that fit, at every border."""
        return [self.fit] if self.shape.kind == "file" else borders(self.shape)


@frozen
class Endpoint:
    """One operation, and how it is called."""

    operation: str
    method: str
    path: str
    description: Mapping[str, Any]

    @property
    def noun(self) -> str | None:
        """The attribute of the client; None for what the client does itself."""
        return None if self.operation == "ping_get" else self.description["tags"][0]

    @property
    def verb(self) -> str:
        """The method's name."""
        if self.noun is None:
            return "ping"
        verb = self.operation.removeprefix(f"{self.noun}_")
        return {"list": "all"}.get(verb, verb.removeprefix("list_"))

    @property
    def call(self) -> str:
        """How the method is reached: `usage.by_company`."""
        return self.verb if self.noun is None else f"{self.noun}.{self.verb}"

    @property
    def signature(self) -> Signature:
        """What the method takes."""
        return signature(self.on(NectarClient(transport=MemoryTransport({}))))

    def on(self, nectar: NectarClient) -> Callable[..., Any]:
        """The bound method."""
        owner = nectar if self.noun is None else getattr(nectar, self.noun)
        method: Callable[..., Any] = getattr(owner, self.verb)
        return method

    @property
    def parameters(self) -> list[Mapping[str, Any]]:
        """What the contract calls parameters: of the path and of the query."""
        return [resolved(one) for one in self.description.get("parameters", ())]

    @property
    def content_type(self) -> str | None:
        """The media type of the body; None where there is none."""
        content = self.description.get("requestBody", {}).get("content", {})
        return next(iter(content), None)

    @property
    def body(self) -> Mapping[str, Any]:
        """The schema of the body, empty where there is none."""
        if self.content_type is None:
            return {}
        content = self.description["requestBody"]["content"]
        return resolved(content[self.content_type]["schema"])

    @cached_property
    def arguments(self) -> list[Argument]:
        """Everything that a caller decides; pages are walked, not asked for."""
        given = [
            Argument(
                one["name"],
                one["in"],
                one.get("required", False),
                shape_of(one["schema"]),
                candidates=one.get("x-key-candidates", ()),
            )
            for one in self.parameters
            if one["name"] != "page"
        ]
        return given + [self._field(wire) for wire in self.body.get("properties", {})]

    def _field(self, wire: str) -> Argument:
        schema = self.body["properties"][wire]
        # What a field means stands where it is read, if not where it is written.
        read = self.answer_schema.get("properties", {}).get(wire, {})
        if "description" not in schema and "description" in read:
            schema = {**schema, "description": read["description"]}
        is_required = wire in self.body.get("required", ())
        examples = self.body.get("examples", ())
        shown = [one[wire] for one in examples if one.get(wire) is not None]
        example = shown[0] if shown else None
        candidates = schema.get("x-key-candidates", ())
        return Argument(
            wire, "body", is_required, shape_of(schema), example, candidates
        )

    def fits(self, *, everything: bool) -> dict[str, Pair]:
        """Values of a call: of all arguments, or of no more than it needs."""
        return {
            one.name: one.fit for one in self.arguments if everything or one.is_required
        }

    @property
    def least(self) -> dict[str, Any]:
        """The fewest arguments with which it can be called."""
        return {name: pair.python for name, pair in self.fits(everything=False).items()}

    @property
    def answers(self) -> list[tuple[int, Mapping[str, Any]]]:
        """Each success that the contract tells, with its schema; 202 stands for 2XX."""
        return [
            (
                int(status.replace("XX", "02")),
                resolved(
                    resolved(one).get("content", {}).get(JSON, {}).get("schema", {})
                ),
            )
            for status, one in self.description["responses"].items()
            if status.startswith("2")
        ]

    @property
    def answer_schema(self) -> Mapping[str, Any]:
        """What a success brings; empty for nothing."""
        return self.answers[0][1]

    @property
    def is_list(self) -> bool:
        """Whether it comes page by page."""
        return "x-paginated" in self.description

    @property
    def is_repeated(self) -> bool:
        """Whether a lost answer may be asked for again."""
        if self.method == "GET":
            return self.noun != "magic_links"  # those two make something
        repeat: bool = self.description["x-idempotent-retry"]
        return repeat

    @property
    def model(self) -> str | None:
        """The component that one record of the answer is; None for text and nothing."""
        schema = self.answer_schema
        if "x-envelope" in schema:
            schema = schema["properties"][schema["x-envelope"]["items"]]
        shapes = [schema, *schema.get("anyOf", ())]
        items = [one["items"] for one in shapes if one.get("type") == "array"]
        if items:
            return str(items[0]["$ref"].rpartition("/")[2])
        objects = (one for one in shapes if "properties" in one)
        return next((self.answer_name for _ in objects), None)

    @property
    def answer_name(self) -> str:
        """The component that a success brings as a whole."""
        success = next(iter(self.description["responses"].values()))
        return str(success["content"][JSON]["schema"]["$ref"].rpartition("/")[2])


ENDPOINTS = [Endpoint(name, *one) for name, one in contract.operations().items()]
