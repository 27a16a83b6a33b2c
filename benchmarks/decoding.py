"""What does a page cost to decode, next to plain JSON and to cattrs as it comes?

A page of the sandbox's portfolio is decoded by each in turn, in interleaved rounds; the
figures are medians in microseconds per record, and ratios to the package's converter.

    python benchmarks/decoding.py [rounds]
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import anyio
import attrs
import cattrs
import msgspec
from cattrs.gen import make_dict_structure_fn, override

from nectar_async import NectarClient, Request, Secret, UsageData
from nectar_async._convert import converter
from nectar_async._enums import OpenEnum
from nectar_async._names import to_wire
from nectar_async._request import Listing
from nectar_async.sandbox import Sandbox

LISTING = Listing(items="usage_data")


async def page() -> bytes:
    """A full page of usage, as the sandbox writes it."""
    async with (
        Sandbox(companies=50, seed=7) as sandbox,
        NectarClient(sandbox.api_key, settings=sandbox.settings) as nectar,
    ):
        for company in await nectar.companies.all():
            request = Request.get(
                "usage_list_by_company",
                "/usage/company/{company_id}",
                dict,
                company_id=company.id,
            )
            answer = await nectar.send(request)
            if len(answer["usageData"]) == answer["perPage"]:
                return converter(is_strict=False).encode(answer)
    raise SystemExit("no company of this portfolio fills a page")


def plain_cattrs() -> cattrs.Converter:
    """Cattrs as its documentation shows it, with the same types."""
    plain = cattrs.Converter(use_alias=False)
    for kind, make in (
        (Decimal, Decimal),
        (date, date.fromisoformat),
        (datetime, datetime.fromisoformat),
    ):
        plain.register_structure_hook(kind, lambda value, _, make=make: make(value))
    plain.register_structure_hook_func(
        lambda kind: kind == Secret[str], lambda value, _: Secret(value)
    )
    plain.register_structure_hook_func(
        lambda kind: isinstance(kind, type) and issubclass(kind, OpenEnum),
        lambda value, kind: kind(value),
    )

    def renamed(kind: Any) -> Callable[[Any, Any], Any]:
        attrs.resolve_types(kind)
        names: dict[str, Any] = {
            field.name: override(rename=to_wire(field.name))
            for field in attrs.fields(kind)
            if field.name != "extra"
        }
        names["extra"] = override(omit=True)
        return make_dict_structure_fn(kind, plain, **names)

    plain.register_structure_hook_factory(attrs.has, renamed)
    return plain


def main(rounds: int = 20) -> None:
    """Measure and print."""
    body = anyio.run(page)
    records = len(json.loads(body)["usageData"])
    ours, plain = converter(is_strict=False), plain_cattrs()
    ways: dict[str, Callable[[], object]] = {
        "nectar_async": lambda: ours.decode_page(body, UsageData, LISTING, 1),
        "json.loads": lambda: json.loads(body),
        "json, parse_float=Decimal": lambda: json.loads(body, parse_float=Decimal),
        "msgspec to dicts": lambda: msgspec.json.decode(body),
        "cattrs as it comes": lambda: [
            # It takes no null for a sequence; ours does, so its nulls are left out.
            plain.structure(
                {key: value for key, value in one.items() if value is not None},
                UsageData,
            )
            for one in msgspec.json.decode(body)["usageData"]
        ],
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way()
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            times[name].append((time.perf_counter() - start) / records * 1e6)
    medians = {name: statistics.median(each) for name, each in times.items()}
    print(f"{records} records, {len(body) / 1000:.0f} kB; {rounds} rounds, medians")
    for name, value in medians.items():
        print(f"{name:26} {value:6.1f} us   {value / medians['nectar_async']:.2f} x")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
