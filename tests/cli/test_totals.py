"""Sums that no number of the server's can break."""

from __future__ import annotations

from decimal import Decimal

import pytest

from nectar_async import UsageData, UsageUnits
from nectar_async.cli.totals import Totals
from nectar_async.cli.views import VIEWS


def summed(*amounts: str) -> str:
    totals = Totals(VIEWS["usage"])
    totals.add(
        UsageData(id=text, usage=Decimal(text), usage_units=UsageUnits("kWh"))
        for text in amounts
    )
    (line,) = totals.lines
    return str(line.as_json()["usage"])


def test_a_sum_keeps_every_digit_of_what_a_meter_can_show() -> None:
    assert summed("123456789012345678901234567890.5", "0.0625") == (
        "123456789012345678901234567890.5625"
    )


@pytest.mark.parametrize("text", ["1E+999", "1E+999999999", "-1E+999999999"])
def test_a_number_beyond_all_measure_is_summed_as_well(text: str) -> None:
    assert Decimal(summed(text, "1", "2.5")).adjusted() == Decimal(text).adjusted()
    assert len(summed(text, "1", "2.5")) < 150
