"""A client decodes with the converter, and the hooks, that the user passes."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import cattrs
import pytest
from attrs import field, frozen
from doubles import MakeClient
from hypothesis import given, strategies as st
from profiles import max_examples
from strategies import damaged_json

from nectar_async import ConfigurationError, UsageData, make_converter
from nectar_async._json.converter import find_converter, get_converter
from nectar_async.errors import DecodeError
from nectar_async.models._extra import format_keys
from nectar_async.models.page import Listing

USAGE = Listing(items="usage_data")
PAGE = {
    "usageData": [{"id": "1", "usage": "1.5", "costCentre": "4711"}],
    "totalUsageData": 1,
    "totalPages": 1,
    "currentPage": 1,
    "hasNext": False,
}
ANSWERS = {"usage_list_by_company": PAGE}


@frozen(kw_only=True)
class OwnUsage(UsageData):
    """Usage with a field that this company has in its bills."""

    cost_centre: str | None = None
    extra: Mapping[str, Any] = field(factory=dict, hash=False, repr=format_keys)


def build_own_converter() -> cattrs.Converter:
    converter = make_converter()
    read_own = converter.get_structure_hook(OwnUsage)
    converter.register_structure_hook(
        UsageData, lambda value, _: read_own(value, OwnUsage)
    )
    return converter


@pytest.mark.anyio
async def test_a_hook_gives_records_a_field_of_ones_own(
    make_client: MakeClient,
) -> None:
    nectar = make_client(ANSWERS, converter=build_own_converter())
    (record,) = await nectar.usage.by_company("c")
    assert isinstance(record, OwnUsage)
    assert (record.cost_centre, record.usage) == ("4711", Decimal("1.5"))
    assert (record.company_id, record.extra) == ("c", {})
    (copied,) = await nectar.with_settings(deadline=9).usage.by_company("c")
    assert copied == record


@pytest.mark.anyio
async def test_a_hook_for_a_type_is_used_in_every_model(
    make_client: MakeClient,
) -> None:
    converter = make_converter()
    converter.register_structure_hook(Decimal, lambda value, _: Decimal(value) * 2)
    (record,) = await make_client(ANSWERS, converter=converter).usage.by_company("c")
    assert record.usage == 3
    (usual,) = await make_client(ANSWERS).usage.by_company("c")
    assert usual.usage == Decimal("1.5")


@max_examples(100)
@given(st.lists(damaged_json(UsageData), max_size=4))
def test_a_converter_without_hooks_decodes_as_the_client_does(rows: Any) -> None:
    body = get_converter(is_strict=False).encode({"usageData": rows})
    own = find_converter(make_converter(), is_strict=False)
    hooked = make_converter()
    hooked.register_structure_hook(
        UsageData, hooked.get_structure_hook(UsageData)
    )  # the slow path, though nothing changes
    results: list[Any] = []
    for converter in (
        get_converter(is_strict=False),
        own,
        find_converter(hooked, is_strict=False),
    ):
        try:
            results.append(converter.decode_page(body, UsageData, USAGE, 1))
        except DecodeError as error:
            results.append(str(error))
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize(
    ("converter", "message"),
    [
        (cattrs.Converter(), "must come from nectar_async.make_converter"),
        (make_converter().copy(), "a copy of one"),
        (7, "must come from nectar_async.make_converter"),
        (make_converter("python"), "make_converter\\('wire'\\)"),
    ],
)
def test_another_converter_is_refused(
    make_client: MakeClient, converter: Any, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        make_client(ANSWERS, converter=converter)


@pytest.mark.anyio
async def test_a_strict_client_needs_a_strict_converter(
    make_client: MakeClient,
) -> None:
    lenient = make_client(ANSWERS, converter=make_converter())
    with pytest.raises(ConfigurationError, match="strict converter"):
        lenient.with_settings(strict=True)
    with pytest.raises(ConfigurationError, match="strict converter"):
        make_client(ANSWERS, converter=make_converter(), strict=True)
    nectar = make_client(ANSWERS, converter=make_converter(strict=True))
    with pytest.raises(DecodeError, match="costCentre"):
        await nectar.usage.by_company("c")
