"""`nectar_async.models` exports every model."""

from __future__ import annotations

import pickle
import weakref
from importlib import import_module
from pathlib import Path

import pytest

from nectar_async import models
from nectar_async.models._base import Model

PACKAGE = Path(models.__file__)
SUBMODULES = sorted(
    path.stem for path in PACKAGE.parent.glob("*.py") if not path.stem.startswith("_")
)


def test_all_lists_every_public_name_of_every_submodule() -> None:
    public = [
        name
        for submodule in SUBMODULES
        for name in import_module(f"{models.__name__}.{submodule}").__all__
    ]
    assert sorted(public) == models.__all__


@pytest.mark.parametrize("name", models.__all__)
def test_every_class_can_be_pickled_by_its_name(name: str) -> None:
    cls = getattr(models, name)
    assert cls.__name__ == name
    assert pickle.loads(pickle.dumps(cls)) is cls  # noqa: S301  our own bytes


def test_models_can_be_weakly_referenced() -> None:
    kinds = [getattr(models, name) for name in models.__all__]
    assert any(issubclass(kind, Model) for kind in kinds)
    for kind in kinds:
        if issubclass(kind, Model):
            instance = object.__new__(kind)
            assert weakref.ref(instance)() is instance
