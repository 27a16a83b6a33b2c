"""The operations of the contract as calls of the client, derived by one rule.

    usage_list_by_company   nectar.usage.by_company(company_id, start_date=..., ...)

The tag is the noun and the rest of the id is the verb; `list_by_x` is `by_x`, `list` is
`all`, and `ping_get`, which has no noun, is `ping`. The arguments are the parameters of
path and query and the properties of the body, in snake_case; an upload is `file`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from inspect import Signature, signature
from typing import Any

from attrs import frozen
from shapes import Shape, read_shape
from values import PNG, Pair, build_boundary_values, build_valid_value, to_argument

from nectar_async import MemoryTransport, NectarClient, contract
from nectar_async.contract import resolve_ref
from nectar_async.contract.wire_names import to_python

__all__ = ["ENDPOINTS", "FORM", "JSON", "Argument", "Endpoint"]

JSON = "application/json"
FORM = "multipart/form-data"


@frozen
class Argument:
    """One argument of a call."""

    wire: str
    place: str
    """`path`, `query` or `body`."""
    is_required: bool
    shape: Shape
    example: Any = None
    """The value in an example of the body."""
    candidates: Sequence[str] = ()
    """The candidates for a guessed key, the most likely first."""

    @property
    def name(self) -> str:
        """The name of the argument in Python."""
        return "file" if self.shape.kind == "file" else to_python(self.wire)

    @property
    def is_sensitive(self) -> bool:
        """Whether the value must not be shown."""
        return bool(self.shape.schema.get("x-sensitive"))

    @property
    def fit(self) -> Pair:
        """A valid value; the example of the contract if it has one."""
        if self.shape.kind == "file":
            return Pair(PNG, PNG)
        wire = build_valid_value(self.shape) if self.example is None else self.example
        return Pair(to_argument(self.shape, wire), wire)

    @property
    def fits(self) -> list[Pair]:
        """Valid values, at every boundary."""
        return (
            [self.fit]
            if self.shape.kind == "file"
            else build_boundary_values(self.shape)
        )


@frozen
class Endpoint:
    """One operation of the contract, and its method of the client."""

    operation: str
    method: str
    path: str
    description: Mapping[str, Any]

    @property
    def noun(self) -> str | None:
        """The group of the client; None for a method of the client itself."""
        return None if self.operation == "ping_get" else self.description["tags"][0]

    @property
    def verb(self) -> str:
        """The name of the method."""
        if self.noun is None:
            return "ping"
        verb = self.operation.removeprefix(f"{self.noun}_")
        return {"list": "all"}.get(verb, verb.removeprefix("list_"))

    @property
    def call(self) -> str:
        """The method with its group: `usage.by_company`."""
        return self.verb if self.noun is None else f"{self.noun}.{self.verb}"

    @property
    def signature(self) -> Signature:
        """The signature of the method."""
        return signature(self.on(NectarClient(transport=MemoryTransport({}))))

    def on(self, nectar: NectarClient) -> Callable[..., Any]:
        """The bound method."""
        owner = nectar if self.noun is None else getattr(nectar, self.noun)
        method: Callable[..., Any] = getattr(owner, self.verb)
        return method

    @property
    def parameters(self) -> list[Mapping[str, Any]]:
        """The parameters of path and query in the contract."""
        return [
            resolve_ref(parameter)
            for parameter in self.description.get("parameters", ())
        ]

    @property
    def content_type(self) -> str | None:
        """The media type of the body; None without a body."""
        content = self.description.get("requestBody", {}).get("content", {})
        return next(iter(content), None)

    @property
    def body(self) -> Mapping[str, Any]:
        """The schema of the body; empty without a body."""
        if self.content_type is None:
            return {}
        content = self.description["requestBody"]["content"]
        return resolve_ref(content[self.content_type]["schema"])

    @cached_property
    def arguments(self) -> list[Argument]:
        """The arguments of the call, without `page`."""
        from_parameters = [
            Argument(
                parameter["name"],
                parameter["in"],
                parameter.get("required", False),
                read_shape(parameter["schema"]),
                candidates=parameter.get("x-key-candidates", ()),
            )
            for parameter in self.parameters
            if parameter["name"] != "page"
        ]
        return from_parameters + [
            self._field(wire) for wire in self.body.get("properties", {})
        ]

    def _field(self, wire: str) -> Argument:
        schema = self.body["properties"][wire]
        # Some fields of bodies are described in the schema of the answer only.
        read = self.answer_schema.get("properties", {}).get(wire, {})
        if "description" not in schema and "description" in read:
            schema = {**schema, "description": read["description"]}
        is_required = wire in self.body.get("required", ())
        examples = self.body.get("examples", ())
        values = [
            example[wire] for example in examples if example.get(wire) is not None
        ]
        example = values[0] if values else None
        candidates = schema.get("x-key-candidates", ())
        return Argument(
            wire, "body", is_required, read_shape(schema), example, candidates
        )

    def fits(self, *, everything: bool) -> dict[str, Pair]:
        """Return values for all arguments, or for the required ones."""
        return {
            argument.name: argument.fit
            for argument in self.arguments
            if everything or argument.is_required
        }

    @property
    def least(self) -> dict[str, Any]:
        """The required arguments with their values."""
        return {name: pair.python for name, pair in self.fits(everything=False).items()}

    @property
    def answers(self) -> list[tuple[int, Mapping[str, Any]]]:
        """Each successful status with its schema; 202 stands for 2XX."""
        return [
            (
                int(status.replace("XX", "02")),
                resolve_ref(
                    resolve_ref(response)
                    .get("content", {})
                    .get(JSON, {})
                    .get("schema", {})
                ),
            )
            for status, response in self.description["responses"].items()
            if status.startswith("2")
        ]

    @property
    def answer_schema(self) -> Mapping[str, Any]:
        """The schema of a successful answer; empty without a body."""
        return self.answers[0][1]

    @property
    def is_list(self) -> bool:
        """Whether the answer is a page of a list."""
        return "x-paginated" in self.description

    @property
    def is_repeated(self) -> bool:
        """Whether the request is repeated after a server error."""
        if self.method == "GET":
            return self.noun != "magic_links"  # both GET operations create something
        repeat: bool = self.description["x-idempotent-retry"]
        return repeat

    @property
    def model(self) -> str | None:
        """The component of one record of the answer; None for text and no body."""
        schema = self.answer_schema
        if "x-envelope" in schema:
            schema = schema["properties"][schema["x-envelope"]["items"]]
        shapes = [schema, *schema.get("anyOf", ())]
        items = [shape["items"] for shape in shapes if shape.get("type") == "array"]
        if items:
            return str(items[0]["$ref"].rpartition("/")[2])
        objects = (shape for shape in shapes if "properties" in shape)
        return next((self.answer_name for _ in objects), None)

    @property
    def answer_name(self) -> str:
        """The component of the whole successful answer."""
        success = next(iter(self.description["responses"].values()))
        return str(success["content"][JSON]["schema"]["$ref"].rpartition("/")[2])


ENDPOINTS = [Endpoint(name, *spec) for name, spec in contract.operations().items()]
