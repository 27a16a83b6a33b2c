"""Equal parts of the records of a list are one object; the digits must be equal too."""

from __future__ import annotations

import copy
import json
import pickle
import tracemalloc
from decimal import Decimal
from typing import Any

import attrs
import pytest

from nectar_async._json.converter import Converter
from nectar_async.models import Connection, UsageData

SITE = {"id": "s-1", "name": "Quay 1", "path": ["US", "IL"], "occupancyPercent": "9.50"}
METER = {"rawName": "Meter No.", "value": "M-1", "name": "METER"}
BILL = {"id": "d-1", "url": "https://files.example.com/1", "totalCharges": "12.50"}


def build_record(number: int, **parts: Any) -> dict[str, Any]:
    whole = {"site": SITE, "document": BILL, "identifiers": [METER, {"value": "A-1"}]}
    return {"id": f"u-{number}", **whole, **parts}


def decode_records(
    *records: dict[str, Any], converter: Converter | None = None
) -> list[UsageData]:
    body = json.dumps(records).encode()
    return (converter or Converter()).decode(body, list[UsageData])


def test_equal_parts_of_a_list_are_one_object() -> None:
    first, second = decode_records(build_record(1), build_record(2))
    assert first.site is second.site
    assert first.document is second.document
    assert first.identifiers[0] is second.identifiers[0]
    assert first.identifiers[1] is second.identifiers[1]
    assert first.site is not None
    assert first.site.path == ("US", "IL")


def test_two_lists_share_no_parts() -> None:
    converter = Converter()
    (first,), (second,) = (
        decode_records(build_record(1), converter=converter),
        decode_records(build_record(1), converter=converter),
    )
    assert first == second
    assert first.site is not second.site


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Quay 2"},
        {"name": None},
        {"path": ["US"]},
        {"occupancyPercent": "9.5"},
        {"occupancyPercent": "9.500"},
        {"occupancyPercent": None},
        {"externalId": "4711"},
    ],
    ids=str,
)
def test_different_parts_with_the_same_id_are_not_shared(
    changes: dict[str, Any],
) -> None:
    sites = SITE, {**SITE, **changes}, SITE, {**SITE, **changes}
    decoded = decode_records(
        *(build_record(n, site=site) for n, site in enumerate(sites))
    )
    converter = Converter()
    expected = [
        converter.decode(json.dumps(build_record(n, site=site)).encode(), UsageData)
        for n, site in enumerate(sites)
    ]
    assert decoded == expected
    assert [repr(record.site) for record in decoded] == [
        repr(record.site) for record in expected
    ]


def test_zero_keeps_its_sign() -> None:
    sites = [{**SITE, "occupancyPercent": text} for text in ("0", "-0", "0.0")]
    decoded = decode_records(
        *(build_record(n, site=site) for n, site in enumerate(sites))
    )
    shares = [record.site.occupancy_percent for record in decoded if record.site]
    assert list(map(str, shares)) == ["0", "-0", "0.0"]


def test_parts_of_different_models_with_the_same_id_are_not_shared() -> None:
    twin = {**SITE, "id": "same"}, {**BILL, "id": "same"}
    decoded = decode_records(
        *(build_record(n, site=twin[0], document=twin[1]) for n in range(3))
    )
    assert {type(record.site).__name__ for record in decoded} == {"Site"}
    assert {type(record.document).__name__ for record in decoded} == {
        "DocumentEmbedded"
    }


def test_a_part_with_unknown_keys_is_not_shared() -> None:
    converter = Converter()
    new = {**SITE, "floor": 3}
    for _ in range(2):  # a learned key changes nothing
        decoded = decode_records(
            *(build_record(n, site=new) for n in range(3)), converter=converter
        )
        sites = [record.site for record in decoded if record.site]
        assert [site.extra for site in sites] == [{"floor": 3}] * 3
        assert len({id(site) for site in sites}) == 3
    plain = decode_records(*(build_record(n) for n in range(3)), converter=converter)
    assert len({id(record.site) for record in plain}) == 1


