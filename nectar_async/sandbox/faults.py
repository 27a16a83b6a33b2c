"""Trouble on demand: which calls meet it.

A `Fault` matches calls and has an effect; `in_force` holds those of a sandbox. An
effect is a frozen value with one method, `apply`, which may wait, answer by itself,
call on with another page, or change how the answer is delivered; a new kind of trouble
is one more class. There are effects

    in `server_faults`    on when and whether anything is answered
    in `answer_faults`    that answer something else
    in `body_faults`      on the JSON of the right answer
    in `page_faults`      on lists, which move and miscount
    in `delivery_faults`  on the way of an answer to the client
    in `file_faults`      on downloads of files
"""

from __future__ import annotations

from typing import Any, Protocol, TypeGuard

from attrs import Attribute, field, frozen

from nectar_async.errors import ConfigurationError
from nectar_async.sandbox.server.messages import Call, Proceed, Reply

__all__ = ["Effect", "Fault", "is_effect"]


class Effect(Protocol):
    """What a fault does to a call that it matches."""

    async def apply(self, call: Call, proceed: Proceed, /) -> Reply:
        """The answer; `proceed` gives the one that there would be without the fault."""
        ...


def is_effect(value: object) -> TypeGuard[Effect]:
    """Whether a value can be applied to a call; a class of effects cannot."""
    return callable(getattr(value, "apply", None)) and not isinstance(value, type)


@frozen
class Fault:
    """An effect, and which calls meet it: those for which every given condition holds.

    ```python
    Fault(Answer(status=429, retry_after="1"), page=2, times=1)
    ```
    """

    effect: Effect = field()
    operation: str | None = field(default=None, kw_only=True)
    page: int | None = field(default=None, kw_only=True)
    company: str | None = field(default=None, kw_only=True)
    """A company's id; its sites' calls match as well."""
    skip: int = field(default=0, kw_only=True)
    """How many matching calls pass unharmed first."""
    times: int | None = field(default=None, kw_only=True)
    """How many matching calls are hit after that; None for all."""
    probability: float | None = field(default=None, kw_only=True)
    """Share of the matching calls that are hit, drawn from the sandbox's seed."""

    @effect.validator
    def _check_effect(self, _: Attribute[Any], value: object) -> None:
        if not is_effect(value):
            raise ConfigurationError(
                f"a fault has an effect, as Fault(Html(status=502)), not {value!r}"
            )

    @probability.validator
    def _check_probability(self, _: Attribute[Any], value: float | None) -> None:
        if value is not None and not 0 <= value <= 1:
            raise ConfigurationError(f"probability is between 0 and 1, not {value}")

    def matches(self, call: Call) -> bool:
        """Whether the call is of the kind that this fault is for."""
        return (
            (self.operation is None or call.operation == self.operation)
            and (self.page is None or call.page == self.page)
            and (self.company is None or call.company_id == self.company)
        )
