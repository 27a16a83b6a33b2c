"""Decoding: what does a page of usage cost to decode, next to other typed models?

Full pages, with one key that no model knows, go through the package's converter and
through equal models of pydantic, of msgspec, and of cattrs without changes; the time
for plain dicts is printed too. Each round has all of them in turn, and ratios are taken
inside a round. What happens to the same pages when the API grows another key, and when
a record in each page is odd, is printed as well. Before anything is measured, all
results have to be equal.

    python -m benchmarks.decoding [rounds]
"""

from __future__ import annotations

import gc
import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeAlias

import attrs
import cattrs
import msgspec
import orjson
from cattrs.gen import make_dict_structure_fn, override

from benchmarks.support.command_line import Effort, run
from benchmarks.support.equal_models import pydantic_page, struct_page
from benchmarks.support.figures import Figure, ratios
from benchmarks.support.usage_pages import PER_PAGE, UNKNOWN_KEY, dump, template
from nectar_async import Secret, UsageData
from nectar_async._json.converter import Converter
from nectar_async._types import OpenEnum
from nectar_async.contract.wire_names import to_wire
from nectar_async.models.page import Listing

LISTING = Listing(items="usage_data")
PAGES = 8

Decode: TypeAlias = Callable[[bytes], Any]


def plain_cattrs() -> cattrs.Converter:
    """Decode with cattrs as its documentation shows it, with the same types."""
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

    def build_hook(kind: Any) -> Callable[[Any, Any], Any]:
        attrs.resolve_types(kind)
        names: dict[str, Any] = {
            field.name: override(rename=to_wire(field.name))
            for field in attrs.fields(kind)
            if field.name != "extra"
        }
        names["extra"] = override(omit=True)
        return make_dict_structure_fn(kind, plain, **names)

    plain.register_structure_hook_factory(attrs.has, build_hook)
    return plain


def ours() -> Decode:
    """Decode with the package, with a new converter."""
    converter = Converter(is_strict=False)
    return lambda body: converter.decode_page(body, UsageData, LISTING, 1)


def ways() -> dict[str, Decode]:
    """List the competitors."""
    plain = plain_cattrs()
    page_of: Any = pydantic_page()
    return {
        "nectar_async": ours(),
        "pydantic": page_of.model_validate_json,
        "msgspec Struct": msgspec.json.Decoder(struct_page()).decode,
        "cattrs as it comes": lambda body: [
            plain.structure(record, UsageData)
            for record in msgspec.json.decode(body)["usageData"]
        ],
        "orjson to dicts": orjson.loads,
        "msgspec to dicts": msgspec.json.decode,
        "json.loads": json.loads,
        "json, parse_float=Decimal": lambda body: json.loads(body, parse_float=Decimal),
    }


def check(all_ways: dict[str, Decode], body: bytes) -> None:
    """Check that all competitors decode the same records."""
    mine = all_ways["nectar_async"](body).items
    for name in ("pydantic", "msgspec Struct"):
        for record, other in zip(mine, all_ways[name](body).usage_data, strict=True):
            if (record.id, record.usage, record.created, record.usage_units) != (
                *(other.id, other.usage, other.created, other.usage_units),
            ):
                raise SystemExit(f"{name} does not agree on {record}")
    raw = json.loads(body)["usageData"]
    if [record.extra.get(UNKNOWN_KEY) for record in mine] != [
        record.get(UNKNOWN_KEY) for record in raw
    ]:
        raise SystemExit("the unknown key did not survive")


def change_records(
    bodies: Sequence[bytes], change: Callable[[Any], object]
) -> list[bytes]:
    """Copy the pages with a changed list of records."""
    pages = [json.loads(body) for body in bodies]
    for page in pages:
        change(page["usageData"])
    return [dump(page) for page in pages]


def seconds(decode: Decode, bodies: Sequence[bytes]) -> float:
    """Measure the CPU seconds of a page."""
    gc.collect()
    start = time.process_time()
    for body in bodies:
        decode(body)
    return (time.process_time() - start) / len(bodies)


def measure_competitors(
    effort: Effort, bodies: Sequence[bytes]
) -> dict[str, list[float]]:
    """Measure the microseconds per record, of each competitor in each round."""
    all_ways = ways()
    check(all_ways, bodies[0])
    times: dict[str, list[float]] = {name: [] for name in all_ways}
    for _ in range(effort.rounds):
        for name, decode in all_ways.items():
            times[name].append(seconds(decode, bodies) / PER_PAGE * 1e6)
    return times


def measure(effort: Effort) -> Iterator[Figure]:
    """Measure the page as it is, then its variants."""
    bodies = [template(at).body(0, at + 1, PAGES) for at in range(PAGES)]
    times = measure_competitors(effort, bodies)
    mine = times["nectar_async"]
    each = {f"{name}, us a record": values for name, values in times.items()}
    for name, most in (("pydantic", 0.75), ("msgspec Struct", 2.7)):
        yield Figure(
            question=f"decoding a page of usage, against {name}",
            values=ratios(mine, times[name]),
            at_most=most,
            peers=each if name == "pydantic" else {},
        )
    known = change_records(bodies, _without_the_unknown_key)
    others = measure_competitors(effort, known)
    for name in ("pydantic", "msgspec Struct"):
        yield Figure(
            question=f"the same without the unknown key, against {name}",
            values=ratios(others["nectar_async"], others[name]),
        )
    yield from _variants(effort, bodies)


def _variants(effort: Effort, bodies: Sequence[bytes]) -> Iterator[Figure]:
    """Compare pages with unexpected values with the pages as they are."""
    grown, odd = (
        change_records(bodies, _with_another_key),
        change_records(bodies, _with_an_odd_one),
    )
    logging.getLogger("nectar_async").addHandler(logging.NullHandler())
    names = ("first page with another new key", "pages with it, after that")
    values: dict[str, list[float]] = {name: [] for name in names}
    values["pages with one odd record each"] = []
    for _ in range(effort.rounds):
        decode = ours()
        decode(bodies[0])
        usual = seconds(decode, bodies)
        values["pages with one odd record each"].append(seconds(decode, odd) / usual)
        for name, some in zip(names, (grown[:1], grown[1:]), strict=True):
            values[name].append(seconds(decode, some) / usual)
    for name, ratio in values.items():
        yield Figure(question=f"{name}, against pages as they are", values=ratio)


def _without_the_unknown_key(records: list[Any]) -> None:
    for record in records:
        del record[UNKNOWN_KEY]


def _with_another_key(records: list[Any]) -> None:
    for at, record in enumerate(records):
        record["anotherKey"] = {"level": at}


def _with_an_odd_one(records: list[Any]) -> None:
    records[len(records) // 2]["startDate"] = "31/12/2024"


if __name__ == "__main__":
    run(measure, rounds=20)
