"""The errors form one tree, name the request, and can be pickled."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Iterator
from typing import Any

import pytest

from nectar_async import errors
from nectar_async.errors import (
    BodyTooLargeError,
    ConfigurationError,
    ConnectionFailedError,
    DeadlineExceededError,
    DecodeError,
    InvalidArgumentError,
    NectarError,
    NotFoundError,
    RateLimitedError,
    ServerError,
    ServerTimeoutError,
    StatusError,
    TransportError,
    WaitTimeoutError,
)


def family(kind: type[NectarError]) -> Iterator[type[NectarError]]:
    """A class and all its subclasses in the module."""
    yield kind
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from family(child)


TREE = list(family(NectarError))
each_error = pytest.mark.parametrize("kind", TREE, ids=lambda kind: kind.__name__)

CONTEXT: dict[str, Any] = {
    "operation": "usage_list_by_company",
    "target": "company c-1, page 3",
    "page": 3,
    "cursor": "page:3",
    "attempts": 4,
    "elapsed": 12.5,
    "request_id": "0f" * 16,
}
# Further attributes of each family; those of the nearest ancestor in this table apply.
FACTS: dict[type[NectarError], dict[str, Any]] = {
    TransportError: {"is_sent": False, "is_permanent": True},
    StatusError: {
        "status": 418,
        "detail": "short and stout",
        "body": '{"detail": "short and stout"}',
        "retry_after": 1.5,
    },
    DecodeError: {"problems": ("missing @ $.id",)},
    WaitTimeoutError: {"last": "PENDING"},
}
SET_LATER: dict[type[NectarError], dict[str, Any]] = {
    DeadlineExceededError: {
        "queue_seconds": 1.0,
        "network_seconds": 2.0,
        "backoff_seconds": 3.0,
    }
}


def facts(kind: type[NectarError]) -> dict[str, Any]:
    return next((FACTS[base] for base in kind.__mro__ if base in FACTS), {})


def build_error(kind: type[NectarError]) -> NectarError:
    """An error with every attribute set."""
    error = kind("it went wrong", **facts(kind))
    for name, value in {**CONTEXT, **SET_LATER.get(kind, {})}.items():
        setattr(error, name, value)
    error.add_note("first note")
    error.add_note("second note")
    return error


def drawn_tree() -> dict[str, str | None]:
    """Each name of the tree in the docstring with the name of its base class."""
    parents: dict[str, str | None] = {}
    line_of_descent: dict[int, str] = {}
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"[│├└─ ]*(?=[A-Z]\w+Error\b)", line)
        if match is None:
            continue
        name = line[match.end() :].split()[0]
        depth = match.end() // 4
        line_of_descent[depth] = name
        parents[name] = line_of_descent[depth - 1] if depth else None
    return parents


def test_the_tree_in_the_docstring_is_the_real_one() -> None:
    real = {
        kind.__name__: kind.__bases__[0].__name__ if kind is not NectarError else None
        for kind in TREE
    }
    assert drawn_tree() == real


def test_every_error_is_exported() -> None:
    assert {kind.__name__ for kind in TREE} == set(errors.__all__)


@each_error
def test_every_error_is_named_error_and_has_a_docstring(
    kind: type[NectarError],
) -> None:
    assert kind.__name__.endswith("Error")
    assert kind.__dict__["__doc__"]


@pytest.mark.parametrize("kind", [ConfigurationError, InvalidArgumentError])
def test_errors_about_values_are_value_errors(kind: type[NectarError]) -> None:
    with pytest.raises(ValueError, match="wrong"):
        raise kind("wrong")


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@each_error
def test_every_error_pickles_with_all_it_carries(
    kind: type[NectarError], protocol: int
) -> None:
    error = build_error(kind)
    back = pickle.loads(pickle.dumps(error, protocol))  # noqa: S301  our own bytes
    assert type(back) is kind
    assert back.args == error.args == ("it went wrong",)
    assert str(back) == str(error)
    expected = {**CONTEXT, **facts(kind), **SET_LATER.get(kind, {})}
    assert {name: getattr(back, name) for name in expected} == expected
    assert back.__notes__ == ["first note", "second note"]


@each_error
def test_every_error_can_be_copied(kind: type[NectarError]) -> None:
    error = build_error(kind)
    for back in (copy.copy(error), copy.deepcopy(error)):
        assert type(back) is kind
        assert vars(back) == vars(error)
        assert str(back) == str(error)


@each_error
def test_every_error_can_be_built_without_arguments(kind: type[NectarError]) -> None:
    error = kind()
    assert str(error) == ""
    for name in CONTEXT:
        assert not getattr(error, name)
    assert type(pickle.loads(pickle.dumps(error))) is kind  # noqa: S301  our own


@each_error
def test_the_text_names_the_request_and_the_attempts(
    kind: type[NectarError],
) -> None:
    assert str(build_error(kind)) == (
        "usage_list_by_company, company c-1, page 3: it went wrong"
        " (after 4 attempts in 12.5 s)"
    )


def test_the_text_leaves_out_unknown_facts() -> None:
    error = NectarError("it went wrong")
    assert str(error) == "it went wrong"
    error.attempts = 1
    assert str(error) == "it went wrong"
    error.attempts, error.elapsed = 2, 0.04
    assert str(error) == "it went wrong (after 2 attempts in 0.0 s)"
    error.operation = "ping_get"
    assert str(error) == "ping_get: it went wrong (after 2 attempts in 0.0 s)"


def test_attributes_of_one_error_are_not_those_of_another() -> None:
    error, other = NotFoundError("x"), NotFoundError("x")
    error.attempts, error.operation = 3, "sites_get"
    assert (other.attempts, other.operation) == (0, None)
    assert NectarError.operation is None


@pytest.mark.parametrize(
    ("kind", "base"),
    [
        (ConnectionFailedError, TransportError),
        (BodyTooLargeError, TransportError),
        (RateLimitedError, StatusError),
        (ServerTimeoutError, ServerError),
        (ServerError, StatusError),
    ],
)
def test_a_base_class_catches_its_subclasses(
    kind: type[NectarError], base: type[NectarError]
) -> None:
    with pytest.raises(base):
        raise kind("x")


def test_a_transport_error_counts_as_sent_by_default() -> None:
    assert TransportError("x").is_sent
    assert not TransportError("x").is_permanent


@pytest.mark.parametrize(
    ("count", "end"), [(1, "p0"), (5, "p4"), (6, "p4; and 1 more"), (99, "and 94 more")]
)
def test_a_decode_error_lists_five_problems_and_keeps_all(count: int, end: str) -> None:
    problems = tuple(f"p{number}" for number in range(count))
    error = DecodeError.of("UsageData", problems)
    assert str(error).startswith("the answer is not a valid UsageData: p0")
    assert str(error).endswith(end)
    assert error.problems == problems
