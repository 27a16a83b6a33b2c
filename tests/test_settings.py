"""Settings are frozen, and are checked when they are built."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable, Iterator
from typing import Any, get_type_hints

import attrs
import pytest

from nectar_async import (
    ConfigurationError,
    NectarClient,
    Operation,
    RetryPolicy,
    Settings,
    contract,
    settings as settings_module,
)
from nectar_async.settings import SettingsChanges

NAN, INF = math.nan, math.inf
URL = "https://nectar.example"


def test_the_defaults_are_those_of_the_api() -> None:
    settings = Settings()
    assert settings.api_url == "https://external.nectarclimate.com/v2.2"
    assert settings.max_concurrency == 10
    assert settings.attempt_timeout == 30.0
    assert settings.deadline is None
    assert not settings.strict
    assert settings.operations == {}
    assert settings.retry == RetryPolicy(
        attempts=4, wait_initial=0.5, wait_max=30.0, retry_after_max=120.0
    )


@pytest.mark.parametrize("value", [Settings(), RetryPolicy(), Operation("GET", "/x")])
def test_values_are_frozen(value: Any) -> None:
    name = attrs.fields(type(value))[0].name
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(value, name, None)


@pytest.mark.parametrize("kind", [Settings, RetryPolicy])
def test_values_take_keywords_only(kind: type) -> None:
    with pytest.raises(TypeError):
        kind(URL)


def test_settings_survive_pickle() -> None:
    settings = Settings(operations={"x": Operation("PUT", "/x", keys={"a": "b"})})
    assert pickle.loads(pickle.dumps(settings)) == settings  # noqa: S301  our own


@pytest.mark.parametrize("name", ["attempt_timeout", "deadline"])
@pytest.mark.parametrize("value", [0, -1, -0.0, NAN, -INF, True, "30", [30], b"3"])
def test_a_timeout_is_seconds_above_zero(name: str, value: object) -> None:
    with pytest.raises(
        ConfigurationError, match=rf"^{name} must be a number of seconds"
    ):
        Settings(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["attempt_timeout", "deadline"])
@pytest.mark.parametrize("value", [None, 1, 0.001, INF, 10**9])
def test_a_timeout_may_be_none_or_any_time(name: str, value: float | None) -> None:
    assert getattr(Settings(**{name: value}), name) == value  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["max_concurrency", "max_body_bytes"])
@pytest.mark.parametrize("value", [0, -1, 1.5, 2.0, NAN, INF, True, "10", None])
def test_a_count_is_a_whole_number_from_one(name: str, value: object) -> None:
    with pytest.raises(
        ConfigurationError, match=rf"^{name} must be a whole number from 1"
    ):
        Settings(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "4", None, NAN])
def test_attempts_are_a_whole_number_from_one(value: Any) -> None:
    with pytest.raises(
        ConfigurationError, match=r"^attempts must be a whole number from 1"
    ):
        RetryPolicy(attempts=value)


@pytest.mark.parametrize("name", ["wait_initial", "wait_max", "retry_after_max"])
@pytest.mark.parametrize("value", [-1, -0.5, NAN, -INF, True, "1", None])
def test_a_wait_is_seconds_from_zero(name: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match=rf"^{name} (is|must be) "):
        RetryPolicy(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [-1, NAN, INF, 1.5, True, "50", None])
def test_a_budget_is_a_whole_number_from_zero(value: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^budget must be "):
        RetryPolicy(budget=value)


def test_waits_and_budget_may_be_zero() -> None:
    policy = RetryPolicy(wait_initial=0, wait_max=0, retry_after_max=0, budget=0)
    assert policy.budget == 0


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"retry": None}, "retry"),
        ({"retry": 4}, "retry"),
        ({"strict": "no"}, "strict"),
        ({"strict": None}, "strict"),
        ({"operations": ["ping_get"]}, "operations"),
        ({"operations": {"ping_get": "/ping"}}, "operations"),
        ({"api_version": []}, "api_version"),
        ({"base_url": None}, "base_url"),
        ({"base_url": b"https://nectar.example"}, "base_url"),
    ],
    ids=repr,
)
def test_a_value_of_another_type_is_named(changes: dict[str, Any], name: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        Settings(**changes)


@pytest.mark.parametrize(
    ("version", "url"),
    [("v2.2", f"{URL}/v2.2"), ("v2.1", f"{URL}/v2.1"), ("v2.0", f"{URL}/v2")],
)
def test_every_version_has_its_address(version: str, url: str) -> None:
    assert Settings(base_url=URL, api_version=version).api_url == url


@pytest.mark.parametrize("version", ["2.2", "v2", "V2.2", "v3", "", " v2.2", None, 2])
def test_another_version_is_refused_with_those_that_exist(version: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"api_version .* v2\.2, v2\.1, v2\.0"):
        Settings(api_version=version)


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        (f"{URL}/", URL),
        (f"  {URL}//\n", URL),
        (f"{URL}/proxy", f"{URL}/proxy"),
        (f"{URL}/proxy/", f"{URL}/proxy"),
        (f"{URL}/v2/proxy", f"{URL}/v2/proxy"),
        (f"{URL}/v2x", f"{URL}/v2x"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_an_origin_may_have_a_prefix_and_loses_its_slash(
    base_url: str, expected: str
) -> None:
    assert Settings(base_url=base_url).base_url == expected


@pytest.mark.parametrize(
    ("last", "version"),
    [
        ("v2.2", "v2.2"),
        ("v2.1", "v2.1"),
        ("V2.1", "v2.1"),
        ("v2", "v2.0"),
        ("V2", "v2.0"),
        ("v2.0", "v2.0"),
        ("v2.2/", "v2.2"),
    ],
)
@pytest.mark.parametrize("origin", [URL, f"{URL}/proxy"])
def test_a_base_url_with_a_version_says_what_to_write(
    origin: str, last: str, version: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Settings(base_url=f"{origin}/{last}")
    words = str(caught.value)
    assert words.startswith("base_url ends in a version")
    assert f"base_url={origin!r}" in words
    assert f"api_version={version!r}" in words
    Settings(base_url=origin, api_version=version)


@pytest.mark.parametrize("host", ["https://v2", "https://v2.2"])
def test_a_host_named_like_a_version_is_allowed(host: str) -> None:
    assert Settings(base_url=host).api_url == f"{host}/v2.2"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nectar.example",
        "//nectar.example",
        "ftp://nectar.example",
        "file:///etc/passwd",
        "https://",
        "https:///path",
        f"{URL}:99999",
        f"{URL}:port",
        "https://[::1",
        f"{URL}?key=1",
        f"{URL}?",
        f"{URL}#top",
        f"{URL}#",
        "https://nectar .example",
        "https://nectar.example\n/x",
        "https://nectar.example/\tx",
        "https://nectar.example/a\x00b",
        "https://néctar.example",
        "https://user:word@nectar.example",
        "https://:@nectar.example",
    ],
)
def test_a_base_url_that_is_not_an_origin_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^base_url "):
        Settings(base_url=url)


@pytest.mark.parametrize(
    "url",
    [
        "https://user:canary@nectar.example",
        "ftp://user:canary@nectar.example",
        "https://user:canary@nectar.example:99999",
    ],
)
def test_no_message_repeats_a_password(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Settings(base_url=url)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("method", ["patch", "HEAD", "", "TRACE", 5, []])
def test_a_method_is_one_that_the_api_has(method: Any) -> None:
    with pytest.raises(
        ConfigurationError, match=r"^method must be one of GET, POST, PUT"
    ):
        Operation(method)


@pytest.mark.parametrize("path", ["site", "", "https://evil.example/x", 5])
def test_a_path_starts_with_a_slash(path: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^path must start with '/'"):
        Operation(path=path)


@pytest.mark.parametrize("path", ["/a\nb", "/a b", "/a\x00", "/a?b=c", "/a#b"])
def test_a_path_has_neither_query_nor_fragment(path: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^path "):
        Operation(path=path)


@pytest.mark.parametrize("keys", [None, ["a"], {"a": 1}])
def test_keys_map_text_to_text(keys: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^keys "):
        Operation(keys=keys)


def test_an_empty_environment_keeps_the_defaults() -> None:
    assert Settings.from_env({}) == Settings()
    assert Settings.from_env({"NECTAR_BASE_URL": " ", "NECTAR_API_VERSION": ""}) == (
        Settings()
    )


def test_the_environment_is_read() -> None:
    environ = {"NECTAR_BASE_URL": f" {URL}/ ", "NECTAR_API_VERSION": "v2.0"}
    assert Settings.from_env(environ).api_url == f"{URL}/v2"


def test_by_default_the_environment_is_that_of_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NECTAR_API_VERSION", "v2.1")
    assert Settings.from_env().api_version == "v2.1"


def test_changes_override_the_environment() -> None:
    environ = {"NECTAR_BASE_URL": "rubbish", "NECTAR_API_VERSION": "v9"}
    settings = Settings.from_env(
        environ, base_url=URL, api_version="v2.1", max_concurrency=3
    )
    assert (settings.api_url, settings.max_concurrency) == (f"{URL}/v2.1", 3)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("NECTAR_BASE_URL", "rubbish"),
        ("NECTAR_BASE_URL", f"{URL}/v2.2"),
        ("NECTAR_API_VERSION", "2"),
        ("NECTAR_MAX_CONCURRENCY", "0"),
        ("NECTAR_MAX_CONCURRENCY", "ten"),
    ],
)
def test_a_wrong_variable_is_named(variable: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"^{variable}: "):
        Settings.from_env({variable: value})


def test_the_number_of_requests_at_once_is_read_from_the_environment() -> None:
    environ = {"NECTAR_MAX_CONCURRENCY": " 3 "}
    assert Settings.from_env(environ).max_concurrency == 3
    assert Settings.from_env(environ, max_concurrency=4).max_concurrency == 4


@pytest.fixture
def _not_yet_warned() -> Iterator[None]:
    settings_module._warn_about_concurrency.cache_clear()
    yield
    settings_module._warn_about_concurrency.cache_clear()


BUILDS: dict[str, Callable[[], object]] = {
    "settings": lambda: Settings(max_concurrency=50),
    "copy": lambda: attrs.evolve(Settings(), max_concurrency=50),
    "environment": lambda: Settings.from_env({"NECTAR_MAX_CONCURRENCY": "50"}),
}


@pytest.mark.usefixtures("_not_yet_warned")
@pytest.mark.parametrize("build", BUILDS.values(), ids=BUILDS)
def test_more_requests_than_advised_warn_once_at_the_line_of_the_caller(
    build: Callable[[], object],
) -> None:
    with pytest.warns(UserWarning, match="at most 10 requests at once") as caught:
        build()
    build()  # another warning would be an error
    (warning,) = caught
    assert warning.filename == __file__
    assert warning.lineno == build.__code__.co_firstlineno


@pytest.mark.usefixtures("_not_yet_warned")
def test_a_client_that_reads_the_environment_warns_at_the_line_of_the_caller(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NECTAR_MAX_CONCURRENCY", "11")
    with pytest.warns(UserWarning, match="max_concurrency is above 10") as caught:
        NectarClient("key")
    assert [warning.filename for warning in caught] == [__file__]


@pytest.mark.usefixtures("_not_yet_warned")
def test_the_advised_number_of_requests_does_not_warn() -> None:
    advised = contract.load()["x-errors"]["max_concurrent_requests_advised"]
    assert Settings(max_concurrency=advised) == Settings()
    with pytest.warns(UserWarning, match=f"above {advised}"):
        Settings(max_concurrency=advised + 1)


def test_the_typed_keywords_are_the_fields() -> None:
    fields = attrs.fields(attrs.resolve_types(Settings))
    types = {field.name: field.type for field in fields}
    assert types == get_type_hints(SettingsChanges)


def test_of_two_wrong_variables_one_is_named() -> None:
    environ = {"NECTAR_BASE_URL": f"{URL}/x", "NECTAR_API_VERSION": "v2.1"}
    assert Settings.from_env(environ).api_url == f"{URL}/x/v2.1"


def test_a_correction_of_a_misspelled_operation_is_refused() -> None:
    right = "usage_list_by_company"
    for wrong in ("usage_list_by_compny", "usages_list_by_company"):
        with pytest.raises(ConfigurationError, match=f"did you mean '{right}'"):
            Settings(operations={wrong: Operation("GET", "/x")})
    Settings(operations={right: Operation("GET", "/x")})
    Settings(operations={"labels_get": Operation("GET", "/x")})  # one of the user's own