def test_the_shared_empty_extra_is_read_only() -> None:
    first, _ = decode_records(build_record(1), build_record(2))
    site: Any = first.site
    assert site.extra == {}
    with pytest.raises(TypeError, match="read-only"):
        site.extra["floor"] = 3
    with pytest.raises(TypeError, match="read-only"):
        site.extra.update(floor=3)
    for change in ("clear", "popitem"):
        with pytest.raises(TypeError, match="read-only"):
            getattr(site.extra, change)()
    assert attrs.evolve(site, extra={**site.extra, "floor": 3}).extra == {"floor": 3}
    assert json.dumps(site.extra) == "{}"


def test_a_copy_of_an_extra_is_an_ordinary_dict() -> None:
    (original,) = decode_records(build_record(1))
    pickled: Any = pickle.loads(pickle.dumps(original))  # noqa: S301 - our own
    copied: Any = copy.deepcopy(original)
    for decoded in (copied, pickled):
        assert decoded == original
        decoded.extra["floor"] = 3
    assert original.extra == {}


def test_a_users_hook_is_called_for_each_part() -> None:
    converter = Converter()
    converter.cattrs.register_structure_hook(str, lambda value, _: [value])
    first, second = decode_records(
        build_record(1), build_record(2), converter=converter
    )
    assert first.site == second.site
    assert first.site is not second.site


def test_a_part_with_a_mutable_value_is_not_shared() -> None:
    body = json.dumps([{"id": "1", "additionalFields": {"a": 1}}] * 2).encode()
    first, second = Converter().decode(body, list[UsageData])
    assert first.additional_fields == second.additional_fields
    assert first.additional_fields is not second.additional_fields


def test_parts_of_other_models_are_shared() -> None:
    company = {"id": "c-1", "name": "Harbor"}
    records = [{"id": str(number), "company": company} for number in range(2)]
    first, second = Converter().decode(json.dumps(records).encode(), list[Connection])
    assert first.company is not None
    assert first.company is second.company


def test_repeated_parts_need_no_memory() -> None:
    converter = Converter()

    def size(records: list[dict[str, Any]]) -> int:
        decode_records(*records, converter=converter)
        tracemalloc.start()
        try:
            decoded = decode_records(*records, converter=converter)
            return tracemalloc.get_traced_memory()[0] // len(decoded)
        finally:
            tracemalloc.stop()

    equal_parts = [build_record(number) for number in range(200)]
    different_parts = [
        build_record(n, site={**SITE, "id": str(n)}, document={**BILL, "id": str(n)})
        for n in range(200)
    ]
    assert size(equal_parts) < 0.7 * size(different_parts)


def test_numbers_keep_their_digits_like_texts() -> None:
    body = (
        b'[{"id": "1", "site": {"id": "s", "name": "", "occupancyPercent": 1.50}},'
        b' {"id": "2", "site": {"id": "s", "name": "", "occupancyPercent": "1.5"}}]'
    )
    first, second = Converter().decode(body, list[UsageData])
    assert first.site is not None
    assert second.site is not None
    assert str(first.site.occupancy_percent) == "1.50"
    assert str(second.site.occupancy_percent) == "1.5"
    assert first.site.occupancy_percent == Decimal("1.5")


def test_parts_with_a_new_key_of_any_kind_are_read_and_the_others_still_shared() -> (
    None
):
    converter = Converter()
    for new in ("text", ["a", "list"], {"an": "object"}, None):
        odd = {**METER, "newKey": new}
        records = (
            build_record(1),
            build_record(2, identifiers=[odd, odd]),
            build_record(3),
        )
        decode_records(*records, converter=converter)  # from here on the key is known
        first, second, third = decode_records(*records, converter=converter)
        assert [identifier.extra for identifier in second.identifiers] == [
            {"newKey": new}
        ] * 2
        assert first.identifiers[0] is third.identifiers[0]
        assert first.identifiers[0] != second.identifiers[0]


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_no_part_is_lost_or_added(count: int) -> None:
    identifiers = [{**METER, "value": f"M-{number}"} for number in range(count)]
    (decoded,) = decode_records(build_record(1, identifiers=identifiers))
    assert [identifier.value for identifier in decoded.identifiers] == [
        f"M-{n}" for n in range(count)
    ]
    assert isinstance(decoded.identifiers, tuple)
