"""The options of one test, from markers, command-line flags and ini settings.

They include the path of its recording, which is in a folder next to the test file.
"""

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
from attrs import frozen

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
    "fail_without_traceback",
    "find_recording_path",
    "find_similar_names",
]

Unused = Literal["report", "warn", "error", "ignore"]
"""What happens if a test does not request all recorded exchanges."""

_KEYWORDS: Final[Mapping[str, tuple[type | tuple[type, ...], str]]] = {
    "recording": ((str, os.PathLike), "the name of a folder, as 'winter'"),
    "overlay": (object, "an overlay, or a list of them"),
    "repeat": (str, "'never' or 'last'"),
    "redaction": (Redaction, "a Redaction, of nectar_async.recording"),
    "unused": (str, "'report', 'warn', 'error' or 'ignore'"),
    "max_age": ((int, float, timedelta), "a number of days, as 30, or a timedelta"),
    "settings": (Settings, "nectar_async.Settings, as Settings(max_concurrency=2)"),
    "sandbox": (Mapping, "arguments of a Sandbox, as {'companies': 20}"),
}

# The arguments of `Sandbox`, which a replay does not import.
SANDBOX_ARGUMENTS: Final = (
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

# Characters and lengths that every file system supports.
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_.-]+")
_CASELESS: Final = re.compile(r"[a-z0-9_.-]*")
_MAX_NAME_LENGTH: Final = 80

# Parameters that say how a test runs: the backend of AnyIO, the event loop of
# pytest-asyncio, the count of pytest-repeat. All of them share one recording.
_OTHER_PARAMETERS: Final = frozenset(
    {
        "anyio_backend",
        "event_loop_policy",
        "_asyncio_loop_factory",
        "__pytest_repeat_step_number",
    }
)
_DIGEST_LENGTH: Final = 6
_MAX_SHOWN: Final = 5
_MIN_SIMILARITY: Final = 0.5


@frozen(kw_only=True)
class TestOptions:
    """Options of a test: how it replays, records and redacts."""

    test: str
    """The node id of the test: `tests/test_shop.py::test_months[2025]`."""
    path: Path
    """The folder of the recording."""
    home: Path
    """The folder with the recordings of the test file."""
    is_named: bool
    """Whether a marker names the recording; then several tests may share it."""
    mode: Mode
    flags: Mapping[str, Any]
    """Arguments of the `Recorder` that follow the mode, such as `touch`."""
    is_on_sandbox: bool
    """Whether the `nectar` fixture uses a sandbox."""
    overlays: Sequence[FaultLike]
    repeat: Repeat
    redaction: Redaction | None
    unused: Unused
    """For a shared recording, "report" replaces "warn" and "error" of the settings."""
    max_age: timedelta | None
    on_stale: Any
    """Validated by `RecordedTransport`."""
    settings: Settings | None
    sandbox: Mapping[str, Any]
    """Arguments of the `Sandbox`."""

    @classmethod
    def of(cls, item: pytest.Item, defaults: Mapping[str, Any]) -> TestOptions:
        """Read the options of a test.

        Args:
            item: the test.
            defaults: keywords of the marker that apply where no marker has them.

        Raises:
            ConfigurationError: a keyword, flag or setting is invalid; the message names
                its source.
        """
        _check_keywords("the fixture nectar_defaults", defaults)
        if "recording" in defaults:
            raise ConfigurationError(
                "the fixture nectar_defaults names a recording, which would apply to"
                " every test; name it with @pytest.mark.nectar(recording=...)"
            )
        keywords = {**defaults, **_read_markers(item)}
        config = item.config
        is_on_sandbox = bool(config.getoption("nectar_sandbox"))
        value = config.getoption("nectar_record") or _read_mode_variable()
        mode, *flags = (word.strip() for word in value.split(","))
        if is_on_sandbox and mode == Mode.REPLAY:
            mode = Mode.PASSTHROUGH
        age = keywords.get("max_age")
        path, home = find_recording_path(item), _find_home(item)
        _check_folder(path, home)
        return cls(
            test=item.nodeid,
            path=path,
            home=home,
            is_named="recording" in keywords,
            mode=Mode(_check_choice(VARIABLE, mode, [*Mode])),
            flags={
                _check_choice(VARIABLE, flag, FLAGS).replace("-", "_"): True
                for flag in flags
            },
            is_on_sandbox=is_on_sandbox,
            overlays=_to_overlays(keywords.get("overlay")),
            repeat=keywords.get("repeat", "never"),
            redaction=keywords.get("redaction"),
            unused=_read_unused(config, keywords),
            max_age=_parse_age(config.getini("nectar_max_age") if age is None else age),
            on_stale=config.getini("nectar_on_stale"),
            settings=keywords.get("settings"),
            sandbox=keywords.get("sandbox", {}),
        )


