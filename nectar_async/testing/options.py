"""What holds for one test: its markers, and the flags and settings of the suite."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, Literal, cast, get_args

import pytest
from attrs import evolve, frozen

from nectar_async.errors import ConfigurationError, NectarError
from nectar_async.faults import FaultLike
from nectar_async.recording.folder import MANIFEST_NAME
from nectar_async.recording.redaction.redaction import Redaction
from nectar_async.recording.replayer import Repeat
from nectar_async.settings import Settings
from nectar_async.transports._mode import FLAGS, VARIABLE, Mode

__all__ = [
    "TestOptions",
    "Unused",
    "change_settings",
    "check_folder",
    "fail_without_traceback",
    "find_recording_path",
    "find_recordings_folder",
    "find_similar_names",
    "resolve_folder",
]

Unused = Literal["report", "warn", "error", "ignore"]
"""What exchanges are that a test did not ask for."""

_KNOWN: Final[Mapping[str, tuple[type | tuple[type, ...], str]]] = {
    "recording": ((str, os.PathLike), "the name of a folder, as 'winter'"),
    "overlay": (object, "an overlay, or a list of them"),
    "repeat": (str, "'never' or 'last'"),
    "redaction": (Redaction, "a Redaction, of nectar_async.recording"),
    "unused": (str, "'report', 'warn', 'error' or 'ignore'"),
    "max_age": ((int, float, timedelta), "a number of days, as 30, or a timedelta"),
    "settings": (Settings, "nectar_async.Settings, as Settings(max_concurrency=2)"),
    "sandbox": (Mapping, "arguments of a Sandbox, as {'companies': 20}"),
}

# Those of `Sandbox`, which is not loaded for a replay.
SANDBOX: Final = (
    "companies",
    "seed",
    "latency",
    "api_key",
    "api_keys",
    "port",
    "faults",
    "restricted",
    "site_list",
    "last_day",
    "clock_speed",
    "file_bytes",
    "ssl_context",
)


@frozen(kw_only=True)
class TestOptions:
    """How a test replays, records and redacts."""

    test: str
    """Its node id: `tests/test_shop.py::test_months[2025]`."""
    path: Path
    """The folder of its recording."""
    home: Path
    """The folder in which the recordings of its file are."""
    is_named: bool
    """Whether a marker names it: then it may be for several tests."""
    mode: Mode
    flags: Mapping[str, Any]
    """Arguments of a `Recorder` that stand behind the mode: `touch`."""
    is_on_sandbox: bool
    """Whether the `nectar` fixture talks to a sandbox."""
    overlays: Sequence[FaultLike]
    repeat: Repeat
    redaction: Redaction | None
    unused: Unused
    """For one that is named no more than "report", unless a marker says so."""
    max_age: timedelta | None
    on_stale: Any
    """Checked by what replays."""
    settings: Settings | None
    sandbox: Mapping[str, Any]
    """Arguments for a `Sandbox`."""

    @classmethod
    def of(cls, item: pytest.Item, defaults: Mapping[str, Any]) -> TestOptions:
        """The terms of a test.

        Args:
            item: the test.
            defaults: keywords of the marker that hold where no marker has them.

        Raises:
            ConfigurationError: a keyword, flag or setting makes no sense; says where.
        """
        _check("the fixture nectar_defaults", defaults)
        if "recording" in defaults:
            raise ConfigurationError(
                "the fixture nectar_defaults names a recording, which would be that of"
                " every test; name it with @pytest.mark.nectar(recording=...)"
            )
        said = {**defaults, **_marked(item)}
        config = item.config
        is_on_sandbox = bool(config.getoption("nectar_sandbox"))
        wish = config.getoption("nectar_record") or _from_env()
        mode, *flags = (word.strip() for word in wish.split(","))
        if is_on_sandbox and mode == Mode.REPLAY:
            mode = Mode.PASSTHROUGH
        age = said.get("max_age")
        path = find_recording_path(item)
        check_folder(path, find_recordings_folder(item))
        return cls(
            test=item.nodeid,
            path=path,
            home=find_recordings_folder(item),
            is_named="recording" in said,
            mode=Mode(_word(VARIABLE, mode, [*Mode])),
            flags={
                _word(VARIABLE, flag, FLAGS).replace("-", "_"): True for flag in flags
            },
            is_on_sandbox=is_on_sandbox,
            overlays=_overlays(said.get("overlay")),
            repeat=said.get("repeat", "never"),
            redaction=said.get("redaction"),
            unused=_unused(config, said),
            max_age=_age(config.getini("nectar_max_age") if age is None else age),
            on_stale=config.getini("nectar_on_stale"),
            settings=said.get("settings"),
            sandbox=said.get("sandbox", {}),
        )


def find_recording_path(item: pytest.Item) -> Path:
    """The folder of a test's recording.

    Raises:
        ConfigurationError: the marker or the setting makes no sense.
    """
    return resolve_folder(item, _marked(item).get("recording"))


@contextmanager
def fail_without_traceback() -> Iterator[None]:
    """Have what is wrong with a test's set-up fail it in words, without a traceback."""
    try:
        yield
    except NectarError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


