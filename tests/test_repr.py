"""The texts of records leave out what is empty, fit a screen and show no secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import attrs
import pytest
from filled import CANARY, FILLED
from random_records import build_records

from nectar_async import (
    Document,
    LineItem,
    Meter,
    Page,
    Receipt,
    Secret,
    Settings,
    Site,
    UsageData,
    UsageUnits,
    Verdict,
)
from nectar_async._repr import VALUE_SIZE, format_keys, format_record, format_value
from nectar_async._text import make_printable
from nectar_async.models import DatasourceType
from nectar_async.models._base import Model
from nectar_async.tables.columns import NOUNS

MAX_SIZE = 500
HOSTILE = "\x1b]0;owned\x07\u202e\r\n\x9b2J\ud800" + "x" * 10_000


def list_models(base: type[Any] = Model) -> Iterator[type[Any]]:
    for model in base.__subclasses__():
        # attrs builds each class with slots from one without, which may still exist.
        if "__attrs_attrs__" in vars(model):
            yield model
        yield from list_models(model)


def test_a_repr_has_only_fields_with_a_value() -> None:
    record = UsageData(
        id="u-1",
        start_date=date(2025, 1, 1),
        usage=Decimal("12.50"),
        usage_units=UsageUnits.KWH,
        is_estimated=False,
    )
    assert repr(record) == (
        "UsageData(id='u-1', start_date=2025-01-01, usage=12.50, usage_units='kWh',"
        " is_estimated=False)"
    )
    assert repr(Site(id="s", name="")) == "Site(id='s')"


def test_inner_records_are_shortened_and_lists_of_them_counted() -> None:
    site = Site(id="s-1", name="Harbor " * 20, path=("US", "IL", "Cook", "Chicago"))
    record = UsageData(id="u-1", site=site)
    assert repr(record) == "UsageData(id='u-1', site=Site(id='s-1', 2 more))"
    assert "path=['US', 'IL', 'Cook', 1 more]" in repr(site)
    document = Document(id="d-1", line_items=(LineItem(), LineItem()))
    assert repr(document) == "Document(id='d-1', line_items=<2 LineItem>)"
    assert "tags=<3 items>" in repr(Meter(id="m", tags=("roof", 7, {"deep": [1]})))


def test_the_fields_that_do_not_fit_are_counted() -> None:
    texts = ["service_address", "meter", "meter_address", "waste_description"]
    texts += ["waste_type", "waste_stream", "multiplier_description", "tariff"]
    fields: dict[str, Any] = dict.fromkeys(texts, "x" * 200)
    record = UsageData(id="u", **fields)
    assert re.search(r"'x{59}…', \d more\)$", repr(record))
    assert len(repr(record)) <= MAX_SIZE


@pytest.mark.parametrize("model", sorted(set(list_models()), key=str), ids=str)
def test_every_model_has_this_repr(model: Any) -> None:
    assert model.__repr__ is format_record


@pytest.mark.parametrize("model", NOUNS.values(), ids=NOUNS)
def test_no_record_is_longer_than_a_screen(model: type) -> None:
    for record in build_records(model, 100):
        assert len(repr(record)) <= MAX_SIZE
        assert repr(record) == make_printable(repr(record))


@pytest.mark.parametrize("value", FILLED, ids=lambda value: type(value).__name__)
def test_texts_of_a_server_are_cut_and_escaped(value: Any) -> None:
    changes: dict[str, Any] = {"extra": {HOSTILE: CANARY, **dict.fromkeys("abcdefghi")}}
    for field in attrs.fields(type(value)):
        part = getattr(value, field.name)
        if isinstance(part, str):
            changes[field.name] = HOSTILE
        elif isinstance(part, tuple) and part and isinstance(part[0], str):
            changes[field.name] = (HOSTILE,) * 1000
    text = repr(attrs.evolve(value, **changes))
    assert len(text) <= MAX_SIZE
    assert text.isprintable()
    assert CANARY not in text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (HOSTILE, "'\\x1b]0;owned\\x07\\u202e\\r\\n\\x9b2J\\ud800"),
        (DatasourceType(HOSTILE), "'\\x1b]0;owned"),
        (datetime(2025, 1, 1, 9, tzinfo=UTC), "2025-01-01T09:00:00+00:00"),
        (Decimal("1." + "0" * 100), "1.000"),
        ({"token": "canary"}, "{'token': ...}"),
        (Secret("canary"), "Secret('***')"),
        ([], "[]"),
        (2**100, "1267650600228229401496703205376"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_is_one_short_line(value: object, text: str) -> None:
    shown = format_value(value)
    assert shown.startswith(text)
    assert len(shown) <= VALUE_SIZE
    assert shown.isprintable()


def test_the_repr_of_an_unknown_object_is_cleaned() -> None:
    class Odd:
        def __repr__(self) -> str:
            return "\x1b[2J\n" * 100

    assert format_value(Odd()).startswith("\\x1b[2J \\x1b[2J")
    assert len(format_value(Odd())) == VALUE_SIZE


def test_many_keys_are_counted() -> None:
    text = format_keys(dict.fromkeys(map(str, range(10_000))))
    assert text.endswith("'7': ..., 9992 more}")
    assert format_keys({}) == "{}"


def test_a_page_shows_the_number_of_its_records() -> None:
    text = repr(Page(items=tuple(build_records(UsageData, 100)), total=250))
    assert text.startswith("Page(items=<100 UsageData>, number=1,")
    assert len(text) <= MAX_SIZE


def test_a_receipt_shows_a_few_of_its_problems() -> None:
    receipt = Receipt(problems=(HOSTILE,) * 100, verdict=Verdict.SHORT)
    assert len(repr(receipt)) <= MAX_SIZE
    assert repr(receipt).endswith("verdict='short')")


def test_settings_show_what_is_set() -> None:
    text = repr(Settings(max_concurrency=3))
    assert text.startswith("Settings(base_url='https://external.nectarclimate.com', ")
    assert "max_concurrency=3" in text
    assert "deadline" not in text