def find_recording_path(item: pytest.Item) -> Path:
    """Find the folder of a test's recording.

    Raises:
        ConfigurationError: the marker or the setting is invalid.
    """
    home = _find_home(item)
    named = _read_markers(item).get("recording")
    if named is None:
        folder = home / item.path.stem
        path, former = (
            folder / _build_folder_name(name) for name in _read_test_names(item)
        )
        # In older versions, each backend had a recording of its own.
        return former if _is_recording(former) and not _is_recording(path) else path
    path = Path(os.path.normpath(home / named))
    if home not in path.parents:
        raise ConfigurationError(
            f"recording={os.fspath(named)!r} is not a folder within {home.name}/, where"
            " recordings are, such as recording='winter' or 'bills/winter'"
        )
    return path


def find_similar_names(path: Path, home: Path) -> tuple[str, ...]:
    """Find the names of existing recordings that are similar to a missing one."""
    names = {name.lower(): name for name in _list_recordings(home)}
    wanted = path.relative_to(home).as_posix().lower()
    close = get_close_matches(wanted, names, cutoff=_MIN_SIMILARITY)
    longer = [name for name in names if wanted in name and name not in close]
    return tuple(names[name] for name in [*close, *longer][:_MAX_SHOWN])


@contextmanager
def fail_without_traceback() -> Iterator[None]:
    """Fail a test with the message of a `NectarError`, without its traceback."""
    try:
        yield
    except NectarError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


def _find_home(item: pytest.Item) -> Path:
    """Find the folder with the recordings of a test's file.

    Raises:
        ConfigurationError: the setting is invalid.
    """
    folder = str(item.config.getini("nectar_recordings"))
    if not folder or Path(folder).name != folder:
        raise ConfigurationError(
            "nectar_recordings must be the name of a folder next to each test file, not"
            f" {folder!r}"
        )
    return item.path.parent / folder


def _check_folder(path: Path, home: Path) -> None:
    """Check that a recording is neither inside nor around another one.

    Raises:
        ConfigurationError: the recordings are nested; the message names the other one.
    """
    outer = [
        parent
        for parent in path.parents
        if home in parent.parents and _is_recording(parent)
    ]
    if outer:
        raise ConfigurationError(
            f"{path.relative_to(home)} would be inside the recording"
            f" {outer[0].relative_to(home)}: choose another name"
        )
    inner = [] if _is_recording(path) else _list_recordings(path)
    if inner:
        raise ConfigurationError(
            f"{path.relative_to(home)} is a folder of recordings and not a recording:"
            f" it has {', '.join(inner[:_MAX_SHOWN])}"
        )


def _is_recording(path: Path) -> bool:
    return (path / MANIFEST_NAME).exists()


def _list_recordings(folder: Path) -> list[str]:
    """List the recordings below a folder, by their relative paths."""
    paths = sorted(path.parent for path in folder.rglob(MANIFEST_NAME))
    return [path.relative_to(folder).as_posix() for path in paths]


def _read_test_names(item: pytest.Item) -> tuple[str, str]:
    """Read the name of a test within its file: `TestShop.test_months[2025]`.

    Returns:
        Two names: without the ids of `_OTHER_PARAMETERS`, and with them.
    """
    # Not the node id: pytest-xdist appends groups to it.
    nodes = [node.name for node in item.listchain() if not _is_outer(node)]
    whole = ".".join(nodes)
    ids = _list_ids(item)
    kept = [text for name, text in ids if name not in _OTHER_PARAMETERS]
    if len(kept) == len(ids):
        return whole, whole
    suffix = f"[{'-'.join(text for _, text in ids)}]"
    name = whole.removesuffix(suffix)
    return f"{name}[{'-'.join(kept)}]" if kept else name, whole


def _is_outer(node: object) -> bool:
    """Whether a node is a file, or a folder or package that contains files."""
    return isinstance(node, (pytest.Session, pytest.Directory, pytest.File))