def change_settings(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """Settings with single ones changed.

    Raises:
        ConfigurationError: there is no such setting, or it makes no sense.
    """
    try:
        return evolve(settings, **changes)
    except TypeError:
        unknown = sorted(set(changes) - {*Settings.__annotations__})
        raise ConfigurationError(f"there is no setting {', '.join(unknown)}") from None


def _marked(item: pytest.Item) -> dict[str, Any]:
    """The keywords of a test's markers; the closest marker wins each."""
    said: dict[str, Any] = {}
    for marker in item.iter_markers("nectar"):
        if marker.args:
            raise ConfigurationError(
                f"@pytest.mark.nectar takes keywords only: {', '.join(_KNOWN)}"
            )
        _check("@pytest.mark.nectar", marker.kwargs)
        said = {**marker.kwargs, **said}
    return said


def _check(where: str, said: Mapping[str, Any]) -> None:
    for name, value in said.items():
        if name not in _KNOWN:
            raise ConfigurationError(
                f"{where} knows no {name!r}; it knows {', '.join(_KNOWN)}"
            )
        kinds, words = _KNOWN[name]
        if not isinstance(value, kinds):
            raise ConfigurationError(f"{where} has {name}={value!r}; it is {words}")
    for argument in said.get("sandbox", ()):
        if argument not in SANDBOX:
            raise ConfigurationError(
                f"{where} has sandbox={dict(said['sandbox'])!r}, and a Sandbox has no"
                f" {argument!r}; it has {', '.join(SANDBOX)}"
            )


def _from_env() -> str:
    mode, _, path = os.environ.get(VARIABLE, "").strip().partition(":")
    if path:
        raise ConfigurationError(
            f"{VARIABLE} names a path, but each test has a recording of its own; set"
            f" {VARIABLE}={mode}"
        )
    return mode or Mode.REPLAY


def _word(what: str, word: str, words: Sequence[str]) -> Any:
    if word not in words:
        raise ConfigurationError(f"{what} is one of {', '.join(words)}; not {word!r}")
    return word


def _unused(config: pytest.Config, said: Mapping[str, Any]) -> Unused:
    words = get_args(Unused)
    if "unused" in said:
        return cast(Unused, _word("unused", said["unused"], words))
    general = _word("nectar_unused", config.getini("nectar_unused"), words)
    return "report" if "recording" in said and general != "ignore" else general


def _overlays(said: Any) -> Sequence[FaultLike]:
    if said is None:
        return ()
    is_one = isinstance(said, str) or not isinstance(said, Iterable)
    return (said,) if is_one else tuple(said)


def _age(said: str | float | timedelta) -> timedelta | None:
    if isinstance(said, timedelta):
        return said
    if said == "":
        return None
    try:
        age = timedelta(days=float(said))
    except (ValueError, OverflowError):
        raise ConfigurationError(f"max_age is a number of days, not {said!r}") from None
    return age


# What every file system takes, and tells apart where it does not see capitals.
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_.-]+")
_PLAIN: Final = re.compile(r"[a-z0-9_.-]*")
_LONGEST: Final = 80
_MARK: Final = 6
_SHOWN: Final = 5
_LIKE: Final = 0.5


def find_recordings_folder(item: pytest.Item) -> Path:
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


def resolve_folder(item: pytest.Item, named: str | os.PathLike[str] | None) -> Path:
    """The folder of a test's recording.

    Args:
        item: the test.
        named: what its marker calls the recording; None for one of its own.

    Raises:
        ConfigurationError: the name or the setting makes no sense.
    """
    home = find_recordings_folder(item)
    if named is None:
        return home / item.path.stem / _safe(_within(item))
    path = Path(os.path.normpath(home / named))
    if home not in path.parents:
        raise ConfigurationError(
            f"recording={os.fspath(named)!r} names no folder within {home.name}/, where"
            " recordings are, as recording='winter' or 'bills/winter' do"
        )
    return path


def check_folder(path: Path, home: Path) -> None:
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


def find_similar_names(path: Path, home: Path) -> tuple[str, ...]:
    """The names of recordings that are there and are like one that is not."""
    names = {name.lower(): name for name in _names(home)}
    wanted = path.relative_to(home).as_posix().lower()
    close = get_close_matches(wanted, names, cutoff=_LIKE)
    longer = [name for name in names if wanted in name and name not in close]
    return tuple(names[name] for name in [*close, *longer][:_SHOWN])


def _is_recording(path: Path) -> bool:
    return (path / MANIFEST_NAME).exists()


def _names(folder: Path) -> list[str]:
    """The recordings below a folder, by their paths from it."""
    found = sorted(path.parent for path in folder.rglob(MANIFEST_NAME))
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
