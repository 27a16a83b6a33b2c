"""What the fields of overlays and effects may be."""

from __future__ import annotations

from typing import Any

from attrs import Attribute

from nectar_async.errors import ConfigurationError

__all__ = ["seconds", "whole"]


def whole(least: int) -> Any:
    """A validator: a whole number from `least`."""

    def check(_: object, attribute: Attribute[Any], value: object) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise ConfigurationError(
                f"{attribute.name} is a whole number from {least}, not {value!r}"
            )

    return check


def seconds(_: object, attribute: Attribute[Any], value: object) -> None:
    """A validator: a number from 0, which may be infinite."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        raise ConfigurationError(
            f"{attribute.name} is a number of seconds from 0, not {value!r}"
        )