def _list_ids(item: pytest.Item) -> list[tuple[str, str]]:
    """List the parts of a parametrised test's id, each with its first parameter.

    The list is empty if the parts cannot be told apart.
    """
    callspec = getattr(item, "callspec", None)
    if callspec is None:
        return []
    groups = [
        names.replace(" ", "").split(",") if isinstance(names, str) else [*names]
        for marker in item.iter_markers("parametrize")
        for names in [*marker.args[:1], *marker.kwargs.values()][:1]
    ]
    first = {name: group[0] for group in groups for name in group if group}
    names = dict.fromkeys(first.get(name, name) for name in callspec.params)
    parts = getattr(callspec, "_idlist", ())
    return [*zip(names, parts, strict=True)] if len(names) == len(parts) else []


def _build_folder_name(name: str) -> str:
    """Build a valid folder name that is different for each test name."""
    test, _, parameters = name.partition("[")
    parameters = parameters.removesuffix("]")
    wanted = f"{test}.{parameters}" if parameters else test
    safe = _UNSAFE.sub("-", wanted)[:_MAX_NAME_LENGTH].rstrip(".-")
    # On file systems that ignore case, [kWh] and [KWH] would be one folder.
    if safe == wanted and _CASELESS.fullmatch(parameters):
        return safe
    digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGEST_LENGTH]
    return f"{safe}.{digest}"


def _read_markers(item: pytest.Item) -> dict[str, Any]:
    """Merge the keywords of a test's markers; the closest marker takes precedence."""
    keywords: dict[str, Any] = {}
    for marker in item.iter_markers("nectar"):
        if marker.args:
            raise ConfigurationError(
                f"@pytest.mark.nectar takes keywords only: {', '.join(_KEYWORDS)}"
            )
        _check_keywords("@pytest.mark.nectar", marker.kwargs)
        keywords = {**marker.kwargs, **keywords}
    return keywords


def _check_keywords(source: str, keywords: Mapping[str, Any]) -> None:
    for name, value in keywords.items():
        if name not in _KEYWORDS:
            raise ConfigurationError(
                f"{source} has no keyword {name!r}; it has {', '.join(_KEYWORDS)}"
            )
        types, description = _KEYWORDS[name]
        if not isinstance(value, types):
            raise ConfigurationError(
                f"{source} has {name}={value!r}; it is {description}"
            )
    for argument in keywords.get("sandbox", ()):
        if argument not in SANDBOX_ARGUMENTS:
            raise ConfigurationError(
                f"{source} has sandbox={dict(keywords['sandbox'])!r}, and a Sandbox has"
                f" no {argument!r}; it has {', '.join(SANDBOX_ARGUMENTS)}"
            )


def _read_mode_variable() -> str:
    mode, _, path = os.environ.get(VARIABLE, "").strip().partition(":")
    if path:
        raise ConfigurationError(
            f"{VARIABLE} names a path, but each test has a recording of its own; set"
            f" {VARIABLE}={mode}"
        )
    return mode or Mode.REPLAY


def _check_choice(name: str, value: str, choices: Sequence[str]) -> Any:
    if value not in choices:
        raise ConfigurationError(
            f"{name} is one of {', '.join(choices)}; not {value!r}"
        )
    return value


def _read_unused(config: pytest.Config, keywords: Mapping[str, Any]) -> Unused:
    choices = get_args(Unused)
    if "unused" in keywords:
        return cast(Unused, _check_choice("unused", keywords["unused"], choices))
    setting = _check_choice("nectar_unused", config.getini("nectar_unused"), choices)
    is_shared = "recording" in keywords
    return "report" if is_shared and setting != "ignore" else setting


def _to_overlays(value: Any) -> Sequence[FaultLike]:
    """Convert the keyword `overlay`, a single overlay or a list, to a sequence."""
    if value is None:
        return ()
    is_single = isinstance(value, str) or not isinstance(value, Iterable)
    return (value,) if is_single else tuple(value)


def _parse_age(value: str | float | timedelta) -> timedelta | None:
    if isinstance(value, timedelta):
        return value
    if value == "":
        return None
    try:
        return timedelta(days=float(value))
    except (ValueError, OverflowError):
        raise ConfigurationError(
            f"max_age is a number of days, not {value!r}"
        ) from None
