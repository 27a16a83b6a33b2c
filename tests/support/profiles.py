"""How many examples the property tests try: a few by default, many in `.ci/run`.

`HYPOTHESIS_PROFILE=thorough` chooses the many.
"""

from __future__ import annotations

import os
from typing import Any

from hypothesis import settings

__all__ = ["load_profile", "max_examples"]

_PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "quick")
_QUICK_SHARE = 8
_FEWEST = 5


def load_profile() -> None:
    """Load the profile that the environment names."""
    settings.register_profile("quick", max_examples=20, deadline=None)
    settings.register_profile("thorough", max_examples=200, deadline=None)
    settings.load_profile(_PROFILE)


def max_examples(thorough: int, **options: Any) -> settings:
    """Settings of a property test that tries so many examples in the thorough profile.

    The quick profile tries an eighth of them, but five at least.
    """
    quick = max(_FEWEST, thorough // _QUICK_SHARE)
    count = thorough if _PROFILE == "thorough" else quick
    return settings(max_examples=count, deadline=None, **options)
