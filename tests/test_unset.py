"""`UNSET` is one value, false, and neither None nor empty."""

from __future__ import annotations

import copy
import pickle

from nectar_async import UNSET
from nectar_async._types import Unset


def test_it_is_false_and_not_none() -> None:
    assert not UNSET
    assert UNSET is not None
    others: list[object] = [[], "", 0, False, "UNSET"]
    assert UNSET not in others


def test_there_is_one() -> None:
    assert list(Unset) == [UNSET]
    assert copy.deepcopy(UNSET) is UNSET
    assert pickle.loads(pickle.dumps(UNSET)) is UNSET  # noqa: S301  our own bytes


def test_its_text_is_its_name() -> None:
    assert repr(UNSET) == "UNSET"
