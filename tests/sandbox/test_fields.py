"""Each field of a model is in some answer of the sandbox, or has a reason not to be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import aiohttp
import anyio
import attrs
import msgspec
import pytest
from contract_schemas import OPERATIONS, response_schema
from raw_client import RawClient
from surface import call_everything

from nectar_async import NectarClient, Request, Response, contract, models
from nectar_async._http.compression import decompress_body
from nectar_async._http.transport import Send
from nectar_async.sandbox import Sandbox
from nectar_async.sandbox.generator.connection_logins import SANDBOX_LOGIN

# The magic links are deprecated, and have fields all the same.
pytestmark = pytest.mark.filterwarnings("ignore:use invitations:DeprecationWarning")

SCHEMAS: dict[str, Any] = contract.load()["components"]["schemas"]

# Sums of a bill besides its total; the sandbox generates line items in their place.
_AMOUNTS = (
    *("previousCloseBalance", "afterPreviousTotalPayment", "afterPreviousCharges"),
    *("afterPreviousCredits", "currentOpenBalance", "currentCharges", "credits"),
    *("taxCharges", "interestCharges"),
)
# Fields that only an update of usage sets; no record inside a bill is updated here.
_UPDATED = (
    *("multiplier2", "multiplier2Description", "fractionRenewable"),
    *("supplierName", "utilityName"),
)

WITHOUT_ANSWER: Mapping[str, str] = {
    "SecurityQuestion.key": "is sent to the API only",
    "SecurityQuestion.value": "is sent to the API only",
    **{f"UsageDataNested.{wire}": "is set by an update only" for wire in _UPDATED},
    **{f"DocumentEmbedded.{wire}": "is not generated" for wire in _AMOUNTS},
    **{f"Document.{wire}": "is not generated" for wire in _AMOUNTS},
}
"""Fields that the sandbox does not send, as `Model.property`, each with the reason."""


def name_target(node: Mapping[str, Any]) -> str | None:
    """Return the name of the schema that a node refers to, or None."""
    return node["$ref"].rpartition("/")[2] if "$ref" in node else None


MODELS = [name for name in SCHEMAS if attrs.has(getattr(models, name, object))]


def list_fields(model: str) -> list[str]:
    """Return the properties of a model's schema, as `Model.property`."""
    return [
        f"{model}.{wire}"
        for alternative in contract.iterate_alternatives(SCHEMAS[model])
        for wire in alternative.get("properties", ())
    ]


def find_fields(
    node: Mapping[str, Any], value: Any, model: str | None = None
) -> Iterator[str]:
    """Yield the fields that a value of a schema has, as `Model.property`."""
    model = name_target(node) or model
    schema = contract.resolve_ref(node)
    if isinstance(value, list):
        for item in value:
            yield from find_fields(schema.get("items", {}), item, model)
    if isinstance(value, dict):
        for wire, part in schema.get("properties", {}).items():
            if wire in value:
                yield f"{model}.{wire}"
                yield from find_fields(part, value[wire])
    for keyword in ("allOf", "anyOf", "oneOf"):
        for member in schema.get(keyword, ()):
            yield from find_fields(member, value, model)


async def _read_lists(nectar: NectarClient) -> None:
    """Read the large lists, whose records differ in the fields that they have."""
    for view in (nectar.repository.usage(), nectar.repository.documents()):
        async with view as records:
            async for _ in records:
                pass
    async with nectar.repository.connections() as connections:
        async for connection in connections:
            await anext(nectar.intervals.by_connection(connection.id).pages())


async def _use_invitation(nectar: NectarClient, sandbox: Sandbox) -> None:
    """Create a connection with an invitation, and read the invitation after that."""
    company = sandbox.portfolio.company(1)
    body = {**SANDBOX_LOGIN._asdict(), "sites": [company.sites[0].id]}
    async with aiohttp.ClientSession() as session:
        client = RawClient(sandbox, session)
        path = f"/v2.2/invitation/company/{company.id}"
        form = {"prefill": {"url": SANDBOX_LOGIN.url}}
        invitation = (await client.request(path, method="POST", body=form)).json
        path = f"/_sandbox/invitations/{invitation['token']}/use"
        used = await client.request(path, method="POST", body=body)
        assert used.status == 200
    await nectar.invitations.get(invitation["id"])


async def _collect_fields() -> set[str]:
    fields: set[str] = set()

    async def observe(request: Request[Any], send: Send) -> Response:
        response = await send(request)
        body = decompress_body(response)
        if request.operation in OPERATIONS and 200 <= response.status < 300 and body:
            schema = response_schema(request.operation, response.status)
            fields.update(find_fields(schema, msgspec.json.decode(body)))
        return response

    async with Sandbox(companies=4, clock_speed=0) as sandbox:
        for version in ("v2.2", "v2.1"):
            settings = attrs.evolve(sandbox.settings, api_version=version)
            async with NectarClient(
                sandbox.api_key, settings=settings, stages=[observe]
            ) as nectar:
                await _read_lists(nectar)
                if version == "v2.2":
                    await call_everything(nectar)
                    await _use_invitation(nectar, sandbox)
    return fields


@pytest.fixture(scope="module")
def sent_fields() -> set[str]:
    """The fields in the answers to all operations."""
    return anyio.run(_collect_fields)


@pytest.mark.parametrize("model", MODELS)
def test_the_sandbox_sends_each_field(model: str, sent_fields: set[str]) -> None:
    fields = list_fields(model)
    assert fields
    unsent = {field for field in fields if field not in sent_fields}
    excepted = {field for field in fields if field in WITHOUT_ANSWER}
    missing, needless = sorted(unsent - excepted), sorted(excepted - unsent)
    assert not missing, (
        f"{', '.join(missing)}: send this in sandbox/server/entity_json.py, "
        "or give a reason in WITHOUT_ANSWER"
    )
    assert not needless, f"remove from WITHOUT_ANSWER: {', '.join(needless)}"


def test_each_exception_is_a_field() -> None:
    fields = {field for model in MODELS for field in list_fields(model)}
    assert set(WITHOUT_ANSWER) <= fields
