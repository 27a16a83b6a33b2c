"""Decimals in request bodies."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from nectar_async.sandbox.server.messages import RefusalError

__all__ = ["within"]

_BAD_REQUEST = 400


def within(key: str, text: str, highest: int) -> Decimal:
    """The decimal that a text says; 400 unless it is between 0 and `highest`.

    The contract's patterns let texts through that say no number, such as a lone dot.
    """
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise RefusalError(_BAD_REQUEST, f"{key}: a number is required.") from None
    if not 0 <= value <= highest:
        raise RefusalError(_BAD_REQUEST, f"{key}: between 0 and {highest} are allowed.")
    return value
