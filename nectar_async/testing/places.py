"""Where the recording of a test is: in a folder beside its file."""

from __future__ import annotations

import hashlib
import os
import re
from difflib import get_close_matches
from pathlib import Path
from typing import Final

import pytest

from nectar_async.errors import ConfigurationError
from nectar_async.recording.folder import MANIFEST

__all__ = ["check_place", "home_of", "near", "place_of"]

# What every file system takes, and tells apart where it does not see capitals.
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_.-]+")
_PLAIN: Final = re.compile(r"[a-z0-9_.-]*")
_LONGEST: Final = 80
_MARK: Final = 6
_SHOWN: Final = 5
_LIKE: Final = 0.5


def home_of(item: pytest.Item) -> Path:
    """The folder in which the recordings of a test's file are.

    Raises:
        ConfigurationError: the setting makes no sense.
    """
    folder = str(item.config.getini("nectar_recordings"))
    if not folder or Path(folder).name != folder:
        raise ConfigurationError(
            "nectar_recordings is the name of a folder, which each test file has beside"
            f" it; not {folder!r}"
        )
    return item.path.parent / folder


def place_of(item: pytest.Item, named: str | os.PathLike[str] | None) -> Path:
    """The folder of a test's recording.

    Args:
        item: the test.
        named: what its marker calls the recording; None for one of its own.

    Raises:
        ConfigurationError: the name or the setting makes no sense.
    """
    home = home_of(item)
    if named is None:
        return home / item.path.stem / _safe(_within(item))
    path = Path(os.path.normpath(home / named))
    if home not in path.parents:
        raise ConfigurationError(
            f"recording={os.fspath(named)!r} names no folder within {home.name}/, where"
            " recordings are, as recording='winter' or 'bills/winter' do"
        )
    return path


def check_place(path: Path, home: Path) -> None:
    """Hold that a recording neither has others inside nor is inside of one.

    Raises:
        ConfigurationError: it is; names what is there.
    """
    above = [one for one in path.parents if home in one.parents and _is_recording(one)]
    if above:
        raise ConfigurationError(
            f"{path.relative_to(home)} would be inside of the recording"
            f" {above[0].relative_to(home)}: name another one"
        )
    within = [] if _is_recording(path) else _names(path)
    if within:
        raise ConfigurationError(
            f"{path.relative_to(home)} is a folder of recordings, and none itself: it"
            f" has {', '.join(within[:_SHOWN])}"
        )


def near(path: Path, home: Path) -> tuple[str, ...]:
    """The names of recordings that are there and are like one that is not."""
    names = {name.lower(): name for name in _names(home)}
    wanted = path.relative_to(home).as_posix().lower()
    close = get_close_matches(wanted, names, cutoff=_LIKE)
    longer = [name for name in names if wanted in name and name not in close]
    return tuple(names[name] for name in [*close, *longer][:_SHOWN])


def _is_recording(path: Path) -> bool:
    return (path / MANIFEST).exists()


def _names(folder: Path) -> list[str]:
    """The recordings below a folder, by their paths from it."""
    found = sorted(path.parent for path in folder.rglob(MANIFEST))
    return [path.relative_to(folder).as_posix() for path in found]


def _within(item: pytest.Item) -> str:
    """The test's name within its file: `TestShop.test_months[2025]`."""
    test, bracket, parameters = item.nodeid.partition("::")[2].partition("[")
    return f"{test.replace('::', '.') or item.name}{bracket}{parameters}"


def _safe(name: str) -> str:
    """A name for a folder; another one for each other name."""
    test, _, parameters = name.partition("[")
    parameters = parameters.removesuffix("]")
    wanted = f"{test}.{parameters}" if parameters else test
    safe = _UNSAFE.sub("-", wanted)[:_LONGEST].rstrip(".-")
    # Where capitals count for nothing, [kWh] and [KWH] would be one folder.
    if safe == wanted and _PLAIN.fullmatch(parameters):
        return safe
    mark = hashlib.sha256(name.encode()).hexdigest()[:_MARK]
    return f"{safe}.{mark}"
