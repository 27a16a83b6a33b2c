"""pydantic and FastAPI read, write and document models; the package needs neither."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from filled import FILLED
from pydantic import TypeAdapter, ValidationError

from nectar_async import Company, Connection, Secret, UsageData, to_json
from nectar_async.models import SecurityQuestion

COMPANIES = [record for record in FILLED if type(record) is Company]
(USAGE,) = (record for record in FILLED if type(record) is UsageData)


@pytest.fixture
def app() -> FastAPI:
    """Make an app, and its schema, which reads files, before the event loop runs."""
    app = FastAPI()

    @app.get("/companies")
    async def list_companies() -> list[Company]:
        return COMPANIES

    @app.get("/usage")
    async def get_usage() -> UsageData:
        return USAGE

    app.openapi()
    return app


@pytest.mark.asyncio
async def test_an_endpoint_returns_models_as_json(app: FastAPI) -> None:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
        companies = (await client.get("/companies")).json()
        usage = (await client.get("/usage")).json()
        schema = (await client.get("/openapi.json")).json()
    assert companies == [json.loads(to_json(company)) for company in COMPANIES]
    assert usage == json.loads(to_json(USAGE))
    fields = schema["components"]["schemas"]["UsageData"]["properties"]
    assert "inclusive" in fields["end_date"]["description"]
    assert fields["usage"]["anyOf"][0] == {"type": "string", "format": "decimal"}
    assert "path" in fields["site"]["anyOf"][0]["properties"]
    assert set(fields) == set(usage)


@pytest.mark.parametrize("record", FILLED, ids=lambda record: type(record).__name__)
def test_every_model_is_written_read_and_documented(record: Any) -> None:
    adapter = TypeAdapter(type(record))
    text = adapter.dump_json(record)
    assert json.loads(text) == json.loads(to_json(record))
    if type(record) is not SecurityQuestion:  # it needs its answer, a secret
        assert type(adapter.validate_json(text)) is type(record)
    assert adapter.validate_python(record) is record
    schema = adapter.json_schema()
    assert set(schema["properties"]) == set(json.loads(text))


def test_no_secret_is_written() -> None:
    record = Connection(id="x", connection_magic_link_secret=Secret("canary"))
    assert b"canary" not in TypeAdapter(Connection).dump_json(record)


@pytest.mark.parametrize(
    ("value", "message"),
    [({"usage": "1"}, "missing"), ([1], "expected a UsageData or a dict")],
)
def test_a_wrong_value_is_a_validation_error(value: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        TypeAdapter(UsageData).validate_python(value)


def test_pydantic_is_not_loaded_by_the_package() -> None:
    code = (
        "import sys, nectar_async\n"
        "for name in nectar_async.__all__: getattr(nectar_async, name)\n"
        "from nectar_async import tables\n"
        "loaded = {'pydantic', 'pyarrow', 'polars', 'pandas', 'duckdb', 'numpy'}\n"
        "print(sorted(loaded & set(sys.modules)))"
    )
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
